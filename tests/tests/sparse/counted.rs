//! A content store that counts what is asked of it.

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_memory::MemoryContentStore;
use dittofs_ports::{ContentError, ContentStore};

#[derive(Default)]
pub(crate) struct Counted {
    inner: MemoryContentStore,
    calls: AtomicUsize,
}

impl Counted {
    /// Puts and gets so far.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl ContentStore for Counted {
    dittofs_ports::forward!(ContentStore of inner: survives, owner, claim, shares, request_max, capacity, discard, delete, list);

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.inner.put(share, object, parts).await
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.inner.put_to_free(share, object, parts).await
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.inner.get(share, object, range).await
    }
}
