//! A journal that breaks a rule.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use dittofs_domain::Sequence;
use dittofs_ports::{Appended, Journal, JournalError, Record};
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
    dittofs_ports::forward!(Journal of inner: survives, identity, note_start, failures, lost, read_now, read, recover, release,
        usage);

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
}
