//! The query of a rule to a store, and the answer.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{EntryKey, Expectation, KeptLease, NodeLease};
use crate::{
    content::MapRow,
    error::{FsError, FsResult},
    id::{Cookie, NodeId, OpId},
    name::Name,
    node::Node,
    xattr::Xattrs,
};

/// The state that a rule needs to see, read in one round trip and at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Query {
    /// Nodes by id.
    pub nodes: SmallVec<[NodeId; 2]>,
    /// Entries by name, each with the node that it leads to.
    pub entries: SmallVec<[EntryKey; 2]>,
    /// Names of which all entries are wanted that the share folds alike ([`FoldTable`](crate::FoldTable)): see
    /// [`Query::in_any_case`].
    pub folded: Vec<EntryKey>,
    /// A directory whose ancestors are wanted, itself first, the root last.
    pub ancestors_of: Option<NodeId>,
    /// Rows of a file's map.
    pub map: Option<MapQuery>,
    /// A node whose extended attributes are wanted.
    pub xattrs_of: Option<NodeId>,
    /// Whether the store shall lock what it reads until the plan that follows, where it can: asked for after
    /// repeated conflicts.
    pub lock: bool,
    /// An operation that may have been carried out already: whether it was is wanted.
    pub op: Option<OpId>,
}

/// Which rows of a file's map are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapQuery {
    /// The file.
    pub node: NodeId,
    /// The first page; the row that covers it comes first even if its key is lower.
    pub first_page: u64,
    /// The last page.
    pub last_page: u64,
    /// At most so many rows; [`MapView::complete`] says whether there are more.
    pub rows_max: usize,
}

impl Query {
    /// One node.
    pub fn node(id: NodeId) -> Query {
        Query { nodes: smallvec::smallvec![id], ..Query::default() }
    }

    /// A node and its extended attributes.
    pub fn xattrs(id: NodeId) -> Query {
        Query { xattrs_of: Some(id), ..Query::node(id) }
    }

    /// A directory and one of its names.
    pub fn child(directory: NodeId, key: EntryKey) -> Query {
        Query { nodes: smallvec::smallvec![directory], entries: smallvec::smallvec![key], ..Query::default() }
    }

    /// The same, but the entries by name in any case: rules that decide on the answer take names that differ in case
    /// only for the same.
    pub fn in_any_case(self) -> Query {
        Query { folded: self.entries.to_vec(), ..self }
    }

    /// The same, and whether an operation was carried out already.
    pub fn asking(self, op: Option<OpId>) -> Query {
        Query { op, ..self }
    }
}

/// An entry and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The node.
    pub node: Arc<Node>,
    /// The entry's cookie.
    pub cookie: Cookie,
    /// For a directory: whether it has no entry. False for others.
    pub empty: bool,
}

/// The greatest number of entries that are brought of one folded name. A client that respects case may have made many
/// more; to others the first ones stand for all.
pub const FOLDED_MAX: usize = 8;

/// The entries whose names fold alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// The folded form of the name that was asked for.
    pub name: Name,
    /// Entries whose names have this folded form, in the order of their cookies: the first [`FOLDED_MAX`].
    pub entries: Vec<Alike>,
}

/// An entry of a folded name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// The name that it really has.
    pub name: Name,
    /// Where it leads.
    pub found: Found,
}

/// Rows of a file's map, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MapView {
    /// (first page, row).
    pub rows: Vec<(u64, MapRow)>,
    /// Whether these are all rows that were asked for.
    pub complete: bool,
}

/// The state of a share at one instant, as far as a query asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct View {
    /// The nodes asked for that exist.
    pub nodes: SmallVec<[Arc<Node>; 2]>,
    /// For each entry asked for, in the same order: what was found.
    pub entries: SmallVec<[Option<Found>; 2]>,
    /// For each name asked for in any case, in the same order: what was found.
    pub folded: Vec<Folded>,
    /// The ancestors asked for, from the directory itself to the root.
    pub ancestors: Vec<NodeId>,
    /// The share's count of directory moves.
    pub topology: u64,
    /// The rows asked for.
    pub map: MapView,
    /// The extended attributes asked for; none where there are none.
    pub xattrs: Option<Arc<Xattrs>>,
    /// Where several instances serve the share: the lease of each node above, of those of entries as well. None where one
    /// instance does.
    pub leases: Option<Vec<(NodeId, KeptLease)>>,
    /// The outcome of the operation that was asked for, if a plan with its id was applied not long ago.
    pub earlier: Option<Earlier>,
}

/// The outcome of an operation that was carried out before.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Earlier {
    /// The node that its plan made.
    pub made: Option<NodeId>,
    /// That node as it is now; none if it is gone again.
    pub node: Option<Arc<Node>>,
}

impl View {
    /// A node that was asked for.
    ///
    /// # Errors
    /// `Stale` if it does not exist.
    pub fn node(&self, id: NodeId) -> FsResult<&Arc<Node>> {
        self.nodes.iter().find(|node| node.id == id).ok_or(FsError::Stale)
    }

    /// The lease of a node that was asked for.
    ///
    /// # Errors
    /// `Stale` if leases are kept, and the node was not asked for or does not exist.
    pub fn lease(&self, id: NodeId) -> FsResult<NodeLease> {
        let Some(leases) = &self.leases else { return Ok(NodeLease::Sole) };
        let kept = leases.iter().find(|(node, _)| *node == id).ok_or(FsError::Stale)?;
        Ok(NodeLease::Kept(kept.1))
    }

    /// Returns the n-th entry that was asked for, if it is there.
    pub fn entry(&self, index: usize) -> Option<&Found> {
        self.entries.get(index).and_then(Option::as_ref)
    }

    /// Returns the entry that the n-th name means, `name`, and the name that it really has: the entry of just this
    /// name, or else, where it was asked for in any case, the oldest whose name folds alike.
    pub fn meant<'a>(&'a self, index: usize, name: &'a Name) -> Option<(&'a Name, &'a Found)> {
        let alike = || self.folded.get(index)?.entries.first().map(|alike| (&alike.name, &alike.found));
        self.entry(index).map(|found| (name, found)).or_else(alike)
    }

    /// Returns the expectation that no entry is meant by the n-th name, which has this key.
    pub fn absence(&self, index: usize, key: EntryKey) -> Expectation {
        if self.folded.get(index).is_some() { Expectation::FoldedAbsent(key) } else { Expectation::EntryAbsent(key) }
    }
}
