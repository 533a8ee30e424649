//! A share's part of the bounds over all shares.

use crate::{
    config::{Config, ShareConfig},
    machine::memory_bytes,
};

/// The least part of the journal that a share has: a few transfers of 1 MiB. With less, no write could be admitted.
const JOURNAL_BYTES_MIN: u64 = 16 << 20;
/// The least readahead of a share that comes later: one transfer.
const READAHEAD_BYTES_MIN: u64 = 1 << 20;

/// Parts of bounds. They stay as they are while a share is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// Bytes that are not flushed.
    pub(super) journal_bytes: u64,
    /// Bytes that are fetched ahead of readers.
    pub(super) readahead_bytes: u64,
}

/// What shares without a journal on a disk may have in memory together: one in so many bytes of it.
const MEMORY_PART: u64 = 8;

impl Room {
    /// Bytes that are written to a share and not flushed. Without a journal on a disk they are in memory.
    pub(super) fn unflushed_bytes(self, share: &ShareConfig) -> u64 {
        match share.durability.keeps_a_journal() {
            true => self.journal_bytes,
            false => {
                let part = memory_bytes().map_or(u64::MAX, |bytes| bytes / MEMORY_PART);
                self.journal_bytes.min(part.max(JOURNAL_BYTES_MIN))
            }
        }
    }

    /// Equal parts, so that no share can starve the others.
    pub(super) fn equal(config: &Config) -> Room {
        let shares = config.shares.len().max(1) as u64;
        Room {
            journal_bytes: (config.journal.size.0 / shares).max(JOURNAL_BYTES_MIN),
            readahead_bytes: config.cache.readahead.0 / shares,
        }
    }

    /// Returns the room that others leave to a share that comes later, at most an equal part. It gets the least part in
    /// any case.
    pub(super) fn beside(config: &Config, others: impl Iterator<Item = Room>) -> Room {
        let taken = others.fold(Room::default(), |sum, room| Room {
            journal_bytes: sum.journal_bytes + room.journal_bytes,
            readahead_bytes: sum.readahead_bytes + room.readahead_bytes,
        });
        let equal = Room::equal(config);
        let journal = config.journal.size.0.saturating_sub(taken.journal_bytes);
        let readahead = config.cache.readahead.0.saturating_sub(taken.readahead_bytes);
        Room {
            journal_bytes: equal.journal_bytes.min(journal).max(JOURNAL_BYTES_MIN),
            readahead_bytes: equal.readahead_bytes.min(readahead.max(READAHEAD_BYTES_MIN)),
        }
    }
}

#[cfg(test)]
mod tests;
