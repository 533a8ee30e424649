//! A content store that breaks a rule.

use std::{ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use dittofs_domain::{
    ObjectId, ShareId,
    content::{
        block::{BlockHead, head_len},
        checksum,
        object::{ObjectHead, scan},
    },
    ownership::Mark,
};
use dittofs_ports::{Claim, ContentError, ContentStore, Marked, Survives};

use super::Bug;

pub(crate) struct RiggedContent {
    inner: Arc<dyn ContentStore>,
    bug: Bug,
}

impl RiggedContent {
    /// The store itself, or one that breaks a rule.
    pub(crate) fn over(inner: Arc<dyn ContentStore>, bug: Option<Bug>) -> Arc<dyn ContentStore> {
        match bug {
            Some(bug @ (Bug::PutAnsweredEarly | Bug::ChecksumUseless)) => Arc::new(RiggedContent { inner, bug }),
            _ => inner,
        }
    }
}

/// Changes a byte of the first block, and the checksum that would tell.
fn falsify(parts: &[Bytes]) -> Vec<Bytes> {
    let mut whole = BytesMut::from(&parts.concat()[..]);
    let first = |(object, blocks): (ObjectHead, Vec<(u64, BlockHead)>)| {
        blocks.into_iter().next().map(|(at, head)| (object.object, at, head))
    };
    let Some((object, at, mut head)) = scan(&whole).ok().and_then(first) else {
        return vec![whole.freeze()];
    };
    let data = at as usize + head_len(head.raw_len) as usize;
    whole[data] ^= 0x40;
    let frame = data..data + head.frames[0].stored_len as usize;
    head.frames[0].checksum = checksum(&whole[frame]);
    let encoded = head.encode_in(object, at);
    whole[at as usize..at as usize + encoded.len()].copy_from_slice(&encoded);
    vec![whole.freeze()]
}

#[async_trait]
impl ContentStore for RiggedContent {
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
        if self.bug == Bug::ChecksumUseless {
            return self.inner.put(share, object, falsify(&parts)).await;
        }
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            inner.put(share, object, parts).await
        });
        Ok(())
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
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
