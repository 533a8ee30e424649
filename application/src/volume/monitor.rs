//! How a share does: what it has counted, and whether its stores answer.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{ObjectId, error::FsResult};
use dittofs_ports::{
    ContentStore, JournalUsage, ShareMetadata, ShareSpace,
    statistics::{Ailing, ShareCounts, StorePart},
};
use futures_util::{FutureExt, future::join, select_biased};

use crate::volume::{
    Recovered, blocks::BlockReader, garbage::Garbage, nodes::Nodes, plans::PlanRunner, reclaimer::Reclaimer,
    share::Share, write_back::WriteBack,
};

/// Reports how a share does.
pub(crate) struct Monitor {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    write_back: Arc<WriteBack>,
    plans: Arc<PlanRunner>,
    blocks: Arc<BlockReader>,
    garbage: Arc<Garbage>,
    reclaimer: Arc<Reclaimer>,
    metadata: Arc<dyn ShareMetadata>,
    content: Arc<dyn ContentStore>,
    recovered: Recovered,
}

impl Monitor {
    pub(super) fn new(
        (share, nodes): (Arc<Share>, Arc<Nodes>),
        (write_back, plans, blocks): (Arc<WriteBack>, Arc<PlanRunner>, Arc<BlockReader>),
        (garbage, reclaimer): (Arc<Garbage>, Arc<Reclaimer>),
        (metadata, content): (Arc<dyn ShareMetadata>, Arc<dyn ContentStore>),
        recovered: Recovered,
    ) -> Monitor {
        Monitor { share, nodes, write_back, plans, blocks, garbage, reclaimer, metadata, content, recovered }
    }

    /// Returns what was found in the journal when the share was opened.
    pub(super) fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// Returns the space of the share.
    pub(crate) async fn space(&self) -> FsResult<ShareSpace> {
        self.plans.space().await
    }

    /// Returns the counts of the volume.
    pub(crate) fn counts(&self) -> ShareCounts {
        let now = self.share.monotonic();
        let nodes = self.nodes.pending().nodes();
        let since = nodes.iter().filter_map(|(_, pending)| {
            let pending = pending.lock();
            (!pending.held.is_empty()).then_some(pending.since)
        });
        let (files, oldest) = since.fold((0, now), |(files, oldest), since| (files + 1, oldest.min(since)));
        let unflushed = self.write_back.admission().usage();
        let counters = self.share.counters();
        ShareCounts {
            id: self.share.id(),
            name: self.share.name().to_owned(),
            unflushed: JournalUsage { used: unflushed.used, limit: unflushed.limit },
            unflushed_files: files,
            unflushed_age: now.saturating_sub(oldest),
            content_outage: self.blocks.outage().lasts(now).unwrap_or_default(),
            writes_delayed: self.write_back.admission().delayed.read(),
            writes_refused: self.write_back.admission().refused.read(),
            flushed_objects: counters.flushed_objects.read(),
            flushed_bytes: counters.flushed_bytes.read(),
            flush_failures: counters.flush_failures.read(),
            garbage_candidates: self.garbage.candidates() as u64,
            pending_deletes: self.reclaimer.pending_deletes() as u64,
            objects_unreferenced: counters.objects_unreferenced.read(),
            objects_deleted: counters.objects_deleted.read(),
            repacked_bytes: counters.repacked_bytes.read(),
            damaged_reads: counters.damaged_reads.read(),
            keyless_reads: counters.keyless_reads.read(),
            lost_reads: counters.lost_reads.read(),
            recovered_records: self.recovered.records,
            stored_bytes: self.plans.ledger().held().0.bytes,
            stored_bytes_max: self.plans.ledger().quota().bytes,
        }
    }

    /// The stores that do not answer a small question, or not within `patience`.
    pub(crate) async fn ailing(&self, patience: Duration) -> Vec<Ailing> {
        let metadata = async {
            let answer = self.within(patience, self.metadata.objects(None, 1)).await;
            answer.map_err(|reason| Ailing { part: StorePart::Metadata, reason })
        };
        let content = async {
            // Behind the last object that there can be: nothing is looked at, but the store must be there.
            let last = Some(ObjectId(u128::MAX - 1));
            let answer = self.within(patience, self.content.list(self.share.id(), last, 1)).await;
            let answer = answer.and_then(|()| self.share.owned().demand_held().map_err(|error| error.to_string()));
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
        let mut timeout = self.share.sleep(patience).fuse();
        select_biased! {
            answer = answer => answer.map(drop).map_err(|error| error.to_string()),
            () = timeout => Err(format!("no answer within {} s", patience.as_secs_f32())),
        }
    }
}
