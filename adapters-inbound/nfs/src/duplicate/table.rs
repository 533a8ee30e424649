use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;

use super::{DuplicateKey, DuplicateLimits};

/// The rules of the cache, without locks or clocks. A call is running, then answered, then forgotten.
#[derive(Debug)]
pub struct DuplicateTable {
    limits: DuplicateLimits,
    entries: HashMap<DuplicateKey, Entry>,
    /// The answered calls, oldest first. They leave in this order only.
    answered: VecDeque<(Instant, DuplicateKey)>,
    bytes: usize,
}

#[derive(Debug)]
enum Entry {
    Running,
    Answered(Bytes),
}

/// What to do with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Carry it out, then say [`DuplicateTable::answered`] or [`DuplicateTable::abandon`].
    First,
    /// Say nothing: its first copy is still running, and will be answered.
    Running,
    /// Answer with these bytes, the first copy's reply.
    Answered(Bytes),
    /// Carry it out; the table is full of running calls and does not remember this one.
    Untracked,
}

impl DuplicateTable {
    /// An empty table.
    pub fn new(limits: DuplicateLimits) -> Self {
        Self { limits, entries: HashMap::new(), answered: VecDeque::new(), bytes: 0 }
    }

    /// A call has come in.
    pub fn begin(&mut self, key: DuplicateKey, now: Instant) -> Begin {
        self.expire(now);
        match self.entries.get(&key) {
            Some(Entry::Running) => return Begin::Running,
            Some(Entry::Answered(reply)) => return Begin::Answered(reply.clone()),
            None => {}
        }
        while self.entries.len() >= self.limits.entries_max {
            if !self.forget_oldest() {
                return Begin::Untracked;
            }
        }
        self.entries.insert(key, Entry::Running);
        Begin::First
    }

    /// The first copy has been carried out. `None`, or a reply that is too long, is not kept.
    pub fn answered(&mut self, key: DuplicateKey, reply: Option<Bytes>, now: Instant) {
        let kept = reply.filter(|reply| reply.len() <= self.limits.reply_bytes_max.min(self.limits.bytes_max));
        let Some(reply) = kept else { return self.abandon(&key) };
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if matches!(entry, Entry::Answered(_)) {
            return;
        }
        self.bytes += reply.len();
        *entry = Entry::Answered(reply);
        self.answered.push_back((now, key));
        while self.bytes > self.limits.bytes_max && self.forget_oldest() {}
    }

    /// The first copy won't be answered.
    pub fn abandon(&mut self, key: &DuplicateKey) {
        if matches!(self.entries.get(key), Some(Entry::Running)) {
            self.entries.remove(key);
        }
    }

    /// The number of calls that are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no call is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of the replies that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn expire(&mut self, now: Instant) {
        while let Some((answered, _)) = self.answered.front()
            && now.saturating_duration_since(*answered) >= self.limits.age_max
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((_, key)) = self.answered.pop_front() else { return false };
        if let Some(Entry::Answered(reply)) = self.entries.remove(&key) {
            self.bytes -= reply.len();
        }
        true
    }
}
