//! CLOSE (MS-SMB2, 3.3.5.10).

use dittofs_domain::error::FsError;
use dittofs_smb_wire::{
    NtStatus, Response,
    close::{CloseFlags, CloseRequest, CloseResponse},
};

use crate::{
    calls::{Call, Done},
    closing::{close_node, report},
    facts::metadata,
    failure::Failure,
    open::OpenKind,
    tree::TreeKind,
};

pub(super) async fn close(call: &Call, request: &CloseRequest) -> Result<Done, Failure> {
    // Found in this tree first: an id of another one closes nothing.
    let id = call.open(request.file_id)?.id;
    let open = call.session.remove_open(id).ok_or(NtStatus::FILE_CLOSED)?;
    let (OpenKind::Node(node), TreeKind::Files(files)) = (&open.kind, &call.tree()?.kind) else {
        return Ok(Response::Close(CloseResponse::WITHOUT_ATTRIBUTES).into());
    };
    // What was asked for before through this open is done first.
    let _alone = node.in_use.close().await;
    let server = &call.link.server;
    let entered = match files.enter_to_end(&*server.services.entry) {
        Ok(entered) => entered,
        Err(status) => {
            report(close_node(server, (files, Err(FsError::Stale)), node).await);
            return Err(status.into());
        }
    };
    let mut response = CloseResponse::WITHOUT_ATTRIBUTES;
    if request.flags.contains(CloseFlags::POSTQUERY_ATTRIB)
        && let Ok(attributes) = entered.share.attributes(&node.caller, node.node).await
    {
        let found = metadata(&attributes);
        response = CloseResponse {
            flags: CloseFlags::POSTQUERY_ATTRIB,
            creation_time: found.times.creation,
            last_access_time: found.times.last_access,
            last_write_time: found.times.last_write,
            change_time: found.times.change,
            allocation_size: found.allocation_size,
            end_of_file: found.end_of_file,
            file_attributes: found.attributes,
        };
    }
    close_node(server, (files, Ok(&entered)), node).await?;
    Ok(Response::Close(response).into())
}
