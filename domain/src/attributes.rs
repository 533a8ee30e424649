//! Attributes as they leave the server.

use std::sync::Arc;

use crate::{
    acl::Acl,
    id::{ChangeId, NodeId, Sequence},
    node::{Device, Node, NodeKind},
    time::Timestamp,
};

/// The attributes of a node that every protocol reports. Only [`overlay`] makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The node (fileid).
    pub node: NodeId,
    /// The file that it belongs to: for a stream the one that has it, else the node itself.
    pub file: NodeId,
    /// The kind of the node.
    pub kind: NodeKind,
    /// Permission bits.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names.
    pub links: u32,
    /// Size in bytes, unflushed writes included.
    pub size: u64,
    /// Bytes allocated, unflushed and inline ones included: never 0 where there are data.
    pub used: u64,
    /// Last access.
    pub atime: Timestamp,
    /// Last change of content.
    pub mtime: Timestamp,
    /// Last change.
    pub ctime: Timestamp,
    /// Creation.
    pub birth: Timestamp,
    /// Count of changes.
    pub change: ChangeId,
    /// Numbers of a device node.
    pub device: Device,
    /// DOS attributes.
    pub dos_attributes: u32,
    /// What extended attributes count for; 0: there are none.
    pub xattr_bytes: u32,
    /// The list that decides in place of the permission bits, if there is one.
    pub acl: Option<Arc<Acl>>,
}

/// The changes that a node's unflushed records make to its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Pending {
    /// Size in bytes after the newest record.
    pub size: u64,
    /// Bytes in slices that no extent holds yet; an upper bound where they overlap extents.
    pub bytes: u64,
    /// Times of the newest record, with that record's number; absent where a SETATTR came after it.
    pub times: Option<(Timestamp, Sequence)>,
    /// Change count and ctime that were shown for the newest record.
    pub shown: Option<(ChangeId, Timestamp)>,
    /// Access time to show, if newer.
    pub atime: Option<Timestamp>,
}

/// Returns the attributes of a node, with its unflushed changes applied.
pub fn overlay(stored: &Node, pending: Option<&Pending>) -> Attributes {
    let mut attributes = Attributes {
        node: stored.id,
        file: if stored.kind == NodeKind::Stream { stored.parent.directory } else { stored.id },
        kind: stored.kind,
        mode: stored.mode,
        uid: stored.uid,
        gid: stored.gid,
        links: stored.links,
        size: stored.size,
        used: stored.allocated,
        atime: stored.atime,
        mtime: stored.mtime,
        ctime: stored.ctime,
        birth: stored.birth,
        change: stored.change,
        device: stored.device,
        dos_attributes: stored.dos_attributes,
        xattr_bytes: stored.xattr_bytes,
        acl: stored.acl.clone(),
    };
    if let Some(pending) = pending {
        attributes.size = pending.size;
        attributes.used = stored.allocated.saturating_add(pending.bytes);
        if let Some((time, seq)) = pending.times
            && seq > stored.times_seq
        {
            attributes.mtime = time;
        }
        if let Some((change, ctime)) = pending.shown {
            attributes.change = attributes.change.max(change);
            attributes.ctime = attributes.ctime.max(ctime);
        }
        if let Some(atime) = pending.atime {
            attributes.atime = attributes.atime.max(atime);
        }
    }
    if stored.kind.has_content() {
        // Rows behind a new size stay until they are reaped, and bytes over stored ones are counted twice until they
        // are flushed; no file has more bytes than its size.
        attributes.used = attributes.used.min(attributes.size);
    }
    attributes
}

/// Returns the attributes of a stream as clients see them: its own are its size and what it takes up, all others are its
/// file's (MS-FSA, 2.1.1.5). A change of a stream's content is one of the file, which the file's own row notes when the
/// stream is closed: until then it shows by the stream alone.
pub fn of_stream(stream: &Attributes, file: &Attributes) -> Attributes {
    let mut attributes =
        Attributes { node: stream.node, kind: stream.kind, size: stream.size, used: stream.used, ..file.clone() };
    if is_newer(stream, file) {
        attributes.mtime = stream.mtime;
        attributes.ctime = stream.ctime;
    }
    attributes
}

/// Whether a stream has changed since the last change that its file knows of. A time that a client has set on the file
/// since then stays, however old it is: to set it was a change.
pub fn is_newer(stream: &Attributes, file: &Attributes) -> bool {
    stream.ctime > file.ctime
}

#[cfg(test)]
mod tests;
