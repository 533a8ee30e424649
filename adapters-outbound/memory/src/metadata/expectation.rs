//! Whether a plan's expectations hold.

use dittofs_domain::{
    Node, NodeId,
    plan::{Expectation, ObjectState, Plan, Space},
    xattr::Xattrs,
};

use super::state::State;

impl State {
    /// Whether all expectations of a plan hold.
    pub(super) fn meets(&self, plan: &Plan) -> bool {
        plan.expectations.iter().all(|expectation| self.holds(expectation))
    }

    fn holds(&self, expectation: &Expectation) -> bool {
        match expectation {
            Expectation::EntryAbsent(key) => self.entry(key).is_none(),
            Expectation::FoldedAbsent(key) => self.is_folded_absent(key),
            Expectation::EntryIs { key, node, cookie } => self.entry(key) == Some((*node, *cookie)),
            Expectation::Linked(id) => self.node_is(*id, Node::is_linked),
            Expectation::Exists(id) => self.node_is(*id, |_| true),
            Expectation::LinksAre { node, links } => self.node_is(*node, |node| node.links == *links),
            Expectation::Empty(id) => self.nodes.slot(*id).is_some() && self.is_empty(*id, Space::Children),
            Expectation::ParentIs { node, parent } => self.node_is(*node, |node| node.parent.directory == *parent),
            Expectation::Topology(topology) => self.topology == *topology,
            Expectation::PermissionVersion { node, version } => {
                self.node_is(*node, |node| node.permission_version == *version)
            }
            Expectation::ChangeIs { node, change } => self.node_is(*node, |node| node.change == *change),
            Expectation::NoRows(id) => self.node_is(*id, |node| !node.has_rows()),
            Expectation::XattrsAre { node, version } => {
                self.nodes.slot(*node).is_some()
                    && self.xattrs_of(*node).map(|bytes| Xattrs::version_of(bytes)) == version.map(Ok)
            }
            Expectation::ContentVersion { node, version } => {
                self.node_is(*node, |node| node.content_version == *version)
            }
            Expectation::ObjectUsable { object, epoch } => {
                self.objects.get(object).is_some_and(|row| match row.state {
                    ObjectState::Live => true,
                    ObjectState::Writing => row.owner == *epoch,
                    ObjectState::PendingDelete => false,
                })
            }
            Expectation::ObjectState { object, state } => {
                self.objects.get(object).is_some_and(|row| row.state == *state)
            }
            // One process has the share, and no lease is kept.
            Expectation::LeaseIs { .. } => false,
            Expectation::Unreferenced(object) => self.references_of(*object).next().is_none(),
        }
    }

    fn node_is(&self, id: NodeId, test: impl FnOnce(&Node) -> bool) -> bool {
        self.nodes.record(id).is_some_and(|node| test(node))
    }
}

/// Whether a plan names a node in the directory of an entry that must be absent: the only expectation that holds
/// though the node that it names is not there.
pub(super) fn names_without_proof(plan: &[Expectation], id: NodeId) -> bool {
    plan.iter().any(|expectation| match expectation {
        Expectation::EntryAbsent(key) | Expectation::FoldedAbsent(key) => key.directory == id,
        _ => false,
    })
}
