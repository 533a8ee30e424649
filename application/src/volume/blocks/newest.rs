//! A few frames or heads that are kept whatever the cache thinks of them: the newest ones.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use dittofs_ports::FrameKey;

/// The bytes that an entry takes besides its value.
const ENTRY_OVERHEAD_BYTES: u64 = 160;

/// The newest entries, bounded by the memory that they take.
#[derive(Debug)]
pub(super) struct Newest {
    entries: HashMap<FrameKey, Bytes>,
    order: VecDeque<FrameKey>,
    bytes: u64,
    bytes_max: u64,
}

impl Newest {
    pub(super) fn new(bytes_max: u64) -> Newest {
        Newest { entries: HashMap::new(), order: VecDeque::new(), bytes: 0, bytes_max }
    }

    pub(super) fn find(&self, key: &FrameKey) -> Option<Bytes> {
        self.entries.get(key).cloned()
    }

    pub(super) fn put(&mut self, key: FrameKey, bytes: Bytes) {
        let weight = |bytes: &Bytes| bytes.len() as u64 + ENTRY_OVERHEAD_BYTES;
        self.bytes += weight(&bytes);
        match self.entries.insert(key, bytes) {
            // It keeps its place in the order.
            Some(before) => self.bytes -= weight(&before),
            None => self.order.push_back(key),
        }
        while self.bytes > self.bytes_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.bytes -= self.entries.remove(&oldest).map_or(0, |bytes| weight(&bytes));
        }
    }
}

#[cfg(test)]
mod tests;
