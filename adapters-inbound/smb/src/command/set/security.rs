//! Owner, group and access control list (MS-SMB2, 3.3.5.21.3; MS-FSA, 2.1.5.15.14).

use std::sync::Arc;

use dittofs_domain::{
    Acl, Attributes, NodeKind, access::AccessMask, namespace::SetAttributes, node::mode, users::MachineId,
};
use dittofs_ports::Entered;
use dittofs_smb_wire::{
    NtStatus, query_info::SecurityInformation, security::SecurityDescriptor, set_info::SetInfoRequest,
};

use crate::{calls::Call, descriptors, failure::Failure, open::OpenNode};

const OWNERS: SecurityInformation = SecurityInformation::OWNER.union(SecurityInformation::GROUP);
/// Parts that are not kept. Nobody is given the right to set them.
const REFUSED: SecurityInformation = SecurityInformation::SACL
    .union(SecurityInformation::LABEL)
    .union(SecurityInformation::ATTRIBUTE)
    .union(SecurityInformation::SCOPE)
    .union(SecurityInformation::BACKUP);

pub(super) async fn set(
    call: &Call,
    node: &OpenNode,
    entered: &Entered,
    request: &SetInfoRequest,
) -> Result<(), Failure> {
    let parts = SecurityInformation::from_bits_retain(request.additional_information);
    demand(node.access, parts)?;
    let descriptor = SecurityDescriptor::decode(&request.input).map_err(|_| NtStatus::INVALID_SECURITY_DESCR)?;
    let machine = call.link.server.accounts.machine().await?;
    let share = &*entered.share;
    let found = share.attributes(&node.caller, node.node).await?;
    let mut wanted = SetAttributes::default();
    if parts.contains(SecurityInformation::OWNER) {
        let sid = descriptor.owner.ok_or(NtStatus::INVALID_OWNER)?;
        wanted.uid = Some(descriptors::owner(sid, machine)?).filter(|uid| *uid != found.uid);
        demand_owner(node, wanted.uid)?;
    }
    if parts.contains(SecurityInformation::GROUP) {
        let sid = descriptor.group.ok_or(NtStatus::INVALID_PRIMARY_GROUP)?;
        wanted.gid = Some(descriptors::group(sid, machine)?).filter(|gid| *gid != found.gid);
    }
    // Who sets the list by a descriptor that has none lets everybody do all, as with Windows and Samba.
    if parts.contains(SecurityInformation::DACL) {
        want_list(&mut wanted, &found, descriptors::list(&descriptor, machine)?, machine)?;
    }
    if wanted != SetAttributes::default() {
        wanted.held = node.access & (AccessMask::WRITE_ACL | AccessMask::WRITE_OWNER);
        share.set_attributes(&node.caller, node.file, &wanted, None).await?;
    }
    Ok(())
}

/// Asks for a list, or the mode that it stands for. Who writes back what it has read changes nothing.
///
/// # Errors
/// `NOT_SUPPORTED` for another list of a symlink, at which nobody looks.
fn want_list(wanted: &mut SetAttributes, found: &Attributes, acl: Acl, machine: MachineId) -> Result<(), NtStatus> {
    let owner = (wanted.uid.unwrap_or(found.uid), wanted.gid.unwrap_or(found.gid));
    if owner == (found.uid, found.gid) && is_shown(found, &acl, machine) {
        return Ok(());
    }
    let acl = match descriptors::mode_of(&acl, owner, found.kind == NodeKind::Directory, machine) {
        Some(bits) => {
            wanted.mode = other_mode(found, bits);
            None
        }
        None => Some(Arc::new(acl)),
    };
    wanted.acl = Some(acl).filter(|acl| *acl != found.acl);
    let changes = wanted.mode.is_some() || wanted.acl.is_some();
    if changes && found.kind == NodeKind::Symlink { Err(NtStatus::NOT_SUPPORTED) } else { Ok(()) }
}

/// Whether this is how the list of a node is shown. One that a mode has changed is shown with the owner and the group
/// that there are, and not as it is.
fn is_shown(found: &Attributes, acl: &Acl, machine: MachineId) -> bool {
    let shown = || descriptors::list(&descriptors::descriptor(found), machine);
    found.acl.as_ref().is_some_and(|has| has.flags() == acl.flags())
        && shown().is_ok_and(|shown| shown.entries() == acl.entries())
}

/// Refuses parts that an open has no right to set.
fn demand(granted: AccessMask, parts: SecurityInformation) -> Result<(), NtStatus> {
    let needs = [(OWNERS, AccessMask::WRITE_OWNER), (SecurityInformation::DACL, AccessMask::WRITE_ACL)];
    let lacks = needs.into_iter().any(|(part, right)| parts.intersects(part) && !granted.contains(right));
    if lacks || parts.intersects(REFUSED) { Err(NtStatus::ACCESS_DENIED) } else { Ok(()) }
}

/// Only the privileged user gives files away; others take them for themselves.
fn demand_owner(node: &OpenNode, uid: Option<u32>) -> Result<(), NtStatus> {
    let credentials = &node.caller.credentials;
    let may = credentials.is_privileged() || uid.is_none_or(|uid| uid == credentials.uid);
    if may { Ok(()) } else { Err(NtStatus::INVALID_OWNER) }
}

/// The mode with these permissions, if it is another one.
fn other_mode(found: &Attributes, bits: u16) -> Option<u16> {
    Some(found.mode & !mode::PERMISSIONS | bits).filter(|mode| *mode != found.mode)
}

#[cfg(test)]
mod tests;
