//! The changes of a plan.

use std::sync::Arc;

use crate::{
    acl::Acl,
    content::{MapRow, PendingTruncation, ReplayExclusions},
    id::{ChangeId, ContentVersion, Cookie, Epoch, NodeId, ObjectId, PlaceId, Sequence, Tree},
    name::Name,
    node::{Node, NodeFlags, Parent},
    time::Timestamp,
    xattr::Xattrs,
};

/// Which names of a node are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Space {
    /// A directory's children.
    #[default]
    Children = 0,
    /// A node's named streams.
    Streams = 1,
}

/// The key of an entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryKey {
    /// The directory, or the node that has streams.
    pub directory: NodeId,
    /// Which of its names.
    pub space: Space,
    /// The name.
    pub name: Name,
}

impl EntryKey {
    /// A directory's child.
    pub fn child(directory: NodeId, name: &Name) -> EntryKey {
        EntryKey { directory, space: Space::Children, name: name.clone() }
    }
}

/// One change of the state of a share.
#[expect(clippy::large_enum_variant, reason = "updates are most of what plans hold: a box each would cost more")]
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A new node, stored exactly as given, times and `change` included; only `since` is the store's to assign.
    InsertNode(Box<Node>),
    /// Changes some fields of a node. The store assigns `ctime` and raises `change`.
    UpdateNode(NodeId, NodeUpdate),
    /// Forgets a node that has neither name nor rows.
    DeleteNode(NodeId),
    /// Adds an entry.
    InsertEntry {
        /// Where, and with which name.
        key: EntryKey,
        /// The node it leads to.
        node: NodeId,
        /// Its place in listings.
        cookie: Cookie,
    },
    /// Removes an entry.
    DeleteEntry(EntryKey),
    /// Puts a row of a file's map in the place of the one with the same key, if any.
    PutRow {
        /// The file.
        node: NodeId,
        /// The row's first page.
        page: u64,
        /// The row.
        row: MapRow,
    },
    /// Removes a row of a file's map, if there.
    DeleteRow {
        /// The file.
        node: NodeId,
        /// The row's first page.
        page: u64,
    },
    /// Notes that a node has no name, and why it is kept; replaces an earlier note.
    PutUnlinked {
        /// The node.
        node: NodeId,
        /// The reason why the node is kept.
        reason: UnlinkedReason,
    },
    /// Removes that note.
    DeleteUnlinked(NodeId),
    /// Puts the extended attributes of a node, which must be there, in the place of those that it has; none: they go, if
    /// there are any. They go with the node as well. What the node's own row says of them is another change's.
    PutXattrs {
        /// The node.
        node: NodeId,
        /// All its attributes.
        xattrs: Option<Arc<Xattrs>>,
    },
    /// A new object, or a new state of one.
    PutObject(ObjectRecord),
    /// Forgets an object.
    DeleteObject(ObjectId),
    /// Extents of a chunk refer to an object; adding it twice is adding it once.
    InsertReference(Reference),
    /// No extent of the chunk refers to the object any longer.
    DeleteReference(Reference),
    /// Gives the lease of a node, which must be there, to an instance ([`super::KeptLease::granted_to`]). It goes with the
    /// node.
    GrantLease {
        /// The node.
        node: NodeId,
        /// The instance, by the epoch of its start.
        holder: Epoch,
    },
    /// A directory has got another parent: raises the share's topology counter.
    RaiseTopology,
    /// Adds to the share's statistics.
    Count(Statistics),
}

/// Sums over a share; in a plan: differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Bytes that extents hold, and what nodes, names and targets count for ([`crate::quota`]).
    pub bytes: i64,
    /// Nodes.
    pub nodes: i64,
}

/// Why a node without a name is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnlinkedReason {
    /// Somebody has it open.
    Open,
    /// The reaper has not removed its rows yet.
    Reaping,
}

/// How a count of names changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LinkChange {
    /// Not at all.
    #[default]
    Keep,
    /// To an exact number: with [`super::Expectation::LinksAre`].
    Set(u32),
    /// By a difference: a directory's, which commutes.
    Add(i32),
}

/// How a time changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TimeChange {
    /// Not at all.
    #[default]
    Keep,
    /// To the plan's time, but always to a later one than before.
    Advance,
    /// To this time, even if it is earlier.
    Set(Timestamp),
    /// To this time, if it is later.
    AtLeast(Timestamp),
}

/// Fields of a node that change. What is `None` or `Keep` stays.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NodeUpdate {
    /// Permission bits.
    pub mode: Option<u16>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Names.
    pub links: LinkChange,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Difference of the bytes allocated.
    pub allocated: i64,
    /// Access time.
    pub atime: TimeChange,
    /// Time of change of content.
    pub mtime: TimeChange,
    /// Time of change: [`TimeChange::Advance`] but for flushes, which publish one that was shown already
    /// ([`TimeChange::AtLeast`]), and for what is no change to a client ([`TimeChange::Keep`]).
    pub ctime: TimeChange,
    /// The least value of `change` afterwards. It is raised by at least one wherever `ctime` is not kept.
    pub change_at_least: Option<ChangeId>,
    /// Raises the permission version by one.
    pub raise_permission_version: bool,
    /// A new content version.
    pub content_version: Option<ContentVersion>,
    /// The newest journal record in the extents; never lowered.
    pub content_seq: Option<Sequence>,
    /// The newest journal record that no longer determines the times; never lowered.
    pub times_seq: Option<Sequence>,
    /// The entry that leads to the node.
    pub parent: Option<Parent>,
    /// Time of creation.
    pub birth: Option<Timestamp>,
    /// DOS attributes.
    pub dos_attributes: Option<u32>,
    /// The access control list; `Some(None)`: it goes. The permission bits that it stands for are set with it.
    pub acl: Option<Option<Arc<Acl>>>,
    /// What its extended attributes count for.
    pub xattr_bytes: Option<u32>,
    /// Flags to set.
    pub set_flags: NodeFlags,
    /// Flags to clear.
    pub clear_flags: NodeFlags,
    /// The truncation that the reaper must finish; `Some(None)`: it has.
    pub pending_truncation: Option<Option<PendingTruncation>>,
    /// The ranges that a replay of the journal skips. They replace those that were recorded before.
    pub replay_exclusions: Option<ReplayExclusions>,
}

impl NodeUpdate {
    /// An update that advances `ctime`.
    pub fn changed() -> NodeUpdate {
        NodeUpdate { ctime: TimeChange::Advance, ..NodeUpdate::default() }
    }

    /// An update of a directory whose entries change: advances `mtime` and `ctime`.
    pub fn entries_changed() -> NodeUpdate {
        NodeUpdate { mtime: TimeChange::Advance, ..NodeUpdate::changed() }
    }
}

/// The life of an object: never back, never skipped but from `Writing` to `PendingDelete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectState {
    /// Its row stands; its bytes may be on their way.
    Writing,
    /// Extents may refer to it.
    Live,
    /// Nothing may refer to it any longer; it is deleted after the grace period.
    PendingDelete,
}

/// The row of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectRecord {
    /// Its id.
    pub id: ObjectId,
    /// Its state.
    pub state: ObjectState,
    /// The epoch of who writes it.
    pub owner: Epoch,
    /// Length in bytes.
    pub bytes: u64,
    /// Which content store of the share has it.
    pub place: PlaceId,
}

/// Extents of a chunk of a file refer to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The object.
    pub object: ObjectId,
    /// The file.
    pub node: NodeId,
    /// Which 64 MiB of it.
    pub chunk: u64,
    /// The last tree in which they do; [`Tree::LIVE`]: they still do.
    pub until: Tree,
}

impl Reference {
    /// One of the living tree.
    pub const fn live(object: ObjectId, node: NodeId, chunk: u64) -> Reference {
        Reference { object, node, chunk, until: Tree::LIVE }
    }

    /// The greatest one that may come before this one in their order, so that a listing after it begins with this one;
    /// none before the first of an object.
    pub fn predecessor(&self) -> Option<Reference> {
        let Reference { object, node, chunk, until } = *self;
        let last = Tree(u32::MAX);
        if let Some(until) = until.0.checked_sub(1) {
            return Some(Reference { until: Tree(until), ..*self });
        }
        if let Some(chunk) = chunk.checked_sub(1) {
            return Some(Reference { chunk, until: last, ..*self });
        }
        let node = NodeId(node.0.checked_sub(1)?);
        Some(Reference { object, node, chunk: u64::MAX, until: last })
    }
}
