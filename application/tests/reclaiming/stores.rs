//! Stores in memory that fail, or wait, on demand.

use std::{
    future::pending,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{
    Epoch, NodeId, ObjectId, OpId, ShareId,
    plan::{Applied, Change, Plan, Query, View},
};
use dittofs_memory::MemoryContentStore;
use dittofs_ports::{ApplyError, ContentError, ContentStore, MetadataError, ShareMetadata};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// How the stores fail.
#[derive(Default)]
pub(crate) struct Faults {
    /// Another instance of the share that has not ended.
    pub(crate) living: Mutex<Option<Epoch>>,
    /// The error of a put of an object, in either way.
    pub(crate) put: Mutex<Option<fn() -> ContentError>>,
    pub(crate) get: Mutex<Option<fn() -> ContentError>>,
    pub(crate) delete: Mutex<Option<fn() -> ContentError>>,
    pub(crate) deletes: AtomicUsize,
    /// Giving back parts of objects never ends.
    pub(crate) holds_discards: Mutex<bool>,
    pub(crate) discards: AtomicUsize,
    /// The next object that is put to free others waits for this.
    pub(crate) hold_put: Mutex<Option<Arc<Notify>>>,
    /// Which references there are to this object is not known, only whether there are any.
    pub(crate) unknown: Mutex<Option<ObjectId>>,
    /// The rows of this node's map are damaged.
    pub(crate) damaged: Mutex<Option<NodeId>>,
    /// A plan that removes a node without a name takes so long.
    pub(crate) reaping: Mutex<Duration>,
    /// Such plans are refused.
    pub(crate) refuses_reaping: Mutex<bool>,
    /// Such plans so far, those that are under way, and how many of them were at once.
    pub(crate) reaps: AtomicUsize,
    pub(crate) under_way: AtomicUsize,
    pub(crate) most_reaps: AtomicUsize,
}

pub(crate) fn away() -> ContentError {
    ContentError::Unavailable("away".into())
}

pub(crate) fn full() -> ContentError {
    ContentError::Full
}

fn check(fault: &Mutex<Option<fn() -> ContentError>>) -> Result<(), ContentError> {
    fault.lock().map_or(Ok(()), |error| Err(error()))
}

pub(crate) struct Content {
    pub(crate) store: Arc<MemoryContentStore>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl ContentStore for Content {
    dittofs_ports::forward!(ContentStore of store: survives, owner, claim, shares, request_max, capacity, list);

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        check(&self.faults.put)?;
        self.store.put(share, object, parts).await
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        let held = self.faults.hold_put.lock().take();
        if let Some(held) = held {
            held.notify_one();
            held.notified().await;
        }
        check(&self.faults.put)?;
        self.store.put_to_free(share, object, parts).await
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        check(&self.faults.get)?;
        self.store.get(share, object, range).await
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        self.faults.deletes.fetch_add(1, Ordering::Relaxed);
        check(&self.faults.delete)?;
        self.store.delete(share, object).await
    }

    async fn discard(&self, share: ShareId, object: ObjectId, dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        self.faults.discards.fetch_add(1, Ordering::Relaxed);
        if *self.faults.holds_discards.lock() {
            pending::<()>().await;
        }
        self.store.discard(share, object, dead).await
    }
}

pub(crate) struct Metadata {
    pub(crate) store: Arc<dyn ShareMetadata>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl ShareMetadata for Metadata {
    dittofs_ports::forward!(
        ShareMetadata of store:
        record, put_record, list, name_of, allocate, unlinked, pending_truncations, objects, nodes, node_ids,
        references_after, xattr_bytes, statistics, snapshot
    );

    async fn view(&self, query: &Query) -> Result<View, MetadataError> {
        let damaged = *self.faults.damaged.lock();
        if query.map.is_some() && damaged.is_some_and(|node| query.nodes.contains(&node)) {
            return Err(MetadataError::Corrupt("a row of a map".into()));
        }
        self.store.view(query).await
    }

    async fn apply(&self, plan: Plan, op: Option<OpId>) -> Result<Applied, ApplyError> {
        if !plan.changes.iter().any(|change| matches!(change, Change::DeleteUnlinked(_))) {
            return self.store.apply(plan, op).await;
        }
        let Faults { reaps, under_way, most_reaps, .. } = &*self.faults;
        reaps.fetch_add(1, Ordering::Relaxed);
        most_reaps.fetch_max(under_way.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let takes = *self.faults.reaping.lock();
        tokio::time::sleep(takes).await;
        under_way.fetch_sub(1, Ordering::Relaxed);
        if *self.faults.refuses_reaping.lock() {
            return Err(ApplyError::Unavailable("away".into()));
        }
        self.store.apply(plan, op).await
    }

    async fn has_ended(&self, epoch: Epoch) -> Result<bool, MetadataError> {
        Ok(*self.faults.living.lock() != Some(epoch))
    }

    async fn references(&self, object: ObjectId, max: usize) -> Result<Vec<(NodeId, u64)>, MetadataError> {
        if max > 1 && *self.faults.unknown.lock() == Some(object) {
            return Err(MetadataError::Unavailable("away".into()));
        }
        self.store.references(object, max).await
    }
}
