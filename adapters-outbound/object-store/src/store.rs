//! The store, whatever its scheme.

use std::{ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId, ownership::Mark};
use dittofs_ports::{Capacity, Claim, ContentError, ContentStore, Marked, Survives};

#[cfg(feature = "operator")]
use crate::operator::OperatorStore;
use crate::{ObjectStoreOptions, OpenError, fs::FsStore};

/// A content store. Its calls must be made inside a tokio runtime, whose blocking threads wait for the disk.
pub struct ObjectStore {
    scheme: Scheme,
}

enum Scheme {
    Fs(Arc<FsStore>),
    #[cfg(feature = "operator")]
    Operator(Box<OperatorStore>),
}

impl ObjectStore {
    /// Opens a store, or makes it where there is none.
    ///
    /// # Errors
    /// Describes what is in the way, and what to do. Existing data have not been changed.
    pub async fn open(options: ObjectStoreOptions) -> Result<ObjectStore, OpenError> {
        let scheme = match options {
            ObjectStoreOptions::Fs(options) => Scheme::Fs(Arc::new(FsStore::open(options).await?)),
            #[cfg(feature = "memory")]
            ObjectStoreOptions::Memory(options) => Scheme::Operator(Box::new(crate::operator::memory(options).await?)),
            #[cfg(feature = "s3")]
            ObjectStoreOptions::S3(options) => Scheme::Operator(Box::new(crate::operator::s3(options).await?)),
            #[cfg(feature = "gcs")]
            ObjectStoreOptions::Gcs(options) => Scheme::Operator(Box::new(crate::operator::gcs(options).await?)),
            #[cfg(feature = "azblob")]
            ObjectStoreOptions::Azblob(options) => Scheme::Operator(Box::new(crate::operator::azblob(options).await?)),
        };
        Ok(ObjectStore { scheme })
    }
}

/// The space that a new object leaves free on its disk: enough for another one that frees space, and for the metadata
/// beside it.
const ROOM_KEPT: u64 = 80 << 20;
/// How long a removal of a file may take. Nothing bounds a disk that hangs; there the lock keeps other servers out.
const REQUEST_MAX_FOLDER: Duration = Duration::from_secs(10);

#[async_trait]
impl ContentStore for ObjectStore {
    fn survives(&self) -> Survives {
        match &self.scheme {
            Scheme::Fs(_) => Survives::PowerLoss,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.survives(),
        }
    }

    async fn owner(&self, share: ShareId) -> Result<Option<Marked>, ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.owner(share).await,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.owner(share).await,
        }
    }

    async fn claim(&self, share: ShareId, mark: &Mark, over: Option<Marked>) -> Result<Claim, ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.claim(share, mark, over).await,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.claim(share, mark, over).await,
        }
    }

    async fn shares(&self) -> Result<Vec<ShareId>, ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.shares().await,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.shares().await,
        }
    }

    fn request_max(&self) -> Duration {
        match &self.scheme {
            Scheme::Fs(_) => REQUEST_MAX_FOLDER,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.request_max(),
        }
    }

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.put(share, object, parts, ROOM_KEPT).await,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.put(share, object, parts).await,
        }
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.put(share, object, parts, 0).await,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.put(share, object, parts).await,
        }
    }

    async fn capacity(&self) -> Result<Option<Capacity>, ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.capacity(ROOM_KEPT).await.map(Some),
            #[cfg(feature = "operator")]
            Scheme::Operator(_) => Ok(None),
        }
    }

    async fn discard(&self, share: ShareId, object: ObjectId, dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.discard(share, object, dead).await,
            // A bucket is not full, and its objects can't be changed.
            #[cfg(feature = "operator")]
            Scheme::Operator(_) => Ok(0),
        }
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.get(share, object, range).await,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.get(share, object, range).await,
        }
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.delete(share, object).await,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.delete(share, object).await,
        }
    }

    async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        match &self.scheme {
            Scheme::Fs(store) => store.list(share, after, max).await,
            #[cfg(feature = "operator")]
            Scheme::Operator(store) => store.list(share, after, max).await,
        }
    }
}
