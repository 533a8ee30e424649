//! Metrics of the traffic between shares and their stores.

use dittofs_ports::{
    CacheUsage, DiskCacheUsage,
    statistics::{StoreCalls, StoreCounts},
};

use crate::watch::exposition::{Exposition, Kind};

type Shares<'a> = &'a [(&'a str, StoreCounts)];

pub(super) fn put(out: &mut Exposition, shares: Shares<'_>, cache: CacheUsage) {
    put_journal(out, shares);
    put_calls(
        out,
        shares,
        ("dittofs_metadata_operations_total", "Calls of the metadata store that change something, by result."),
        ("dittofs_metadata_operation_duration_seconds", "How long these calls took."),
        |of| &of.metadata,
    );
    put_calls(
        out,
        shares,
        ("dittofs_content_operations_total", "Calls of the content store, by result."),
        ("dittofs_content_operation_duration_seconds", "How long these calls took."),
        |of| &of.content,
    );
    let numbers: [Number; 4] = [
        (Kind::Counter, "dittofs_content_written_bytes_total", "Bytes written to the content store.", |of| {
            of.content_bytes_written
        }),
        (Kind::Counter, "dittofs_content_read_bytes_total", "Bytes read from the content store.", |of| {
            of.content_bytes_read
        }),
        (Kind::Counter, "dittofs_cache_hits_total", "Frames found in the cache.", |of| of.cache_hits),
        (Kind::Counter, "dittofs_cache_misses_total", "Frames not found in the cache.", |of| of.cache_misses),
    ];
    put_numbers(out, shares, &numbers);
    out.gauge("dittofs_cache_used_bytes", "Bytes that the cache of all shares uses.").sample(&[], cache.used);
    out.gauge("dittofs_cache_limit_bytes", "Bytes that the cache may use.").sample(&[], cache.limit);
    out.counter("dittofs_cache_evictions_total", "Frames that the cache evicted to make room.")
        .sample(&[], cache.evicted);
}

/// All zero where there is none.
pub(super) fn put_disk_cache(out: &mut Exposition, disk: DiskCacheUsage) {
    let DiskCacheUsage { used, limit, hits, misses, dropped, damaged, is_off } = disk;
    out.counter("dittofs_disk_cache_hits_total", "Frames found in the disk cache.").sample(&[], hits);
    out.counter("dittofs_disk_cache_misses_total", "Frames not found in the disk cache.").sample(&[], misses);
    out.gauge("dittofs_disk_cache_used_bytes", "Bytes that the disk cache uses.").sample(&[], used);
    out.gauge("dittofs_disk_cache_limit_bytes", "Bytes that the disk cache may use.").sample(&[], limit);
    let help = "Frames that the disk cache did not store because its disk was too slow.";
    out.counter("dittofs_disk_cache_dropped_total", help).sample(&[], dropped);
    out.counter("dittofs_disk_cache_damaged_total", "Frames of the disk cache that were damaged.").sample(&[], damaged);
    let help = "Whether a failure of its disk has switched the disk cache off: 1, or 0 if not.";
    out.gauge("dittofs_disk_cache_off", help).sample(&[], u8::from(is_off));
}

fn put_journal(out: &mut Exposition, shares: Shares<'_>) {
    let numbers: [Number; 5] = [
        (Kind::Gauge, "dittofs_journal_used_bytes", "Bytes of records that are not released yet.", |of| {
            of.journal_usage.used
        }),
        (Kind::Gauge, "dittofs_journal_limit_bytes", "Bytes that the journal may use.", |of| of.journal_usage.limit),
        (Kind::Counter, "dittofs_journal_records_total", "Records that were written.", |of| of.journal_records),
        (Kind::Counter, "dittofs_journal_written_bytes_total", "Their bytes: what clients wrote.", |of| {
            of.journal_bytes
        }),
        (Kind::Gauge, "dittofs_journal_lost_records", "Records lost to failed syncs.", |of| of.journal_lost),
    ];
    put_numbers(out, shares, &numbers);
    let mut syncs = out.counter("dittofs_journal_syncs_total", "Syncs that a caller waited for, by result.");
    for (share, counts) in shares {
        for (result, count) in &counts.journal_syncs.results {
            syncs.sample(&[("share", share), ("result", result)], count);
        }
    }
    let mut durations =
        out.histogram("dittofs_journal_sync_duration_seconds", "How long callers waited for a sync of the journal.");
    for (share, counts) in shares {
        durations.latencies(&[("share", share)], &counts.journal_syncs.latencies);
    }
}

type Number = (Kind, &'static str, &'static str, fn(&StoreCounts) -> u64);

fn put_numbers(out: &mut Exposition, shares: Shares<'_>, numbers: &[Number]) {
    for (kind, name, help, of) in numbers {
        let mut family = out.family(*kind, *name, help);
        for (share, counts) in shares {
            family.sample(&[("share", share)], of(counts));
        }
    }
}

fn put_calls(
    out: &mut Exposition,
    shares: Shares<'_>,
    (total, total_help): (&'static str, &str),
    (duration, duration_help): (&'static str, &str),
    of: fn(&StoreCounts) -> &Vec<StoreCalls>,
) {
    let calls = || shares.iter().flat_map(|(share, counts)| of(counts).iter().map(move |calls| (share, calls)));
    let mut totals = out.counter(total, total_help);
    for (share, StoreCalls { operation, results, .. }) in calls() {
        for (result, count) in results {
            totals.sample(&[("share", share), ("operation", operation), ("result", result)], count);
        }
    }
    let mut durations = out.histogram(duration, duration_help);
    for (share, StoreCalls { operation, latencies, .. }) in calls() {
        durations.latencies(&[("share", share), ("operation", operation)], latencies);
    }
}
