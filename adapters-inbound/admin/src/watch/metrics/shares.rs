//! Metrics of the data that shares have written, flushed and given up.

use std::time::Duration;

use dittofs_ports::statistics::ShareCounts;

use crate::watch::exposition::{Exposition, Kind};

/// A metric that each share has one number of.
struct Number {
    kind: Kind,
    name: &'static str,
    help: &'static str,
    of: fn(&ShareCounts) -> u64,
}

const fn counter(name: &'static str, help: &'static str, of: fn(&ShareCounts) -> u64) -> Number {
    Number { kind: Kind::Counter, name, help, of }
}

const fn gauge(name: &'static str, help: &'static str, of: fn(&ShareCounts) -> u64) -> Number {
    Number { kind: Kind::Gauge, name, help, of }
}

const NUMBERS: [Number; 19] = [
    gauge("dittofs_stored_bytes", "Bytes that files hold, as last read from the metadata store.", |of| of.stored_bytes),
    gauge("dittofs_stored_limit_bytes", "Bytes that files may hold.", |of| of.stored_bytes_max),
    gauge("dittofs_unflushed_bytes", "Bytes that count as written and not flushed, their index included.", |of| {
        of.unflushed.used
    }),
    gauge("dittofs_unflushed_limit_bytes", "Unflushed bytes at which writes begin to wait.", |of| of.unflushed.limit),
    gauge("dittofs_unflushed_files", "Files with unflushed bytes.", |of| of.unflushed_files),
    counter("dittofs_writes_delayed_total", "How often a write had to wait for room.", |of| of.writes_delayed),
    counter("dittofs_writes_refused_total", "Writes that waited too long: clients were asked to try again.", |of| {
        of.writes_refused
    }),
    counter("dittofs_flushed_objects_total", "Objects that flushes have put.", |of| of.flushed_objects),
    counter("dittofs_flushed_bytes_total", "Flushed bytes, before compression.", |of| of.flushed_bytes),
    counter("dittofs_flush_failures_total", "Flushes that failed and are done again.", |of| of.flush_failures),
    gauge("dittofs_objects_garbage_candidates", "Objects that lost a reference and are to be looked at.", |of| {
        of.garbage_candidates
    }),
    gauge("dittofs_objects_awaiting_deletion", "Objects that are to be deleted, and are not deleted yet.", |of| {
        of.pending_deletes
    }),
    counter("dittofs_objects_unreferenced_total", "Objects that nothing referred to any more.", |of| {
        of.objects_unreferenced
    }),
    counter("dittofs_objects_deleted_total", "Objects that were deleted.", |of| of.objects_deleted),
    counter("dittofs_repacked_bytes_total", "Bytes of files copied out of mostly dead objects.", |of| {
        of.repacked_bytes
    }),
    counter("dittofs_damaged_reads_total", "Reads that met damage in an object; the log names each file.", |of| {
        of.damaged_reads
    }),
    counter("dittofs_keyless_reads_total", "Reads of encrypted bytes whose key is missing; nothing is lost.", |of| {
        of.keyless_reads
    }),
    counter("dittofs_lost_reads_total", "Reads of bytes that no store has; the log names each file.", |of| {
        of.lost_reads
    }),
    gauge("dittofs_journal_recovered_records", "Records that were replayed when the share was opened.", |of| {
        of.recovered_records
    }),
];

pub(super) fn put(out: &mut Exposition, shares: &[ShareCounts]) {
    for Number { kind, name, help, of } in NUMBERS {
        let mut family = out.family(kind, name, help);
        for share in shares {
            family.sample(&[("share", &share.name)], of(share));
        }
    }
    let mut seconds = |name, help, of: fn(&ShareCounts) -> Duration| {
        let mut family = out.gauge(name, help);
        for share in shares {
            family.sample(&[("share", &share.name)], of(share).as_secs_f64());
        }
    };
    seconds("dittofs_unflushed_oldest_age_seconds", "The age of the oldest unflushed bytes.", |of| of.unflushed_age);
    seconds("dittofs_content_outage_seconds", "How long reads have had no answer from the content store.", |of| {
        of.content_outage
    });
}
