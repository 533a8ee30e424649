//! The language between the rules and the metadata stores.
//!
//! A rule reads a [`View`] that a store made for its [`Query`], and answers with a [`Plan`]. A store checks the
//! plan's expectations and applies its changes, all or nothing. It knows nothing of POSIX.

mod change;
mod expectation;
mod lease;
mod operations;
mod update;
mod view;

pub use change::{
    Change, EntryKey, LinkChange, NodeUpdate, ObjectRecord, ObjectState, Reference, Space, Statistics, TimeChange,
    UnlinkedReason,
};
pub use expectation::Expectation;
pub use lease::{KeptLease, NodeLease};
pub use operations::{Operations, OperationsKept, Outdated, Remembered};
pub use update::{OutOfRange, update};
pub use view::{Alike, Earlier, FOLDED_MAX, Folded, Found, MapQuery, MapView, Query, View};

use std::sync::Arc;

use smallvec::SmallVec;

use crate::{id::NodeId, node::Node, time::Timestamp};

/// The greatest number of expectations and changes, together, in one plan. Four such fill a transaction; a plan of more
/// would keep all others waiting for too long.
pub const PLAN_STEPS_MAX: usize = 4_096;

/// Expectations and changes, applied atomically: all changes are made if all expectations hold.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Plan {
    /// Checked at the instant of commit, all before the first change.
    pub expectations: SmallVec<[Expectation; 4]>,
    /// Applied in order.
    pub changes: SmallVec<[Change; 4]>,
    /// The time of the change, from which the store assigns each node's.
    pub now: Timestamp,
}

impl Plan {
    /// A plan that does nothing yet.
    pub fn at(now: Timestamp) -> Plan {
        Plan { now, ..Plan::default() }
    }

    /// Adds an expectation.
    pub fn require(&mut self, expectation: Expectation) -> &mut Plan {
        self.expectations.push(expectation);
        self
    }

    /// Adds a change.
    pub fn change(&mut self, change: Change) -> &mut Plan {
        self.changes.push(change);
        self
    }

    /// The node that it makes; of several, the first.
    pub fn made(&self) -> Option<NodeId> {
        self.changes.iter().find_map(|change| match change {
            Change::InsertNode(node) => Some(node.id),
            _ => None,
        })
    }

    /// Every node that it makes, changes or deletes, once each, in the order of their ids.
    pub fn touches(&self) -> SmallVec<[NodeId; 4]> {
        let touched = |change: &Change| match change {
            Change::InsertNode(node) => Some(node.id),
            Change::UpdateNode(id, _) | Change::DeleteNode(id) => Some(*id),
            _ => None,
        };
        let mut nodes: SmallVec<[NodeId; 4]> = self.changes.iter().filter_map(touched).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Expectations and changes together; at most [`PLAN_STEPS_MAX`].
    pub fn steps(&self) -> usize {
        self.expectations.len() + self.changes.len()
    }
}

/// A node that a plan touched, as it was and as it is, from inside the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The node.
    pub id: NodeId,
    /// Before the plan; none for a node that the plan made.
    pub before: Option<Arc<Node>>,
    /// After the plan; none for a node that the plan deleted.
    pub after: Option<Arc<Node>>,
}

/// The outcome of applying a plan.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Applied {
    /// Every node touched, once each.
    pub nodes: SmallVec<[Touched; 4]>,
}

impl Applied {
    /// Returns what the plan did to a node, if it touched it.
    pub fn node(&self, id: NodeId) -> Option<&Touched> {
        self.nodes.iter().find(|touched| touched.id == id)
    }
}
