//! QUERY_INFO (MS-SMB2, 3.3.5.20).

mod extended;
mod file;
mod security;
mod volume;

use dittofs_smb_wire::{
    NtStatus, Response,
    info::{Encoded, QueryError},
    output::OutputBufferResponse,
    query_info::{InfoType, QueryInfoRequest},
};

use super::demand_credits;
use crate::{
    calls::{Call, Done},
    failure::Failure,
    open::OpenKind,
    tree::TreeKind,
};

pub(super) async fn query(call: &Call, request: &QueryInfoRequest) -> Result<Done, Failure> {
    let bytes = u64::from(request.output_buffer_length).max(request.input.len() as u64);
    demand_credits(call, bytes)?;
    let open = call.open(request.file_id)?;
    let OpenKind::Node(node) = &open.kind else { return Err(NtStatus::NOT_SUPPORTED.into()) };
    let _in_use = node.in_use.read().await;
    let TreeKind::Files(files) = &call.tree()?.kind else { return Err(NtStatus::FILE_CLOSED.into()) };
    let entered = files.enter(&*call.link.server.services.entry)?;
    match request.info_type {
        InfoType::FILE => file::query(call, node, &entered, request).await,
        InfoType::FILESYSTEM => volume::query(call, files, &entered, request).await,
        InfoType::SECURITY => security::query(call, node, &entered, request).await,
        InfoType::QUOTA => Err(NtStatus::NOT_SUPPORTED.into()),
        _ => Err(NtStatus::INVALID_PARAMETER.into()),
    }
}

/// The answer, which may be cut.
fn answer(encoded: Result<Encoded, QueryError>) -> Result<Done, Failure> {
    let Encoded { bytes, overflow } = encoded.map_err(|error| match error {
        QueryError::LengthMismatch => NtStatus::INFO_LENGTH_MISMATCH,
        QueryError::InvalidInfoClass => NtStatus::INVALID_INFO_CLASS,
        QueryError::ObjectNameNotFound => NtStatus::OBJECT_NAME_NOT_FOUND,
        QueryError::BufferTooSmall => NtStatus::BUFFER_TOO_SMALL,
    })?;
    let status = if overflow { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS };
    Ok(Done { status, body: Response::Output(OutputBufferResponse { output: bytes }), file: None })
}
