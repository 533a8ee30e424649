//! A content store that counts what is asked of it.

use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId, ownership::Mark};
use dittofs_memory::MemoryContentStore;
use dittofs_ports::{Claim, ContentError, ContentStore, Marked, Survives};

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
    fn survives(&self) -> Survives {
        self.inner.survives()
    }

    async fn owner(&self, share: ShareId) -> Result<Option<Marked>, ContentError> {
        self.inner.owner(share).await
    }

    async fn claim(&self, share: ShareId, mark: &Mark, over: Option<Marked>) -> Result<Claim, ContentError> {
        self.inner.claim(share, mark, over).await
    }

    async fn shares(&self) -> Result<Vec<ShareId>, ContentError> {
        self.inner.shares().await
    }

    fn request_max(&self) -> Duration {
        self.inner.request_max()
    }

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.inner.put(share, object, parts).await
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.inner.get(share, object, range).await
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        self.inner.delete(share, object).await
    }

    async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        self.inner.list(share, after, max).await
    }
}
