//! Opens, locks and caching rights.
// The mock's macro spells the type of a change again, with parentheses of its own.
#![cfg_attr(feature = "mocks", allow(unused_parens))]

use async_trait::async_trait;
use dittofs_domain::{ClientId, NodeId, opens::NodeOpens};

use super::OpenStateError;

/// The knowledge of a node's state that this instance has without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenHint {
    /// The node has none at all: nothing has to be checked.
    Nothing,
    /// It has some, which was asked.
    Seen,
    /// Not known here: another instance may keep something.
    Unknown,
}

/// A question to one node's state: any `FnMut(&NodeOpens)`.
pub trait OpenQuestion {
    /// Looks at the state.
    fn ask(&mut self, opens: &NodeOpens);
}

impl<F: FnMut(&NodeOpens)> OpenQuestion for F {
    fn ask(&mut self, opens: &NodeOpens) {
        self(opens);
    }
}

/// A change of one node's state: any `FnMut(&mut NodeOpens)` that can go to another thread.
pub trait OpenChange: Send {
    /// Changes the state. May be called again, on another state; only the last call counts, with what it leaves and
    /// what it reports.
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
/// A store that several instances share knows a node's state without waiting while it holds the node's lease, so that
/// no other instance can change the state; of all other nodes it says [`OpenHint::Unknown`], and never that it is
/// idle.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait OpenState: Send + Sync {
    /// Whether surely no node of the share has any state.
    /// - at most one atomic load: asked for every read and write;
    /// - whatever an `update` stored that has returned is seen.
    fn is_idle(&self) -> bool;

    /// Puts a question to a node's state, as far as it is known here. This is the check before every read and write.
    /// - no I/O, no lock that is held over I/O, nothing that takes longer the more state there is;
    /// - `question` is asked once where the answer is `Seen`, and not at all otherwise; it must not call the store;
    /// - an answer other than `Unknown` is of all updates that had returned, in any instance, and of each update it
    ///   sees all or nothing;
    /// - it holds until the next `update` of the node, and no other instance makes one while this one holds the node's
    ///   lease: who keeps this instance's own updates away, by the node's lock, may rely on it that long.
    fn hint<'a>(&'a self, node: NodeId, question: &'a mut (dyn OpenQuestion + 'a)) -> OpenHint;

    /// Whether anybody has the node open, in any instance. Asked before a node without a name is removed for good.
    /// - after every `update` that had returned, in any instance.
    async fn is_open(&self, node: NodeId) -> Result<bool, OpenStateError>;

    /// Loads a node's state (an empty one if there is none), lets `change` change it, and stores it, atomically.
    /// - updates of one node are serializable; those of different nodes do not wait for each other;
    /// - `change` may be run again, on a freshly loaded state, where another update came between: the result of its
    ///   last run counts;
    /// - a state that is empty afterwards is dropped;
    /// - nothing is stored where `change` changed nothing;
    /// - after an error nothing is stored, but for `Unavailable`, where that is unknown;
    /// - `Full` is never answered to a change that leaves no more state than there was.
    async fn update<'a>(&'a self, node: NodeId, change: &'a mut (dyn OpenChange + 'a)) -> Result<(), OpenStateError>;

    /// All nodes where a client has an open, a lock, a request for one or caching rights, to release it.
    /// - nodes where it gets something meanwhile may be missing.
    async fn nodes_of(&self, client: ClientId) -> Result<Vec<NodeId>, OpenStateError>;
}
