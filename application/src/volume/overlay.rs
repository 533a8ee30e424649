//! Attributes as they leave: the one place where what is unflushed is laid over what is stored.
//!
//! What is stored is read first and what is unflushed afterwards. A flush in between moves bytes from the one to the
//! other, and they would be in neither. So a node that was read is laid over only with a proof that nothing was moved
//! since: the moment from before it was read ([`Seen`]), or the node's turn, in which nothing is moved.

use std::ops::Deref;

use dittofs_domain::{
    Attributes, Node, NodeId, attributes,
    error::{FsError, FsResult},
    plan::{Applied, Query, View},
};
use dittofs_ports::{Changed, WeakAttributes};

use super::{Volume, pending::Moment, repeated::unanswered, settle::Settled, weak};
use crate::keyed::KeyGuard;

/// How often a node is read again because something of it was moved meanwhile, before its turn is taken.
const ATTEMPTS: u32 = 4;

/// What was read of the metadata store, and when.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) view: View,
    /// Before it was read.
    pub(super) moment: Moment,
}

impl Deref for Seen {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

impl Volume {
    /// Reads from the metadata store.
    pub(super) async fn view(&self, query: &Query) -> FsResult<Seen> {
        let moment = self.pending.moment();
        let view = self.stores.metadata.view(query).await.map_err(|error| self.metadata_failed(&error))?;
        Ok(Seen { view, moment })
    }

    /// The attributes of a node as of now. Not to be called in anybody's turn.
    pub(crate) async fn attributes(&self, node: NodeId) -> FsResult<Attributes> {
        for _ in 0..ATTEMPTS {
            let seen = self.view(&Query::node(node)).await?;
            if let Some(attributes) = self.overlay_at(seen.moment, self.live(&seen, node)?) {
                return Ok(attributes);
            }
        }
        let turn = self.turns.lock(node).await;
        let seen = self.view(&Query::node(node)).await?;
        Ok(self.overlay_in_turn(&turn, self.live(&seen, node)?))
    }

    /// The attributes of a node that was read after this moment; read again if that is not the truth any more. Not to
    /// be called in anybody's turn.
    pub(super) async fn overlay(&self, moment: Moment, node: &Node) -> FsResult<Attributes> {
        if let Some(attributes) = self.overlay_at(moment, node) {
            return Ok(attributes);
        }
        match self.attributes(node.id).await {
            // Gone since: the last that was known of it.
            Err(FsError::Stale) => Ok(attributes::overlay(node, None)),
            attributes => attributes,
        }
    }

    /// The same for a node that a call has changed: where that can't be read for some seconds, the call gets no answer.
    /// "Try again later" would let the client send it under a new name, and it is done.
    pub(super) async fn overlay_changed(&self, moment: Moment, node: &Node) -> FsResult<Attributes> {
        let mut persistence = self.persistence();
        loop {
            match self.overlay(moment, node).await {
                Err(FsError::Busy) if self.waited(&mut persistence).await => {}
                answer => return answer.map_err(unanswered),
            }
        }
    }

    /// The attributes of a node that was read after this moment; none if something of it was moved since.
    pub(super) fn overlay_at(&self, moment: Moment, node: &Node) -> Option<Attributes> {
        let pending = self.pending.unmoved(node.id, moment)?;
        Some(self.with_access_time(attributes::overlay(node, pending.as_ref())))
    }

    /// The attributes of a node that was read in its turn.
    pub(super) fn overlay_in_turn(&self, turn: &KeyGuard<'_, NodeId>, node: &Node) -> Attributes {
        debug_assert_eq!(turn.key(), node.id, "the turn of another node proves nothing");
        self.with_access_time(attributes::overlay(node, self.pending.snapshot(node.id).as_ref()))
    }

    /// What a client needs to tell whether anybody else came between; none if that is not known.
    pub(super) fn weak_at(&self, moment: Moment, node: &Node) -> Option<WeakAttributes> {
        self.overlay_at(moment, node).as_ref().map(weak)
    }

    /// What a plan did to a node; if it was not touched, it is as it was seen. Not to be called in anybody's turn.
    pub(super) async fn changed<T>(&self, settled: &Settled<T>, id: NodeId) -> FsResult<Changed> {
        let (before, after) = states(&settled.seen, &settled.applied, id)?;
        let moment = settled.seen.moment;
        let before = before.and_then(|node| self.weak_at(moment, node));
        Ok(Changed { before, after: self.overlay_changed(moment, after).await? })
    }

    /// What a plan did to the node whose turn this is.
    pub(super) fn changed_in_turn<T>(&self, turn: &KeyGuard<'_, NodeId>, settled: &Settled<T>) -> FsResult<Changed> {
        let (before, after) = states(&settled.seen, &settled.applied, turn.key())?;
        let before = before.map(|node| weak(&self.overlay_in_turn(turn, node)));
        Ok(Changed { before, after: self.overlay_in_turn(turn, after) })
    }
}

/// A node before and after a plan.
fn states<'a>(view: &'a View, applied: &'a Applied, id: NodeId) -> FsResult<(Option<&'a Node>, &'a Node)> {
    if let Some(touched) = applied.node(id) {
        let after = touched.after.as_ref().ok_or(FsError::Stale)?;
        return Ok((touched.before.as_deref(), after));
    }
    let entry = || view.entries.iter().flatten().map(|found| &found.node).find(|node| node.id == id);
    let node = view.node(id).ok().or_else(entry).ok_or(FsError::Stale)?;
    Ok((Some(node), node))
}
