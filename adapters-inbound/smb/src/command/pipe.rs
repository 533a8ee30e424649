//! The pipes of `IPC$`, by which clients ask for the shares there are (MS-SRVS).

use std::sync::Arc;

use dittofs_ports::ShareInfo;
use dittofs_smb_rpc::{Pipe, PipeError, Reply, Server as RpcServer, Share as RpcShare};
use dittofs_smb_wire::{
    NtStatus, Response,
    attributes::FileAttributes,
    create::{CreateAction, CreateContexts, CreateRequest, CreateResponse, CreateResponseFlags, OplockLevel},
    filetime::FileTime,
    identifiers::FileId,
    ioctl::{IoctlRequest, IoctlResponse},
    read::ReadResponse,
    tree_connect::ShareFlags,
    write::WriteResponse,
};
use parking_lot::Mutex;

use super::shares;
use crate::{
    calls::{Call, Done},
    failure::Failure,
    holdings::PIPE_KIB,
    open::{Open, OpenKind},
};

/// The server as pipes know it: with the shares that the user may enter.
async fn rpc_server(call: &Call) -> RpcServer {
    let server = &call.link.server;
    let name = server.options.server_name.clone();
    let disk = |share: ShareInfo| {
        let flags = if share.requires_encryption { ShareFlags::ENCRYPT_DATA } else { ShareFlags::empty() };
        RpcShare { flags: flags.bits(), ..RpcShare::disk(share.short_name) }
    };
    let disks = shares::all(call).await.into_iter().map(disk);
    let mut rpc = RpcServer::new(name.clone(), name);
    rpc.shares = disks.chain([RpcShare::ipc()]).collect();
    rpc
}

pub(super) fn create(call: &Call, request: &CreateRequest) -> Result<Done, Failure> {
    let name = request.name.decode().map_err(|_| NtStatus::OBJECT_NAME_INVALID)?;
    let pipe = Pipe::open(&name).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
    let tree = Arc::clone(call.tree()?);
    let persistent = call.link.server.new_open_id();
    let held = call.session.hold(PIPE_KIB)?;
    let open = call.session.add_open(|id| Open {
        id: FileId { persistent, volatile: id },
        tree,
        kind: OpenKind::Pipe(Mutex::new(pipe)),
        _held: held,
    })?;
    let body = CreateResponse {
        oplock_level: OplockLevel::NONE,
        flags: CreateResponseFlags::empty(),
        create_action: CreateAction::OPENED,
        creation_time: FileTime::ZERO,
        last_access_time: FileTime::ZERO,
        last_write_time: FileTime::ZERO,
        change_time: FileTime::ZERO,
        allocation_size: 4_096,
        end_of_file: 0,
        file_attributes: FileAttributes::NORMAL,
        file_id: open.id,
        contexts: CreateContexts::default(),
    };
    Ok(Done { status: NtStatus::SUCCESS, body: Response::Create(body), file: Some(open.id) })
}

pub(super) async fn write(call: &Call, pipe: &Mutex<Pipe>, data: &[u8]) -> Result<Done, Failure> {
    let server = rpc_server(call).await;
    pipe.lock().write(data, &server).map_err(status)?;
    Ok(Response::Write(WriteResponse { count: data.len() as u32 }).into())
}

/// Reads an answer. Nobody else writes to the pipe, so there is nothing to wait for where it has none.
pub(super) async fn read(_call: &Call, pipe: &Mutex<Pipe>, max: usize) -> Result<Done, Failure> {
    let reply = pipe.lock().read(max).map_err(status)?.ok_or(NtStatus::PIPE_EMPTY)?;
    let Reply { bytes, overflow } = reply;
    let body = Response::Read(ReadResponse { data: vec![bytes], data_remaining: 0 });
    Ok(Done { status: full(overflow), body, file: None })
}

pub(super) async fn transceive(call: &Call, pipe: &Mutex<Pipe>, request: &IoctlRequest) -> Result<Done, Failure> {
    let max = request.max_output_response as usize;
    let server = rpc_server(call).await;
    let reply = pipe.lock().transceive(&request.input, max, &server).map_err(status)?;
    let Reply { bytes, overflow } = reply.ok_or(NtStatus::PIPE_EMPTY)?;
    let body = IoctlResponse { ctl_code: request.ctl_code, file_id: call.file_id(request.file_id), output: bytes };
    Ok(Done { status: full(overflow), body: Response::Ioctl(body), file: None })
}

fn full(overflow: bool) -> NtStatus {
    if overflow { NtStatus::BUFFER_OVERFLOW } else { NtStatus::SUCCESS }
}

fn status(error: PipeError) -> NtStatus {
    match error {
        PipeError::Disconnected => NtStatus::PIPE_DISCONNECTED,
        PipeError::Busy => NtStatus::PIPE_BUSY,
    }
}
