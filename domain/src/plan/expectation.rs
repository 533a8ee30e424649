//! The demands of a plan on the state that it changes.

use super::{EntryKey, KeptLease, ObjectState};
use crate::id::{ChangeId, ContentVersion, Cookie, Epoch, NodeId, ObjectId};

/// A fact that must hold at the instant of commit, or the whole plan is refused with a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// No entry has this name.
    EntryAbsent(EntryKey),
    /// No entry has a name that the share folds as this one ([`FoldTable`](crate::FoldTable)): this name itself
    /// included.
    FoldedAbsent(EntryKey),
    /// The entry is there and leads to this node with this cookie.
    EntryIs {
        /// Which entry.
        key: EntryKey,
        /// The node.
        node: NodeId,
        /// The cookie.
        cookie: Cookie,
    },
    /// The node exists and has a name; the store holds this until the commit, so that a removal and an addition of
    /// entries in a directory meet.
    Linked(NodeId),
    /// The node exists, with or without a name.
    Exists(NodeId),
    /// The exact number of names of a node that is not a directory.
    LinksAre {
        /// The node.
        node: NodeId,
        /// Its names.
        links: u32,
    },
    /// The directory has no entry.
    Empty(NodeId),
    /// The directory's parent.
    ParentIs {
        /// The directory.
        node: NodeId,
        /// Its parent.
        parent: NodeId,
    },
    /// The share's count of directory moves: no directory has got another parent since.
    Topology(u64),
    /// Nothing that permission rests on has changed.
    PermissionVersion {
        /// The node.
        node: NodeId,
        /// Its version.
        version: u64,
    },
    /// Nothing about the node has changed at all.
    ChangeIs {
        /// The node.
        node: NodeId,
        /// Its stored count.
        change: ChangeId,
    },
    /// Nothing is kept of the node but its own row ([`Node::has_rows`](crate::Node::has_rows)).
    NoRows(NodeId),
    /// The extended attributes of the node, which exists, have not changed.
    XattrsAre {
        /// The node.
        node: NodeId,
        /// Their version; none: it has none.
        version: Option<ChangeId>,
    },
    /// No truncate, punch or clone has happened.
    ContentVersion {
        /// The node.
        node: NodeId,
        /// Its version.
        version: ContentVersion,
    },
    /// The object may be referred to: it is live, or being written under this epoch.
    ObjectUsable {
        /// The object.
        object: ObjectId,
        /// The epoch of who makes the plan.
        epoch: Epoch,
    },
    /// The object is in this state.
    ObjectState {
        /// The object.
        object: ObjectId,
        /// Its state.
        state: ObjectState,
    },
    /// No extent refers to the object, and no backup pins it.
    Unreferenced(ObjectId),
    /// The lease of the node has not changed hands. Where one instance has the share there is none.
    LeaseIs {
        /// The node.
        node: NodeId,
        /// Its lease.
        lease: KeptLease,
    },
}
