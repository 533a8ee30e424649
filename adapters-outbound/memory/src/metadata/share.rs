//! One share: its row, its numbers, and its state behind a lock.

use std::{
    ops::{Bound, Range},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use dittofs_domain::{
    Cookie, Epoch, FoldTable, Name, Node, NodeId, ObjectId, OpId,
    plan::{Applied, ObjectRecord, OperationsKept, Plan, Query, Reference, Space, Statistics, UnlinkedReason, View},
};
use dittofs_ports::{ApplyError, Counter, Listing, MetadataError, ShareMetadata, ShareRecord, ShareSnapshot};
use parking_lot::RwLock;

use super::{operations::Remembered, state::State, transaction::Log};

/// A share in memory.
pub(super) struct MemoryShare {
    row: RwLock<ShareRecord>,
    /// With the operations that made it what it is.
    state: RwLock<(State, Remembered)>,
    ids: AtomicU64,
    stamps: AtomicU64,
    epochs: AtomicU64,
}

impl MemoryShare {
    pub(super) fn new(row: ShareRecord, root: Node, kept: OperationsKept) -> MemoryShare {
        let folding = row.folding.unwrap_or(FoldTable::NEWEST);
        let (row, state) = (ShareRecord { folding: Some(folding), ..row }, State::new(root, folding));
        MemoryShare {
            row: RwLock::new(row),
            state: RwLock::new((state, Remembered::new(kept))),
            ids: AtomicU64::new(NodeId::FIRST_FREE.0),
            stamps: AtomicU64::new(1),
            epochs: AtomicU64::new(1),
        }
    }

    pub(super) fn row(&self) -> ShareRecord {
        self.row.read().clone()
    }
}

fn used_up() -> MetadataError {
    MetadataError::Unavailable("all numbers are used up".into())
}

#[async_trait]
impl ShareMetadata for MemoryShare {
    async fn record(&self) -> Result<ShareRecord, MetadataError> {
        Ok(self.row())
    }

    async fn put_record(&self, record: &ShareRecord) -> Result<(), MetadataError> {
        let mut row = self.row.write();
        if row.id != record.id {
            return Err(MetadataError::Corrupt("the row is another share's".into()));
        }
        *row = ShareRecord { folding: row.folding, ..record.clone() };
        Ok(())
    }

    /// `query.lock` changes nothing: a plan here waits for the lock like any other, and conflicts only with plans that
    /// were faster, of which one at least went through.
    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        let (state, remembered) = &*self.state.read();
        let mut view = state.view(query).map_err(|error| MetadataError::Corrupt(error.into()))?;
        view.earlier = query.op.and_then(|op| remembered.find(op)).map(|made| state.earlier(made));
        Ok(view)
    }

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        // Declared before the guard, so that what the plan replaced is freed after the lock.
        let mut replaced = Log::new();
        let (state, remembered) = &mut *self.state.write();
        if op.is_some_and(|op| remembered.find(op).is_some()) {
            return Err(ApplyError::Conflict);
        }
        let made = plan.made();
        let applied = state.apply(plan, &mut replaced)?;
        if let Some(op) = op {
            remembered.note(op, made);
        }
        Ok(applied)
    }

    async fn list(
        &self,
        directory: NodeId,
        space: Space,
        after: Cookie,
        entries_max: usize,
        records: bool,
    ) -> Result<Listing, MetadataError> {
        Ok(self.state.read().0.list(directory, space, after, entries_max, records))
    }

    async fn name_of(&self, directory: NodeId, cookie: Cookie) -> Result<Option<Name>, MetadataError> {
        let state = &self.state.read().0;
        let entry = state.directory(directory, Space::Children).and_then(|directory| directory.at(cookie));
        Ok(entry.map(|entry| entry.name.clone()))
    }

    async fn allocate(&self, counter: Counter, count: u64) -> Result<Range<u64>, MetadataError> {
        let next = match counter {
            Counter::Ids => &self.ids,
            Counter::Stamps => &self.stamps,
            Counter::Epochs => &self.epochs,
            Counter::Trees => return self.state.write().0.take_trees(count).ok_or_else(used_up),
        };
        let taken = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
            next.checked_add(count).filter(|next| *next <= NodeId::MAX.0)
        });
        let start = taken.map_err(|_| used_up())?;
        Ok(start..start + count)
    }

    /// One process has the share: whoever had it before has ended.
    async fn has_ended(&self, _: Epoch) -> Result<bool, MetadataError> {
        Ok(true)
    }

    async fn unlinked(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, UnlinkedReason)>, MetadataError> {
        let state = &self.state.read().0;
        let rest = state.unlinked.range((Bound::Excluded(after), Bound::Unbounded));
        Ok(rest.take(max).map(|(id, reason)| (*id, *reason)).collect())
    }

    async fn pending_truncations(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        let state = &self.state.read().0;
        Ok(state.pending_truncations.range((Bound::Excluded(after), Bound::Unbounded)).take(max).copied().collect())
    }

    async fn objects(&self, after: Option<ObjectId>, max: usize) -> Result<Vec<ObjectRecord>, MetadataError> {
        Ok(self.state.read().0.objects_after(after).take(max).copied().collect())
    }

    async fn references(&self, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, MetadataError> {
        Ok(self.state.read().0.references_of(object).take(max).collect())
    }

    async fn nodes(&self, after: NodeId, max: usize) -> Result<Vec<Arc<Node>>, MetadataError> {
        Ok(self.state.read().0.nodes.after(after, max))
    }

    async fn node_ids(&self, after: NodeId, max: usize) -> Result<Vec<NodeId>, MetadataError> {
        Ok(self.state.read().0.nodes.after(after, max).iter().map(|node| node.id).collect())
    }

    async fn references_after(&self, after: Option<Reference>, max: usize) -> Result<Vec<Reference>, MetadataError> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = &self.state.read().0;
        Ok(state.references.range((after, Bound::Unbounded)).take(max).copied().collect())
    }

    async fn xattr_bytes(&self, after: NodeId, max: usize) -> Result<Vec<(NodeId, Option<u32>)>, MetadataError> {
        Ok(self.state.read().0.xattr_bytes(after, max))
    }

    async fn statistics(&self) -> Result<Statistics, MetadataError> {
        Ok(self.state.read().0.statistics)
    }

    /// Returns no snapshot: data that survive nothing are not backed up.
    async fn snapshot(&self) -> Result<Option<Arc<dyn ShareSnapshot>>, MetadataError> {
        Ok(None)
    }
}
