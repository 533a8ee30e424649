//! Making what was written durable.

use dittofs_domain::{
    NodeId, Sequence, access::NodeSecurity, error::FsResult, namespace::permission::may_write, plan::Query,
};
use dittofs_ports::{Caller, Changed, CommitReply};

use super::Volume;

impl Volume {
    pub(crate) async fn commit(&self, caller: &Caller, node: NodeId) -> FsResult<CommitReply> {
        self.demand_writable()?;
        let view = self.view(&Query::node(node)).await?;
        let stored = self.live(&view, node)?;
        may_write(&NodeSecurity::from(&**stored), &caller.credentials, caller.opener.is_none())?;
        let before = self.weak(stored);
        let newest = self.pending.find(node).and_then(|pending| pending.lock().newest());
        if let Some(sequence) = newest {
            self.make_durable(node, sequence).await?;
        }
        let file = Changed { before: Some(before), after: self.overlay(stored) };
        Ok(CommitReply { verifier: self.write_verifier(), file })
    }

    /// Makes a node's records up to this one durable at the share's tier: in the journal, or where that survives
    /// nothing, nowhere else either.
    pub(super) async fn make_durable(&self, _node: NodeId, up_to: Sequence) -> FsResult<()> {
        self.stores.journal.sync(up_to).await.map_err(|error| self.journal_failed(&error))
    }
}
