//! Reading and setting attributes.

use dittofs_domain::{
    Attributes, Node, NodeId, OpId,
    access::{AccessMask, NodeSecurity, granted},
    attributes::overlay,
    error::FsResult,
    namespace::{Context, SetAttributes, set_attributes},
    opens::Operation,
    plan::Query,
};
use dittofs_ports::{Caller, Changed};

use super::{
    Volume,
    opens::{Admitted, Wanted},
    settle::Settled,
};

/// How often attributes are looked at again because a flush or a truncation came between, before the node's turn is taken.
const ATTEMPTS: u32 = 4;

impl Volume {
    /// The attributes of a node: what is stored and what is unflushed as of one state.
    pub(crate) async fn attributes(&self, node: NodeId) -> FsResult<Attributes> {
        for _ in 0..ATTEMPTS {
            let seen = self.pending.seen(node);
            let view = self.view(&Query::node(node)).await?;
            let stored = self.live(&view, node)?;
            if let Some((pending, generation)) = seen
                && self.pending.is_at(node, generation)
            {
                return Ok(overlay(stored, pending.as_ref()));
            }
        }
        // Under the turn nothing is published or cut.
        let _turn = self.turns.lock(node).await;
        let view = self.view(&Query::node(node)).await?;
        Ok(self.overlay(self.live(&view, node)?))
    }

    pub(crate) async fn access(&self, caller: &Caller, node: NodeId) -> FsResult<(AccessMask, Attributes)> {
        let view = self.view(&Query::node(node)).await?;
        let node = self.live(&view, node)?;
        let mask = granted(&NodeSecurity::from(&**node), &caller.credentials);
        Ok((mask, self.overlay(node)))
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
        request.uid = request.uid.map(|uid| self.policy.identity.map_uid(uid));
        request.gid = request.gid.map(|gid| self.policy.identity.map_gid(gid));
        let wanted = request.size.map_or(Wanted::Operation(Operation::SetAttributes), Wanted::Size);
        let may = |stored: &Node| {
            let context = Context { credentials: &caller.credentials, now: self.now() };
            set_attributes::check(stored, &request, self.pending.snapshot(node).as_ref(), &context)
        };
        if request.size.is_some() {
            self.limit_cuts(node).await?;
        }
        let Admitted { turn: _turn, .. } = self.turn_to(caller, node, wanted, may).await?;
        if let Some(size) = request.size {
            return self.resize(caller, node, &request, size, op).await;
        }
        let context = Context { credentials: &caller.credentials, now: self.now() };
        let before = self.pending.snapshot(node);
        let Settled { view, applied, .. } = self
            .settle(set_attributes::query(node), op, |view| {
                self.live(view, node)?;
                let decision = set_attributes::decide(view, node, &request, before.as_ref(), &context, None)?;
                Ok((decision.plan, ()))
            })
            .await?;
        self.changed(&view, &applied, node)
    }
}
