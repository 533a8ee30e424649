//! Making what was written durable.

use std::collections::BTreeMap;

use dittofs_domain::{
    NodeId, Sequence,
    error::{FsError, FsResult},
    plan::Query,
};
use dittofs_ports::JournalError;

use crate::volume::{share::is_of_file, write_back::WriteBack};

impl WriteBack {
    /// Makes a node's records up to this one durable at the share's tier: in the journal, or where that survives
    /// nothing, nowhere else either.
    ///
    /// # Errors
    /// `Io` if the newest of them is lost.
    pub(in crate::volume) async fn make_durable(&self, node: NodeId, up_to: Sequence) -> FsResult<()> {
        if self.sync_journal(up_to).await? && self.journal.lost().contains(&(node, up_to)) {
            return Err(FsError::Io);
        }
        Ok(())
    }

    /// Syncs the journal. After a failed sync what is not lost is durable elsewhere: that is noted, clients are told by
    /// another verifier to send again what was not committed, and then the sync succeeds. Answers whether that happened.
    pub(in crate::volume) async fn sync_journal(&self, up_to: Sequence) -> FsResult<bool> {
        match self.journal.sync(up_to).await {
            Ok(()) => return Ok(false),
            Err(error @ JournalError::SyncFailed(_)) => {
                self.journal_failed(&error);
                self.forget_lost().await?;
            }
            Err(error) => return Err(self.journal_failed(&error)),
        }
        let again = self.journal.sync(up_to).await;
        again.map(|()| true).map_err(|error| self.journal_failed(&error))
    }

    /// Takes lost records out of the index: what they covered counts again.
    async fn forget_lost(&self) -> FsResult<()> {
        let mut lost: BTreeMap<NodeId, Vec<Sequence>> = BTreeMap::new();
        for (node, sequence) in self.journal.lost() {
            lost.entry(node).or_default().push(sequence);
        }
        for (node, sequences) in lost {
            match self.forget_lost_of(node, &sequences).await {
                // A file that is damaged keeps no other from forgetting.
                Err(error) if is_of_file(error) => self.nodes.tell_unreadable(node).await,
                forgotten => forgotten?,
            }
        }
        Ok(())
    }

    async fn forget_lost_of(&self, node: NodeId, lost: &[Sequence]) -> FsResult<()> {
        for attempt in 1.. {
            let seen = self.nodes.view(&Query::node(node)).await?;
            let Ok(stored) = seen.node(node) else { break };
            if let Some(records) = self.nodes.pending().lose(stored, lost, seen.version) {
                self.release(records).await;
                break;
            }
            self.share.jitter(attempt).await;
        }
        Ok(())
    }

    /// Logs why the journal failed, renews the verifier where bytes may be lost, and says what the client gets.
    pub(in crate::volume) fn journal_failed(&self, error: &JournalError) -> FsError {
        match error {
            JournalError::Full => FsError::Busy,
            JournalError::DiskFull => FsError::NoSpace,
            JournalError::NotFound | JournalError::Corrupt(_) => {
                tracing::error!(share = %self.share.name(), %error, "journal is damaged");
                FsError::Io
            }
            JournalError::SyncFailed(_) | JournalError::Unavailable(_) => {
                tracing::error!(share = %self.share.name(), %error, "journal failed");
                self.renew_verifier();
                FsError::Io
            }
        }
    }
}
