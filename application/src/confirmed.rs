//! Objects that could not be asked for their owner when their share was opened.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::{Claim, ContentError, ContentStore};
use tokio::sync::OnceCell;

/// A content store of one share that is used only once its objects are known to be that share's. Until the store has
/// answered that, it is unavailable; if they are another's, it stays damaged.
pub(crate) struct ConfirmedContent {
    store: Arc<dyn ContentStore>,
    share: ShareId,
    owner: u128,
    must_be_there: bool,
    belongs: OnceCell<Belongs>,
}

/// Whose the objects of a share are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// The share's own.
    Ours,
    /// Those of this owner.
    Foreign(u128),
    /// Nobody's, though the share has objects: it is another store, or an empty one.
    Gone,
}

/// Asks whose the objects of a share are. A store that has nothing of the share is made its own, unless its objects
/// must be there: such a store is left as it is, so that the next start finds the same.
pub(crate) async fn belongs(
    store: &dyn ContentStore,
    share: ShareId,
    owner: u128,
    must_be_there: bool,
) -> Result<Belongs, ContentError> {
    if must_be_there && store.owner(share).await?.is_none() {
        return Ok(Belongs::Gone);
    }
    Ok(match store.claim(share, owner).await? {
        Claim::Ours | Claim::New => Belongs::Ours,
        Claim::Foreign(found) => Belongs::Foreign(found),
    })
}

impl ConfirmedContent {
    /// The objects of a share; whether there must be some.
    pub(crate) fn new(store: Arc<dyn ContentStore>, share: ShareId, owner: u128, must_be_there: bool) -> Self {
        ConfirmedContent { store, share, owner, must_be_there, belongs: OnceCell::new() }
    }

    async fn confirmed(&self) -> Result<&dyn ContentStore, ContentError> {
        let asked = || belongs(&*self.store, self.share, self.owner, self.must_be_there);
        match *self.belongs.get_or_try_init(asked).await? {
            Belongs::Ours => Ok(&*self.store),
            Belongs::Gone => {
                let found = "it has nothing of this share, which has objects: give the share back its content store";
                Err(ContentError::Corrupt(found.into()))
            }
            Belongs::Foreign(found) => {
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
    dittofs_ports::forward!(ContentStore of store: survives, owner, claim, capacity);

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.confirmed().await?.put(share, object, parts).await
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.confirmed().await?.put_to_free(share, object, parts).await
    }

    async fn discard(&self, share: ShareId, object: ObjectId, dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        self.confirmed().await?.discard(share, object, dead).await
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
