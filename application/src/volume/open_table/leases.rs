//! Caching rights.

use dittofs_domain::{
    NodeId,
    error::{FsError, FsResult},
    opens::{LeaseGrant, LeaseKey, NodeOpens, Rights},
    plan::Query,
};
use dittofs_ports::{AcknowledgeFailure, Caller};

use crate::volume::open_table::{Answer, OpenTable, Verdict};

impl OpenTable {
    /// Who has not opened the node gets nothing: there is nothing to cache for it.
    pub(crate) async fn request_lease(
        &self,
        caller: &Caller,
        node: NodeId,
        key: LeaseKey,
        rights: Rights,
    ) -> FsResult<LeaseGrant> {
        demand_own(caller, &key)?;
        let _lock = self.locks.lock(node).await;
        let kind = self.nodes.view(&Query::node(node)).await?.node(node).map(|stored| stored.kind);
        self.change_opens(node, |opens| {
            let granted = match kind {
                Ok(kind) if opens.has_open_of(caller.client) => {
                    self.directories.grant(opens, (node, kind), (key, rights))
                }
                _ => LeaseGrant { rights: Rights::empty(), epoch: 0, breaking: false },
            };
            (granted, Vec::new())
        })
        .await
    }

    pub(crate) async fn acknowledge(
        &self,
        caller: &Caller,
        node: NodeId,
        key: LeaseKey,
        rights: Rights,
    ) -> Result<(), AcknowledgeFailure> {
        demand_own(caller, &key)?;
        let question = |opens: &mut NodeOpens, deadline_ms| match opens.acknowledge(&key, rights, deadline_ms) {
            Ok(further) => Answer { breaks: further.into_iter().collect(), ..Answer::done(Ok(())) },
            Err(error) => Answer::done(Err(error)),
        };
        match self.ask(node, question).await? {
            Verdict::Done(acknowledged) => acknowledged?,
            Verdict::Wait { .. } => return Err(FsError::Busy.into()),
        }
        self.freed(node).notify_waiters();
        Ok(())
    }

    pub(crate) async fn return_lease(&self, caller: &Caller, node: NodeId, key: LeaseKey) -> FsResult<bool> {
        demand_own(caller, &key)?;
        let had = self.change_opens(node, |opens| (opens.return_lease(&key), Vec::new())).await?;
        self.freed(node).notify_waiters();
        Ok(had)
    }
}

fn demand_own(caller: &Caller, key: &LeaseKey) -> FsResult<()> {
    if key.client == caller.client { Ok(()) } else { Err(FsError::Invalid) }
}
