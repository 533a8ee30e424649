//! A journal that breaks a rule.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{NodeId, Sequence, content::Place, ownership::Start};
use dittofs_ports::{Appended, Journal, JournalError, JournalIdentity, JournalUsage, Record, Survives};
use parking_lot::Mutex;

use super::Bug;

/// Records that are kept before one is forgotten.
const KEPT: usize = 12;

pub(crate) struct RiggedJournal {
    inner: Arc<dyn Journal>,
    bug: Bug,
    appended: Mutex<VecDeque<Appended>>,
}

impl RiggedJournal {
    /// The journal itself, or one that breaks a rule.
    pub(crate) fn over(inner: Arc<dyn Journal>, bug: Option<Bug>) -> Arc<dyn Journal> {
        match bug {
            Some(bug @ (Bug::SyncAnsweredEarly | Bug::ReleasedEarly)) => {
                Arc::new(RiggedJournal { inner, bug, appended: Mutex::default() })
            }
            _ => inner,
        }
    }
}

#[async_trait]
impl Journal for RiggedJournal {
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
        let appended = self.inner.append(record).await?;
        let forgotten = {
            let mut all = self.appended.lock();
            all.push_back(appended);
            if all.len() > KEPT { all.pop_front() } else { None }
        };
        if let Some(forgotten) = forgotten.filter(|_| self.bug == Bug::ReleasedEarly) {
            self.inner.release(&[forgotten]).await?;
        }
        Ok(appended)
    }

    async fn sync(&self, up_to: Sequence) -> Result<(), JournalError> {
        if self.bug == Bug::SyncAnsweredEarly {
            return Ok(());
        }
        self.inner.sync(up_to).await
    }

    fn read_now(&self, place: Place, skip: u32, len: u32) -> Option<Bytes> {
        self.inner.read_now(place, skip, len)
    }

    async fn read(&self, place: Place, skip: u32, len: u32) -> Result<Bytes, JournalError> {
        self.inner.read(place, skip, len).await
    }

    fn lost(&self) -> Vec<(NodeId, Sequence)> {
        self.inner.lost()
    }

    async fn recover(&self, above: Sequence) -> Result<Vec<(Appended, Record)>, JournalError> {
        self.inner.recover(above).await
    }

    async fn release(&self, records: &[Appended]) -> Result<(), JournalError> {
        self.inner.release(records).await
    }

    fn usage(&self) -> JournalUsage {
        self.inner.usage()
    }
}
