//! Asking for rights and setting attributes.

use dittofs_domain::{
    Attributes, Node, NodeId, OpId,
    access::{AccessMask, NodeSecurity, granted},
    error::FsResult,
    namespace::{Context, SetAttributes, set_attributes},
    opens::Operation,
    plan::Query,
};
use dittofs_ports::{Caller, Changed};

use super::{
    Volume,
    opens::{Admitted, Wanted},
};

impl Volume {
    pub(crate) async fn access(&self, caller: &Caller, node: NodeId) -> FsResult<(AccessMask, Attributes)> {
        let seen = self.view(&Query::node(node)).await?;
        let node = self.live(&seen, node)?;
        let mask = granted(&NodeSecurity::from(&**node), &caller.credentials);
        Ok((mask, self.overlay(seen.moment, node).await?))
    }

    /// Sets attributes under the node's turn, so that a guard compares what no write can change meanwhile.
    pub(crate) async fn set_attributes(
        &self,
        caller: &Caller,
        node: NodeId,
        request: &SetAttributes,
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        self.demand_writable()?;
        let mut request = request.clone();
        let identity = self.policy().identity;
        request.uid = request.uid.map(|uid| identity.map_uid(uid));
        request.gid = request.gid.map(|gid| identity.map_gid(gid));
        if let Some(seen) = self.earlier(op, || set_attributes::query(node)).await? {
            return self.changed_by_then(&seen, node).await;
        }
        let wanted = request.size.map_or(Wanted::Operation(Operation::SetAttributes), Wanted::Size);
        let may = |stored: &Node| {
            let context = Context { credentials: &caller.credentials, now: self.now() };
            set_attributes::check(stored, &request, self.pending.snapshot(node).as_ref(), &context)
        };
        if request.size.is_some() {
            self.limit_cuts(node).await?;
        }
        let Admitted { turn, .. } = self.turn_to(caller, node, wanted, may).await?;
        if let Some(size) = request.size {
            return self.resize(&turn, caller, &request, size, op).await;
        }
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let before = self.pending.snapshot(node);
        let settled = self
            .settle(set_attributes::query(node), op, |view| {
                self.live(view, node)?;
                let decision = set_attributes::decide(view, node, &request, before.as_ref(), &context, None)?;
                Ok((decision.plan, ()))
            })
            .await?;
        self.changed_in_turn(&turn, &settled)
    }
}
