//! One lock per key, made when it is first wanted and forgotten when nobody holds it.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Maps that share the keys among them, so that threads seldom meet.
const SHARDS: usize = 64;

/// Async locks by key: those who want the same key take locks, in the order in which they came.
#[derive(Debug)]
pub(crate) struct KeyedLocks<K> {
    shards: Vec<Mutex<HashMap<K, Arc<AsyncMutex<()>>>>>,
}

/// The guard of the lock of a key.
#[derive(Debug)]
pub(crate) struct KeyedLockGuard<'a, K: Hash + Eq + Copy> {
    locks: &'a KeyedLocks<K>,
    key: K,
    guard: Option<OwnedMutexGuard<()>>,
}

impl<K: Hash + Eq + Copy> KeyedLocks<K> {
    pub(crate) fn new() -> Self {
        KeyedLocks { shards: (0..SHARDS).map(|_| Mutex::new(HashMap::new())).collect() }
    }

    /// Waits for the key's lock.
    pub(crate) async fn lock(&self, key: K) -> KeyedLockGuard<'_, K> {
        let lock = Arc::clone(self.shard(&key).lock().entry(key).or_default());
        // Made before waiting: who gives up waiting must forget the key as well.
        let mut guard = KeyedLockGuard { locks: self, key, guard: None };
        guard.guard = Some(match Arc::clone(&lock).try_lock_owned() {
            Ok(guard) => guard,
            Err(_) => lock.lock_owned().await,
        });
        guard
    }

    /// The key's lock, if nobody holds it.
    pub(crate) fn try_lock(&self, key: K) -> Option<KeyedLockGuard<'_, K>> {
        let mut shard = self.shard(&key).lock();
        let guard = Arc::clone(shard.entry(key).or_default()).try_lock_owned().ok()?;
        Some(KeyedLockGuard { locks: self, key, guard: Some(guard) })
    }

    /// How many keys are locked or wanted.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn shard(&self, key: &K) -> &Mutex<HashMap<K, Arc<AsyncMutex<()>>>> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key) as usize;
        &self.shards[hash % SHARDS]
    }
}

impl<K: Hash + Eq + Copy> KeyedLockGuard<'_, K> {
    /// Which key is locked.
    pub(crate) fn key(&self) -> K {
        self.key
    }
}

impl<K: Hash + Eq + Copy> Drop for KeyedLockGuard<'_, K> {
    fn drop(&mut self) {
        self.guard = None;
        let mut shard = self.locks.shard(&self.key).lock();
        // One count is the map's own: nobody waits, as whoever waits holds another.
        if shard.get(&self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            shard.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
