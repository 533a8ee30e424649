//! The journal of shares that may be lost with the process.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{NodeId, Sequence, content::Place, ownership::Start};
use dittofs_ports::{Appended, Journal, JournalError, JournalIdentity, JournalUsage, Record, Survives};
use parking_lot::Mutex;

use crate::buffers::Buffers;

/// Maps that share the records among them, so that threads seldom meet.
const SHARDS: usize = 16;
/// The memory that a record takes besides its data.
const RECORD_BYTES: u64 = 96;
/// An empty shard that has grown beyond this many records gives its memory back. Some 100 KiB a shard: what goes on
/// comes back to it soon.
const IDLE_RECORDS_MAX: usize = 1_024;

/// A journal that keeps the data of its records in memory until they are released. Nobody ever recovers them.
pub struct NullJournal {
    last: AtomicU64,
    used: AtomicU64,
    limit: u64,
    shards: [Mutex<HashMap<u64, Kept>>; SHARDS],
    buffers: Arc<Buffers>,
}

/// The data of a record.
struct Kept {
    data: Bytes,
    /// The bytes that it counts towards the limit.
    cost: u64,
}

impl NullJournal {
    /// A journal for at most so many bytes.
    pub fn new(limit_bytes: u64) -> NullJournal {
        NullJournal {
            last: AtomicU64::new(0),
            used: AtomicU64::new(0),
            limit: limit_bytes,
            shards: std::array::from_fn(|_| Mutex::default()),
            buffers: Arc::default(),
        }
    }

    fn shard(&self, number: u64) -> &Mutex<HashMap<u64, Kept>> {
        &self.shards[number as usize % SHARDS]
    }

    fn reserve(&self, cost: u64) -> Result<(), JournalError> {
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(cost).filter(|used| *used <= self.limit)
        });
        taken.map(|_| ()).map_err(|_| JournalError::Full)
    }

    fn keep(&self, number: u64, data: &Bytes, cost: u64) {
        // The receive buffer that `data` is a part of belongs to others.
        let data = self.buffers.copy(data);
        self.shard(number).lock().insert(number, Kept { data, cost });
    }

    fn forget(&self, number: u64) {
        let removed = {
            let mut shard = self.shard(number).lock();
            let removed = shard.remove(&number);
            if shard.is_empty() && shard.capacity() > IDLE_RECORDS_MAX {
                shard.shrink_to_fit();
            }
            removed
        };
        self.used.fetch_sub(removed.as_ref().map_or(0, |kept| kept.cost), Ordering::Relaxed);
    }
}

#[async_trait]
impl Journal for NullJournal {
    fn survives(&self) -> Survives {
        Survives::Nothing
    }

    fn identity(&self) -> JournalIdentity {
        JournalIdentity::default()
    }

    async fn note_start(&self, _start: Start) -> Result<(), JournalError> {
        Ok(())
    }

    async fn append(&self, record: Record) -> Result<Appended, JournalError> {
        let cost = Buffers::allocated(record.data.len()) as u64 + RECORD_BYTES;
        self.reserve(cost)?;
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.keep(number, &record.data, cost);
        let sequence = record.copy_of.unwrap_or(Sequence(number));
        Ok(Appended { sequence, place: Place { segment: number, at: 0 } })
    }

    async fn sync(&self, _up_to: Sequence) -> Result<(), JournalError> {
        Ok(())
    }

    fn failures(&self) -> u64 {
        0
    }

    fn lost(&self) -> Vec<(NodeId, Sequence)> {
        Vec::new()
    }

    fn read_now(&self, place: Place, skip: u32, len: u32) -> Option<Bytes> {
        let data = self.shard(place.segment).lock().get(&place.segment)?.data.clone();
        let start = skip as usize;
        let end = start.checked_add(len as usize).filter(|end| *end <= data.len())?;
        Some(data.slice(start..end))
    }

    async fn read(&self, place: Place, skip: u32, len: u32) -> Result<Bytes, JournalError> {
        self.read_now(place, skip, len).ok_or(JournalError::NotFound)
    }

    async fn recover(&self, above: Sequence) -> Result<Vec<(Appended, Record)>, JournalError> {
        self.last.fetch_max(above.0, Ordering::Relaxed);
        Ok(Vec::new())
    }

    async fn release(&self, records: &[Appended]) -> Result<(), JournalError> {
        for record in records {
            self.forget(record.place.segment);
        }
        Ok(())
    }

    fn usage(&self) -> JournalUsage {
        JournalUsage { used: self.used.load(Ordering::Relaxed), limit: self.limit }
    }
}

#[cfg(test)]
mod tests;
