//! A share's part of the bounds over all shares.

use crate::config::Config;

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

impl Room {
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
