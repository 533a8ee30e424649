//! The commands, one file for each.

mod close;
mod create;
mod data;
mod directory;
pub(crate) mod ioctl;
mod lock;
mod notify;
mod oplock_break;
mod pipe;
mod query;
mod set;
mod shares;
mod tree;

pub(crate) use create::keeps_handles;
use dittofs_smb_wire::{NtStatus, Request, Response, identifiers::FileId};
pub(crate) use notify::NOTIFY_BYTES_MAX;

use crate::{
    calls::{Call, Done},
    establish::logoff,
    failure::Failure,
};

/// Carries a request out.
pub(crate) async fn carry_out(call: &Call, request: Request) -> Result<Done, Failure> {
    match request {
        Request::Logoff => {
            logoff(&call.link, &call.session).await;
            Ok(Response::Empty.into())
        }
        Request::TreeConnect(request) => tree::connect(call, &request).await,
        Request::TreeDisconnect => tree::disconnect(call).await,
        Request::Create(request) => create::create(call, &request).await,
        Request::Close(request) => close::close(call, &request).await,
        Request::Flush(request) => data::flush(call, &request).await,
        Request::Read(request) => data::read(call, &request).await,
        Request::Write(request) => data::write(call, request).await,
        Request::Lock(request) => lock::lock(call, &request).await,
        Request::Ioctl(request) => ioctl::control(call, &request).await,
        Request::Echo => Ok(Response::Empty.into()),
        Request::QueryDirectory(request) => directory::query(call, &request).await,
        Request::QueryInfo(request) => query::query(call, &request).await,
        Request::SetInfo(request) => set::set(call, &request).await,
        Request::OplockBreak(request) => oplock_break::acknowledge(call, &request).await,
        Request::ChangeNotify(request) => notify::notify(call, &request).await,
        Request::Negotiate(_) | Request::SessionSetup(_) | Request::Cancel => Err(NtStatus::INVALID_PARAMETER.into()),
    }
}

/// The open file that a request names.
pub(crate) fn file_id(request: &Request) -> Option<FileId> {
    match request {
        Request::Close(request) => Some(request.file_id),
        Request::Flush(request) => Some(request.file_id),
        Request::Read(request) => Some(request.file_id),
        Request::Write(request) => Some(request.file_id),
        Request::Lock(request) => Some(request.file_id),
        Request::Ioctl(request) => Some(request.file_id),
        Request::QueryDirectory(request) => Some(request.file_id),
        Request::ChangeNotify(request) => Some(request.file_id),
        Request::QueryInfo(request) => Some(request.file_id),
        Request::SetInfo(request) => Some(request.file_id),
        Request::Negotiate(_)
        | Request::SessionSetup(_)
        | Request::Logoff
        | Request::TreeConnect(_)
        | Request::TreeDisconnect
        | Request::Create(_)
        | Request::Cancel
        | Request::Echo
        | Request::OplockBreak(_) => None,
    }
}

/// Refuses a request that needs more credits than it pays (MS-SMB2, 3.3.5.2.5).
///
/// # Errors
/// `INVALID_PARAMETER`.
pub(crate) fn demand_credits(call: &Call, bytes: u64) -> Result<(), NtStatus> {
    let Some(terms) = call.link.terms() else { return Err(NtStatus::INVALID_PARAMETER) };
    if bytes > u64::from(terms.io_bytes_max()) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let needed = bytes.saturating_sub(1) / (64 << 10) + 1;
    if needed > u64::from(call.header.credit_charge.max(1)) { Err(NtStatus::INVALID_PARAMETER) } else { Ok(()) }
}
