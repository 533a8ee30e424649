//! The log in front of the database: each record holds what one transaction changes, and is durable before anybody is
//! told. The database itself is made durable now and then; then the log begins again.

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

/// Bytes of a new log.
const LEN_FIRST: u64 = 1 << 20;
/// Bytes of the shortest log.
const LEN_MIN: u64 = 16 << 10;
/// How much longer the log becomes where it was found too short.
const GROWTH: u64 = 4;
/// Bytes of zeros that are written at once.
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
    /// beside it is told by that, though nothing may ever be appended.
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

    /// Appends a record, and returns once it is durable. After an error nothing may be appended any more.
    pub(crate) fn append(&mut self, sequence: u64, payload: &[u8]) -> io::Result<()> {
        if bugs::has(Bug::AnsweredWithoutLog) {
            return Ok(());
        }
        self.buffer.clear();
        let head = RecordHead { sequence, generation: self.generation, durable: self.durable };
        encode_record(&mut self.buffer, self.store, head, payload);
        self.storage.write(self.at, &self.buffer)?;
        self.storage.sync_data()?;
        self.at += self.buffer.len() as u64;
        self.durable = sequence;
        Ok(())
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
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                tracing::warn!(%error, "the metadata log can't become longer");
                self.storage.set_len(self.len)?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
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
