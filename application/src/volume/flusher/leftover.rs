//! What commits have put into maps, and no flush has put into an object before the server ended: it is taken into the
//! index again, as a journal's records are, and so goes with the next flush.

use std::ops::Range;

use dittofs_domain::{
    ChangeId, Node, NodeId,
    content::map::{self, Piece, Source},
    error::{FsError, FsResult},
    node::NodeFlags,
    plan::{Change, Expectation, NodeUpdate, Plan, Query},
};
use dittofs_ports::{Appended, JournalError, Record};

use crate::volume::{flusher::Flusher, node_locks::NodeLock, pending::Replayed};

impl Flusher {
    /// Takes what a node's map has itself into the index. Nothing changes for a client.
    ///
    /// # Errors
    /// `Busy` while something of the node is unflushed, or nothing more can be; those of the store.
    pub(in crate::volume) async fn take_leftover(&self, node: NodeId) -> FsResult<()> {
        let lock = self.locks.lock(node).await;
        if self.nodes.pending().has(node) {
            return Err(FsError::Busy);
        }
        let seen = self.nodes.view(&Query::node(node)).await?;
        let Ok(stored) = self.nodes.live(&seen, node) else { return Ok(()) };
        let pieces = self.leftover(stored).await?;
        if pieces.is_empty() {
            return self.note_none(&lock).await;
        }
        for piece in pieces {
            let Source::Inline(data) = piece.source else { continue };
            let appended = self.append_leftover(stored, piece.offset, data.clone()).await?;
            let range: Range<u64> = piece.offset..piece.offset + data.len() as u64;
            let replayed = Replayed {
                offset: piece.offset,
                length: data.len() as u32,
                left: &[range],
                appended,
                credits: self.write_back.admission().admit_recovered(data.len()),
                // As they are stored: no change to a client.
                time: stored.mtime,
                stamp: ChangeId(0),
                at: self.share.monotonic(),
            };
            self.nodes.pending().replay(stored, replayed);
            if let Some(pending) = self.nodes.pending().find(node) {
                pending.lock().put_in_map(appended.sequence);
            }
        }
        Ok(())
    }

    async fn append_leftover(&self, stored: &Node, offset: u64, data: bytes::Bytes) -> FsResult<Appended> {
        let (node, size, time, epoch) = (stored.id, stored.size, stored.mtime, self.share.epoch());
        let record = Record { node, offset, data, size, time, epoch, copy_of: None };
        let appended = self.write_back.append_record(record).await;
        appended.map_err(|error| match error {
            JournalError::Full | JournalError::DiskFull => FsError::Busy,
            error => self.write_back.journal_failed(&error),
        })
    }

    /// The pieces that a node's map has itself: as many as there are in one part of it after another.
    async fn leftover(&self, stored: &Node) -> FsResult<Vec<Piece>> {
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
