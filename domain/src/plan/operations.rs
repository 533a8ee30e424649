//! The outcomes of operations, for clients that ask again: bounded in number and in age.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, Hash},
    time::Duration,
};

use crate::id::NodeId;

/// How many operations are remembered, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationsKept {
    /// The number of operations, the newest ones. At a crash, a client has no more unanswered calls than it may have in
    /// flight.
    pub count: usize,
    /// The greatest age. A client reuses the numbers of its calls some day: an older operation may be another call.
    pub age: Duration,
}

impl Default for OperationsKept {
    /// As many and as long as a protocol remembers its replies.
    fn default() -> OperationsKept {
        OperationsKept { count: 64 * 1024, age: Duration::from_secs(120) }
    }
}

/// The operations that a store remembers. They were noted in batches, those of one transaction together, and are
/// forgotten in whole batches, the oldest first. Times are on any clock that does not go back.
#[derive(Debug)]
pub struct Operations<K, S> {
    kept: OperationsKept,
    by_key: HashMap<K, Known, S>,
    /// Oldest first.
    ages: VecDeque<Aged<K>>,
}

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    made: Option<NodeId>,
    batch: u64,
    at: Duration,
}

#[derive(Debug)]
struct Aged<K> {
    batch: u64,
    at: Duration,
    key: K,
}

/// An operation that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The node that its plan made.
    pub made: Option<NodeId>,
    /// The batch in which it was noted.
    pub batch: u64,
}

/// Which batches are over, and how many operations they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outdated {
    /// Their numbers, oldest first.
    pub batches: Vec<u64>,
    count: usize,
}

impl<K: Hash + Eq + Copy, S: BuildHasher + Default> Operations<K, S> {
    /// Nothing yet.
    pub fn new(kept: OperationsKept) -> Operations<K, S> {
        Operations { kept, by_key: HashMap::default(), ages: VecDeque::new() }
    }

    /// Returns the outcome of an operation, if it is remembered.
    pub fn find(&self, key: &K, now: Duration) -> Option<Remembered> {
        let known = self.by_key.get(key).filter(|known| !self.is_old(known.at, now))?;
        Some(Remembered { made: known.made, batch: known.batch })
    }

    /// Notes an operation. Batches come in the order of their numbers; of two with one key, the later one is meant.
    pub fn note(&mut self, batch: u64, key: K, made: Option<NodeId>, now: Duration) {
        self.by_key.insert(key, Known { made, batch, at: now });
        self.ages.push_back(Aged { batch, at: now, key });
    }

    /// The batches that are over once `more` operations have been noted.
    pub fn outdated(&self, more: usize, now: Duration) -> Outdated {
        let too_many = (self.ages.len() + more).saturating_sub(self.kept.count);
        let mut outdated = Outdated::default();
        for aged in &self.ages {
            let continues = outdated.batches.last() == Some(&aged.batch);
            if !continues {
                if outdated.count >= too_many && !self.is_old(aged.at, now) {
                    break;
                }
                outdated.batches.push(aged.batch);
            }
            outdated.count += 1;
        }
        outdated
    }

    /// Forgets what [`Operations::outdated`] answered.
    pub fn forget(&mut self, outdated: &Outdated) {
        for aged in self.ages.drain(..outdated.count.min(self.ages.len())) {
            // Recorded again meanwhile: the later one stays.
            if self.by_key.get(&aged.key).is_some_and(|known| known.batch == aged.batch) {
                self.by_key.remove(&aged.key);
            }
        }
    }

    /// How many are noted.
    pub fn len(&self) -> usize {
        self.ages.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.ages.is_empty()
    }

    fn is_old(&self, at: Duration, now: Duration) -> bool {
        now.saturating_sub(at) >= self.kept.age
    }
}

#[cfg(test)]
mod tests;
