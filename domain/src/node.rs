//! The record of a node, the same in every metadata store.

use std::sync::Arc;

use bitflags::bitflags;

use crate::{
    acl::Acl,
    content::{PendingTruncation, ReplayExclusions},
    id::{ChangeId, ContentVersion, Cookie, NodeId, Sequence, Tree},
    time::Timestamp,
};

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum NodeKind {
    /// A regular file.
    File = 1,
    /// A directory.
    Directory = 2,
    /// A symbolic link.
    Symlink = 3,
    /// A named pipe.
    Fifo = 4,
    /// A socket.
    Socket = 5,
    /// A block device.
    BlockDevice = 6,
    /// A character device.
    CharDevice = 7,
    /// A named stream of a file or directory.
    Stream = 8,
}

impl NodeKind {
    /// Whether the node has content: only files and streams do.
    pub const fn has_content(self) -> bool {
        matches!(self, NodeKind::File | NodeKind::Stream)
    }
}

/// Permission bits of `st_mode`, SUID, SGID and sticky included: 0o7777.
pub mod mode {
    /// All bits that a node keeps.
    pub const ALL: u16 = 0o7777;
    /// Those of the owner, the group and everyone.
    pub const PERMISSIONS: u16 = 0o777;
    /// Set user id on execution.
    pub const SUID: u16 = 0o4000;
    /// Set group id on execution; on a directory: new entries take its group.
    pub const SGID: u16 = 0o2000;
    /// On a directory: only owners remove and rename entries.
    pub const STICKY: u16 = 0o1000;
    /// Execution by the group.
    pub const GROUP_EXECUTE: u16 = 0o0010;
    /// Execution by anyone at all.
    pub const ANY_EXECUTE: u16 = 0o0111;
}

/// Numbers of a device node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Device {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
}

impl Device {
    /// The greatest numbers that Linux has (12 and 20 bits). Greater ones would come out as another device's.
    pub const MAX: Device = Device { major: (1 << 12) - 1, minor: (1 << 20) - 1 };

    /// Whether the numbers are those of a device that there can be.
    pub fn is_valid(self) -> bool {
        self.major <= Device::MAX.major && self.minor <= Device::MAX.minor
    }
}

bitflags! {
    /// The features for which a node has additional rows.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct NodeFlags: u8 {
        /// An access control list in rows of its own. No store has such: the list is in the node's row.
        const ACL = 1;
        /// Extended attributes: all of them are one row, which goes with the node.
        const XATTRS = 2;
        /// Named streams.
        const STREAMS = 4;
        /// Without a name: removed from every directory, waiting for its last open or the reaper.
        const UNLINKED = 8;
        /// Bytes of it may be in its map, as a commit has put them there. Set by every change of the map that leaves some.
        const INLINE = 16;
    }
}

/// The entry that leads to a node: exact for directories; for others exact while `links` is 1, or unknown (cookie
/// [`Cookie::START`]) where the newest of several names has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The directory.
    pub directory: NodeId,
    /// The entry's cookie there.
    pub cookie: Cookie,
}

/// A node as stored. Attributes that leave the server are made from it by [`crate::attributes::overlay`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The kind of the node.
    pub kind: NodeKind,
    /// Permission bits, at most [`mode::ALL`].
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names; a directory's is 2 plus its subdirectories.
    pub links: u32,
    /// Size in bytes: never beyond the durable extents. A symlink's is its target's length.
    pub size: u64,
    /// Bytes of content that extents hold (holes excluded).
    pub allocated: u64,
    /// Last access.
    pub atime: Timestamp,
    /// Last change of content.
    pub mtime: Timestamp,
    /// Last change of anything. Assigned by the store; never stands still over a change, never goes back.
    pub ctime: Timestamp,
    /// Creation.
    pub birth: Timestamp,
    /// Count of changes. Assigned by the store.
    pub change: ChangeId,
    /// Raised when mode, owner, group or ACL change: a decision that rested on them expects it.
    pub permission_version: u64,
    /// Raised by truncate, punch and clone.
    pub content_version: ContentVersion,
    /// The newest journal record whose bytes are in the extents.
    pub content_seq: Sequence,
    /// Records up to this one no longer determine the times: a SETATTR came after them.
    pub times_seq: Sequence,
    /// The share's tree when the node was last written. Assigned by the store.
    pub since: Tree,
    /// The entry that leads here.
    pub parent: Parent,
    /// Numbers of a device node; 0, 0 for others.
    pub device: Device,
    /// DOS attributes (MS-FSCC 2.6), for SMB.
    pub dos_attributes: u32,
    /// The list that decides in place of the permission bits; the nine low ones are what it says of the owner, the
    /// group and everyone.
    pub acl: Option<Arc<Acl>>,
    /// The verifier of the exclusive create that made the node (RFC 1813, 3.3.8).
    pub create_verifier: Option<[u8; 8]>,
    /// A symlink's target.
    pub target: Option<Arc<[u8]>>,
    /// The features that have additional rows.
    pub flags: NodeFlags,
    /// What its extended attributes count for ([`crate::xattr::Xattrs::bytes`]); 0 without [`NodeFlags::XATTRS`].
    pub xattr_bytes: u32,
    /// A truncation whose rows the reaper has not removed yet.
    pub pending_truncation: Option<PendingTruncation>,
    /// The ranges that a replay of the journal skips.
    pub replay_exclusions: ReplayExclusions,
}

impl Node {
    /// A node with one name and nothing in it, which belongs to user 0 and lets nobody do anything.
    pub fn bare(id: NodeId, kind: NodeKind, parent: Parent, now: Timestamp) -> Node {
        Node {
            id,
            kind,
            mode: 0,
            uid: 0,
            gid: 0,
            links: if kind == NodeKind::Directory { 2 } else { 1 },
            size: 0,
            allocated: 0,
            atime: now,
            mtime: now,
            ctime: now,
            birth: now,
            change: ChangeId(1),
            permission_version: 0,
            content_version: ContentVersion(0),
            content_seq: Sequence(0),
            times_seq: Sequence(0),
            since: Tree::FIRST,
            parent,
            device: Device::default(),
            dos_attributes: 0,
            acl: None,
            create_verifier: None,
            target: None,
            flags: NodeFlags::empty(),
            xattr_bytes: 0,
            pending_truncation: None,
            replay_exclusions: ReplayExclusions::default(),
        }
    }

    /// The root directory of a new share.
    pub fn root(uid: u32, gid: u32, mode: u16, now: Timestamp) -> Node {
        let parent = Parent { directory: NodeId::ROOT, cookie: Cookie::START };
        Node { mode, uid, gid, ..Node::bare(NodeId::ROOT, NodeKind::Directory, parent, now) }
    }

    /// Whether the node still has a name.
    pub fn is_linked(&self) -> bool {
        !self.flags.contains(NodeFlags::UNLINKED)
    }

    /// Whether a store may keep rows of the node in addition to its own row.
    pub fn has_rows(&self) -> bool {
        let content =
            self.kind.has_content() && (self.size > 0 || self.allocated > 0 || self.pending_truncation.is_some());
        content || self.flags.intersects(NodeFlags::ACL | NodeFlags::XATTRS | NodeFlags::STREAMS)
    }
}
