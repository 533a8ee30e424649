//! The duplicate-request cache: a call that changes something is carried out once, however often the client sends it.
//!
//! It is shared by all connections and keyed by the client's address and port: a client that reconnects from the same port, as Linux
//! does, finds its answers, and no call of anybody else is taken for a repetition. Only clients that a share has admitted get here.

mod key;
mod table;

use std::time::{Duration, Instant};

use dittofs_domain::{counters::Counter, plan::OperationsKept};
use parking_lot::Mutex;

use crate::rpc::Reply;
pub use key::DuplicateKey;
pub use table::{Begin, DuplicateTable};

/// How much is remembered.
#[derive(Debug, Clone)]
pub struct DuplicateLimits {
    /// The most calls, running and answered.
    pub entries_max: usize,
    /// The most bytes of replies.
    pub bytes_max: usize,
    /// The longest reply that is kept. After a longer one, a duplicate is carried out again.
    pub reply_bytes_max: usize,
    /// How long an answered call is remembered.
    pub age_max: Duration,
}

impl Default for DuplicateLimits {
    fn default() -> Self {
        // A store remembers the operations of the same calls over a crash.
        let OperationsKept { count, age } = OperationsKept::default();
        // 384 bytes for each: a reply of NFSv3 to a change takes no more than 320.
        Self { entries_max: count, bytes_max: 24 << 20, reply_bytes_max: 1024, age_max: age }
    }
}

/// The outcomes of duplicates, and the memory that is kept for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DuplicateCounts {
    /// Duplicates that got the first reply again.
    pub replayed: u64,
    /// Duplicates of calls that were still running: they got no reply of their own.
    pub dropped: u64,
    /// Calls that could not be remembered: the cache was full.
    pub untracked: u64,
    /// Calls that are remembered now.
    pub entries: u64,
    /// Bytes of replies that are kept now.
    pub bytes: u64,
}

/// The cache: one table in shards, each behind its own lock, held for a look-up only.
#[derive(Debug)]
pub struct DuplicateRequests {
    shards: Vec<Mutex<DuplicateTable>>,
    replayed: Counter,
    dropped: Counter,
    untracked: Counter,
}

/// Locks over parts of the cache, so that fronts seldom wait for each other; each has its part of the bounds.
const SHARDS: usize = 16;

impl DuplicateRequests {
    /// An empty cache. The limits are for all shards together.
    pub fn new(limits: &DuplicateLimits) -> Self {
        let of_shard = DuplicateLimits {
            entries_max: limits.entries_max.div_ceil(SHARDS),
            bytes_max: limits.bytes_max.div_ceil(SHARDS),
            ..limits.clone()
        };
        let shards = (0..SHARDS).map(|_| Mutex::new(DuplicateTable::new(of_shard.clone()))).collect();
        Self { shards, replayed: Counter::default(), dropped: Counter::default(), untracked: Counter::default() }
    }

    /// Returns the outcomes of duplicates, and the memory that is kept for them.
    pub fn counts(&self) -> DuplicateCounts {
        let mut counts = DuplicateCounts {
            replayed: self.replayed.read(),
            dropped: self.dropped.read(),
            untracked: self.untracked.read(),
            ..DuplicateCounts::default()
        };
        for shard in &self.shards {
            let table = shard.lock();
            counts.entries += table.len() as u64;
            counts.bytes += table.bytes() as u64;
        }
        counts
    }

    /// Answers a call: by `work` the first time, by silence while that runs, and then by the first reply again.
    ///
    /// Work that is dropped before its end is forgotten, so that the next duplicate is carried out.
    pub async fn answer(&self, key: DuplicateKey, work: impl Future<Output = Reply>) -> Reply {
        let Some(shard) = self.shards.get(key.shard(SHARDS)) else { return work.await };
        let begin = shard.lock().begin(key, Instant::now());
        match begin {
            Begin::First => {
                let running = Running { shard, key, answered: false };
                let reply = work.await;
                running.answer(&reply);
                reply
            }
            Begin::Running => {
                self.dropped.count();
                Reply::silence()
            }
            Begin::Answered(reply) => {
                self.replayed.count();
                Reply::replay(&reply)
            }
            Begin::Untracked => {
                self.untracked.count();
                work.await
            }
        }
    }
}

/// A first call under way. Dropped without an answer, it leaves the table.
struct Running<'a> {
    shard: &'a Mutex<DuplicateTable>,
    key: DuplicateKey,
    answered: bool,
}

impl Running<'_> {
    fn answer(mut self, reply: &Reply) {
        self.answered = true;
        self.shard.lock().answered(self.key, reply.to_bytes(), Instant::now());
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.shard.lock().abandon(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
