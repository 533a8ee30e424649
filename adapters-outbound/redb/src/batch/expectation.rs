//! Whether a plan's expectations hold.

use dittofs_domain::{
    Node, NodeId, ShareId,
    plan::{EntryKey, Expectation, ObjectState, Plan, Space},
};

use super::Batch;
use crate::{
    codec,
    fault::Fault,
    keys::{self, Count},
    snapshot::references_of,
    tables::{Kind, unsigned},
};

impl Batch<'_> {
    /// Whether all expectations of a plan hold.
    pub(super) fn meets(&mut self, share: ShareId, plan: &Plan) -> Result<bool, Fault> {
        for expectation in &plan.expectations {
            if !self.holds(share, expectation)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn holds(&mut self, share: ShareId, expectation: &Expectation) -> Result<bool, Fault> {
        match expectation {
            Expectation::EntryAbsent(key) => Ok(self.tables.entry(share, key)?.is_none()),
            Expectation::FoldedAbsent(key) => self.is_folded_absent(share, key),
            Expectation::EntryIs { key, node, cookie } => Ok(self.tables.entry(share, key)? == Some((*node, *cookie))),
            Expectation::Linked(id) => self.node_is(share, *id, Node::is_linked),
            Expectation::Exists(id) => self.node_is(share, *id, |_| true),
            Expectation::LinksAre { node, links } => self.node_is(share, *node, |node| node.links == *links),
            Expectation::Empty(id) => {
                Ok(self.is_there(share, *id)? && self.tables.is_empty_directory(share, *id, Space::Children)?)
            }
            Expectation::ParentIs { node, parent } => {
                self.node_is(share, *node, |node| node.parent.directory == *parent)
            }
            Expectation::Topology(topology) => Ok(unsigned(self.count(share, Count::Topology)?)? == *topology),
            Expectation::PermissionVersion { node, version } => {
                self.node_is(share, *node, |node| node.permission_version == *version)
            }
            Expectation::ChangeIs { node, change } => self.node_is(share, *node, |node| node.change == *change),
            Expectation::NoRows(id) => self.node_is(share, *id, |node| !node.has_rows()),
            Expectation::XattrsAre { node, version } => {
                let stored = self.tables.read(Kind::Xattrs, &keys::node(share, *node), codec::decode_xattrs_version)?;
                Ok(stored == *version && self.is_there(share, *node)?)
            }
            Expectation::ContentVersion { node, version } => {
                self.node_is(share, *node, |node| node.content_version == *version)
            }
            Expectation::ObjectUsable { object, epoch } => {
                Ok(self.tables.object(share, *object)?.is_some_and(|row| match row.state {
                    ObjectState::Live => true,
                    ObjectState::Writing => row.owner == *epoch,
                    ObjectState::PendingDelete => false,
                }))
            }
            Expectation::ObjectState { object, state } => {
                Ok(self.tables.object(share, *object)?.is_some_and(|row| row.state == *state))
            }
            // One process has the database, and no lease is kept.
            Expectation::LeaseIs { .. } => Ok(false),
            Expectation::Unreferenced(object) => self.tables.is_empty(Kind::Reference, references_of(share, *object)),
        }
    }

    fn is_folded_absent(&mut self, share: ShareId, key: &EntryKey) -> Result<bool, Fault> {
        let folding = self.folding(share)?;
        let rows = self.tables.folded(share, folding, key)?;
        Ok(rows.others.is_empty() && self.tables.entry(share, &rows.folded)?.is_none())
    }

    fn node_is(&mut self, share: ShareId, id: NodeId, test: impl FnOnce(&Node) -> bool) -> Result<bool, Fault> {
        Ok(self.node(share, id)?.is_some_and(|node| test(&node)))
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
