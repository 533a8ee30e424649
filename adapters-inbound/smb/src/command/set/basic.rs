//! Times and attributes (MS-FSA, FileBasicInformation).

use dittofs_domain::{
    Attributes, NodeKind, Timestamp,
    access::AccessMask,
    namespace::{SetAttributes, SetTime},
};
use dittofs_ports::Entered;
use dittofs_smb_wire::{NtStatus, attributes::FileAttributes, filetime::TimeChange, info::set::BasicChange};

use crate::{
    facts::{KEPT, file_time, timestamp},
    failure::Failure,
    open::OpenNode,
};

/// The attribute that follows from what is done with a file, and can't be set here.
const DERIVED: FileAttributes = FileAttributes::SPARSE_FILE;

pub(super) async fn set(node: &OpenNode, entered: &Entered, change: &BasicChange) -> Result<(), Failure> {
    node.demand_any(AccessMask::WRITE_ATTRIBUTES)?;
    let share = &*entered.share;
    let found = share.attributes(&node.caller, node.node).await?;
    let wanted = changes(change, &found)?;
    if wanted != SetAttributes::default() {
        share.set_attributes(&node.caller, node.file, &wanted, None).await?;
    }
    Ok(())
}

/// The changes that a client wants, of those that a node has `found`. The time of change is the server's: clients of
/// other protocols know by it that what they have cached is old.
///
/// # Errors
/// `INVALID_PARAMETER` for attributes that this kind of node can't have.
fn changes(change: &BasicChange, found: &Attributes) -> Result<SetAttributes, NtStatus> {
    let dos_attributes = match change.attributes {
        None => None,
        Some(wanted) => Some(dos_attributes(wanted, found)?).filter(|bits| *bits != found.dos_attributes),
    };
    Ok(SetAttributes {
        atime: set_time(change.last_access, found.atime),
        mtime: set_time(change.last_write, found.mtime),
        birth: set_time(change.creation, found.birth),
        dos_attributes,
        ..SetAttributes::default()
    })
}

/// The time to set. Times are never updated on behalf of one open alone, so to stop that, or to go on, changes nothing.
fn set_time(wanted: TimeChange, found: Timestamp) -> SetTime {
    match wanted {
        TimeChange::Set(time) if time != file_time(found) => SetTime::To(timestamp(time)),
        TimeChange::Set(_) | TimeChange::Unchanged | TimeChange::StopUpdates | TimeChange::ResumeUpdates => {
            SetTime::Keep
        }
    }
}

/// The attributes to be kept.
fn dos_attributes(wanted: FileAttributes, found: &Attributes) -> Result<u32, NtStatus> {
    let is_directory = found.kind == NodeKind::Directory;
    let misfit = if is_directory { FileAttributes::TEMPORARY } else { FileAttributes::DIRECTORY };
    if wanted.contains(misfit) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let derived = FileAttributes::from_bits_retain(found.dos_attributes) & DERIVED;
    Ok((wanted & (KEPT - DERIVED) | derived).bits())
}

#[cfg(test)]
mod tests;
