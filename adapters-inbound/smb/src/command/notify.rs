//! CHANGE_NOTIFY (MS-SMB2, 3.3.5.19; MS-FSA, 2.1.5.11).

use std::sync::Arc;

use dittofs_domain::{
    access::AccessMask,
    error::FsError,
    watch::{ChangeKinds, ChangeRecord},
};
use dittofs_ports::{ChangeListener, Entered, Watch, WatchReply, WatchRequest};
use dittofs_smb_wire::{
    NtStatus, Response,
    change_notify::{ChangeNotifyFlags, ChangeNotifyRequest},
    info::ChangeList,
    output::OutputBufferResponse,
};

use super::demand_credits;
use crate::{
    calls::{Call, CantWait, Done},
    failure::Failure,
    holdings::Held,
    link::Wait,
    names::shown,
    open::{OpenKind, OpenNode},
    path::with_stream,
    tree::TreeKind,
};

/// Bytes of changes that are kept for an open, and answered at once, however many its client asks for. Some 400 names
/// of usual length: whoever is told of more would rather list anew. Room for them is reserved as long as a request
/// waits.
pub(crate) const NOTIFY_BYTES_MAX: u32 = 16 << 10;

pub(super) async fn notify(call: &Call, request: &ChangeNotifyRequest) -> Result<Done, Failure> {
    demand_credits(call, u64::from(request.output_buffer_length))?;
    let open = call.open(request.file_id)?;
    let OpenKind::Node(node) = &open.kind else { return Err(NtStatus::INVALID_PARAMETER.into()) };
    let in_use = node.in_use.read().await;
    let closed = node.in_use.closed();
    tokio::pin!(closed);
    if !node.is_directory {
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    node.demand_any(AccessMask::LIST_DIRECTORY)?;
    // Each request, as with all others: the share may not admit the client any longer.
    drop(enter(call)?);
    let watch = node.watching.begin(|listener| begin(call, node, request, listener)).await?;
    let bytes_max = request.output_buffer_length as usize;
    let turn = node.watching.try_turn();
    if turn.is_some()
        && let Some(answer) = answer(watch.take(), bytes_max)
    {
        return answer;
    }
    let cancelled = call.wait(Wait::Endless).map_err(refused)?;
    // It may take for ever: the close of the open must not wait for it.
    drop(in_use);
    tokio::select! {
        biased;
        _ = cancelled => Err(NtStatus::CANCELLED.into()),
        () = closed => Err(NtStatus::NOTIFY_CLEANUP.into()),
        reply = node.watching.changes(turn, &*watch) => {
            if matches!(reply, WatchReply::Changes(_)) {
                drop(enter(call)?);
            }
            answer(reply, bytes_max).unwrap_or_else(|| Err(NtStatus::NOTIFY_CLEANUP.into()))
        }
    }
}

/// Begins to watch. What the first request asks for holds for the life of the open.
async fn begin(
    call: &Call,
    node: &OpenNode,
    request: &ChangeNotifyRequest,
    listener: Arc<dyn ChangeListener>,
) -> Result<(Arc<dyn Watch>, Held), Failure> {
    let entered = enter(call)?;
    let bytes_max = request.output_buffer_length.min(NOTIFY_BYTES_MAX) as usize;
    let room = call.session.hold(1 + (bytes_max >> 10))?;
    let wanted = WatchRequest {
        kinds: ChangeKinds::from_bits_truncate(request.completion_filter.bits()),
        tree: request.flags.contains(ChangeNotifyFlags::WATCH_TREE),
        bytes_max,
    };
    match entered.share.watch(&node.caller, node.node, &wanted, listener).await {
        Ok(watch) => Ok((watch, room)),
        Err(FsError::NoSpace) => Err(NtStatus::INSUFFICIENT_RESOURCES.into()),
        Err(error) => Err(error.into()),
    }
}

fn enter(call: &Call) -> Result<Entered, Failure> {
    match &call.tree()?.kind {
        TreeKind::Files(files) => Ok(files.enter(&*call.link.server.services.entry)?),
        TreeKind::Pipes => Err(NtStatus::FILE_CLOSED.into()),
    }
}

/// The status of a request that would have to wait and can't (MS-SMB2, 3.3.5.2.7, of what is not the last of a frame).
fn refused(reason: CantWait) -> NtStatus {
    match reason {
        CantWait::Frame => NtStatus::INTERNAL_ERROR,
        CantWait::TooMany => NtStatus::INSUFFICIENT_RESOURCES,
    }
}

/// The answer to what was taken, if there was something.
fn answer(reply: WatchReply, bytes_max: usize) -> Option<Result<Done, Failure>> {
    Some(match reply {
        WatchReply::Nothing => return None,
        WatchReply::Changes(records) => Ok(changes(&records, bytes_max).unwrap_or_else(list_anew)),
        WatchReply::Overflowed => Ok(list_anew()),
        WatchReply::Removed => Err(NtStatus::DELETE_PENDING.into()),
        WatchReply::Ended => Err(NtStatus::NOTIFY_CLEANUP.into()),
    })
}

/// The changes, if all of them have room.
fn changes(records: &[ChangeRecord], bytes_max: usize) -> Option<Done> {
    let mut list = ChangeList::new(bytes_max);
    let fit = records.iter().all(|record| list.push(record.action as u32, &path(record)));
    fit.then(|| Response::Output(OutputBufferResponse { output: list.finish() }).into())
}

/// The path of what has changed, as clients see it.
fn path(record: &ChangeRecord) -> String {
    let names: Vec<String> = record.path.iter().map(shown).collect();
    let path = names.join("\\");
    match &record.stream {
        Some(stream) => with_stream(&path, stream),
        None => path,
    }
}

/// The client has to list the directory anew, as it could not be told of all changes.
fn list_anew() -> Done {
    let body = Response::Output(OutputBufferResponse { output: Default::default() });
    Done { status: NtStatus::NOTIFY_ENUM_DIR, body, file: None }
}

#[cfg(test)]
mod tests;
