//! Making what was written durable.

use std::time::Duration;

use dittofs_domain::{
    NodeId, Sequence,
    error::{FsError, FsResult},
};
use dittofs_ports::{JournalError, Survives};

use crate::volume::{pending::NodePending, write_back::WriteBack};

/// Acknowledged bytes are durable after so long, whether or not a client commits; a tick less than what is promised.
const VOLATILE_MAX: Duration = Duration::from_millis(4_500);

impl WriteBack {
    /// Makes a node's records up to this one durable at the share's tier: in the journal, or where that survives
    /// nothing, nowhere else either.
    ///
    /// # Errors
    /// `Io` if the newest of them is lost.
    pub(in crate::volume) async fn make_durable(&self, node: NodeId, up_to: Sequence) -> FsResult<()> {
        self.sync_journal(up_to).await?;
        if self.journal.failures() > 0 && self.journal.lost().contains(&(node, up_to)) {
            return Err(FsError::Io);
        }
        Ok(())
    }

    /// Syncs the journal. After a failed sync, whoever waited for it, what is not lost is durable elsewhere, and the index
    /// forgets what is lost; another verifier makes clients send again what was not committed.
    pub(in crate::volume) async fn sync_journal(&self, up_to: Sequence) -> FsResult<()> {
        let synced = match self.journal.sync(up_to).await {
            Err(error @ JournalError::SyncFailed(_)) => {
                self.journal_failed(&error);
                self.journal.sync(up_to).await
            }
            synced => synced,
        };
        self.handle_failures().await?;
        synced.map_err(|error| self.journal_failed(&error))
    }

    /// Syncs the journal if it may hold bytes that were acknowledged long ago and that no sync has covered. `synced` is
    /// when the last sync of all began, on the monotonic clock; answers the same of now.
    pub(in crate::volume) async fn sync_old(&self, synced: Duration) -> FsResult<Duration> {
        let now = self.share.monotonic();
        let is_old =
            |pending: &NodePending| pending.latest() >= synced && now.saturating_sub(pending.since) >= VOLATILE_MAX;
        let is_due = self.journal.survives() != Survives::Nothing
            && now.saturating_sub(synced) >= VOLATILE_MAX
            && self.nodes.pending().nodes().iter().any(|(_, pending)| is_old(&pending.lock()));
        if !is_due {
            return self.handle_failures().await.map(|()| synced);
        }
        self.sync_journal(Sequence(u64::MAX >> 1)).await.map(|()| now)
    }

    /// Logs why the journal failed, renews the verifier where bytes may be lost that the journal does not know of, and says
    /// what the client gets.
    pub(in crate::volume) fn journal_failed(&self, error: &JournalError) -> FsError {
        match error {
            JournalError::Full => FsError::Busy,
            JournalError::DiskFull => FsError::NoSpace,
            JournalError::NotFound | JournalError::Corrupt(_) => {
                tracing::error!(share = %self.share.name(), %error, "journal is damaged");
                FsError::Io
            }
            // The journal counts it, and so the verifier is another.
            JournalError::SyncFailed(_) => {
                tracing::error!(share = %self.share.name(), %error, "journal failed");
                FsError::Io
            }
            JournalError::Unavailable(_) => {
                tracing::error!(share = %self.share.name(), %error, "journal failed");
                self.failures.note();
                FsError::Io
            }
        }
    }
}
