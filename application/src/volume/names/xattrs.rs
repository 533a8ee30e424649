//! Extended attributes.

use std::sync::Arc;

use dittofs_domain::{
    Node, NodeId, OpId,
    access::{AccessMask, NodeSecurity, granted},
    error::{FsError, FsResult},
    namespace::{Context, SetXattrs, set_xattrs},
    opens::Operation,
    plan::Query,
    xattr::Xattrs,
};
use dittofs_ports::{Caller, Changed};

use crate::volume::{
    names::Names,
    open_table::{Admitted, Wanted},
    plans::Named,
};

impl Names {
    /// The extended attributes of a node.
    pub(crate) async fn xattrs(
        &self,
        caller: &Caller,
        node: NodeId,
        held: AccessMask,
    ) -> FsResult<Option<Arc<Xattrs>>> {
        let seen = self.nodes.view(&Query::xattrs(node)).await?;
        let stored = self.nodes.live(&seen, node)?;
        let rights = granted(&NodeSecurity::from(&**stored), &caller.credentials) | held;
        if !rights.contains(AccessMask::READ_NAMED_ATTRS) {
            return Err(FsError::Access);
        }
        Ok(seen.xattrs.clone())
    }

    /// Changes them under the node's lock, as all attributes.
    pub(crate) async fn set_xattrs(
        &self,
        caller: &Caller,
        node: NodeId,
        request: &SetXattrs,
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        self.share.demand_writable()?;
        // Before anything can be refused.
        if !self.opens.is_idle()
            && let Some(seen) = self.plans.earlier(op, || set_xattrs::query(node)).await?
        {
            return self.nodes.changed_by_then(&seen, node).await;
        }
        let may = |stored: &Node| {
            let context = Context { credentials: &caller.credentials, now: self.share.now() };
            set_xattrs::check(stored, request, &context)
        };
        let wanted = Wanted::Operation(Operation::SetAttributes);
        let Admitted { lock, .. } = self.opens.lock_to(caller, node, wanted, may).await?;
        let context = Context { credentials: &caller.credentials, now: self.share.now() };
        let before = self.nodes.pending().snapshot(node);
        // Room is not waited for under the node's lock: a flush that makes some may need it.
        let mut claim = None;
        let outcome = self
            .plans
            .of(caller)
            .run_named(set_xattrs::query(node), op, |view| {
                self.nodes.live(view, node)?;
                let plan = set_xattrs::decide(view, node, request, before.as_ref(), &context)?.plan;
                // That of an attempt that met somebody else's change.
                drop(claim.take());
                claim = self.plans.claim_plan_now(&plan)?;
                Ok((plan, ()))
            })
            .await?;
        drop(claim);
        match outcome {
            Named::Before(seen) => {
                drop(lock);
                self.nodes.changed_by_then(&seen, node).await
            }
            Named::Now(outcome) => self.nodes.changed_locked(&lock, &outcome.seen, &outcome.applied),
        }
    }
}
