//! Rows that are kept decoded, so that what is asked for often costs no look-up in the database.
//!
//! All that is in the cache is as of one *epoch*: the state after one publication. Epochs are even; while the writer
//! changes the cache to the next state the epoch is odd, and nobody may use what is in it. So
//! - a reader that finds the same even epoch before and after its look-ups has seen one instant, the newest;
//! - a reader of a snapshot may take a row from the cache, or put one there, only while the epoch is the snapshot's.
//!   A row that is put there is judged under the lock under which the writer replaces it.
//!
//! Rows are replaced by what the transaction notes for the log, so no change of a table can be forgotten here.

mod shard;

use std::{
    hash::{BuildHasher, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use dittofs_domain::{Cookie, Node, NodeId, ShareId, content::MapRow, plan::Space};
use foldhash::fast::RandomState;
use parking_lot::RwLock;

use crate::{
    codec,
    keys::{self, Count},
    redo::{Redo, Step, for_each_step},
    tables::Kind,
};

use shard::Shard;

/// Locks over parts of the cache: a reader then seldom waits for another one, on any common number of cores.
const SHARDS: usize = 64;

/// The row that is known at a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Row {
    Node(Arc<Node>),
    /// Where an entry leads; none where there is no such entry.
    Entry(Option<(NodeId, Cookie)>),
    /// The row at exactly this page.
    Map(Arc<MapRow>),
    /// At the key of a directory's listing as a whole: whether there is nothing in it.
    IsEmpty(bool),
    Topology(u64),
}

/// The cache.
pub(crate) struct RowCache {
    epoch: AtomicU64,
    hasher: RandomState,
    shards: Vec<RwLock<Shard>>,
}

impl RowCache {
    /// A cache of about this many bytes. It can't be used until something is published.
    pub(crate) fn new(bytes: usize) -> RowCache {
        let shard = || RwLock::new(Shard::new(bytes / SHARDS));
        let shards = (0..SHARDS).map(|_| shard()).collect();
        RowCache { epoch: AtomicU64::new(1), hasher: RandomState::default(), shards }
    }

    /// The state that the cache shows; none while it changes.
    pub(crate) fn epoch(&self) -> Option<u64> {
        Some(self.epoch.load(Ordering::Acquire)).filter(|epoch| epoch % 2 == 0)
    }

    /// Whether what has been looked up since was of this epoch.
    pub(crate) fn is_at(&self, epoch: u64) -> bool {
        self.epoch.load(Ordering::Acquire) == epoch
    }

    pub(crate) fn row(&self, kind: Kind, key: &[u8]) -> Option<Row> {
        let hash = self.hash(kind, key);
        let shard = self.shard(hash);
        let (row, is_young) = shard.read().row(hash, kind, key)?;
        if !is_young && let Some(mut shard) = shard.try_write() {
            shard.make_young(hash, kind, key);
        }
        Some(row)
    }

    /// Keeps a row that a snapshot of this epoch showed.
    pub(crate) fn keep(&self, epoch: u64, kind: Kind, key: &[u8], row: Row) {
        let hash = self.hash(kind, key);
        let mut shard = self.shard(hash).write();
        // Under the lock: whoever changes the row afterwards waits for it.
        let dropped = if self.is_at(epoch) { shard.put(hash, kind, key, row) } else { None };
        drop(shard);
        drop(dropped);
    }

    /// Shows the next state: replaces what a transaction has changed. `publish` is called with the epoch, while nobody
    /// can use the cache.
    pub(crate) fn advance(&self, redo: &Redo, nodes: &[(ShareId, Arc<Node>)], publish: impl FnOnce(u64)) {
        let next = self.stop() + 1;
        let malformed = for_each_step(redo.bytes(), |step| {
            self.replace(&step);
            Ok(())
        });
        debug_assert!(malformed.is_ok());
        for (share, node) in nodes {
            self.put(Kind::Node, &keys::node(*share, node.id), Row::Node(Arc::clone(node)));
        }
        publish(next);
        self.epoch.store(next, Ordering::Release);
    }

    /// Forgets everything; `publish` as above.
    pub(crate) fn restart(&self, publish: impl FnOnce(u64)) {
        let next = self.stop() + 1;
        self.shards.iter().for_each(|shard| shard.write().clear());
        publish(next);
        self.epoch.store(next, Ordering::Release);
    }

    /// Lets nobody use it until something is published; answers the epoch, which is odd.
    pub(crate) fn stop(&self) -> u64 {
        let odd = self.epoch.load(Ordering::Relaxed) | 1;
        // Before anything is replaced: the locks of the shards order the two for whoever finds what was replaced.
        self.epoch.store(odd, Ordering::SeqCst);
        odd
    }

    fn replace(&self, step: &Step<'_>) {
        let (kind, key) = (step.kind, step.key);
        match (kind, step.value) {
            (Kind::Entry, None) => self.put(kind, key, Row::Entry(None)),
            (Kind::Entry, Some(value)) => match codec::decode_entry(value) {
                Ok(entry) => self.put(kind, key, Row::Entry(Some(entry))),
                Err(_) => self.remove(kind, key),
            },
            (Kind::Listing, value) => {
                let directory = key.get(..keys::DIRECTORY_LEN).unwrap_or(key);
                match value {
                    Some(_) => self.put(kind, directory, Row::IsEmpty(false)),
                    None => self.remove(kind, directory),
                }
            }
            (Kind::Count, _) if key.last() != Some(&(Count::Topology as u8)) => {}
            (Kind::Node | Kind::Row | Kind::Count, _) => self.remove(kind, key),
            (
                Kind::Share
                | Kind::Unlinked
                | Kind::PendingTruncation
                | Kind::Object
                | Kind::Reference
                | Kind::Operations
                | Kind::User
                | Kind::Folded
                | Kind::Xattrs,
                _,
            ) => {}
        }
    }

    fn put(&self, kind: Kind, key: &[u8], row: Row) {
        let hash = self.hash(kind, key);
        let dropped = self.shard(hash).write().put(hash, kind, key, row);
        drop(dropped);
    }

    fn remove(&self, kind: Kind, key: &[u8]) {
        let hash = self.hash(kind, key);
        self.shard(hash).write().remove(hash, kind, key);
    }

    fn hash(&self, kind: Kind, key: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u8(kind as u8);
        hasher.write(key);
        hasher.finish()
    }

    fn shard(&self, hash: u64) -> &RwLock<Shard> {
        // The tables inside use the highest and the lowest bits.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }
}

/// Where the cache keeps whether a directory is empty.
pub(crate) fn directory_key(share: ShareId, id: NodeId, space: Space) -> keys::Key {
    keys::directory(share, id, space).0
}

#[cfg(test)]
mod tests;
