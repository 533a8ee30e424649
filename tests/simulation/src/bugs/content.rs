//! A content store that breaks a rule.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use dittofs_domain::{
    ObjectId, ShareId,
    content::{
        block::{BlockHead, head_len},
        checksum,
        object::{ObjectHead, scan},
    },
};
use dittofs_ports::{ContentError, ContentStore};

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

/// Changes a byte of the first block, and the checksum that would show it.
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
    dittofs_ports::forward!(ContentStore of inner: survives, owner, claim, shares, request_max, capacity, discard, get, delete, list);

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

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.put(share, object, parts).await
    }
}
