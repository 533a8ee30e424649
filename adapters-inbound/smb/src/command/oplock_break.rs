//! OPLOCK_BREAK: a client acknowledges that it may no longer cache (MS-SMB2, 3.3.5.22).

use dittofs_domain::opens::{AcknowledgeError, LeaseForm, LeaseKey, Rights};
use dittofs_ports::AcknowledgeFailure;
use dittofs_smb_wire::{
    NtStatus, Response,
    create::OplockLevel,
    identifiers::LeaseKey as WireKey,
    oplock_break::{BreakAcknowledgment, LeaseBreak, OplockBreak},
};

use crate::{
    calls::{Call, Done},
    failure::Failure,
    tree::TreeKind,
};

pub(super) async fn acknowledge(call: &Call, request: &BreakAcknowledgment) -> Result<Done, Failure> {
    match request {
        BreakAcknowledgment::Oplock(request) => of_oplock(call, request).await,
        BreakAcknowledgment::Lease(request) => of_lease(call, request).await,
    }
}

/// 3.3.5.22.1.
async fn of_oplock(call: &Call, request: &OplockBreak) -> Result<Done, Failure> {
    let open = call.open(request.file_id)?;
    let node = open.node()?;
    let key = node.cache.filter(|key| key.form == LeaseForm::Oplock).ok_or(NtStatus::INVALID_OPLOCK_PROTOCOL)?;
    let rights = match request.oplock_level {
        OplockLevel::NONE => Rights::empty(),
        OplockLevel::LEVEL_II => Rights::READ,
        _ => return Err(NtStatus::INVALID_PARAMETER.into()),
    };
    let TreeKind::Files(files) = &call.tree()?.kind else { return Err(NtStatus::FILE_CLOSED.into()) };
    let entered = files.enter_to_end(&*call.link.server.services.entry)?;
    let mut level = request.oplock_level;
    let mut kept = entered.share.acknowledge(&node.caller, node.node, key, rights).await;
    if kept == Err(AcknowledgeFailure::Refused(AcknowledgeError::TooMuch)) {
        // Nothing may be kept: the client has crossed two breaks.
        level = OplockLevel::NONE;
        kept = entered.share.acknowledge(&node.caller, node.node, key, Rights::empty()).await;
    }
    match kept {
        Ok(()) => Ok(Response::OplockBreak(OplockBreak { oplock_level: level, file_id: open.id }).into()),
        Err(AcknowledgeFailure::Refused(_)) => Err(NtStatus::INVALID_OPLOCK_PROTOCOL.into()),
        Err(AcknowledgeFailure::Failed(error)) => Err(error.into()),
    }
}

/// 3.3.5.22.2.
async fn of_lease(call: &Call, request: &LeaseBreak) -> Result<Done, Failure> {
    let server = &call.link.server;
    let WireKey(id) = request.lease_key;
    let key = LeaseKey { client: call.session.client(), form: LeaseForm::Lease, id: u128::from_be_bytes(id) };
    let node = server.caching.lease_node(&key).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
    let TreeKind::Files(files) = &call.tree()?.kind else { return Err(NtStatus::FILE_CLOSED.into()) };
    let entered = files.enter_to_end(&*server.services.entry)?;
    if entered.node.share != node.share {
        return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into());
    }
    let rights = u8::try_from(request.lease_state.bits()).ok().and_then(Rights::from_bits);
    let rights = rights.ok_or(NtStatus::REQUEST_NOT_ACCEPTED)?;
    match entered.share.acknowledge(&entered.caller, node.node, key, rights).await {
        Ok(()) => Ok(Response::LeaseBreak(LeaseBreak { flags: 0, ..*request }).into()),
        Err(AcknowledgeFailure::Refused(AcknowledgeError::TooMuch)) => Err(NtStatus::REQUEST_NOT_ACCEPTED.into()),
        Err(AcknowledgeFailure::Refused(_)) => Err(NtStatus::UNSUCCESSFUL.into()),
        Err(AcknowledgeFailure::Failed(error)) => Err(error.into()),
    }
}
