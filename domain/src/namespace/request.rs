//! The requests of callers to the namespace.

use std::sync::Arc;

use crate::{
    access::AccessMask,
    acl::Acl,
    id::NodeId,
    name::Name,
    node::{Device, NodeKind},
    time::Timestamp,
    xattr::{XattrChange, Xattrs},
};

/// A time that a caller sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SetTime {
    /// Left as it is.
    #[default]
    Keep,
    /// To the server's clock (UTIME_NOW): owner or writer.
    Now,
    /// To this: owner only.
    To(Timestamp),
}

/// Attributes to set (SETATTR of RFC 1813, 3.3.2). What is `None` or `Keep` stays.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SetAttributes {
    /// Permission bits.
    pub mode: Option<u16>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Access time.
    pub atime: SetTime,
    /// Time of change of content.
    pub mtime: SetTime,
    /// Time of creation.
    pub birth: SetTime,
    /// DOS attributes.
    pub dos_attributes: Option<u32>,
    /// The access control list, which comes after a mode (RFC 8881, 6.4.1.3); `Some(None)`: it goes, and the mode
    /// decides.
    pub acl: Option<Option<Arc<Acl>>>,
    /// The rights that the caller holds by an open, whatever it would be granted now (MS-FSA, 2.1.5.15).
    pub held: AccessMask,
    /// Do it only if the node's `ctime`, as clients see it, is this (`sattrguard3`).
    pub guard: Option<Timestamp>,
}

impl SetAttributes {
    /// Only a size.
    pub fn size(size: u64) -> SetAttributes {
        SetAttributes { size: Some(size), ..SetAttributes::default() }
    }
}

/// Extended attributes to change: all or nothing, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SetXattrs {
    /// What to change.
    pub changes: Vec<XattrChange>,
    /// The rights that the caller holds by an open, whatever it would be granted now (MS-FSA, 2.1.5.15).
    pub held: AccessMask,
}

/// Attributes that a new node gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InitialAttributes {
    /// Permission bits; 0 if absent, as with exclusive creates.
    pub mode: Option<u16>,
    /// Owner; the caller's user if absent.
    pub uid: Option<u32>,
    /// Group; the caller's, or the directory's where that has SGID, if absent.
    pub gid: Option<u32>,
    /// Size of a regular file.
    pub size: Option<u64>,
    /// Access time.
    pub atime: SetTime,
    /// Time of change of content.
    pub mtime: SetTime,
}

/// Who may do what to a new node in a directory that has an access control list.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum InitialAccess {
    /// It inherits, but no more than the mode allows (RFC 8881, 6.4.3, with a mode). Where there is no mode, nobody has
    /// any of it until one is set.
    #[default]
    Mode,
    /// It inherits. The mode is for where there is nothing to inherit (MS-DTYP, 2.5.3.4).
    Inherited,
    /// It gets this list, and inherits nothing.
    List(Arc<Acl>),
}

/// Attributes of a new node that POSIX does not have.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DosAttributes {
    /// File attributes (MS-FSCC 2.6).
    pub attributes: u32,
    /// Time of creation.
    pub birth: SetTime,
    /// Its extended attributes; none: it has none.
    pub xattrs: Option<Arc<Xattrs>>,
    /// Who may do what.
    pub access: InitialAccess,
}

/// The kind of node to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link to this target: 1 to 4,095 bytes without NUL, never interpreted.
    Symlink(Arc<[u8]>),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block device: privileged callers only.
    BlockDevice(Device),
    /// A character device: privileged callers only.
    CharDevice(Device),
}

impl NewKind {
    /// The kind of the node that is made.
    pub fn node_kind(&self) -> NodeKind {
        match self {
            NewKind::File => NodeKind::File,
            NewKind::Directory => NodeKind::Directory,
            NewKind::Symlink(_) => NodeKind::Symlink,
            NewKind::Fifo => NodeKind::Fifo,
            NewKind::Socket => NodeKind::Socket,
            NewKind::BlockDevice(_) => NodeKind::BlockDevice,
            NewKind::CharDevice(_) => NodeKind::CharDevice,
        }
    }
}

/// How a create treats a name that is taken (RFC 1813, 3.3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateHow {
    /// Take the regular file that is there; of the attributes asked for only its size is set then.
    Unchecked,
    /// Refuse.
    Guarded,
    /// Refuse, unless what is there was made with this verifier.
    Exclusive([u8; 8]),
}

/// CREATE, MKDIR, SYMLINK, MKNOD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// Where.
    pub directory: NodeId,
    /// The name.
    pub name: Name,
    /// The kind of the node.
    pub kind: NewKind,
    /// Its attributes.
    pub attributes: InitialAttributes,
    /// How to treat a name that is taken: other than `Guarded` for regular files only.
    pub how: CreateHow,
}

/// LINK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRequest {
    /// The node that gets another name.
    pub node: NodeId,
    /// Where.
    pub directory: NodeId,
    /// The name.
    pub name: Name,
}

/// The kinds of nodes that a removal takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveKind {
    /// All but directories (REMOVE, unlink).
    NotDirectory,
    /// Only directories (RMDIR).
    Directory,
    /// Only this node, whatever it is: `NotFound` where the name leads to another.
    Just(NodeId),
    /// The same for who holds the right to delete it by an open of this name: whether it may is not asked again
    /// (MS-FSA, 2.1.5.5).
    Held(NodeId),
}

/// REMOVE and RMDIR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveRequest {
    /// Where.
    pub directory: NodeId,
    /// The name.
    pub name: Name,
    /// The kinds of nodes that may be removed.
    pub kind: RemoveKind,
}

/// RENAME.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameRequest {
    /// Where it is.
    pub from_directory: NodeId,
    /// Its name.
    pub from_name: Name,
    /// Where it goes.
    pub to_directory: NodeId,
    /// Its new name.
    pub to_name: Name,
    /// The node that is meant: `NotFound` where the old name leads to another.
    pub node: Option<NodeId>,
    /// What may lose the new name.
    pub replace: Replace,
    /// The rights that the caller holds by an open of the node: with the one to delete it, it may lose its name.
    pub held: AccessMask,
}

/// What a rename may take the new name from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Replace {
    /// From whatever has it. Between two names of one node nothing happens (POSIX rename).
    #[default]
    Any,
    /// From nothing: `Exists` if the name is taken.
    Nothing,
    /// From this node, if it still has it; `Exists` if another one has. Of two names of one node the old one goes
    /// (MS-FSA 2.1.5.15.11).
    Only(NodeId),
}

impl RenameRequest {
    /// A rename as POSIX has it.
    pub fn new((from_directory, from_name): (NodeId, Name), (to_directory, to_name): (NodeId, Name)) -> RenameRequest {
        let (node, replace, held) = (None, Replace::Any, AccessMask::empty());
        RenameRequest { from_directory, from_name, to_directory, to_name, node, replace, held }
    }
}

/// The rename of a stream, within its file (MS-FSA 2.1.5.15.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRename {
    /// The file.
    pub file: NodeId,
    /// The stream's name.
    pub from: Name,
    /// Its new name.
    pub to: Name,
    /// The stream that is meant: `NotFound` where the old name leads to another.
    pub stream: NodeId,
    /// The rights to the file that the caller holds by an open of the stream: with the one to delete it, it may lose its
    /// name.
    pub held: AccessMask,
    /// Whether another stream may lose the new name: one without content, that nobody has open.
    pub replace: bool,
}
