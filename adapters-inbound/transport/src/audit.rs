//! The record of who changed what, as far as protocols share it.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// The target of events that are lines of the record.
pub const AUDIT: &str = "audit";

/// Writes of one user to one file are recorded once in this time: an editor sends thousands.
const WRITES_APART: Duration = Duration::from_secs(60);
/// Files whose writes are remembered. Beyond, some are recorded more often.
const WRITES_MAX: usize = 4_096;

/// Which writes were recorded lately. `W` says who writes to which file.
#[derive(Debug)]
pub struct RecordedWrites<W>(Mutex<HashMap<W, Instant>>);

impl<W> Default for RecordedWrites<W> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<W: Hash + Eq> RecordedWrites<W> {
    /// Whether a write is to be recorded. It is remembered then.
    pub fn is_news(&self, writer: W, now: Instant) -> bool {
        let mut writes = self.0.lock();
        let known = writes.get(&writer).is_some_and(|last| now.saturating_duration_since(*last) < WRITES_APART);
        if !known {
            if writes.len() >= WRITES_MAX {
                writes.clear();
            }
            writes.insert(writer, now);
        }
        !known
    }
}

#[cfg(test)]
mod tests;
