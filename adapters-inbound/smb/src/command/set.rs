//! SET_INFO (MS-SMB2, 3.3.5.21).

mod basic;
mod deletion;
mod extended;
mod mode;
mod rename;
mod security;
mod size;

use dittofs_ports::Entered;
use dittofs_smb_wire::{
    NtStatus, Response,
    info::{
        SetError, SetFile,
        set::{DispositionFlags, decode},
    },
    query_info::InfoType,
    set_info::SetInfoRequest,
};

use super::demand_credits;
use crate::{
    calls::{Call, Done},
    failure::Failure,
    open::{OpenKind, OpenNode},
    tree::TreeKind,
};

pub(super) async fn set(call: &Call, request: &SetInfoRequest) -> Result<Done, Failure> {
    demand_credits(call, request.input.len() as u64)?;
    let open = call.open(request.file_id)?;
    let OpenKind::Node(node) = &open.kind else { return Err(NtStatus::NOT_SUPPORTED.into()) };
    let _in_use = node.in_use.read().await;
    let TreeKind::Files(files) = &call.tree()?.kind else { return Err(NtStatus::FILE_CLOSED.into()) };
    let entered = files.enter(&*call.link.server.services.entry)?;
    match request.info_type {
        InfoType::FILE => {
            let change = decode(request.file_info_class, &request.input).map_err(refused)?;
            if files.read_only && matches!(change, SetFile::Link(_)) {
                // The others need a right that an open of who may only read never has.
                return Err(NtStatus::ACCESS_DENIED.into());
            }
            set_file(call, node, &entered, change).await?;
            Ok(Response::SetInfo.into())
        }
        // A share has its name from the configuration.
        InfoType::FILESYSTEM => Err(NtStatus::ACCESS_DENIED.into()),
        InfoType::SECURITY => {
            security::set(call, node, &entered, request).await?;
            Ok(Response::SetInfo.into())
        }
        InfoType::QUOTA => Err(NtStatus::NOT_SUPPORTED.into()),
        _ => Err(NtStatus::INVALID_PARAMETER.into()),
    }
}

async fn set_file(call: &Call, node: &OpenNode, entered: &Entered, change: SetFile) -> Result<(), Failure> {
    match change {
        SetFile::Basic(change) => basic::set(node, entered, &change).await,
        SetFile::Rename(wanted) => rename::rename(call, node, entered, &wanted).await,
        SetFile::Link(wanted) => rename::link(node, entered, &wanted).await,
        SetFile::Disposition(true) => deletion::set(node, entered, DispositionFlags::DELETE).await,
        SetFile::Disposition(false) => deletion::set(node, entered, DispositionFlags::empty()).await,
        SetFile::DispositionEx(flags) => deletion::set(node, entered, flags).await,
        SetFile::Position(position) => {
            if position > i64::MAX as u64 {
                return Err(NtStatus::INVALID_PARAMETER.into());
            }
            node.moved_to(position);
            Ok(())
        }
        SetFile::FullEa(list) => extended::set(node, entered, list).await,
        SetFile::Mode(wanted) => Ok(mode::set(node.mode, wanted)?),
        SetFile::Allocation(bytes) => size::set_allocation(call, node, entered, bytes).await,
        SetFile::EndOfFile(size) => size::set_end_of_file(node, entered, size).await,
        // Bytes that were never written would be shown.
        SetFile::ValidDataLength(_) => Err(NtStatus::PRIVILEGE_NOT_HELD.into()),
    }
}

fn refused(error: SetError) -> NtStatus {
    match error {
        SetError::InvalidInfoClass => NtStatus::INVALID_INFO_CLASS,
        SetError::LengthMismatch => NtStatus::INFO_LENGTH_MISMATCH,
        SetError::InvalidParameter => NtStatus::INVALID_PARAMETER,
        SetError::ObjectNameInvalid => NtStatus::OBJECT_NAME_INVALID,
        SetError::EaListInconsistent => NtStatus::EA_LIST_INCONSISTENT,
    }
}
