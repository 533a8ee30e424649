//! IOCTL (MS-SMB2, 3.3.5.15): file system controls, one function for each.

mod copy;
mod negotiate;
mod network;
mod object_id;
mod resume_key;
mod sparse;

use bytes::Bytes;
use dittofs_domain::access::AccessMask;
use dittofs_ports::Entered;
use dittofs_smb_rpc::Pipe;
use dittofs_smb_wire::{
    NtStatus, Response,
    control::{COMPRESSION_FORMAT_NONE, Compression, PipeWait, code, encode_no_snapshots},
    identifiers::FileId,
    ioctl::{IoctlFlags, IoctlRequest, IoctlResponse},
};

use super::{demand_credits, pipe};
use crate::{
    calls::{Call, Done},
    failure::Failure,
    open::{OpenKind, OpenNode},
    tree::{Tree, TreeKind},
};

pub(crate) async fn control(call: &Call, request: &IoctlRequest) -> Result<Done, Failure> {
    if request.flags != IoctlFlags::IS_FSCTL {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    let is_of_server = is_of_server(request.ctl_code);
    if is_of_server && request.file_id != FileId::NONE {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    let sent = request.input.len() as u64 + request.output.len() as u64;
    let wanted = u64::from(request.max_input_response) + u64::from(request.max_output_response);
    demand_credits(call, sent.max(wanted))?;
    if is_of_server {
        return Ok(answer(call, request, of_server(call, request)?));
    }
    let open = call.open(request.file_id)?;
    match &open.kind {
        OpenKind::Pipe(pipe) if request.ctl_code == code::FSCTL_PIPE_TRANSCEIVE => {
            pipe::transceive(call, pipe, request).await
        }
        OpenKind::Pipe(_) => Err(NtStatus::INVALID_DEVICE_REQUEST.into()),
        OpenKind::Node(node) => match request.ctl_code {
            code::FSCTL_SRV_COPYCHUNK | code::FSCTL_SRV_COPYCHUNK_WRITE => {
                copy::copy_chunks(call, &open, request).await
            }
            code::FSCTL_DUPLICATE_EXTENTS_TO_FILE => {
                copy::duplicate_extents(call, &open, request).await?;
                Ok(answer(call, request, Bytes::new()))
            }
            code::FSCTL_QUERY_ALLOCATED_RANGES => sparse::query_allocated_ranges(call, node, request).await,
            _ => Ok(answer(call, request, of_node(call, open.id, node, request).await?)),
        },
    }
}

/// Whether a control is about the server, and names no file.
fn is_of_server(ctl_code: u32) -> bool {
    matches!(
        ctl_code,
        code::FSCTL_DFS_GET_REFERRALS
            | code::FSCTL_DFS_GET_REFERRALS_EX
            | code::FSCTL_QUERY_NETWORK_INTERFACE_INFO
            | code::FSCTL_VALIDATE_NEGOTIATE_INFO
            | code::FSCTL_PIPE_WAIT
    )
}

/// The output of a control that names no file.
fn of_server(call: &Call, request: &IoctlRequest) -> Result<Bytes, Failure> {
    match request.ctl_code {
        code::FSCTL_VALIDATE_NEGOTIATE_INFO => negotiate::validate(call, request),
        code::FSCTL_PIPE_WAIT => wait_for_pipe(call.tree()?, &request.input),
        code::FSCTL_DFS_GET_REFERRALS | code::FSCTL_DFS_GET_REFERRALS_EX => Err(NtStatus::FS_DRIVER_REQUIRED.into()),
        code::FSCTL_QUERY_NETWORK_INTERFACE_INFO => network::interfaces(call, request),
        _ => Err(NtStatus::NOT_SUPPORTED.into()),
    }
}

/// A pipe that there is never has to be waited for.
fn wait_for_pipe(tree: &Tree, input: &Bytes) -> Result<Bytes, Failure> {
    if !matches!(tree.kind, TreeKind::Pipes) {
        return Err(NtStatus::INVALID_DEVICE_REQUEST.into());
    }
    let name = PipeWait::decode(input)?.name;
    Pipe::open(&name).map(|_| Bytes::new()).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND.into())
}

/// The output of a control about one node, apart from those that have more to answer.
async fn of_node(call: &Call, id: FileId, node: &OpenNode, request: &IoctlRequest) -> Result<Bytes, Failure> {
    let _in_use = node.in_use.read().await;
    match request.ctl_code {
        code::FSCTL_SET_SPARSE => sparse::set_sparse(call, node, &request.input).await,
        code::FSCTL_SET_ZERO_DATA => sparse::set_zero_data(call, node, &request.input).await,
        code::FSCTL_GET_COMPRESSION => {
            let none = Compression { format: COMPRESSION_FORMAT_NONE };
            whole(none.encode(), request, NtStatus::INVALID_USER_BUFFER)
        }
        code::FSCTL_SET_COMPRESSION => set_compression(node, &request.input),
        code::FSCTL_CREATE_OR_GET_OBJECT_ID | code::FSCTL_GET_OBJECT_ID => {
            let share = enter(call, call.tree()?)?.node.share;
            whole(object_id::of(share, node.file).encode(), request, NtStatus::BUFFER_TOO_SMALL)
        }
        code::FSCTL_SRV_REQUEST_RESUME_KEY => {
            whole(resume_key::of(call.session.id, id).encode(), request, NtStatus::INVALID_PARAMETER)
        }
        code::FSCTL_SRV_ENUMERATE_SNAPSHOTS => whole(encode_no_snapshots(), request, NtStatus::INVALID_PARAMETER),
        code::FSCTL_GET_REPARSE_POINT | code::FSCTL_DELETE_REPARSE_POINT => Err(NtStatus::NOT_A_REPARSE_POINT.into()),
        code::FSCTL_LMR_REQUEST_RESILIENCY => Err(NtStatus::NOT_SUPPORTED.into()),
        _ => Err(NtStatus::INVALID_DEVICE_REQUEST.into()),
    }
}

/// Files are compressed where they are kept, if at all, and clients have no say in that.
fn set_compression(node: &OpenNode, input: &Bytes) -> Result<Bytes, Failure> {
    node.demand_any(AccessMask::WRITE_DATA)?;
    match Compression::decode(input)?.format {
        COMPRESSION_FORMAT_NONE => Ok(Bytes::new()),
        _ => Err(NtStatus::NOT_SUPPORTED.into()),
    }
}

/// An output that the client has to have room for as a whole, with the status if it has not.
fn whole(output: Bytes, request: &IoctlRequest, too_small: NtStatus) -> Result<Bytes, Failure> {
    if output.len() > request.max_output_response as usize { Err(too_small.into()) } else { Ok(output) }
}

fn answer(call: &Call, request: &IoctlRequest, output: Bytes) -> Done {
    answer_with(NtStatus::SUCCESS, call, request, output)
}

/// An answer with an output whose status is not, or not only, that of a success.
fn answer_with(status: NtStatus, call: &Call, request: &IoctlRequest, output: Bytes) -> Done {
    let body = IoctlResponse { ctl_code: request.ctl_code, file_id: call.file_id(request.file_id), output };
    Done { status, body: Response::Ioctl(body), file: None }
}

/// Enters the share of a tree.
fn enter(call: &Call, tree: &Tree) -> Result<Entered, NtStatus> {
    match &tree.kind {
        TreeKind::Files(files) => files.enter(&*call.link.server.services.entry),
        TreeKind::Pipes => Err(NtStatus::FILE_CLOSED),
    }
}
