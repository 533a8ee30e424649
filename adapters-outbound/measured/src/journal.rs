//! A journal, counted.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::Sequence;
use dittofs_ports::{Appended, Journal, JournalError, Record};

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
    dittofs_ports::forward!(Journal of inner: survives, identity, note_start, failures, lost, read_now, read, recover, release,
        usage);

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
}
