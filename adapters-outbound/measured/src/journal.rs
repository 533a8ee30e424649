//! A journal, counted.

use std::{pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{NodeId, Sequence, content::Place, ownership::Start};
use dittofs_ports::{Appended, Journal, JournalError, JournalIdentity, JournalUsage, Record, Survives};

use crate::ShareMeters;

pub(crate) struct MeasuredJournal {
    pub(crate) inner: Arc<dyn Journal>,
    pub(crate) meters: Arc<ShareMeters>,
}

fn result_of(outcome: &Result<(), JournalError>) -> usize {
    match outcome {
        Ok(()) => 0,
        Err(JournalError::SyncFailed(_)) => 1,
        Err(JournalError::Unavailable(_)) => 2,
        Err(JournalError::Full | JournalError::DiskFull | JournalError::NotFound | JournalError::Corrupt(_)) => 3,
    }
}

#[async_trait]
impl Journal for MeasuredJournal {
    fn survives(&self) -> Survives {
        self.inner.survives()
    }

    fn identity(&self) -> JournalIdentity {
        self.inner.identity()
    }

    async fn note_start(&self, start: Start) -> Result<(), JournalError> {
        self.inner.note_start(start).await
    }

    async fn append(&self, record: Record) -> Result<Appended, JournalError> {
        let bytes = record.data.len() as u64;
        let appended = self.inner.append(record).await;
        if appended.is_ok() {
            self.meters.records.count();
            self.meters.record_bytes.add(bytes);
        }
        appended
    }

    async fn sync(&self, up_to: Sequence) -> Result<(), JournalError> {
        self.meters.syncs.of(&*self.meters.clock, self.inner.sync(up_to), result_of).await
    }

    fn lost(&self) -> Vec<(NodeId, Sequence)> {
        self.inner.lost()
    }

    fn read_now(&self, place: Place, skip: u32, len: u32) -> Option<Bytes> {
        self.inner.read_now(place, skip, len)
    }

    async fn read(&self, place: Place, skip: u32, len: u32) -> Result<Bytes, JournalError> {
        self.inner.read(place, skip, len).await
    }

    async fn recover(&self, above: Sequence) -> Result<Vec<(Appended, Record)>, JournalError> {
        self.inner.recover(above).await
    }

    // Passed on as it is: nothing is counted, so nothing need be allocated.
    fn release<'a, 'b, 'c>(
        &'a self,
        records: &'b [Appended],
    ) -> Pin<Box<dyn Future<Output = Result<(), JournalError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.release(records)
    }

    fn usage(&self) -> JournalUsage {
        self.inner.usage()
    }
}
