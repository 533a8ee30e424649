//! The log in front of the database: each record holds what one transaction changes, and is durable before it is
//! acknowledged. The database itself is made durable now and then; then the log begins again.

mod format;
mod mark;
mod scan;

use std::io;

use redb::StorageBackend;

pub(crate) use format::FORMAT;
pub(crate) use mark::Mark;
pub(crate) use scan::{LEN_MAX, Scanned, Trouble};

use crate::bugs::{self, Bug};
use format::{HEAD_LEN, RecordHead, STAMP_AT, encode_head, encode_record, encode_stamp, record_len};

/// Bytes of a new log. It is filled with zeros when a store is made, which this keeps short; it grows where more is
/// written.
const LEN_FIRST: u64 = 1 << 20;
/// Bytes of the shortest log. Its head and a record of some plans: less would be a checkpoint for each.
const LEN_MIN: u64 = 16 << 10;
/// How much longer the log becomes where it was found too short. From the first to the usual length in two steps, each
/// of which writes zeros.
const GROWTH: u64 = 4;
/// Bytes of zeros that are written at once. A large sequential write, without keeping a log of zeros in memory.
const ZEROS: usize = 1 << 20;

/// A log that is being written. Its bytes have all been written once, since a file that need not grow is synced much
/// faster.
pub(crate) struct Log {
    storage: Box<dyn StorageBackend>,
    store: u128,
    generation: u64,
    /// The highest number that is durable, here or in the database.
    durable: u64,
    /// Where the next record goes.
    at: u64,
    len: u64,
    buffer: Vec<u8>,
}

impl Log {
    /// Makes a log on empty storage.
    pub(crate) fn create(storage: &dyn StorageBackend, store: u128, len_max: u64) -> io::Result<()> {
        let len = LEN_FIRST.min(len_max).max(LEN_MIN);
        storage.set_len(len)?;
        write_zeros(storage, 0, len)?;
        storage.write(0, &encode_head(store))?;
        storage.sync_data()
    }

    /// A log that has been recovered or made, once the database has this mark. It says so from now on: an older database
    /// beside it is recognized by that, even if nothing is ever appended.
    pub(crate) fn start(storage: Box<dyn StorageBackend>, mark: &Mark) -> io::Result<Log> {
        let len = storage.len()?;
        storage.write(STAMP_AT, &encode_stamp(mark.store, mark.generation))?;
        storage.sync_data()?;
        let (store, generation, durable) = (mark.store, mark.generation, mark.base);
        Ok(Log { storage, store, generation, durable, at: HEAD_LEN, len, buffer: Vec::new() })
    }

    /// Whether there is room for a record.
    pub(crate) fn fits(&self, payload: usize) -> bool {
        self.at + record_len(payload) as u64 <= self.len && u32::try_from(payload).is_ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == HEAD_LEN
    }

    /// Appends a record, and returns once it is durable. After an error nothing may be appended any more. False: there
    /// was no room, as a file system that copies on write needs some also for what has its place; then nothing of the
    /// record is left, and the next one goes there.
    pub(crate) fn append(&mut self, sequence: u64, payload: &[u8]) -> io::Result<bool> {
        if bugs::has(Bug::AnsweredWithoutLog) {
            return Ok(true);
        }
        self.buffer.clear();
        let head = RecordHead { sequence, generation: self.generation, durable: self.durable };
        encode_record(&mut self.buffer, self.store, head, payload);
        match self.storage.write(self.at, &self.buffer).and_then(|()| self.storage.sync_data()) {
            Ok(()) => {}
            Err(error) if is_full(&error) && (self.wipe().is_ok() || !self.is_whole()) => return Ok(false),
            // It may come back after a crash: only an opening says whether it is there.
            Err(error) => return Err(error),
        }
        self.at += self.buffer.len() as u64;
        self.durable = sequence;
        Ok(true)
    }

    /// Whether all of the next record may have been written.
    fn is_whole(&self) -> bool {
        let mut found = vec![0; self.buffer.len()];
        self.storage.read(self.at, &mut found).is_err() || found == self.buffer
    }

    /// Takes back what may have been written of the next record.
    fn wipe(&self) -> io::Result<()> {
        let zeros = vec![0; self.buffer.len()];
        self.storage.write(self.at, &zeros)?;
        self.storage.sync_data()
    }

    /// Begins again, once the database has this mark.
    pub(crate) fn restart(&mut self, mark: &Mark) {
        self.generation = mark.generation;
        self.durable = mark.base;
        self.at = HEAD_LEN;
    }

    /// Makes the log longer, up to a bound. Where there is no room it stays as it is.
    pub(crate) fn grow(&mut self, len_max: u64) -> io::Result<()> {
        let len = (self.len * GROWTH).min(len_max);
        if len <= self.len {
            return Ok(());
        }
        let grown = self.storage.set_len(len).and_then(|()| write_zeros(&*self.storage, self.len, len));
        match grown.and_then(|()| self.storage.sync_data()) {
            Ok(()) => self.len = len,
            Err(error) if is_full(&error) => {
                tracing::warn!(%error, "the metadata log can't become longer");
                self.storage.set_len(self.len)?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Whether there was no room for it.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn write_zeros(storage: &dyn StorageBackend, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS];
    let mut at = from;
    while at < to {
        let len = (to - at).min(ZEROS as u64);
        storage.write(at, &zeros[..len as usize])?;
        at += len;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
