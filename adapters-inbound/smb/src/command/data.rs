//! READ, WRITE and FLUSH (MS-SMB2, 3.3.5.11 to 3.3.5.13).

use bytes::Bytes;
use dittofs_domain::{access::AccessMask, error::FsError};
use dittofs_ports::{BlockService, Entered, Stability};
use dittofs_smb_wire::{
    NtStatus, Response,
    flush::FlushRequest,
    read::{ReadRequest, ReadResponse},
    write::{WriteFlags, WriteRequest, WriteResponse},
};

use super::{demand_credits, pipe};
use crate::{
    calls::{Call, Done},
    failure::Failure,
    open::{OpenKind, OpenNode},
    tree::TreeKind,
};

/// Bytes that are written at once: as much as a journal's record holds well.
const WRITE_BYTES_MAX: usize = 1 << 20;
/// Bytes that are read at once: as many as the services read at most.
const READ_BYTES_MAX: u32 = 4 << 20;
/// No offset is beyond.
const OFFSET_MAX: u64 = i64::MAX as u64;

pub(super) async fn read(call: &Call, request: &ReadRequest) -> Result<Done, Failure> {
    demand_credits(call, u64::from(request.length))?;
    let open = call.open(request.file_id)?;
    let node = match &open.kind {
        OpenKind::Node(node) => node,
        OpenKind::Pipe(pipe) => return pipe::read(call, pipe, request.length as usize).await,
    };
    let _in_use = node.in_use.read().await;
    if node.is_directory {
        return Err(NtStatus::INVALID_DEVICE_REQUEST.into());
    }
    node.demand_any(AccessMask::READ_DATA | AccessMask::EXECUTE)?;
    let end = request.offset.checked_add(u64::from(request.length)).filter(|end| *end <= OFFSET_MAX);
    if end.is_none() || request.offset > OFFSET_MAX {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let TreeKind::Files(files) = &call.tree()?.kind else { return Err(NtStatus::FILE_CLOSED.into()) };
    let entered = files.enter(&*call.link.server.services.entry)?;
    let data = read_all(&*entered.share, node, request.offset, request.length).await?;
    let count: usize = data.iter().map(Bytes::len).sum();
    if count < request.minimum_count as usize || (count == 0 && request.length > 0) {
        return Err(NtStatus::END_OF_FILE.into());
    }
    node.moved_to(request.offset + count as u64);
    Ok(Response::Read(ReadResponse { data, data_remaining: 0 }).into())
}

/// Reads all that there is of a range: clients take a short answer for the end of the file.
async fn read_all(
    share: &dyn BlockService,
    node: &OpenNode,
    mut offset: u64,
    mut length: u32,
) -> Result<Vec<Bytes>, FsError> {
    let mut data = Vec::new();
    loop {
        let reply = share.read(&node.caller, node.node, offset, length.min(READ_BYTES_MAX)).await?;
        let count: usize = reply.data.iter().map(Bytes::len).sum();
        data.extend(reply.data);
        offset += count as u64;
        length = length.saturating_sub(count as u32);
        if length == 0 || count == 0 || reply.end_of_file {
            return Ok(data);
        }
    }
}

pub(super) async fn write(call: &Call, request: WriteRequest) -> Result<Done, Failure> {
    demand_credits(call, request.data.len() as u64)?;
    let open = call.open(request.file_id)?;
    let node = match &open.kind {
        OpenKind::Node(node) => node,
        OpenKind::Pipe(pipe) => return pipe::write(call, pipe, &request.data).await,
    };
    let _in_use = node.in_use.read().await;
    if node.is_directory {
        return Err(NtStatus::INVALID_DEVICE_REQUEST.into());
    }
    node.demand_any(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA)?;
    let end = request.offset.checked_add(request.data.len() as u64).filter(|end| *end <= OFFSET_MAX);
    let (Some(end), true) = (end, request.offset <= OFFSET_MAX) else {
        return Err(NtStatus::INVALID_PARAMETER.into());
    };
    let is_durable = node.is_write_through || request.flags.contains(WriteFlags::WRITE_THROUGH);
    let stability = if is_durable { Stability::File } else { Stability::Unstable };
    let count = request.data.len() as u32;
    write_all(call, node, request.offset, request.data, stability).await?;
    node.moved_to(end);
    Ok(Response::Write(WriteResponse { count }).into())
}

async fn write_all(
    call: &Call,
    node: &OpenNode,
    mut offset: u64,
    mut data: Bytes,
    stability: Stability,
) -> Result<(), Failure> {
    let TreeKind::Files(files) = &call.tree()?.kind else { return Err(NtStatus::FILE_CLOSED.into()) };
    let entered = files.enter(&*call.link.server.services.entry)?;
    if !data.is_empty() {
        demand_changeable(&entered, node, offset).await?;
    }
    while !data.is_empty() {
        let part = data.split_to(data.len().min(WRITE_BYTES_MAX));
        let length = part.len() as u64;
        entered.share.write(&node.caller, node.node, offset, part, stability).await?;
        offset += length;
    }
    Ok(())
}

/// Demands the right to change a file from an offset on. Who may only append changes nothing that is there (MS-SMB2,
/// 2.2.13.1.1).
///
/// The end is that of just now: what others append before the write comes is not kept from it.
///
/// # Errors
/// `ACCESS_DENIED`.
pub(super) async fn demand_changeable(entered: &Entered, node: &OpenNode, offset: u64) -> Result<(), Failure> {
    if node.access.contains(AccessMask::WRITE_DATA) {
        return Ok(());
    }
    let end = entered.share.attributes(&node.caller, node.node).await?.size;
    if offset < end { Err(NtStatus::ACCESS_DENIED.into()) } else { Ok(()) }
}

pub(super) async fn flush(call: &Call, request: &FlushRequest) -> Result<Done, Failure> {
    let open = call.open(request.file_id)?;
    let OpenKind::Node(node) = &open.kind else { return Ok(Response::Empty.into()) };
    let _in_use = node.in_use.read().await;
    node.demand_any(AccessMask::WRITE_DATA | AccessMask::APPEND_DATA)?;
    let TreeKind::Files(files) = &call.tree()?.kind else { return Err(NtStatus::FILE_CLOSED.into()) };
    let entered = files.enter(&*call.link.server.services.entry)?;
    match entered.share.commit(&node.caller, node.node).await {
        // A directory's changes are durable already.
        Ok(_) | Err(FsError::IsDirectory | FsError::Invalid) => Ok(Response::Empty.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
