//! What commits have put into maps, and no flush has put into an object before the server ended: it is taken into the
//! index again, as a journal's records are, and so goes with the next flush.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dittofs_domain::{
    Node, NodeId,
    content::map::{self, Piece, Source},
    error::{FsError, FsResult},
    node::NodeFlags,
    plan::{Change, Expectation, NodeUpdate, Plan, Query},
};
use dittofs_ports::{Appended, Journal, JournalError, Record, ShareMetadata};

use crate::volume::{
    node_locks::{NodeLock, NodeLocks},
    nodes::Nodes,
    pending::TakenUp,
    plans::PlanRunner,
    reclaimer::BACK_OFF,
    scan::nodes_after,
    share::Share,
    write_back::WriteBack,
};

/// Nodes that are read at a time, and how long it waits in between: ten million are through within three hours, at a
/// cost that nobody notices.
const NODES_PER_PAGE: usize = 1_024;
const PAUSE: Duration = Duration::from_secs(1);

/// Goes through the nodes of a share once.
pub(in crate::volume) struct Leftovers {
    pub(in crate::volume) share: Arc<Share>,
    pub(in crate::volume) nodes: Arc<Nodes>,
    pub(in crate::volume) locks: Arc<NodeLocks>,
    pub(in crate::volume) write_back: Arc<WriteBack>,
    pub(in crate::volume) plans: Arc<PlanRunner>,
    pub(in crate::volume) metadata: Arc<dyn ShareMetadata>,
    pub(in crate::volume) journal: Arc<dyn Journal>,
}

impl Leftovers {
    pub(in crate::volume) async fn take_all(&self) {
        let mut after = NodeId(0);
        while !self.share.is_closing() {
            let Ok(page) = nodes_after(&*self.metadata, after, NODES_PER_PAGE).await else {
                self.wait(BACK_OFF).await;
                continue;
            };
            for node in page.nodes.iter().filter(|node| node.flags.contains(NodeFlags::INLINE)) {
                self.take_of(node.id).await;
            }
            let Some(next) = page.next() else { return };
            after = next;
            self.wait(PAUSE).await;
        }
    }

    async fn wait(&self, time: Duration) {
        self.share.wait(time, std::future::pending()).await;
    }

    /// Tries until it is done, or the file is damaged.
    async fn take_of(&self, node: NodeId) {
        while !self.share.is_closing() {
            match self.try_take(node).await {
                Err(FsError::Busy | FsError::NoSpace) => self.wait(BACK_OFF).await,
                _ => return,
            }
        }
    }

    /// Takes what a node's map has itself into the index. Nothing changes for a client.
    ///
    /// # Errors
    /// `Busy` while something of the node is unflushed, or nothing more can be; those of the store.
    async fn try_take(&self, node: NodeId) -> FsResult<()> {
        let lock = self.locks.lock(node).await;
        if self.nodes.pending().has(node) {
            return Err(FsError::Busy);
        }
        let seen = self.nodes.view(&Query::node(node)).await?;
        let Ok(stored) = self.nodes.live(&seen, node) else { return Ok(()) };
        let pieces = self.pieces(stored).await?;
        if pieces.is_empty() {
            return self.note_none(&lock).await;
        }
        for piece in pieces {
            let Source::Inline(data) = piece.source else { continue };
            let appended = self.append(stored, piece.offset, data.clone()).await?;
            let taken = TakenUp {
                offset: piece.offset,
                length: data.len() as u32,
                appended,
                credits: self.write_back.admission().admit_recovered(data.len()),
                at: self.share.monotonic(),
            };
            self.nodes.pending().take_up(stored, taken);
        }
        Ok(())
    }

    async fn append(&self, stored: &Node, offset: u64, data: Bytes) -> FsResult<Appended> {
        let (node, size, time, epoch) = (stored.id, stored.size, stored.mtime, self.share.epoch());
        let record = Record { node, offset, data, size, time, epoch, copy_of: None };
        let appended = self.journal.append(record).await;
        appended.map_err(|error| match error {
            JournalError::Full | JournalError::DiskFull => FsError::Busy,
            error => self.write_back.journal_failed(&error),
        })
    }

    /// The pieces that a node's map has itself: as many as there are in one part of it after another.
    async fn pieces(&self, stored: &Node) -> FsResult<Vec<Piece>> {
        let (facts, scale) = (self.share.facts(stored), self.share.scale());
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < stored.size {
            let range = at..stored.size.min(at.saturating_add(scale.chunk_bytes));
            let query = Query { map: Some(map::resolve_query(stored.id, &range, scale)), ..Query::default() };
            let rows = self.nodes.view(&query).await?.view.map;
            let resolved = map::resolve_known(&rows, &facts, range);
            let (some, end) = resolved.map_err(|error| self.share.map_failed(stored.id, &error))?;
            pieces.extend(some.into_iter().filter(|piece| matches!(piece.source, Source::Inline(_))));
            at = end;
        }
        Ok(pieces)
    }

    /// Notes that the map has none.
    async fn note_none(&self, lock: &NodeLock<'_>) -> FsResult<()> {
        let node = lock.node();
        let outcome = self.plans.run_under(lock, Query::node(node), |view| {
            let mut plan = Plan::at(self.share.now());
            if let Ok(stored) = view.node(node)
                && stored.flags.contains(NodeFlags::INLINE)
            {
                plan.require(Expectation::Exists(node));
                plan.require(Expectation::ContentVersion { node, version: stored.content_version });
                let update = NodeUpdate { clear_flags: NodeFlags::INLINE, ..NodeUpdate::default() };
                plan.change(Change::UpdateNode(node, update));
            }
            Ok((plan, ()))
        });
        outcome.await.map(drop)
    }
}
