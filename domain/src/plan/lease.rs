//! Which instance may hold unflushed bytes of a node.
//!
//! Where several servers serve one share, each holds the unflushed bytes of the nodes whose lease it has, and a plan that
//! rests on them expects that lease. Where one serves it, it has all leases, and none is stored or checked.

use super::{Expectation, Plan};
use crate::id::{Epoch, NodeId};

/// The lease of a node, as a view brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum NodeLease {
    /// One instance has the whole share.
    #[default]
    Sole,
    /// The store keeps a row of it.
    Kept(KeptLease),
}

/// The row of a node's lease. A node without a row has [`KeptLease::NONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeptLease {
    /// The instance that has it, by the epoch of its start; none if nobody does.
    pub holder: Option<Epoch>,
    /// How often it has changed hands: whoever expects an earlier epoch has lost it meanwhile.
    pub epoch: Epoch,
}

impl KeptLease {
    /// The lease of a node that no instance ever held.
    pub const NONE: KeptLease = KeptLease { holder: None, epoch: Epoch(0) };

    /// The row after a grant: the same for its holder, the next epoch for everybody else.
    #[must_use]
    pub fn granted_to(self, holder: Epoch) -> KeptLease {
        match self.holder {
            Some(current) if current == holder => self,
            _ => KeptLease { holder: Some(holder), epoch: Epoch(self.epoch.0.saturating_add(1)) },
        }
    }
}

impl Plan {
    /// Requires that a lease is still as it was seen. Costs nothing where one instance has the share.
    pub fn require_lease(&mut self, node: NodeId, lease: NodeLease) -> &mut Plan {
        match lease {
            NodeLease::Sole => self,
            NodeLease::Kept(lease) => self.require(Expectation::LeaseIs { node, lease }),
        }
    }
}

#[cfg(test)]
mod tests;
