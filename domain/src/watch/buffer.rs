//! The changes that are kept for a watcher.

use super::{ChangeAction, ChangeRecord};

/// The outcome of taking changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing has changed since it was last asked.
    Nothing,
    /// These changes, in their order.
    Changes(Vec<ChangeRecord>),
    /// More than could be kept has changed: the watcher has to list the directory anew (STATUS_NOTIFY_ENUM_DIR).
    Overflowed,
}

/// The changes that a watcher has not taken yet. It has a bounded number of bytes. A change that does not fit empties
/// it: who was not told of all must not believe that it was (MS-FSA, 2.1.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchBuffer {
    bytes_max: usize,
    bytes: usize,
    records: Vec<ChangeRecord>,
    is_overflowed: bool,
}

impl WatchBuffer {
    /// An empty buffer of this many bytes, as [`ChangeRecord::bytes`] counts them.
    pub fn new(bytes_max: usize) -> WatchBuffer {
        WatchBuffer { bytes_max, bytes: 0, records: Vec::new(), is_overflowed: false }
    }

    /// Bytes that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is something to take.
    pub fn has_something(&self) -> bool {
        self.is_overflowed || !self.records.is_empty()
    }

    /// Adds a change. What has been modified again since the record before says so once.
    pub fn push(&mut self, record: &ChangeRecord) {
        if self.is_overflowed || record.action == ChangeAction::Modified && self.records.last() == Some(record) {
            return;
        }
        let bytes = self.bytes.saturating_add(record.bytes());
        if bytes > self.bytes_max {
            self.overflow();
            return;
        }
        self.bytes = bytes;
        self.records.push(record.clone());
    }

    /// Some change could not be added. What was kept goes, too: the watcher lists anew.
    pub fn overflow(&mut self) {
        self.is_overflowed = true;
        self.bytes = 0;
        self.records = Vec::new();
    }

    /// Takes all that there is.
    pub fn take(&mut self) -> Taken {
        self.bytes = 0;
        if std::mem::take(&mut self.is_overflowed) {
            return Taken::Overflowed;
        }
        match std::mem::take(&mut self.records) {
            records if records.is_empty() => Taken::Nothing,
            records => Taken::Changes(records),
        }
    }
}
