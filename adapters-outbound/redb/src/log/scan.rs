//! Reading a log that was not closed.

use std::{io, ops::Range};

use redb::StorageBackend;

use crate::bugs::{self, Bug};

use super::{
    Mark,
    format::{ALIGN, HEAD_LEN, Head, MAGIC_RECORD, RecordHead, decode_head, decode_record, decode_stamp, record_len},
};

/// Longer logs are not made and not read: they are read into memory.
pub(crate) const LEN_MAX: u64 = 1 << 30;

/// Why a log can't be trusted.
#[derive(Debug)]
pub(crate) enum Trouble {
    Io(io::Error),
    /// Not a log at all, and nothing is in it.
    Nonsense,
    /// Another store's, with something in it.
    Foreign,
    /// A newer format.
    Newer(u32),
    /// It is of a later time than the database.
    Ahead,
    /// It is of an earlier time than the one that the database was used with.
    Behind,
}

/// The records of a log that are to be done again.
pub(crate) struct Scanned {
    bytes: Vec<u8>,
    payloads: Vec<Range<usize>>,
    /// Where it was damaged, if it was: behind the records before it are others that were acknowledged.
    pub(crate) damaged: Option<String>,
    /// The generation of the opening that used it last.
    pub(crate) stamp: u64,
}

impl Scanned {
    /// Reads the log; `done` is the number of the last transaction that is in the database.
    pub(crate) fn read(storage: &dyn StorageBackend, mark: &Mark, done: u64) -> Result<Scanned, Trouble> {
        let len = storage.len().map_err(Trouble::Io)?;
        if !(HEAD_LEN..=LEN_MAX).contains(&len) {
            return Err(Trouble::Nonsense);
        }
        let mut bytes = vec![0; len as usize];
        storage.read(0, &mut bytes).map_err(Trouble::Io)?;
        let head = decode_head(&bytes);
        let mut scanned = Scanned { bytes, payloads: Vec::new(), damaged: None, stamp: 0 };
        // A log that was just made has nothing in it; its head may be torn.
        let is_used = |store, above| scanned.heads(HEAD_LEN as usize, store).any(|head| head.generation > above);
        match head {
            Head::Of(store) if store == mark.store => {}
            Head::Of(store) if is_used(store, 0) => return Err(Trouble::Foreign),
            Head::Newer(format) => return Err(Trouble::Newer(format)),
            Head::Nonsense if is_used(mark.store, mark.generation) => return Err(Trouble::Ahead),
            Head::Of(_) | Head::Nonsense => return Err(Trouble::Nonsense),
        }
        let stamp = decode_stamp(&scanned.bytes, mark.store);
        if stamp > mark.generation || is_used(mark.store, mark.generation) {
            return Err(Trouble::Ahead);
        }
        scanned.stamp = stamp;
        // Nothing is expected in the log of a database that was closed.
        if stamp < mark.stamped && !mark.clean {
            return Err(Trouble::Behind);
        }
        scanned.follow(mark, done);
        Ok(scanned)
    }

    /// Returns the payloads of the records, in order.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        self.payloads.iter().filter_map(|range| self.bytes.get(range.clone()))
    }

    pub(crate) fn len(&self) -> usize {
        self.payloads.len()
    }

    fn follow(&mut self, mark: &Mark, done: u64) {
        let stale_too = bugs::has(Bug::StaleGenerationReplayed);
        let (mut at, mut sequence) = (HEAD_LEN as usize, mark.base + 1);
        while let Some((head, payload)) = self.record(at, mark.store) {
            if (head.generation != mark.generation || head.sequence != sequence) && !stale_too {
                break;
            }
            if sequence > done || stale_too {
                self.payloads.push(payload.clone());
            }
            at += record_len(payload.len());
            sequence += 1;
        }
        let needed = sequence.max(done + 1);
        let behind = self.later(at, mark).filter(|_| !bugs::has(Bug::DamageIsTail));
        self.damaged = behind.filter(|later| later.durable >= needed).map(|later| {
            format!("record {sequence} at {at} is unreadable, though record {} behind it is not", later.sequence)
        });
    }

    fn record(&self, at: usize, store: u128) -> Option<(RecordHead, Range<usize>)> {
        let rest = self.bytes.get(at..)?;
        let (head, payload) = decode_record(rest, store)?;
        let start = at + super::format::RECORD_HEAD_LEN;
        Some((head, start..start + payload.len()))
    }

    /// The last record of this generation behind a place.
    fn later(&self, at: usize, mark: &Mark) -> Option<RecordHead> {
        let records = self.heads(at, mark.store);
        records.filter(|head| head.generation == mark.generation).max_by_key(|head| head.durable)
    }

    /// The heads of all whole records of a store behind a place.
    fn heads(&self, at: usize, store: u128) -> impl Iterator<Item = RecordHead> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let starts = rest.chunks_exact(ALIGN).enumerate().filter(|(_, start)| start.starts_with(MAGIC_RECORD));
        starts.filter_map(move |(index, _)| Some(self.record(at + index * ALIGN, store)?.0))
    }
}
