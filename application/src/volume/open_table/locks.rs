//! Byte-range locks.

use dittofs_domain::{
    NodeId,
    access::NodeSecurity,
    error::{FsError, FsResult},
    namespace::permission::{may_read, may_write},
    opens::{Lock, LockHolder, LockOwner, LockRange, NodeOpens, WaitToken},
    plan::Query,
};
use dittofs_ports::{Caller, LockReply, LockRequest};

use super::patience_ms;
use crate::volume::open_table::{Answer, OpenTable, Verdict, open::own};

impl OpenTable {
    pub(crate) async fn test_lock(&self, caller: &Caller, node: NodeId, wanted: &Lock) -> FsResult<Option<Lock>> {
        demand_own(caller, &wanted.holder)?;
        let permitted = self.may_lock(caller, node).await?;
        if !self.has_opens(node) {
            return permitted.map(|()| None);
        }
        self.change_opens(node, |opens| {
            let found =
                permitted_to(opens, caller, &wanted.holder, permitted).map(|()| opens.test_lock(wanted).cloned());
            (found, Vec::new())
        })
        .await?
    }

    pub(crate) async fn lock(&self, caller: &Caller, node: NodeId, request: &LockRequest) -> FsResult<LockReply> {
        let wanted = &request.lock;
        demand_own(caller, &wanted.holder)?;
        if self.grace.lasts() != request.reclaims {
            return Ok(LockReply::Grace);
        }
        let patience_ms = self.share.now_ms() + patience_ms(request.waits);
        loop {
            let freed = self.freed(node).notified();
            let lock = self.locks.lock(node).await;
            let permitted = self.may_lock(caller, node).await?;
            let question = |opens: &mut NodeOpens, deadline_ms| {
                if let Err(error) = permitted_to(opens, caller, &wanted.holder, permitted) {
                    return Answer::done(Err(error));
                }
                Answer::<()>::of_lock(opens.lock(wanted.clone(), request.wait, deadline_ms), deadline_ms)
            };
            match self.ask(node, question).await? {
                Verdict::Done(reply) => return reply,
                Verdict::Wait { until_ms } => {
                    drop(lock);
                    self.wait_freed(freed, until_ms, patience_ms).await?;
                }
            }
        }
    }

    pub(crate) async fn unlock(
        &self,
        caller: &Caller,
        node: NodeId,
        holder: &LockHolder,
        range: LockRange,
    ) -> FsResult<()> {
        demand_own(caller, holder)?;
        let _lock = self.locks.lock(node).await;
        self.change_opens(node, |opens| match opens.unlock(holder, range) {
            Ok(woken) => (Ok(()), woken),
            Err(denied) => (Err(FsError::from(&denied)), Vec::new()),
        })
        .await?
    }

    pub(crate) async fn cancel_lock(&self, caller: &Caller, node: NodeId, wait: WaitToken) -> FsResult<bool> {
        self.change_opens(node, |opens| {
            let own = opens.waiters().any(|w| w.token == wait && w.lock.holder.client() == caller.client);
            (own && opens.cancel_wait(wait), Vec::new())
        })
        .await
    }

    pub(crate) async fn locks_held(&self, caller: &Caller, node: NodeId, owner: &LockOwner) -> FsResult<usize> {
        if owner.client() != caller.client {
            return Err(FsError::Invalid);
        }
        if !self.has_opens(node) {
            return Ok(0);
        }
        self.change_opens(node, |opens| (opens.locks().held_by(owner), Vec::new())).await
    }

    pub(crate) async fn release_owner(&self, caller: &Caller, node: NodeId, owner: &LockOwner) -> FsResult<()> {
        if owner.client() != caller.client {
            return Err(FsError::Invalid);
        }
        let _lock = self.locks.lock(node).await;
        self.change_opens(node, |opens| ((), opens.release_owner(owner))).await
    }

    /// Whether a caller without an open may lock: who may read or write. The outer error: nobody can.
    async fn may_lock(&self, caller: &Caller, node: NodeId) -> FsResult<FsResult<()>> {
        let view = self.nodes.view(&Query::node(node)).await?;
        let security = NodeSecurity::from(&**self.nodes.live(&view, node)?);
        let stateless = caller.opener.is_none();
        Ok(match may_read(&security, &caller.credentials, stateless) {
            Err(FsError::Access) => may_write(&security, &caller.credentials, stateless),
            Err(error) => return Err(error),
            Ok(()) => Ok(()),
        })
    }
}

/// Who has the node open was judged then. The open of a lock must be the caller's.
fn permitted_to(opens: &NodeOpens, caller: &Caller, holder: &LockHolder, permitted: FsResult<()>) -> FsResult<()> {
    match holder.open() {
        Some(open) => own(opens, caller.client, open).map(|_| ()).ok_or(FsError::Stale),
        None if caller.opener.is_some_and(|open| own(opens, caller.client, open).is_some()) => Ok(()),
        None => permitted,
    }
}

fn demand_own(caller: &Caller, holder: &LockHolder) -> FsResult<()> {
    if holder.client() == caller.client { Ok(()) } else { Err(FsError::Invalid) }
}
