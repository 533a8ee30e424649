//! Opens, locks and caching rights.
// The mock's macro spells the type of a change again, with parentheses of its own.
#![cfg_attr(feature = "mocks", allow(unused_parens))]

use async_trait::async_trait;
use dittofs_domain::{ClientId, NodeId, opens::NodeOpens};

use super::OpenStateError;

/// What can be said of a node's state without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// It has none at all: nothing has to be checked.
    Nothing,
    /// It has locks or caching rights, but nobody has it open.
    Closed,
    /// Somebody has it open.
    Open,
    /// Not known here: another instance may keep something.
    Unknown,
}

/// A change of one node's state: any `FnMut(&mut NodeOpens)` that can go to another thread.
pub trait OpenChange: Send {
    /// Changes the state. May be called again, on another state; what the last call leaves, and has told, counts.
    fn change(&mut self, opens: &mut NodeOpens);
}

impl<F: FnMut(&mut NodeOpens) + Send> OpenChange for F {
    fn change(&mut self, opens: &mut NodeOpens) {
        self(opens);
    }
}

/// The state of opens of the nodes of one share: one [`NodeOpens`] a node, whatever the protocol. It knows nothing of
/// what conflicts.
///
/// What was opened through this instance is always known without waiting; a store that several instances share says
/// [`Glance::Unknown`] of other nodes, and never that it is idle.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait OpenState: Send + Sync {
    /// Whether surely no node of the share has any state.
    /// - at most one atomic load: asked for every read and write;
    /// - whatever an `update` stored that has returned is seen.
    fn is_idle(&self) -> bool;

    /// What is known of a node without waiting: no I/O, no lock that is held over I/O.
    /// - whatever an `update` stored that has returned is seen.
    fn glance(&self, node: NodeId) -> Glance;

    /// Whether anybody has the node open, in any instance. Asked before a node without a name is removed for good.
    /// - after every `update` that had returned, in any instance.
    async fn is_open(&self, node: NodeId) -> Result<bool, OpenStateError>;

    /// Loads a node's state (an empty one if there is none), lets `change` change it, and stores it, atomically.
    /// - updates of one node are serializable; those of different nodes do not wait for each other;
    /// - `change` may be run again, on a freshly loaded state, where somebody else's update came between: what its last
    ///   run leaves counts;
    /// - a state that is empty afterwards is dropped;
    /// - nothing is stored where `change` changed nothing;
    /// - after an error nothing is stored, but for `Unavailable`, where that is unknown;
    /// - `Full` is never answered to a change that leaves no more state than there was.
    async fn update<'a>(&'a self, node: NodeId, change: &'a mut (dyn OpenChange + 'a)) -> Result<(), OpenStateError>;

    /// All nodes where a client has an open, a lock, a request for one or caching rights, to release it.
    /// - nodes where it gets something meanwhile may be missing.
    async fn nodes_of(&self, client: ClientId) -> Result<Vec<NodeId>, OpenStateError>;
}
