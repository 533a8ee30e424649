//! A plan before it is sent: what it needs that must be there, and what it does to nodes that it makes itself.

use std::collections::{BTreeMap, BTreeSet};

use dittofs_domain::{
    Node, NodeId, Timestamp, Tree,
    plan::{Change, EntryKey, Expectation, Plan, Statistics, update},
};

/// The plan's changes contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contradiction;

/// Facts about a plan.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// Nodes that the plan makes, as they are after all its changes; none for one that it deletes again.
    pub(super) fresh: BTreeMap<NodeId, Option<Node>>,
    /// Nodes that must be there when the changes begin.
    pub(super) needed: BTreeSet<NodeId>,
    /// Nodes that are deleted.
    deleted: BTreeSet<NodeId>,
    /// The differences of the share's sums.
    pub(super) sums: Statistics,
    /// How often a directory gets another parent.
    pub(super) moves: i64,
}

impl Folded {
    pub(super) fn of(plan: &Plan) -> Result<Folded, Contradiction> {
        let mut folded = Folded::default();
        for change in &plan.changes {
            folded.add(change, plan.now)?;
        }
        let dangling = |change: &Change| match change {
            Change::InsertEntry { key, node, .. } => {
                [key.directory, *node].iter().any(|id| folded.deleted.contains(id) || folded.is_gone(*id))
            }
            _ => false,
        };
        if plan.changes.iter().any(dangling) {
            return Err(Contradiction);
        }
        Ok(folded)
    }

    fn add(&mut self, change: &Change, now: Timestamp) -> Result<(), Contradiction> {
        match change {
            Change::InsertNode(node) => self.insert(node),
            Change::UpdateNode(id, changes) => match self.fresh.get_mut(id) {
                // The database assigns the tree.
                Some(Some(node)) => update(node, changes, now, Tree::FIRST).map_err(|_| Contradiction),
                Some(None) => Err(Contradiction),
                None => self.need(*id),
            },
            Change::DeleteNode(id) => match self.fresh.get_mut(id) {
                Some(node) => node.take().map(drop).ok_or(Contradiction),
                None => {
                    self.need(*id)?;
                    self.deleted.insert(*id);
                    Ok(())
                }
            },
            Change::InsertEntry { key, node, .. } => {
                self.need(key.directory)?;
                // It may be made later.
                if !self.fresh.contains_key(node) {
                    self.needed.insert(*node);
                }
                Ok(())
            }
            Change::DeleteEntry(EntryKey { directory: node, .. })
            | Change::PutRow { node, .. }
            | Change::PutUnlinked { node, .. }
            | Change::PutXattrs { node, xattrs: Some(_) } => self.need(*node),
            Change::GrantLease { .. } => Err(Contradiction),
            Change::RaiseTopology => {
                self.moves += 1;
                Ok(())
            }
            Change::Count(Statistics { bytes, nodes }) => {
                self.sums.bytes = self.sums.bytes.checked_add(*bytes).ok_or(Contradiction)?;
                self.sums.nodes = self.sums.nodes.checked_add(*nodes).ok_or(Contradiction)?;
                Ok(())
            }
            Change::DeleteRow { .. }
            | Change::DeleteUnlinked(_)
            | Change::PutXattrs { xattrs: None, .. }
            | Change::PutObject(_)
            | Change::DeleteObject(_)
            | Change::InsertReference(_)
            | Change::DeleteReference(_) => Ok(()),
        }
    }

    fn insert(&mut self, node: &Node) -> Result<(), Contradiction> {
        if self.deleted.contains(&node.id) {
            return Err(Contradiction);
        }
        // An entry that was added before may lead to it, nothing else.
        self.needed.remove(&node.id);
        match self.fresh.insert(node.id, Some(node.clone())) {
            None => Ok(()),
            Some(_) => Err(Contradiction),
        }
    }

    fn need(&mut self, id: NodeId) -> Result<(), Contradiction> {
        if self.deleted.contains(&id) || self.is_gone(id) {
            return Err(Contradiction);
        }
        if !self.fresh.contains_key(&id) {
            self.needed.insert(id);
        }
        Ok(())
    }

    /// Whether the plan makes the node and deletes it again.
    fn is_gone(&self, id: NodeId) -> bool {
        matches!(self.fresh.get(&id), Some(None))
    }
}

/// Whether a plan names a node in the directory of an entry that must be absent: the only expectation that holds
/// though the node that it names is not there.
pub(super) fn names_without_proof(plan: &Plan, id: NodeId) -> bool {
    plan.expectations.iter().any(|expectation| match expectation {
        Expectation::EntryAbsent(key) | Expectation::FoldedAbsent(key) => key.directory == id,
        _ => false,
    })
}
