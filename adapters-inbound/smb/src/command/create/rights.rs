//! The rights of an open: those that are demanded for it, and all that could be had.

use dittofs_domain::{
    Attributes, NodeId, NodeKind,
    access::{AccessMask, NodeSecurity, sticky_forbids},
};
use dittofs_ports::{Caller, ShareServices};
use dittofs_smb_wire::{NtStatus, attributes::FileAttributes};

use super::wanted::{Disposition, Wanted};
use crate::{facts, failure::Failure, path::PathPart};

/// All rights that a user has to a node.
pub(super) async fn maximal(
    share: &dyn ShareServices,
    caller: &Caller,
    directory: NodeId,
    node: &Attributes,
) -> Result<AccessMask, Failure> {
    let (mut rights, _) = share.access(caller, node.node).await?;
    let (of_directory, directory) = share.access(caller, directory).await?;
    let is_kept = sticky_forbids(&NodeSecurity::from(&directory), &NodeSecurity::from(node), &caller.credentials);
    if of_directory.contains(AccessMask::DELETE_CHILD) && !is_kept {
        rights |= AccessMask::DELETE;
    }
    if is_of_client(Some(node)) {
        return Ok(rights);
    }
    if rights.contains(AccessMask::WRITE_DATA) {
        rights |= AccessMask::WRITE_ATTRIBUTES;
    }
    if rights.contains(AccessMask::READ_DATA) {
        rights |= AccessMask::EXECUTE;
    }
    // Of a file the right means nothing, and who may do all has it.
    if node.kind != NodeKind::Directory && rights.contains(AccessMask::WRITE_DATA | AccessMask::WRITE_OWNER) {
        rights |= AccessMask::DELETE_CHILD;
    }
    Ok(rights)
}

/// Refuses what DOS attributes forbid (MS-FSA, 2.1.5.1.2).
pub(super) fn demand_overwritable(wanted: &Wanted, found: &Attributes, access: AccessMask) -> Result<(), NtStatus> {
    let has = facts::attributes(found);
    let is_directory = found.kind == NodeKind::Directory;
    let is_stream = matches!(wanted.path.part, PathPart::Stream(_));
    if wanted.disposition == Disposition::Create && !is_stream {
        return Err(NtStatus::OBJECT_NAME_COLLISION);
    }
    if is_directory {
        return Ok(());
    }
    if wanted.disposition.replaces() {
        let hides = [FileAttributes::HIDDEN, FileAttributes::SYSTEM];
        let is_uncovered = hides.into_iter().any(|bit| has.contains(bit) && !wanted.attributes.contains(bit));
        // The attributes are the file's, and it keeps them.
        if has.contains(FileAttributes::READONLY) || is_uncovered && !is_stream {
            return Err(NtStatus::ACCESS_DENIED);
        }
    }
    if has.contains(FileAttributes::READONLY) {
        if wanted.deletes_on_close {
            return Err(NtStatus::CANNOT_DELETE);
        }
        if !wanted.is_maximum && access.intersects(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA) {
            return Err(NtStatus::ACCESS_DENIED);
        }
    }
    Ok(())
}

/// The rights that the user must have for an open to be given some. Who may write may also set times and DOS attributes
/// as far as the owner allows it then, and who may read may execute, as with Samba: Windows asks for both together, and
/// a mode does not tell them apart.
pub(super) fn demanded(access: AccessMask, found: Option<&Attributes>, is_directory: bool) -> AccessMask {
    let mut demanded = access;
    if is_of_client(found) {
        return demanded;
    }
    if access.intersects(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA) {
        demanded -= AccessMask::WRITE_ATTRIBUTES;
    }
    if !is_directory {
        if access.contains(AccessMask::EXECUTE) {
            demanded = (demanded - AccessMask::EXECUTE) | AccessMask::READ_DATA;
        }
        demanded -= AccessMask::DELETE_CHILD;
    }
    demanded
}

/// Whether a node has a list as a client has set it, which tells all rights apart. One that a mode has changed since
/// does not, no more than a mode.
fn is_of_client(node: Option<&Attributes>) -> bool {
    node.and_then(|node| node.acl.as_ref()).is_some_and(|acl| !acl.is_of_mode())
}
