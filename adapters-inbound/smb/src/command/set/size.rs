//! The end of a file and its space (MS-FSA, FileEndOfFileInformation and FileAllocationInformation).

use dittofs_domain::{Attributes, access::AccessMask, error::FsError, namespace::SetAttributes};
use dittofs_ports::Entered;
use dittofs_smb_wire::NtStatus;

use crate::{calls::Call, facts::UNIT_BYTES, failure::Failure, open::OpenNode};

/// No file ends beyond.
const SIZE_MAX: u64 = i64::MAX as u64;

pub(super) async fn set_end_of_file(node: &OpenNode, entered: &Entered, size: u64) -> Result<(), Failure> {
    demand_settable(node, size)?;
    resize(node, entered, size).await
}

/// Less space than a file's bytes take cuts them off. More is not set aside, since no store could: it is refused where
/// the share has not that much left, as a write would be.
pub(super) async fn set_allocation(call: &Call, node: &OpenNode, entered: &Entered, bytes: u64) -> Result<(), Failure> {
    demand_settable(node, bytes)?;
    let bytes = bytes.next_multiple_of(UNIT_BYTES);
    let found = entered.share.attributes(&node.caller, node.node).await?;
    if bytes < found.size {
        return resize(node, entered, bytes).await;
    }
    let space = call.link.server.services.admin.space(entered.node.share).await?;
    if bytes.saturating_sub(found.used) > space.bytes_free.next_multiple_of(UNIT_BYTES) {
        return Err(NtStatus::DISK_FULL.into());
    }
    tell(node, entered, &found).await
}

/// Others lose what they cache, and the time of change moves, as if the space were set aside. Not where somebody has
/// changed the file just now, which does the same.
async fn tell(node: &OpenNode, entered: &Entered, found: &Attributes) -> Result<(), Failure> {
    let held = node.access & AccessMask::WRITE_DATA;
    // A stream shows its file's time, which is no guard of its own changes.
    let guard = (!node.is_stream()).then_some(found.ctime);
    let same = SetAttributes { guard, held, ..SetAttributes::size(found.size) };
    match entered.share.set_attributes(&node.caller, node.node, &same, None).await {
        Ok(_) | Err(FsError::NotSync) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn demand_settable(node: &OpenNode, size: u64) -> Result<(), NtStatus> {
    node.demand_any(AccessMask::WRITE_DATA)?;
    if node.is_directory || size > SIZE_MAX { Err(NtStatus::INVALID_PARAMETER) } else { Ok(()) }
}

async fn resize(node: &OpenNode, entered: &Entered, size: u64) -> Result<(), Failure> {
    let resize = SetAttributes { held: node.access & AccessMask::WRITE_DATA, ..SetAttributes::size(size) };
    entered.share.set_attributes(&node.caller, node.node, &resize, None).await?;
    Ok(())
}
