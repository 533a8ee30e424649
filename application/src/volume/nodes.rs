//! Attributes as they leave: the one place where unflushed state is laid over stored state.
//!
//! The stored state is read first and the unflushed state afterwards. A flush in between moves bytes from the one to
//! the other, and the reader would see them in neither. So unflushed state is laid over a node only with a proof that
//! nothing was moved since it was read. The proof is the version of the index from before the read ([`Seen`]), or the
//! node's lock, under which nothing is moved.

mod atime;
mod persistence;
mod reported;

use std::{ops::Deref, sync::Arc};

use dittofs_domain::{
    Attributes, Node, NodeId, NodeKind,
    access::{self, AccessMask, NodeSecurity},
    attributes,
    error::{FsError, FsResult},
    namespace::raise_above_shown,
    opens::NodeOpens,
    plan::{Applied, Change, Plan, Query, TimeChange, View},
};
use dittofs_ports::{Caller, Changed, OpenHint, OpenState, ShareMetadata, WeakAttributes};
use smallvec::SmallVec;

use crate::volume::{
    node_locks::{NodeLock, NodeLocks},
    pending::{IndexVersion, PendingNodes},
    share::Share,
};
pub(super) use atime::AccessTimes;
pub(super) use persistence::unanswered;
pub(super) use reported::Reported;
pub use reported::path_of;

/// How often a node is read again because something of it was moved meanwhile, before its lock is taken. Two in a row
/// are rare, and with the lock writers wait.
const ATTEMPTS: u32 = 4;

/// A view of the metadata store, and when it was read.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) view: View,
    /// Before it was read.
    pub(super) version: IndexVersion,
}

impl Deref for Seen {
    type Target = View;

    fn deref(&self) -> &View {
        &self.view
    }
}

/// The nodes of a share, as clients are shown them.
pub(super) struct Nodes {
    share: Arc<Share>,
    metadata: Arc<dyn ShareMetadata>,
    locks: Arc<NodeLocks>,
    /// The unflushed state.
    pending: PendingNodes,
    access_times: AccessTimes,
    /// Who has what open.
    opens: Arc<dyn OpenState>,
    /// Files of which it was said that they can't be read.
    reported: Reported,
}

impl Nodes {
    pub(super) fn new(
        share: Arc<Share>,
        metadata: Arc<dyn ShareMetadata>,
        locks: Arc<NodeLocks>,
        pending: PendingNodes,
        opens: Arc<dyn OpenState>,
    ) -> Nodes {
        Nodes {
            share,
            metadata,
            locks,
            pending,
            access_times: AccessTimes::new(),
            opens,
            reported: Reported::default(),
        }
    }

    /// Returns the unflushed state of them.
    pub(super) fn pending(&self) -> &PendingNodes {
        &self.pending
    }

    /// Returns a node that callers may still reach: it has a name, or somebody has it open.
    pub(super) fn live<'v>(&self, view: &'v View, node: NodeId) -> FsResult<&'v Arc<Node>> {
        let node = view.node(node)?;
        if node.is_linked() || known_open(&*self.opens, node.id) == Some(true) { Ok(node) } else { Err(FsError::Stale) }
    }

    /// A directory that the caller may look names up in.
    pub(super) fn searchable<'v>(&self, view: &'v View, directory: NodeId, caller: &Caller) -> FsResult<&'v Arc<Node>> {
        let directory = self.live(view, directory)?;
        if directory.kind != NodeKind::Directory {
            return Err(FsError::NotDirectory);
        }
        access::demand(&NodeSecurity::from(&**directory), &caller.credentials, AccessMask::EXECUTE)?;
        Ok(directory)
    }

    /// Reads from the metadata store.
    pub(super) async fn view(&self, query: &Query) -> FsResult<Seen> {
        let version = self.pending.version();
        let view = self.metadata.view(query).await.map_err(|error| self.share.metadata_failed(&error))?;
        Ok(Seen { view, version })
    }

    /// The attributes of a node as of now. Not to be called while a node lock is held.
    pub(crate) async fn attributes(&self, node: NodeId) -> FsResult<Attributes> {
        for _ in 0..ATTEMPTS {
            let seen = self.view(&Query::node(node)).await?;
            if let Some(attributes) = self.overlay_at(seen.version, self.live(&seen, node)?) {
                return Ok(attributes);
            }
        }
        let lock = self.locks.lock(node).await;
        let seen = self.view(&Query::node(node)).await?;
        Ok(self.overlay_locked(&lock, self.live(&seen, node)?))
    }

    /// The attributes of a node that was read after this version of the index; read again if that is not the truth any more. Not to
    /// be called while a node lock is held.
    pub(super) async fn overlay(&self, version: IndexVersion, node: &Node) -> FsResult<Attributes> {
        if let Some(attributes) = self.overlay_at(version, node) {
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
    pub(super) async fn overlay_changed(&self, version: IndexVersion, node: &Node) -> FsResult<Attributes> {
        let mut persistence = self.persistence();
        loop {
            match self.overlay(version, node).await {
                Err(FsError::Busy) if self.waited(&mut persistence).await => {}
                answer => return answer.map_err(unanswered),
            }
        }
    }

    /// The attributes of a node that was read after this version of the index; none if something of it was moved since.
    fn overlay_at(&self, version: IndexVersion, node: &Node) -> Option<Attributes> {
        let pending = self.pending.unchanged_since(node.id, version)?;
        Some(self.with_access_time(attributes::overlay(node, pending.as_ref())))
    }

    /// The attributes of a node that was read under its lock.
    pub(super) fn overlay_locked(&self, lock: &NodeLock<'_>, node: &Node) -> Attributes {
        debug_assert_eq!(lock.node(), node.id, "the lock of another node proves nothing");
        self.with_access_time(attributes::overlay(node, self.pending.snapshot(node.id).as_ref()))
    }

    /// Returns the attributes by which a client finds whether anybody else's change came between; none if they are not
    /// known.
    pub(super) fn weak_at(&self, version: IndexVersion, node: &Node) -> Option<WeakAttributes> {
        self.overlay_at(version, node).as_ref().map(weak)
    }

    /// Returns what a plan did to a node. If the plan did not touch it, the node is as it was seen. Not to be called
    /// while a node lock is held.
    pub(super) async fn changed(&self, seen: &Seen, applied: &Applied, id: NodeId) -> FsResult<Changed> {
        let (before, after) = states(seen, applied, id)?;
        let before = before.and_then(|node| self.weak_at(seen.version, node));
        Ok(Changed { before, after: self.overlay_changed(seen.version, after).await? })
    }

    /// Returns what a plan did to the node that is locked.
    pub(super) fn changed_locked(&self, lock: &NodeLock<'_>, seen: &Seen, applied: &Applied) -> FsResult<Changed> {
        let (before, after) = states(seen, applied, lock.node())?;
        let before = before.map(|node| weak(&self.overlay_locked(lock, node)));
        Ok(Changed { before, after: self.overlay_locked(lock, after) })
    }

    /// The node as it is now, under its lock.
    pub(super) async fn changed_since(&self, lock: &NodeLock<'_>, before: WeakAttributes) -> FsResult<Changed> {
        let view = self.view(&Query::node(lock.node())).await?;
        let after = self.overlay_locked(lock, self.live(&view, lock.node())?);
        Ok(Changed { before: Some(before), after })
    }

    /// Makes a plan raise the changes and ctimes of nodes above those that clients were shown for their unflushed
    /// bytes.
    pub(super) fn raise_shown(&self, plan: &mut Plan) {
        let changed = |change: &Change| match change {
            Change::UpdateNode(node, update) if update.ctime == TimeChange::Advance => Some(*node),
            _ => None,
        };
        let nodes: SmallVec<[NodeId; 4]> = plan.changes.iter().filter_map(changed).collect();
        for node in nodes {
            if let Some(pending) = self.pending.snapshot(node) {
                raise_above_shown(plan, node, Some(&pending));
            }
        }
    }
}

/// Whether somebody has a node open; none where this instance does not know.
pub(super) fn known_open(state: &dyn OpenState, node: NodeId) -> Option<bool> {
    if state.is_idle() {
        return Some(false);
    }
    let mut is_open = false;
    match state.hint(node, &mut |opens: &NodeOpens| is_open = opens.is_open()) {
        OpenHint::Nothing => Some(false),
        OpenHint::Seen => Some(is_open),
        OpenHint::Unknown => None,
    }
}

/// The part of the attributes that tells a client whether its cache is still good.
pub(super) fn weak(attributes: &Attributes) -> WeakAttributes {
    WeakAttributes {
        size: attributes.size,
        mtime: attributes.mtime,
        ctime: attributes.ctime,
        change: attributes.change,
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
