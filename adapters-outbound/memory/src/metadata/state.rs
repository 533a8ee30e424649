//! All metadata of a share, and what can be read of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::RandomState,
    ops::{Bound, Range},
    sync::Arc,
};

use bytes::Bytes;
use dittofs_domain::{
    Cookie, FoldTable, Node, NodeId, NodeKind, ObjectId, Tree,
    plan::{
        Earlier, EntryKey, Found, MapView, ObjectRecord, Query, Reference, Space, Statistics, UnlinkedReason, View,
    },
    xattr::Xattrs,
};
use dittofs_ports::{Listed, Listing};

use super::{directory::Directory, folded::FoldedNames, nodes::Nodes};

/// Nodes that a search for extended attributes takes at a time.
const XATTR_SCAN_NODES: usize = 1_024;

/// Parents lead in a circle.
#[derive(Debug, thiserror::Error)]
#[error("the ancestors of node {0} do not end at the root")]
pub(super) struct EndlessAncestors(pub(super) NodeId);

/// The state of a share.
pub(super) struct State {
    pub(super) nodes: Nodes,
    /// Keyed at random, since clients choose names.
    pub(super) names: RandomState,
    pub(super) folded: FoldedNames,
    pub(super) topology: u64,
    /// The number of the living tree.
    pub(super) tree: Tree,
    pub(super) unlinked: BTreeMap<NodeId, UnlinkedReason>,
    pub(super) pending_truncations: BTreeSet<NodeId>,
    pub(super) objects: BTreeMap<ObjectId, ObjectRecord>,
    pub(super) references: BTreeSet<Reference>,
    pub(super) statistics: Statistics,
}

impl State {
    /// A share that has nothing but a root.
    pub(super) fn new(root: Node, folding: FoldTable) -> State {
        let mut state = State {
            nodes: Nodes::default(),
            names: RandomState::new(),
            folded: FoldedNames::new(folding),
            topology: 0,
            tree: Tree::FIRST,
            unlinked: BTreeMap::new(),
            pending_truncations: BTreeSet::new(),
            objects: BTreeMap::new(),
            references: BTreeSet::new(),
            statistics: Statistics { bytes: 0, nodes: 1 },
        };
        state.nodes.insert(Arc::new(Node { since: state.tree, ..root }));
        state
    }

    pub(super) fn view(&self, query: &Query) -> Result<View, EndlessAncestors> {
        Ok(View {
            nodes: query.nodes.iter().filter_map(|id| self.nodes.record(*id).cloned()).collect(),
            entries: query.entries.iter().map(|key| self.found(key)).collect(),
            folded: query.folded.iter().map(|key| self.alike(key)).collect(),
            ancestors: query.ancestors_of.map_or(Ok(Vec::new()), |directory| self.ancestors(directory))?,
            topology: self.topology,
            map: query.map.as_ref().map_or_else(MapView::default, |map| {
                let nothing = MapView { rows: Vec::new(), complete: true };
                self.nodes.body(map.node).map_or(nothing, |body| body.map(map))
            }),
            xattrs: query.xattrs_of.and_then(|node| self.xattrs(node)),
            leases: None,
            earlier: None,
        })
    }

    /// Returns the outcome of an operation that made this node, or none.
    pub(super) fn earlier(&self, made: Option<NodeId>) -> Earlier {
        Earlier { made, node: made.and_then(|made| self.nodes.record(made).cloned()) }
    }

    pub(super) fn list(&self, directory: NodeId, space: Space, after: Cookie, max: usize, records: bool) -> Listing {
        let Some(directory) = self.directory(directory, space) else {
            return Listing { entries: Vec::new(), complete: true };
        };
        let mut rest = directory.after(after);
        let mut entries = Vec::with_capacity(max.min(directory.len()));
        entries.extend(rest.by_ref().take(max).map(|(cookie, entry)| Listed {
            name: entry.name.clone(),
            cookie,
            node: entry.node,
            record: if records { self.nodes.record(entry.node).cloned() } else { None },
        }));
        Listing { entries, complete: rest.next().is_none() }
    }

    pub(super) fn entry(&self, key: &EntryKey) -> Option<(NodeId, Cookie)> {
        self.directory(key.directory, key.space)?.find(&self.names, &key.name)
    }

    pub(super) fn directory(&self, id: NodeId, space: Space) -> Option<&Directory> {
        self.nodes.body(id)?.directory(space)
    }

    pub(super) fn is_empty(&self, id: NodeId, space: Space) -> bool {
        self.directory(id, space).is_none_or(Directory::is_empty)
    }

    /// The extended attributes of a node, as they are kept.
    pub(super) fn xattrs_of(&self, id: NodeId) -> Option<&Bytes> {
        self.nodes.body(id)?.xattrs.as_ref()
    }

    /// The extended attributes of a node.
    fn xattrs(&self, id: NodeId) -> Option<Arc<Xattrs>> {
        let xattrs = self.xattrs_of(id).map(|bytes| Xattrs::from_bytes(bytes.clone()))?;
        debug_assert!(xattrs.is_ok(), "what is kept was encoded here");
        xattrs.ok().map(Arc::new)
    }

    /// What the extended attributes of nodes count for, of those that have any.
    pub(super) fn xattr_bytes(&self, mut after: NodeId, max: usize) -> Vec<(NodeId, Option<u32>)> {
        let mut found = Vec::new();
        // Nodes with attributes have no order of their own here: those between are passed over.
        loop {
            let nodes = self.nodes.after(after, XATTR_SCAN_NODES);
            let Some(last) = nodes.last() else { return found };
            after = last.id;
            for node in nodes {
                if found.len() >= max {
                    return found;
                }
                let bytes = self.xattrs_of(node.id).cloned();
                found.extend(bytes.map(|bytes| (node.id, Xattrs::from_bytes(bytes).ok().map(|xattrs| xattrs.bytes()))));
            }
        }
    }

    /// Which chunks of which nodes refer to an object.
    pub(super) fn references_of(&self, object: ObjectId) -> impl Iterator<Item = (NodeId, u64)> {
        let first = Reference { object, node: NodeId(0), chunk: 0, until: Tree(0) };
        let last = Reference { object, node: NodeId(u64::MAX), chunk: u64::MAX, until: Tree(u32::MAX) };
        self.references.range(first..=last).map(|reference| (reference.node, reference.chunk))
    }

    /// Objects after one.
    pub(super) fn objects_after(&self, after: Option<ObjectId>) -> impl Iterator<Item = &ObjectRecord> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.objects.range((start, Bound::Unbounded)).map(|(_, record)| record)
    }

    /// Takes numbers of trees; none where there are not so many left.
    pub(super) fn take_trees(&mut self, count: u64) -> Option<Range<u64>> {
        let start = u64::from(self.tree.0);
        let end = start.checked_add(count).filter(|end| *end <= u64::from(Tree::MAX.0))?;
        self.tree = Tree(u32::try_from(end).ok()?);
        Some(start..end)
    }

    fn found(&self, key: &EntryKey) -> Option<Found> {
        let (id, cookie) = self.entry(key)?;
        self.found_at(id, cookie)
    }

    pub(super) fn found_at(&self, id: NodeId, cookie: Cookie) -> Option<Found> {
        let slot = self.nodes.slot(id)?;
        let empty = slot.node.kind == NodeKind::Directory
            && slot.body.as_ref().is_none_or(|body| body.directory(Space::Children).is_none_or(Directory::is_empty));
        Some(Found { node: Arc::clone(&slot.node), cookie, empty })
    }

    fn ancestors(&self, directory: NodeId) -> Result<Vec<NodeId>, EndlessAncestors> {
        let mut ancestors = Vec::new();
        let mut next = directory;
        while let Some(node) = self.nodes.record(next) {
            ancestors.push(next);
            if next == NodeId::ROOT || node.parent.directory == next {
                break;
            }
            // Counting all nodes costs more than most walks: only a deep one needs a bound.
            if ancestors.len().is_multiple_of(4_096) && ancestors.len() > self.nodes.len() {
                return Err(EndlessAncestors(directory));
            }
            next = node.parent.directory;
        }
        Ok(ancestors)
    }
}
