//! Objects that could not be asked for their owner when their share was opened.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::{Claim, ContentError, ContentStore, Survives};
use tokio::sync::OnceCell;

/// A content store of one share that is used only once its objects are known to be that share's. Until the store has
/// answered that, it is unavailable; if they are another's, it stays damaged.
pub(crate) struct ConfirmedContent {
    store: Arc<dyn ContentStore>,
    share: ShareId,
    owner: u128,
    has_objects: bool,
    verdict: OnceCell<Verdict>,
}

#[derive(Clone, Copy, Debug)]
enum Verdict {
    Ours,
    Foreign(u128),
    Gone,
}

impl ConfirmedContent {
    /// The objects of a share that has some, or that has none yet.
    pub(crate) fn new(store: Arc<dyn ContentStore>, share: ShareId, owner: u128, has_objects: bool) -> Self {
        ConfirmedContent { store, share, owner, has_objects, verdict: OnceCell::new() }
    }

    async fn confirmed(&self) -> Result<&dyn ContentStore, ContentError> {
        let verdict = self.verdict.get_or_try_init(|| async {
            Ok::<Verdict, ContentError>(match self.store.claim(self.share, self.owner).await? {
                Claim::Ours => Verdict::Ours,
                Claim::New if self.has_objects => Verdict::Gone,
                Claim::New => Verdict::Ours,
                Claim::Foreign(found) => Verdict::Foreign(found),
            })
        });
        match *verdict.await? {
            Verdict::Ours => Ok(&*self.store),
            Verdict::Gone => {
                let found = "it has nothing of this share, which has objects: give the share back its content store";
                Err(ContentError::Corrupt(found.into()))
            }
            Verdict::Foreign(found) => {
                let owner = self.owner;
                Err(ContentError::Corrupt(
                    format!("its objects belong to owner {found:032x}, not to this share's {owner:032x}").into(),
                ))
            }
        }
    }
}

#[async_trait]
impl ContentStore for ConfirmedContent {
    fn survives(&self) -> Survives {
        self.store.survives()
    }

    async fn claim(&self, share: ShareId, owner: u128) -> Result<Claim, ContentError> {
        self.store.claim(share, owner).await
    }

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.confirmed().await?.put(share, object, parts).await
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        self.confirmed().await?.get(share, object, range).await
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        self.confirmed().await?.delete(share, object).await
    }

    async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        self.confirmed().await?.list(share, after, max).await
    }
}

#[cfg(test)]
mod tests;
