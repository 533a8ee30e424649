//! A content store that keeps everything in one append-only log in memory, as an example of how little a store takes.
//!
//! An object is a record of the log; an index says where. A deletion forgets the index entry, and the log is rewritten
//! once more than half of it is dead.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use dittofs_domain::{ObjectId, ShareId, ownership::Mark};
use dittofs_ports::{Capacity, Claim, ContentError, ContentStore, Marked, Survives};

/// The store.
#[derive(Debug, Default)]
pub struct LoggedContentStore {
    state: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    bytes: Vec<u8>,
    live: usize,
    index: BTreeMap<(ShareId, ObjectId), Range<usize>>,
    owners: BTreeMap<ShareId, Mark>,
}

impl LoggedContentStore {
    /// An empty store.
    pub fn new() -> LoggedContentStore {
        LoggedContentStore::default()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Log {
    fn object(&self, share: ShareId, object: ObjectId) -> Option<&[u8]> {
        self.index.get(&(share, object)).and_then(|place| self.bytes.get(place.clone()))
    }

    fn append(&mut self, share: ShareId, object: ObjectId, data: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(data);
        self.live += data.len();
        self.index.insert((share, object), start..self.bytes.len());
    }

    fn rewrite(&mut self) {
        let mut bytes = Vec::with_capacity(self.live);
        for place in self.index.values_mut() {
            let start = bytes.len();
            bytes.extend_from_slice(self.bytes.get(place.clone()).unwrap_or_default());
            *place = start..bytes.len();
        }
        self.bytes = bytes;
    }
}

#[async_trait]
impl ContentStore for LoggedContentStore {
    fn survives(&self) -> Survives {
        Survives::Nothing
    }

    async fn owner(&self, share: ShareId) -> Result<Option<Marked>, ContentError> {
        Ok(self.log().owners.get(&share).map(|mark| Marked { mark: mark.clone(), version: None }))
    }

    async fn claim(&self, share: ShareId, mark: &Mark, over: Option<Marked>) -> Result<Claim, ContentError> {
        let mut log = self.log();
        if log.owners.get(&share) != over.as_ref().map(|over| &over.mark) {
            let found = log.owners.get(&share).map(|mark| Marked { mark: mark.clone(), version: None });
            return Ok(Claim::Refused(found));
        }
        log.owners.insert(share, mark.clone());
        Ok(Claim::Written { marked: Marked { mark: mark.clone(), version: None }, is_atomic: true })
    }

    async fn shares(&self) -> Result<Vec<ShareId>, ContentError> {
        let log = self.log();
        let mut shares: Vec<ShareId> = log.index.keys().map(|(share, _)| *share).collect();
        shares.extend(log.owners.keys());
        shares.sort_unstable();
        shares.dedup();
        Ok(shares)
    }

    fn request_max(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        let mut data = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
        parts.iter().for_each(|part| data.extend_from_slice(part));
        let mut log = self.log();
        match log.object(share, object) {
            Some(known) if known == data => Ok(()),
            Some(_) => Err(ContentError::Exists),
            None => {
                log.append(share, object, &data);
                Ok(())
            }
        }
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.put(share, object, parts).await
    }

    async fn capacity(&self) -> Result<Option<Capacity>, ContentError> {
        Ok(None)
    }

    async fn discard(&self, _share: ShareId, _object: ObjectId, _dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        Ok(0)
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        let (Ok(start), Ok(end)) = (usize::try_from(range.start), usize::try_from(range.end)) else {
            return Err(ContentError::NotFound);
        };
        let log = self.log();
        let data = log.object(share, object).and_then(|data| data.get(start..end)).ok_or(ContentError::NotFound)?;
        Ok(vec![Bytes::copy_from_slice(data)])
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        let mut log = self.log();
        if let Some(place) = log.index.remove(&(share, object)) {
            log.live -= place.len();
        }
        if log.bytes.len() > 2 * log.live {
            log.rewrite();
        }
        Ok(())
    }

    async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        let log = self.log();
        let known = log.index.iter().filter(|((of, _), _)| *of == share);
        let later = known.filter(|((_, id), _)| after.is_none_or(|after| *id > after));
        Ok(later.take(max).map(|((_, id), place)| (*id, place.len() as u64)).collect())
    }
}
