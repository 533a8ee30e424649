//! What a CREATE asks for, checked as far as that can be done without looking at files.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    access::AccessMask,
    opens::ShareAccess,
    xattr::{XattrChange, Xattrs},
};
use dittofs_ports::NameKind;
use dittofs_smb_wire::{
    NtStatus,
    access::{AccessMask as WireAccess, ShareAccess as WireShareAccess},
    attributes::FileAttributes,
    create::{
        CreateContexts, CreateDisposition, CreateOptions, CreateRequest, ImpersonationLevel, Lease, OplockLevel,
        RequestContext,
    },
    info::ea::decode_list,
    security::SecurityDescriptor,
};

use super::durability::Durability;
use crate::{
    extended,
    path::{Path, PathPart},
};

/// What to do if the file is there, and if it is not (MS-SMB2, 2.2.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    Supersede,
    Open,
    Create,
    OpenIf,
    Overwrite,
    OverwriteIf,
}

impl Disposition {
    /// Whether a file that is there loses its content.
    pub(super) fn replaces(self) -> bool {
        matches!(self, Disposition::Supersede | Disposition::Overwrite | Disposition::OverwriteIf)
    }

    /// Whether a file that is not there is made.
    pub(super) fn makes(self) -> bool {
        !matches!(self, Disposition::Open | Disposition::Overwrite)
    }
}

/// A request to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) path: Path,
    /// The rights, generic ones taken apart.
    pub(super) access: AccessMask,
    /// Whether all rights are wanted that there are.
    pub(super) is_maximum: bool,
    pub(super) disposition: Disposition,
    pub(super) kind: NameKind,
    pub(super) attributes: FileAttributes,
    pub(super) deny: ShareAccess,
    pub(super) deletes_on_close: bool,
    pub(super) is_write_through: bool,
    /// The options that the mode tells of.
    pub(super) mode: u32,
    pub(super) asks_maximal_access: bool,
    pub(super) asks_on_disk_id: bool,
    pub(super) oplock: OplockLevel,
    pub(super) lease: Option<Lease>,
    pub(super) durability: Durability,
    /// The extended attributes to set on what is made or replaced.
    pub(super) xattrs: Vec<XattrChange>,
    /// Those of what is made.
    pub(super) initial_xattrs: Option<Arc<Xattrs>>,
    /// The descriptor of what is made.
    pub(super) security: Option<SecurityDescriptor>,
}

/// Options that are refused (MS-SMB2, 2.2.13).
const UNSUPPORTED: CreateOptions =
    CreateOptions::CREATE_TREE_CONNECTION.union(CreateOptions::OPEN_BY_FILE_ID).union(CreateOptions::RESERVE_OPFILTER);
/// Bits that are no option.
const NO_OPTIONS: u32 = 0xFF00_0000;
/// Bits that are no attribute that a client may set.
const NO_ATTRIBUTES: u32 = 0xFFFF_8008;
/// Bits that are no right.
const NO_RIGHTS: u32 = 0x0CE0_FE00;
/// The options that `FileModeInformation` tells of (MS-FSCC, 2.4.31).
const MODE: u32 = 0x0000_103E;

impl Wanted {
    /// Reads a request.
    ///
    /// # Errors
    /// The status that tells what is wrong with it.
    pub(super) fn read(request: &CreateRequest) -> Result<Wanted, NtStatus> {
        if request.impersonation_level.0 > ImpersonationLevel::DELEGATE.0 {
            return Err(NtStatus::BAD_IMPERSONATION_LEVEL);
        }
        let path = Path::read(&request.name)?;
        let disposition = disposition(request.create_disposition)?;
        let kind = kind_of_part(&path.part, kind(request.create_options, disposition)?)?;
        if request.file_attributes.bits() & NO_ATTRIBUTES != 0 || request.share_access.bits() & !7 != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let durability = Durability::of(&request.contexts)?;
        let access = rights(request.desired_access)?;
        let is_maximum = request.desired_access.contains(WireAccess::MAXIMUM_ALLOWED);
        let deletes_on_close = request.create_options.contains(CreateOptions::DELETE_ON_CLOSE);
        if deletes_on_close && !is_maximum && !access.contains(AccessMask::DELETE) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut wanted = Wanted {
            path,
            access,
            is_maximum,
            disposition,
            kind,
            attributes: request.file_attributes,
            deny: deny(request.share_access),
            deletes_on_close,
            is_write_through: request.create_options.contains(CreateOptions::WRITE_THROUGH),
            mode: request.create_options.bits() & MODE,
            asks_maximal_access: false,
            asks_on_disk_id: false,
            oplock: request.requested_oplock_level,
            lease: None,
            durability,
            xattrs: Vec::new(),
            initial_xattrs: None,
            security: None,
        };
        wanted.read_contexts(&request.contexts)?;
        Ok(wanted)
    }

    fn read_contexts(&mut self, contexts: &CreateContexts) -> Result<(), NtStatus> {
        for context in contexts.iter() {
            match RequestContext::decode(context).map_err(|_| NtStatus::INVALID_PARAMETER)? {
                RequestContext::QueryMaximalAccess(_) => self.asks_maximal_access = true,
                RequestContext::QueryOnDiskId => self.asks_on_disk_id = true,
                RequestContext::Lease(lease) => self.lease = Some(lease),
                // There are no earlier versions.
                RequestContext::TimewarpToken(_) => return Err(NtStatus::OBJECT_NAME_NOT_FOUND),
                RequestContext::ExtendedAttributes(list) if !list.is_empty() => self.read_xattrs(&list)?,
                RequestContext::SecurityDescriptor(bytes) => {
                    let descriptor = SecurityDescriptor::decode(&bytes);
                    self.security = Some(descriptor.map_err(|_| NtStatus::INVALID_SECURITY_DESCR)?);
                }
                // A server need not grant what these ask for; it says so by leaving them out of its answer.
                RequestContext::ExtendedAttributes(_)
                | RequestContext::DurableRequest
                | RequestContext::DurableRequestV2 { .. }
                | RequestContext::DurableReconnect(_)
                | RequestContext::DurableReconnectV2 { .. }
                | RequestContext::AllocationSize(_)
                | RequestContext::AppInstanceId(_)
                | RequestContext::Apple(_)
                | RequestContext::Posix { .. }
                | RequestContext::Unknown(_) => {}
            }
        }
        Ok(())
    }

    fn read_xattrs(&mut self, list: &Bytes) -> Result<(), NtStatus> {
        let list = decode_list(list).map_err(|_| NtStatus::EA_LIST_INCONSISTENT)?;
        self.xattrs = extended::changes(list)?;
        self.initial_xattrs = Xattrs::initial(&self.xattrs).map_err(extended::refused)?.map(Arc::new);
        Ok(())
    }
}

fn disposition(disposition: CreateDisposition) -> Result<Disposition, NtStatus> {
    Ok(match disposition {
        CreateDisposition::SUPERSEDE => Disposition::Supersede,
        CreateDisposition::OPEN => Disposition::Open,
        CreateDisposition::CREATE => Disposition::Create,
        CreateDisposition::OPEN_IF => Disposition::OpenIf,
        CreateDisposition::OVERWRITE => Disposition::Overwrite,
        CreateDisposition::OVERWRITE_IF => Disposition::OverwriteIf,
        _ => return Err(NtStatus::INVALID_PARAMETER),
    })
}

fn kind(options: CreateOptions, disposition: Disposition) -> Result<NameKind, NtStatus> {
    if options.bits() & NO_OPTIONS != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if options.intersects(UNSUPPORTED) {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    let (directory, other) =
        (options.contains(CreateOptions::DIRECTORY_FILE), options.contains(CreateOptions::NON_DIRECTORY_FILE));
    match (directory, other) {
        (true, true) => Err(NtStatus::INVALID_PARAMETER),
        (true, false) if disposition.replaces() => Err(NtStatus::INVALID_PARAMETER),
        (true, false) => Ok(NameKind::Directory),
        (false, true) => Ok(NameKind::NotDirectory),
        // A directory can't be replaced.
        (false, false) if disposition.replaces() => Ok(NameKind::NotDirectory),
        (false, false) => Ok(NameKind::Any),
    }
}

/// The kind of node that a path may lead to, by the part that it names of it.
fn kind_of_part(part: &PathPart, kind: NameKind) -> Result<NameKind, NtStatus> {
    match (part, kind) {
        (PathPart::Whole, kind) => Ok(kind),
        (PathPart::Stream(_) | PathPart::Content, NameKind::Directory) => Err(NtStatus::NOT_A_DIRECTORY),
        (PathPart::Stream(_), _) => Ok(NameKind::Any),
        (PathPart::Content, _) => Ok(NameKind::NotDirectory),
        (PathPart::Index, NameKind::NotDirectory) => Err(NtStatus::FILE_IS_A_DIRECTORY),
        (PathPart::Index, _) => Ok(NameKind::Directory),
    }
}

/// The rights of a mask, generic ones taken apart (MS-SMB2, 2.2.13.1).
fn rights(access: WireAccess) -> Result<AccessMask, NtStatus> {
    if access.is_empty() || access.bits() & NO_RIGHTS != 0 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if access.contains(WireAccess::ACCESS_SYSTEM_SECURITY) {
        return Err(NtStatus::PRIVILEGE_NOT_HELD);
    }
    Ok(AccessMask::from_bits_truncate(access.without_generic().bits()))
}

/// The access that others may not have.
fn deny(shared: WireShareAccess) -> ShareAccess {
    let mut deny = ShareAccess::all();
    let pairs = [
        (WireShareAccess::READ, ShareAccess::READ),
        (WireShareAccess::WRITE, ShareAccess::WRITE),
        (WireShareAccess::DELETE, ShareAccess::DELETE),
    ];
    for (wire, own) in pairs {
        deny.set(own, !shared.contains(wire));
    }
    deny
}

#[cfg(test)]
mod tests;
