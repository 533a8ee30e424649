//! Owners and access control lists as security descriptors (MS-DTYP, 2.4), and back.
//!
//! A user or group is shown as `S-1-22-1-UID` or `S-1-22-2-GID`, whether somebody has named it or not: clients can't
//! ask for names, and what a name stands for may change. Those of the server's own users (`S-1-5-21-…`, as `dittofs
//! user list` has them) are taken for the same.

use dittofs_domain::{
    Acl, Attributes, NodeKind,
    access::AccessMask,
    acl::{Ace, AceFlags, AceKind, AclFlags, Who},
    credentials::shown_owner,
    users::{self, MachineId, Principal},
};
use dittofs_smb_wire::{
    NtStatus,
    access::AccessMask as WireAccess,
    security::{self, AceBody, Control, SecurityDescriptor, Sid, access_of_permissions, ace_type, posix_descriptor},
};

/// Control bits of a descriptor whose list is there.
const LISTED: Control = Control::SELF_RELATIVE.union(Control::DACL_PRESENT);

/// The descriptor of a node: its list, or what its mode says.
pub(crate) fn descriptor(node: &Attributes) -> SecurityDescriptor {
    let (owner, group) = (Sid::unix_user(shown_owner(node.uid)), Sid::unix_group(shown_owner(node.gid)));
    let Some(acl) = &node.acl else {
        return posix_descriptor(owner, group, u32::from(node.mode), node.kind == NodeKind::Directory);
    };
    let mut control = LISTED;
    control.set(Control::DACL_PROTECTED, acl.flags().contains(AclFlags::PROTECTED));
    control.set(Control::DACL_AUTO_INHERITED, acl.flags().contains(AclFlags::AUTO_INHERITED));
    let entries = || acl.entries().iter().map(|ace| wire_entry(ace, (owner, group))).collect();
    let dacl = (!acl.is_unrestricted()).then(|| security::Acl::new(entries()));
    SecurityDescriptor { control, owner: Some(owner), group: Some(group), sacl: None, dacl }
}

fn wire_entry(ace: &Ace, (owner, group): (Sid, Sid)) -> security::Ace {
    let sid = match &ace.who {
        Who::Owner => owner,
        Who::Group => group,
        Who::Everyone => Sid::EVERYONE,
        Who::OwnerRights => Sid::OWNER_RIGHTS,
        Who::CreatorOwner => Sid::CREATOR_OWNER,
        Who::CreatorGroup => Sid::CREATOR_GROUP,
        Who::User(uid) => Sid::unix_user(*uid),
        Who::NamedGroup(gid) => Sid::unix_group(*gid),
        Who::Other(sid) => Sid::new(sid.authority(), sid.numbers()).unwrap_or(Sid::NULL),
    };
    let mask = WireAccess::from_bits_retain(ace.mask.bits());
    let flags = security::AceFlags::from_bits_retain(ace.flags.bits());
    match ace.kind {
        AceKind::Allow => security::Ace::allowed(sid, mask, flags),
        AceKind::Deny => security::Ace::denied(sid, mask, flags),
    }
}

/// The list of a descriptor; one without a list lets everybody do all.
///
/// # Errors
/// `NOT_SUPPORTED` for entries that neither allow nor deny, or do so on a condition, and for those that deny somebody
/// of whom it can't be told who is meant; `INSUFFICIENT_RESOURCES` for a list that is too long.
pub(crate) fn list(descriptor: &SecurityDescriptor, machine: MachineId) -> Result<Acl, NtStatus> {
    let mut flags = AclFlags::empty();
    flags.set(AclFlags::PROTECTED, descriptor.control.contains(Control::DACL_PROTECTED));
    // Only a program that asks for it has marked what is inherited.
    let marks = Control::DACL_AUTO_INHERITED | Control::DACL_AUTO_INHERIT_REQUIRED;
    flags.set(AclFlags::AUTO_INHERITED, descriptor.control.contains(marks));
    let Some(dacl) = &descriptor.dacl else { return Ok(Acl::unrestricted(flags)) };
    let entries = dacl.aces.iter().map(|ace| entry(ace, machine)).collect::<Result<_, _>>()?;
    Acl::new(entries, flags).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
}

fn entry(ace: &security::Ace, machine: MachineId) -> Result<Ace, NtStatus> {
    let (kind, AceBody::Access { mask, sid }) = (ace.ace_type, &ace.body) else {
        return Err(NtStatus::NOT_SUPPORTED);
    };
    let kind = if kind == ace_type::ACCESS_DENIED { AceKind::Deny } else { AceKind::Allow };
    let who = who(*sid, machine)?;
    // It would deny nobody anything. Those that are only inherited would do the same below.
    if kind == AceKind::Deny && matches!(&who, Who::Other(sid) if !sid.is_of_all_users()) {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    Ok(Ace {
        kind,
        who,
        flags: AceFlags::from_bits_truncate(ace.flags.bits()),
        mask: AccessMask::from_bits_truncate(mask.without_generic().bits()),
    })
}

fn who(sid: Sid, machine: MachineId) -> Result<Who, NtStatus> {
    Ok(match sid {
        Sid::EVERYONE => Who::Everyone,
        Sid::OWNER_RIGHTS => Who::OwnerRights,
        Sid::CREATOR_OWNER => Who::CreatorOwner,
        Sid::CREATOR_GROUP => Who::CreatorGroup,
        sid => {
            let sid = known(sid)?;
            match machine.principal_of(&sid) {
                Some(Principal::User(uid)) => Who::User(uid),
                Some(Principal::Group(gid)) => Who::NamedGroup(gid),
                None => Who::Other(Box::new(sid)),
            }
        }
    })
}

fn known(sid: Sid) -> Result<users::Sid, NtStatus> {
    users::Sid::new(sid.authority(), sid.sub_authorities()).map_err(|_| NtStatus::INVALID_SECURITY_DESCR)
}

/// The user that owns what a descriptor is of.
///
/// # Errors
/// `INVALID_OWNER` for an owner that is no user here.
pub(crate) fn owner(sid: Sid, machine: MachineId) -> Result<u32, NtStatus> {
    match machine.principal_of(&known(sid)?) {
        Some(Principal::User(uid)) => Ok(uid),
        Some(Principal::Group(_)) | None => Err(NtStatus::INVALID_OWNER),
    }
}

/// The group of what a descriptor is of.
///
/// # Errors
/// `INVALID_PRIMARY_GROUP` for one that is no group here.
pub(crate) fn group(sid: Sid, machine: MachineId) -> Result<u32, NtStatus> {
    match machine.principal_of(&known(sid)?) {
        Some(Principal::Group(gid)) => Ok(gid),
        Some(Principal::User(_)) | None => Err(NtStatus::INVALID_PRIMARY_GROUP),
    }
}

/// The permission bits by which a list was shown that says what a mode says; none if it says anything else. Who writes
/// back what it has read changes nothing by this.
pub(crate) fn mode_of(acl: &Acl, (uid, gid): (u32, u32), is_directory: bool, machine: MachineId) -> Option<u16> {
    let [of_owner, of_group, of_everyone] = acl.entries() else { return None };
    let digit = |ace: &Ace| {
        let is_shown = |digit: &u16| access_of_permissions(u32::from(*digit), is_directory).bits() == ace.mask.bits();
        (0..8).find(is_shown)
    };
    let bits = digit(of_owner)? << 6 | digit(of_group)? << 3 | digit(of_everyone)?;
    let shown = posix_descriptor(Sid::unix_user(uid), Sid::unix_group(gid), u32::from(bits), is_directory);
    (list(&shown, machine).as_ref() == Ok(acl)).then_some(bits)
}

#[cfg(test)]
mod tests;
