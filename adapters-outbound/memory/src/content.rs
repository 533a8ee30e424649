//! The content store: objects as the parts that were put.

mod object;

use std::{
    collections::{BTreeMap, HashMap},
    ops::{Bound, Range},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{ObjectId, ShareId, ownership::Mark};
use dittofs_ports::{Capacity, Claim, ContentError, ContentStore, Marked, Survives};
use parking_lot::RwLock;

use object::Object;

/// A request has ended when it is answered; this only makes a lease of usual length.
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// Content in memory.
///
/// - Parts are kept as they are given and handed out as slices of themselves, never copied: what is put must own its
///   memory, since a part that is a small piece of a large buffer keeps all of it, which this store cannot see.
/// - A reader that still holds a piece of a deleted object keeps that part's memory, which no longer counts.
pub struct MemoryContentStore {
    state: RwLock<State>,
    capacity: u64,
}

#[derive(Default)]
struct State {
    shares: HashMap<ShareId, Objects>,
    used: u64,
}

#[derive(Default)]
struct Objects {
    owner: Option<Mark>,
    objects: BTreeMap<ObjectId, Arc<Object>>,
}

impl Default for MemoryContentStore {
    fn default() -> Self {
        MemoryContentStore::new()
    }
}

impl MemoryContentStore {
    /// A store that only the machine's memory bounds.
    pub fn new() -> MemoryContentStore {
        MemoryContentStore::with_capacity(u64::MAX)
    }

    /// A store that is full when its objects, over all shares, have so many bytes.
    pub fn with_capacity(bytes: u64) -> MemoryContentStore {
        MemoryContentStore { state: RwLock::default(), capacity: bytes }
    }

    /// Bytes of all objects.
    pub fn used(&self) -> u64 {
        self.state.read().used
    }

    fn object(&self, share: ShareId, object: ObjectId) -> Option<Arc<Object>> {
        self.state.read().shares.get(&share)?.objects.get(&object).cloned()
    }

    /// Puts an object, or returns the one that is there.
    fn insert(&self, share: ShareId, id: ObjectId, object: &Arc<Object>) -> Result<Option<Arc<Object>>, ContentError> {
        let mut state = self.state.write();
        let State { shares, used } = &mut *state;
        let objects = &mut shares.entry(share).or_default().objects;
        if let Some(there) = objects.get(&id) {
            return Ok(Some(Arc::clone(there)));
        }
        let after = used.checked_add(object.len()).filter(|after| *after <= self.capacity);
        *used = after.ok_or(ContentError::Full)?;
        objects.insert(id, Arc::clone(object));
        Ok(None)
    }
}

#[async_trait]
impl ContentStore for MemoryContentStore {
    fn survives(&self) -> Survives {
        Survives::Nothing
    }

    async fn owner(&self, share: ShareId) -> Result<Option<Marked>, ContentError> {
        let state = self.state.read();
        let mark = state.shares.get(&share).and_then(|share| share.owner.clone());
        Ok(mark.map(|mark| Marked { mark, version: None }))
    }

    async fn claim(&self, share: ShareId, mark: &Mark, over: Option<Marked>) -> Result<Claim, ContentError> {
        let mut state = self.state.write();
        let owner = &mut state.shares.entry(share).or_default().owner;
        if owner.as_ref() != over.as_ref().map(|over| &over.mark) {
            return Ok(Claim::Refused(owner.clone().map(|mark| Marked { mark, version: None })));
        }
        *owner = Some(mark.clone());
        Ok(Claim::Written { marked: Marked { mark: mark.clone(), version: None }, is_atomic: true })
    }

    async fn shares(&self) -> Result<Vec<ShareId>, ContentError> {
        let mut shares: Vec<ShareId> = self.state.read().shares.keys().copied().collect();
        shares.sort_unstable();
        Ok(shares)
    }

    fn request_max(&self) -> Duration {
        REQUEST_MAX
    }

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        let new = Arc::new(Object::new(parts));
        match self.insert(share, object, &new)? {
            Some(there) if !there.same_bytes(&new) => Err(ContentError::Exists),
            Some(_) | None => Ok(()),
        }
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.put(share, object, parts).await
    }

    async fn capacity(&self) -> Result<Option<Capacity>, ContentError> {
        let free = self.capacity.saturating_sub(self.used());
        Ok((self.capacity < u64::MAX).then_some(Capacity { total: self.capacity, free }))
    }

    async fn discard(&self, share: ShareId, object: ObjectId, dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        let Some(before) = self.object(share, object) else { return Err(ContentError::NotFound) };
        let (after, given_back) = before.without(&dead);
        let mut state = self.state.write();
        let State { shares, used } = &mut *state;
        let there = shares.get_mut(&share).and_then(|objects| objects.objects.get_mut(&object));
        // Deleted meanwhile, or discarded from by somebody else.
        let Some(there) = there.filter(|there| Arc::ptr_eq(there, &before)) else { return Ok(0) };
        *there = Arc::new(after);
        *used -= given_back;
        Ok(given_back)
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        self.object(share, object).and_then(|object| object.range(range)).ok_or(ContentError::NotFound)
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        let removed = {
            let mut state = self.state.write();
            let removed = state.shares.get_mut(&share).and_then(|objects| objects.objects.remove(&object));
            state.used -= removed.as_ref().map_or(0, |object| object.resident());
            removed
        };
        // Its memory is given back here, after the lock.
        drop(removed);
        Ok(())
    }

    async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        let state = self.state.read();
        let Some(objects) = state.shares.get(&share) else {
            return Ok(Vec::new());
        };
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = objects.objects.range((start, Bound::Unbounded));
        Ok(rest.take(max).map(|(id, object)| (*id, object.len())).collect())
    }
}

#[cfg(test)]
mod tests;
