//! Who may do what: the only place where permission bits are read, and lists are asked.

use bitflags::bitflags;

use crate::{
    acl::Acl,
    attributes::Attributes,
    credentials::Credentials,
    error::{FsError, FsResult},
    node::{Node, NodeKind, mode},
};

bitflags! {
    /// The rights of RFC 8881, 6.2.1.3, which are also MS-SMB2's (2.2.13.1). Where a bit has two names, the second
    /// is a directory's.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct AccessMask: u32 {
        /// Read content.
        const READ_DATA = 0x1;
        /// List entries.
        const LIST_DIRECTORY = 0x1;
        /// Change content.
        const WRITE_DATA = 0x2;
        /// Add an entry that is not a directory.
        const ADD_FILE = 0x2;
        /// Extend content.
        const APPEND_DATA = 0x4;
        /// Add a directory.
        const ADD_SUBDIRECTORY = 0x4;
        /// Read extended attributes and streams' names.
        const READ_NAMED_ATTRS = 0x8;
        /// Change extended attributes.
        const WRITE_NAMED_ATTRS = 0x10;
        /// Execute; on a directory: look up.
        const EXECUTE = 0x20;
        /// Remove any entry of a directory.
        const DELETE_CHILD = 0x40;
        /// Read attributes.
        const READ_ATTRIBUTES = 0x80;
        /// Change times and DOS attributes.
        const WRITE_ATTRIBUTES = 0x100;
        /// Remove or rename the node itself.
        const DELETE = 0x1_0000;
        /// Read the ACL.
        const READ_ACL = 0x2_0000;
        /// Change mode and ACL.
        const WRITE_ACL = 0x4_0000;
        /// Change owner and group.
        const WRITE_OWNER = 0x8_0000;
        /// Wait on the node.
        const SYNCHRONIZE = 0x10_0000;
    }
}

/// The attributes of a node that decide permission to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeSecurity<'a> {
    /// The kind of the node.
    pub kind: NodeKind,
    /// Permission bits.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The list that decides in place of the permission bits, if there is one.
    pub acl: Option<&'a Acl>,
}

impl<'a> From<&'a Node> for NodeSecurity<'a> {
    fn from(node: &'a Node) -> Self {
        NodeSecurity { kind: node.kind, mode: node.mode, uid: node.uid, gid: node.gid, acl: node.acl.as_deref() }
    }
}

impl<'a> From<&'a Attributes> for NodeSecurity<'a> {
    fn from(node: &'a Attributes) -> Self {
        NodeSecurity { kind: node.kind, mode: node.mode, uid: node.uid, gid: node.gid, acl: node.acl.as_deref() }
    }
}

/// The rights that the credentials have to a node: by its list, or else by its permission bits (POSIX.1-2017, XBD 4.5:
/// one class decides, the others do not add). The privileged user has all, but executes only what somebody may.
pub fn granted(security: &NodeSecurity<'_>, credentials: &Credentials) -> AccessMask {
    let directory = security.kind == NodeKind::Directory;
    if credentials.is_privileged() {
        let executable =
            directory || security.acl.map_or(security.mode & mode::ANY_EXECUTE != 0, Acl::lets_somebody_execute);
        return if executable { AccessMask::all() } else { AccessMask::all() - AccessMask::EXECUTE };
    }
    if let Some(acl) = security.acl {
        return acl.granted((security.uid, security.gid), credentials);
    }
    let owner = credentials.uid == security.uid;
    let class = if owner {
        security.mode >> 6
    } else if credentials.in_group(security.gid) {
        security.mode >> 3
    } else {
        security.mode
    };
    let mask = permissions(class, directory);
    if owner { mask | OWNER_RIGHTS } else { mask }
}

/// The rights that a digit of a mode stands for, whoever has them.
pub(crate) fn permissions(digit: u16, directory: bool) -> AccessMask {
    let mut mask = AccessMask::READ_ATTRIBUTES | AccessMask::READ_ACL | AccessMask::SYNCHRONIZE;
    if digit & 4 != 0 {
        mask |= AccessMask::READ_DATA | AccessMask::READ_NAMED_ATTRS;
    }
    if digit & 2 != 0 {
        mask |= AccessMask::WRITE_DATA | AccessMask::APPEND_DATA | AccessMask::WRITE_NAMED_ATTRS;
        if directory {
            mask |= AccessMask::DELETE_CHILD;
        }
    }
    if digit & 1 != 0 {
        mask |= AccessMask::EXECUTE;
    }
    mask
}

/// The rights of owners by their mode, whatever its digits are.
pub(crate) const OWNER_RIGHTS: AccessMask =
    AccessMask::WRITE_ATTRIBUTES.union(AccessMask::WRITE_ACL).union(AccessMask::WRITE_OWNER);

/// Demands rights.
///
/// # Errors
/// `Access` if one of `wanted` is not granted.
pub fn demand(security: &NodeSecurity<'_>, credentials: &Credentials, wanted: AccessMask) -> FsResult<()> {
    if granted(security, credentials).contains(wanted) { Ok(()) } else { Err(FsError::Access) }
}

/// Whether an entry of a directory may be taken from its node: by the right to the directory's entries, or by that to
/// the node itself (MS-FSA, 2.1.5.1.2.1; RFC 8881, 6.2.1.3.2). Only a list grants the second.
///
/// # Errors
/// `Access` without either right, `NotPermitted` where the directory's sticky bit forbids and only the first is there.
pub fn demand_removable(
    directory: &NodeSecurity<'_>,
    entry: &NodeSecurity<'_>,
    credentials: &Credentials,
) -> FsResult<()> {
    let by_directory = granted(directory, credentials).contains(AccessMask::DELETE_CHILD);
    if by_directory && !sticky_forbids(directory, entry, credentials) {
        return Ok(());
    }
    match entry.acl {
        Some(_) if granted(entry, credentials).contains(AccessMask::DELETE) => Ok(()),
        _ if by_directory => Err(FsError::NotPermitted),
        _ => Err(FsError::Access),
    }
}

/// Whether the sticky bit of a directory keeps the caller from removing or renaming an entry that leads to `entry`:
/// only the entry's owner, the directory's owner and the privileged user may (POSIX.1-2017, XBD 4.3).
pub fn sticky_forbids(directory: &NodeSecurity<'_>, entry: &NodeSecurity<'_>, credentials: &Credentials) -> bool {
    directory.mode & mode::STICKY != 0
        && !credentials.is_privileged()
        && credentials.uid != entry.uid
        && credentials.uid != directory.uid
}

#[cfg(test)]
mod tests;
