//! Making what was written durable.

use std::collections::BTreeMap;

use dittofs_domain::{
    NodeId, Sequence,
    access::NodeSecurity,
    error::{FsError, FsResult},
    namespace::permission::may_write,
    plan::Query,
};
use dittofs_ports::{Caller, Changed, CommitReply, JournalError};

use super::Volume;

impl Volume {
    pub(crate) async fn commit(&self, caller: &Caller, node: NodeId) -> FsResult<CommitReply> {
        self.demand_writable()?;
        let seen = self.view(&Query::node(node)).await?;
        let stored = self.live(&seen, node)?;
        may_write(&NodeSecurity::from(&**stored), &caller.credentials, caller.opener.is_none())?;
        let before = self.weak_at(seen.moment, stored);
        let newest = self.pending.find(node).and_then(|pending| pending.lock().newest());
        if let Some(sequence) = newest {
            self.make_durable(node, sequence).await?;
        }
        let verifier = self.write_verifier();
        // Meanwhile a flush may have published what was unflushed.
        let file = Changed { before, after: self.attributes(node).await? };
        Ok(CommitReply { verifier, file })
    }

    /// Makes a node's records up to this one durable at the share's tier: in the journal, or where that survives
    /// nothing, nowhere else either.
    ///
    /// # Errors
    /// `Io` if the newest of them is lost.
    pub(super) async fn make_durable(&self, node: NodeId, up_to: Sequence) -> FsResult<()> {
        if self.sync_journal(up_to).await? && self.stores.journal.lost().contains(&(node, up_to)) {
            return Err(FsError::Io);
        }
        Ok(())
    }

    /// Syncs the journal. After a failed sync what is not lost is durable elsewhere: that is noted, clients are told by
    /// another verifier to send again what was not committed, and then the sync succeeds. Answers whether that happened.
    pub(super) async fn sync_journal(&self, up_to: Sequence) -> FsResult<bool> {
        match self.stores.journal.sync(up_to).await {
            Ok(()) => return Ok(false),
            Err(error @ JournalError::SyncFailed(_)) => {
                self.journal_failed(&error);
                self.forget_lost().await?;
            }
            Err(error) => return Err(self.journal_failed(&error)),
        }
        let again = self.stores.journal.sync(up_to).await;
        again.map(|()| true).map_err(|error| self.journal_failed(&error))
    }

    /// Takes lost records out of the index: what they covered counts again.
    async fn forget_lost(&self) -> FsResult<()> {
        let mut lost: BTreeMap<NodeId, Vec<Sequence>> = BTreeMap::new();
        for (node, sequence) in self.stores.journal.lost() {
            lost.entry(node).or_default().push(sequence);
        }
        for (node, sequences) in lost {
            match self.forget_lost_of(node, &sequences).await {
                // A file that is damaged keeps no other from forgetting.
                Err(error) if Volume::is_of_file(error) => self.tell_unreadable(node).await,
                forgotten => forgotten?,
            }
        }
        Ok(())
    }

    async fn forget_lost_of(&self, node: NodeId, lost: &[Sequence]) -> FsResult<()> {
        for attempt in 1.. {
            let seen = self.view(&Query::node(node)).await?;
            let Ok(stored) = seen.node(node) else { break };
            if let Some(records) = self.pending.lose(stored, lost, seen.moment) {
                self.release(records).await;
                break;
            }
            self.jitter(attempt).await;
        }
        Ok(())
    }
}
