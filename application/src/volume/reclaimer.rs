//! Reclaims what nobody reaches any more: nodes and rows are reaped, objects are deleted, and those that are mostly
//! dead are written again.

mod leftovers;
mod objects;
mod pins;
mod reap;
mod repack;
mod waiting;

use std::{sync::Arc, time::Duration};

use dittofs_domain::error::FsError;
use dittofs_ports::{ContentStore, ShareMetadata};
use objects::Collector;
use reap::Reaper;
use repack::Repacker;
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    lock_order::{Ordered, Rank},
    volume::{
        blocks::BlockReader,
        flusher::Flusher,
        garbage::Garbage,
        node_locks::NodeLocks,
        nodes::Nodes,
        open_table::{DirectoryLeases, OpenTable},
        plans::PlanRunner,
        sealing::Sealing,
        share::Share,
        write_back::WriteBack,
    },
};
pub(super) use leftovers::Leftovers;
pub(crate) use pins::Pins;
pub use pins::{UnpinError, pinning, unpin_all};

/// How long an object that is pending delete is kept: longer than any read that resolved its extents before may take.
const GRACE: Duration = Duration::from_secs(30);
/// How long the collector waits after a failure, or while something waits for its time. Garbage harms nobody for a
/// second.
const BACK_OFF: Duration = Duration::from_secs(1);

/// Gives back what is not used any more.
pub(super) struct Reclaimer {
    share: Arc<Share>,
    write_back: Arc<WriteBack>,
    plans: Arc<PlanRunner>,
    garbage: Arc<Garbage>,
    reaper: Reaper,
    collector: Arc<Collector>,
    repacker: Repacker,
    pins: Pins,
    /// Held by who marks, deletes and repacks objects, and by a backup until those that it needs are pinned. Taken
    /// before the gate of changes is closed, and before flushing is stopped.
    collecting: Mutex<()>,
}

impl Reclaimer {
    pub(super) fn new(
        (share, nodes, locks): (Arc<Share>, Arc<Nodes>, Arc<NodeLocks>),
        (write_back, plans, opens): (Arc<WriteBack>, Arc<PlanRunner>, Arc<OpenTable>),
        (blocks, sealing, flusher): (Arc<BlockReader>, Arc<Sealing>, Arc<Flusher>),
        garbage: Arc<Garbage>,
        (metadata, content): (Arc<dyn ShareMetadata>, Arc<dyn ContentStore>),
        pins: Pins,
    ) -> Reclaimer {
        let stores = (Arc::clone(&metadata), Arc::clone(&content));
        let collector = Arc::new(Collector::new(Arc::clone(&share), stores, Arc::clone(&garbage)));
        let reaper = Reaper {
            share: Arc::clone(&share),
            nodes: Arc::clone(&nodes),
            locks: Arc::clone(&locks),
            metadata,
            opens,
            write_back: Arc::clone(&write_back),
            plans: Arc::clone(&plans),
        };
        let repacker = Repacker {
            share: Arc::clone(&share),
            nodes,
            locks,
            write_back: Arc::clone(&write_back),
            plans: Arc::clone(&plans),
            blocks,
            sealing,
            flusher,
            garbage: Arc::clone(&garbage),
            collector: Arc::clone(&collector),
            content,
            pace: parking_lot::Mutex::default(),
        };
        let collecting = Mutex::new(());
        Reclaimer { share, write_back, plans, garbage, reaper, collector, repacker, pins, collecting }
    }

    /// Returns the pins of backups.
    pub(crate) fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Returns how many objects are to be deleted.
    pub(super) fn pending_deletes(&self) -> usize {
        self.collector.pending_deletes()
    }

    /// Keeps objects from being marked, deleted and repacked.
    pub(super) async fn stop_collecting(&self) -> Ordered<MutexGuard<'_, ()>> {
        Ordered::take(Rank::Collecting, self.collecting.lock()).await
    }

    /// Reaps, deletes and repacks until the share closes.
    pub(super) async fn run(&self) {
        while !self.share.is_closing() && self.pins.unpin_unfinished().await.is_err() {
            self.share.wait(BACK_OFF, self.garbage.woken()).await;
        }
        while !self.share.is_closing() && self.collector.survey().await.is_err() {
            self.share.wait(BACK_OFF, self.garbage.woken()).await;
        }
        while !self.share.is_closing() {
            let result = async {
                DirectoryLeases::of(&self.reaper.opens).catch_up().await;
                let left = self.plans.ledger().left();
                self.reaper.reap().await?;
                self.plans.ledger().reaped(left);
                self.write_back.note_room();
                let _collecting = self.stop_collecting().await;
                self.collector.mark_candidates().await?;
                let left = self.collector.delete_pending().await?;
                // Last: it needs room, which the garbage before it gives.
                let more = self.repacker.repack().await?;
                self.collector.mark_candidates().await?;
                Ok::<bool, FsError>(left || more || self.collector.pending_deletes() > 0)
            };
            match result.await {
                Ok(false) => self.share.until_closed_or(self.garbage.woken()).await,
                Ok(true) | Err(_) => self.share.wait(BACK_OFF, self.garbage.woken()).await,
            }
        }
    }
}
