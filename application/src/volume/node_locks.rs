//! Who changes a node: one at a time.

use dittofs_domain::{NodeId, plan::NodeLease};

use crate::{
    keyed::{KeyedLockGuard, KeyedLocks},
    lock_order::{Held, Rank, may_wait_for},
};

/// The locks of a share's nodes, which are not held while a client or an object store is waited for.
#[derive(Debug)]
pub(super) struct NodeLocks(KeyedLocks<NodeId>);

/// The right to change a node, its map and what is unflushed of it.
#[derive(Debug)]
pub(super) struct NodeLock<'l> {
    guard: KeyedLockGuard<'l, NodeId>,
    lease: NodeLease,
    _held: Held,
}

impl NodeLocks {
    pub(super) fn new() -> NodeLocks {
        NodeLocks(KeyedLocks::new())
    }

    /// Waits for a node's lock. Whoever needs those of two nodes takes them in the order of their ids.
    pub(super) async fn lock(&self, node: NodeId) -> NodeLock<'_> {
        may_wait_for(Rank::Node(node));
        NodeLock::alone(self.0.lock(node).await)
    }

    /// A node's lock, if nobody holds it.
    pub(super) fn try_lock(&self, node: NodeId) -> Option<NodeLock<'_>> {
        self.0.try_lock(node).map(NodeLock::alone)
    }
}

impl<'l> NodeLock<'l> {
    /// This instance has the whole share: whoever locks a node here is alone.
    fn alone(guard: KeyedLockGuard<'l, NodeId>) -> NodeLock<'l> {
        NodeLock { _held: Held::note(Rank::Node(guard.key())), guard, lease: NodeLease::Sole }
    }

    /// The node that is locked.
    pub(super) fn node(&self) -> NodeId {
        self.guard.key()
    }

    /// The node's lease, under which it was locked.
    pub(super) fn lease(&self) -> NodeLease {
        self.lease
    }

    #[cfg(test)]
    pub(super) fn under(self, lease: NodeLease) -> Self {
        NodeLock { lease, ..self }
    }
}
