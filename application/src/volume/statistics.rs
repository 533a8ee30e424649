//! What a volume counts, and whether its stores answer.

use std::time::Duration;

use dittofs_domain::{ObjectId, content::map::Piece, tally::Counter};
use dittofs_ports::{
    JournalUsage,
    statistics::{Ailing, ShareCounts, StorePart},
};
use futures_util::{FutureExt, future::join, select_biased};

use super::{Volume, flush::Gathered};

/// What happened in a volume since it was opened.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) flushed_objects: Counter,
    pub(super) flushed_bytes: Counter,
    pub(super) flush_failures: Counter,
    pub(super) objects_condemned: Counter,
    pub(super) objects_deleted: Counter,
    pub(super) repacked_bytes: Counter,
    pub(super) damaged_reads: Counter,
    pub(super) keyless_reads: Counter,
    pub(super) lost_reads: Counter,
}

impl Counters {
    pub(super) fn flushed(&self, batch: &[Gathered]) {
        self.flushed_objects.count();
        let ranges = batch.iter().flat_map(|gathered| &gathered.ranges);
        self.flushed_bytes.add(ranges.map(|range| range.end - range.start).sum());
    }

    pub(super) fn repacked<'a>(&self, copied: impl Iterator<Item = &'a Piece>) {
        self.repacked_bytes.add(copied.map(|piece| piece.len).sum());
    }
}

impl Volume {
    /// What the volume has counted.
    pub(crate) fn counts(&self) -> ShareCounts {
        let now = self.machine.clock.monotonic();
        let nodes = self.pending.nodes();
        let since = nodes.iter().filter_map(|(_, pending)| {
            let pending = pending.lock();
            (!pending.held.is_empty()).then_some(pending.since)
        });
        let (files, oldest) = since.fold((0, now), |(files, oldest), since| (files + 1, oldest.min(since)));
        let unflushed = self.admission.usage();
        let counters = &self.counters;
        ShareCounts {
            id: self.share(),
            name: self.name.clone(),
            unflushed: JournalUsage { used: unflushed.used, limit: unflushed.limit },
            unflushed_files: files,
            unflushed_age: now.saturating_sub(oldest),
            content_outage: self.outage.lasts(now).unwrap_or_default(),
            writes_delayed: self.admission.delayed.read(),
            writes_refused: self.admission.refused.read(),
            flushed_objects: counters.flushed_objects.read(),
            flushed_bytes: counters.flushed_bytes.read(),
            flush_failures: counters.flush_failures.read(),
            suspects: self.suspects.lock().len() as u64,
            condemned: self.condemned.lock().len() as u64,
            objects_condemned: counters.objects_condemned.read(),
            objects_deleted: counters.objects_deleted.read(),
            repacked_bytes: counters.repacked_bytes.read(),
            damaged_reads: counters.damaged_reads.read(),
            keyless_reads: counters.keyless_reads.read(),
            lost_reads: counters.lost_reads.read(),
            recovered_records: self.recovered.records,
            stored_bytes: self.ledger.held().0.bytes,
            stored_bytes_max: self.ledger.quota().bytes,
        }
    }

    /// The stores that do not answer a small question, or not within `patience`.
    pub(crate) async fn ailing(&self, patience: Duration) -> Vec<Ailing> {
        let metadata = async {
            let answer = self.within(patience, self.stores.metadata.objects(None, 1)).await;
            answer.map_err(|reason| Ailing { part: StorePart::Metadata, reason })
        };
        let content = async {
            // Behind the last object that there can be: nothing is looked at, but the store must be there.
            let last = Some(ObjectId(u128::MAX - 1));
            let answer = self.within(patience, self.stores.content.list(self.share(), last, 1)).await;
            let answer = answer.and_then(|()| self.owned.demand_held().map_err(|error| error.to_string()));
            answer.map_err(|reason| Ailing { part: StorePart::Content, reason })
        };
        let (metadata, content) = join(metadata, content).await;
        [metadata, content].into_iter().filter_map(Result::err).collect()
    }

    async fn within<T, E: std::fmt::Display>(
        &self,
        patience: Duration,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<(), String> {
        let answer = answer.fuse();
        futures_util::pin_mut!(answer);
        let mut timeout = self.machine.clock.sleep(patience).fuse();
        select_biased! {
            answer = answer => answer.map(drop).map_err(|error| error.to_string()),
            () = timeout => Err(format!("no answer within {} s", patience.as_secs_f32())),
        }
    }
}
