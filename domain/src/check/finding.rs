//! The findings of a check.

mod display;

use std::ops::Range;

use super::{Damage, EntrySeen};
use crate::{
    id::{NodeId, ObjectId},
    name::Name,
    node::Parent,
    plan::{ObjectState, Statistics},
};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Space that is not used; nothing is wrong for anybody.
    Note,
    /// Records contradict each other, or bytes are lost.
    Error,
}

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The root directory is not there, or is none.
    NoRoot,
    /// An entry leads to a node that does not exist.
    NoNode {
        /// The entry.
        entry: EntrySeen,
        /// The node that it names.
        node: NodeId,
    },
    /// A count of names is wrong; a directory's is 2 and its subdirectories.
    LinkCount {
        /// The node.
        node: NodeId,
        /// As stored.
        stored: u32,
        /// As counted.
        counted: u32,
        /// Its only name, if it has one and is no directory.
        only: Option<Parent>,
    },
    /// A directory, or a stream, has more than one name.
    SecondName {
        /// The node.
        node: NodeId,
        /// The name that is one too many.
        entry: EntrySeen,
    },
    /// A node says that another entry leads to it than the one that does.
    WrongParent {
        /// The node.
        node: NodeId,
        /// As stored.
        stored: Parent,
        /// As found.
        found: Parent,
    },
    /// No entry leads to a node that should have a name.
    NoName {
        /// The node.
        node: NodeId,
    },
    /// Callers that ignore case do not find an entry: the index of folded names does not have it.
    NotFolded {
        /// The entry.
        entry: EntrySeen,
        /// The node that it leads to.
        node: NodeId,
    },
    /// Directories lead to each other and none of them is reached from the root.
    Circle {
        /// One of them.
        node: NodeId,
        /// The entry that leads to it.
        entry: EntrySeen,
    },
    /// An entry leads to a node that was removed, and that the reaper would delete.
    NamedThoughRemoved {
        /// The node.
        node: NodeId,
        /// How many entries do.
        counted: u32,
        /// One of them.
        found: Parent,
    },
    /// A node without a name is not noted: nobody would ever delete it.
    NoteMissing {
        /// The node.
        node: NodeId,
    },
    /// A note of a node without a name is wrong: there is no such node, or it has its name still.
    NoteSuperfluous {
        /// The node.
        node: NodeId,
    },
    /// A truncation that is pending is not listed, or one that is listed is not pending.
    PendingTruncationNote {
        /// The node.
        node: NodeId,
    },
    /// The metadata store says that a node's own row is damaged: whatever needs it is an error.
    NodeUnreadable {
        /// The node.
        node: NodeId,
    },
    /// The metadata store says that rows of a directory's listing are damaged, or of a node's streams.
    EntriesUnreadable {
        /// The directory.
        node: NodeId,
    },
    /// The metadata store says that rows of a file's map are damaged.
    MapUnreadable {
        /// The file.
        node: NodeId,
    },
    /// No row of a file's map covers some pages: reading them is an error.
    Uncovered {
        /// The file.
        node: NodeId,
        /// The pages.
        pages: Range<u64>,
    },
    /// Two rows of a map cover one page.
    Overlap {
        /// The file.
        node: NodeId,
        /// The first such page.
        page: u64,
    },
    /// The extents of a page do not tile it, or are not inside their blocks: reading it is an error.
    Malformed {
        /// The file.
        node: NodeId,
        /// The page.
        page: u64,
    },
    /// A map has rows or bytes behind the end of its file.
    BehindEnd {
        /// The file.
        node: NodeId,
        /// The first such page.
        page: u64,
    },
    /// There are rows of a map for what has no content, or does not exist.
    NoContent {
        /// The node.
        node: NodeId,
    },
    /// The count of a file's allocated bytes is wrong.
    Allocated {
        /// The file.
        node: NodeId,
        /// As stored.
        stored: u64,
        /// As counted.
        counted: u64,
    },
    /// A node does not say what its extended attributes count for.
    XattrBytes {
        /// The node.
        node: NodeId,
        /// As stored in its row.
        stored: u32,
        /// As counted; 0: there are none.
        counted: u32,
    },
    /// The metadata store says that the extended attributes of a node are damaged: none of them can be had.
    XattrsUnreadable {
        /// The node.
        node: NodeId,
    },
    /// There are extended attributes of a node that does not exist.
    XattrsLeft {
        /// The node.
        node: NodeId,
    },
    /// An extent lies outside its object.
    OutsideObject {
        /// The file.
        node: NodeId,
        /// The page of the extent.
        page: u64,
        /// The object.
        object: ObjectId,
    },
    /// Extents of a chunk use an object, but the reference is not there: the object could be deleted.
    ReferenceMissing {
        /// The object.
        object: ObjectId,
        /// The file.
        node: NodeId,
        /// Which 64 MiB of it.
        chunk: u64,
    },
    /// A reference is there, but no extent of the chunk uses the object: it would never be deleted.
    ReferenceSuperfluous {
        /// The object.
        object: ObjectId,
        /// The file.
        node: NodeId,
        /// Which 64 MiB of it.
        chunk: u64,
    },
    /// A file uses an object that may not be used: it has no row, or is in this state.
    ObjectNotLive {
        /// The object.
        object: ObjectId,
        /// Its state; none without a row.
        state: Option<ObjectState>,
        /// A file that uses it.
        node: NodeId,
    },
    /// An object in the content store has another length than its row says.
    ObjectLength {
        /// The object.
        object: ObjectId,
        /// The length in its row.
        stored: u64,
        /// As found.
        found: u64,
    },
    /// Nothing uses an object. The server would find and delete it.
    Unused {
        /// The object.
        object: ObjectId,
        /// Its length.
        bytes: u64,
    },
    /// The content store has objects that no row speaks of.
    Orphans {
        /// How many.
        objects: u64,
        /// Their lengths.
        bytes: u64,
    },
    /// The share's sums are wrong.
    Statistics {
        /// As stored.
        stored: Statistics,
        /// As counted.
        counted: Statistics,
    },
    /// Bytes of a file are lost: reading them is an error.
    Damaged {
        /// The file.
        node: NodeId,
        /// Its bytes.
        range: Range<u64>,
        /// The object that has, or had, them.
        object: ObjectId,
        /// The kind of damage.
        damage: Damage,
    },
}

impl Finding {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Finding::Unused { .. } | Finding::Orphans { .. } => Severity::Note,
            _ => Severity::Error,
        }
    }

    /// One word for its kind, which stays the same over versions.
    pub fn class(&self) -> &'static str {
        match self {
            Finding::NoRoot => "no-root",
            Finding::NoNode { .. } => "no-node",
            Finding::LinkCount { .. } => "link-count",
            Finding::SecondName { .. } => "second-name",
            Finding::WrongParent { .. } => "wrong-parent",
            Finding::NoName { .. } => "no-name",
            Finding::NotFolded { .. } => "not-folded",
            Finding::Circle { .. } => "circle",
            Finding::NamedThoughRemoved { .. } => "named-though-removed",
            Finding::NoteMissing { .. } => "note-missing",
            Finding::NoteSuperfluous { .. } => "note-superfluous",
            Finding::PendingTruncationNote { .. } => "pending-truncation-note",
            Finding::NodeUnreadable { .. } => "node-unreadable",
            Finding::EntriesUnreadable { .. } => "entries-unreadable",
            Finding::MapUnreadable { .. } => "map-unreadable",
            Finding::Uncovered { .. } => "uncovered",
            Finding::Overlap { .. } => "overlap",
            Finding::Malformed { .. } => "malformed",
            Finding::BehindEnd { .. } => "behind-end",
            Finding::NoContent { .. } => "no-content",
            Finding::Allocated { .. } => "allocated",
            Finding::XattrBytes { .. } => "xattr-bytes",
            Finding::XattrsUnreadable { .. } => "xattrs-unreadable",
            Finding::XattrsLeft { .. } => "xattrs-left",
            Finding::OutsideObject { .. } => "outside-object",
            Finding::ReferenceMissing { .. } => "reference-missing",
            Finding::ReferenceSuperfluous { .. } => "reference-superfluous",
            Finding::ObjectNotLive { .. } => "object-not-live",
            Finding::ObjectLength { .. } => "object-length",
            Finding::Unused { .. } => "unused",
            Finding::Orphans { .. } => "orphans",
            Finding::Statistics { .. } => "statistics",
            Finding::Damaged { .. } => "damaged",
        }
    }

    /// Whether something can't be read that says which objects and keys are in use.
    pub fn hides_uses(&self) -> bool {
        matches!(self, Finding::NodeUnreadable { .. } | Finding::MapUnreadable { .. })
    }

    /// Whether what nodes and names count for is in doubt, as it is derived from what this says is wrong.
    pub fn doubts_names(&self) -> bool {
        matches!(
            self,
            Finding::NoRoot
                | Finding::NodeUnreadable { .. }
                | Finding::EntriesUnreadable { .. }
                | Finding::NoNode { .. }
                | Finding::LinkCount { .. }
                | Finding::SecondName { .. }
                | Finding::NoName { .. }
                | Finding::Circle { .. }
                | Finding::NamedThoughRemoved { .. }
                | Finding::NoteMissing { .. }
        )
    }

    /// The node whose path says where it is, and a name below that.
    pub fn place(&self) -> Option<(NodeId, Option<&Name>)> {
        match self {
            Finding::NoRoot
            | Finding::ObjectLength { .. }
            | Finding::Unused { .. }
            | Finding::Orphans { .. }
            | Finding::Statistics { .. } => None,
            Finding::NoNode { entry, .. } | Finding::SecondName { entry, .. } | Finding::NotFolded { entry, .. } => {
                Some((entry.key.directory, Some(&entry.key.name)))
            }
            Finding::LinkCount { node, .. }
            | Finding::WrongParent { node, .. }
            | Finding::NoName { node }
            | Finding::Circle { node, .. }
            | Finding::NamedThoughRemoved { node, .. }
            | Finding::NoteMissing { node }
            | Finding::NoteSuperfluous { node }
            | Finding::PendingTruncationNote { node }
            | Finding::NodeUnreadable { node }
            | Finding::EntriesUnreadable { node }
            | Finding::MapUnreadable { node }
            | Finding::Uncovered { node, .. }
            | Finding::Overlap { node, .. }
            | Finding::Malformed { node, .. }
            | Finding::BehindEnd { node, .. }
            | Finding::NoContent { node }
            | Finding::Allocated { node, .. }
            | Finding::XattrBytes { node, .. }
            | Finding::XattrsUnreadable { node }
            | Finding::XattrsLeft { node }
            | Finding::OutsideObject { node, .. }
            | Finding::ReferenceMissing { node, .. }
            | Finding::ReferenceSuperfluous { node, .. }
            | Finding::ObjectNotLive { node, .. }
            | Finding::Damaged { node, .. } => Some((*node, None)),
        }
    }
}
