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

use crate::volume::{
    names::Names,
    open_table::{Admitted, Wanted},
    plans::Named,
};

impl Names {
    /// The attributes of a node as of now.
    pub(crate) async fn attributes(&self, node: NodeId) -> FsResult<Attributes> {
        self.shown(self.nodes.attributes(node).await?).await
    }

    pub(crate) async fn access(&self, caller: &Caller, node: NodeId) -> FsResult<(AccessMask, Attributes)> {
        let seen = self.nodes.view(&Query::node(node)).await?;
        let node = self.nodes.live(&seen, node)?;
        let attributes = self.shown(self.nodes.overlay(seen.version, node).await?).await?;
        Ok((granted(&NodeSecurity::from(&attributes), &caller.credentials), attributes))
    }

    /// Sets attributes under the node's lock, so that a guard compares what no write can change meanwhile.
    pub(crate) async fn set_attributes(
        &self,
        caller: &Caller,
        node: NodeId,
        request: &SetAttributes,
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        let wanted = request.size.map_or(Wanted::Operation(Operation::SetAttributes), Wanted::Size);
        self.set_attributes_as(caller, node, (request, wanted), op).await
    }

    /// The same as this operation.
    pub(super) async fn set_attributes_as(
        &self,
        caller: &Caller,
        node: NodeId,
        (request, wanted): (&SetAttributes, Wanted),
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        self.share.demand_writable()?;
        let mut request = request.clone();
        let identity = self.share.policy().identity;
        request.uid = request.uid.map(|uid| identity.map_uid(uid));
        request.gid = request.gid.map(|gid| identity.map_gid(gid));
        // Before anything can be refused.
        if (request.size.is_some() || !self.opens.is_idle())
            && let Some(seen) = self.plans.earlier(op, || set_attributes::query(node)).await?
        {
            return self.nodes.changed_by_then(&seen, node).await;
        }
        let may = |stored: &Node| {
            let context = Context { credentials: &caller.credentials, now: self.share.now() };
            set_attributes::check(stored, &request, self.nodes.pending().snapshot(node).as_ref(), &context)
        };
        if request.size.is_some() {
            self.files.limit_replay_exclusions(node).await?;
        }
        let Admitted { lock, .. } = self.opens.lock_to(caller, node, wanted, may).await?;
        if let Some(size) = request.size {
            return self.files.resize(&lock, caller, &request, size, op).await;
        }
        let context = Context { credentials: &caller.credentials, now: self.share.now() };
        let before = self.nodes.pending().snapshot(node);
        let outcome = self
            .plans
            .of(caller)
            .run_named(set_attributes::query(node), op, |view| {
                self.nodes.live(view, node)?;
                let decision = set_attributes::decide(view, node, &request, before.as_ref(), &context, None)?;
                Ok((decision.plan, ()))
            })
            .await?;
        match outcome {
            Named::Before(seen) => {
                drop(lock);
                self.nodes.changed_by_then(&seen, node).await
            }
            Named::Now(outcome) => self.nodes.changed_locked(&lock, &outcome.seen, &outcome.applied),
        }
    }
}
