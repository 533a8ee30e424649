//! Files that go when they are closed (MS-FSA, FileDispositionInformation).

use std::sync::atomic::Ordering;

use dittofs_domain::access::AccessMask;
use dittofs_ports::Entered;
use dittofs_smb_wire::{NtStatus, attributes::FileAttributes, info::set::DispositionFlags};

use crate::{facts::attributes, failure::Failure, open::OpenNode};

pub(super) async fn set(node: &OpenNode, entered: &Entered, flags: DispositionFlags) -> Result<(), Failure> {
    node.demand_any(AccessMask::DELETE)?;
    let share = &*entered.share;
    let of_open = flags.contains(DispositionFlags::ON_CLOSE);
    if !flags.contains(DispositionFlags::DELETE) {
        if of_open {
            node.delete_on_close.store(false, Ordering::Release);
        } else {
            share.set_deletion(&node.caller, node.node, node.token, None).await?;
        }
        return Ok(());
    }
    // A name does not go while others have the file open. Clients ask again without this.
    if flags.contains(DispositionFlags::POSIX_SEMANTICS) {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    let entry = node.place.lock().entry.clone().ok_or(NtStatus::CANNOT_DELETE)?;
    let has = attributes(&share.attributes(&node.caller, node.node).await?);
    if has.contains(FileAttributes::READONLY) && !flags.contains(DispositionFlags::IGNORE_READONLY_ATTRIBUTE) {
        return Err(NtStatus::CANNOT_DELETE.into());
    }
    if of_open {
        node.delete_on_close.store(true, Ordering::Release);
    } else {
        share.set_deletion(&node.caller, node.node, node.token, Some(entry)).await?;
    }
    Ok(())
}
