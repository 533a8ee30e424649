//! A CREATE that was sent before, and is answered again (MS-SMB2, 3.3.5.9.10).

use std::sync::Arc;

use dittofs_domain::opens::{LeaseForm, Rights};
use dittofs_ports::{Entered, NodeRef};
use dittofs_smb_wire::{
    NtStatus, Response,
    create::{CreateAction, OplockLevel, ResponseContext},
    header::HeaderFlags,
    identifiers::Guid,
};

use super::{durability, response_of, wanted::Wanted};
use crate::{
    caching::{Holder, LeaseTaken},
    calls::{Call, Done},
    failure::Failure,
    open::Open,
    replays::Begun,
};

/// Looks up whether a CREATE was carried out. None if it has no identifier, or its client none.
///
/// # Errors
/// As [`crate::replays::Replays::begin`].
pub(super) fn begin<'c>(call: &'c Call, wanted: &Wanted) -> Result<Option<Begun<'c>>, NtStatus> {
    let guid = call.session.client.guid;
    let Some(create_guid) = wanted.durability.create_guid().filter(|_| guid != Guid::default()) else {
        return Ok(None);
    };
    let is_replay = call.header.flags.contains(HeaderFlags::REPLAY_OPERATION);
    let server = &call.link.server;
    let is_detached = |open: &Open| server.detached.has(open);
    server.replays.begin((guid, create_guid), (call.session.id, is_replay), is_detached).map(Some)
}

/// Answers with what there is, as it is now.
///
/// # Errors
/// `ACCESS_DENIED` for a lease that the open does not have.
pub(super) async fn answer(
    call: &Call,
    entered: &Entered,
    wanted: &Wanted,
    (open, action): (Arc<Open>, CreateAction),
) -> Result<Done, Failure> {
    let node = open.node()?;
    let _in_use = node.in_use.read().await;
    // It may have been closed meanwhile.
    let found = call.session.open_anywhere(open.id.volatile);
    if !found.is_some_and(|found| Arc::ptr_eq(&found, &open)) {
        return Err(NtStatus::FILE_NOT_AVAILABLE.into());
    }
    let is_leased = node.cache.is_some_and(|key| key.form == LeaseForm::Lease);
    let asked = wanted.lease.filter(|_| wanted.oplock == OplockLevel::LEASE);
    let mut contexts: Vec<ResponseContext> = Vec::new();
    if let (Some(durable), OplockLevel::BATCH | OplockLevel::LEASE) = (&node.durable, wanted.oplock) {
        contexts.push(durability::context(durable));
    }
    if let Some(asked) = asked {
        let key = node.cache.filter(|key| is_leased && key.id == u128::from_be_bytes(asked.key.0));
        let key = key.ok_or(NtStatus::ACCESS_DENIED)?;
        let grant = entered.share.request_lease(&node.caller, node.node, key, Rights::empty()).await?;
        let taken = LeaseTaken { key, asked, node: NodeRef { node: node.node, ..entered.node }, grant };
        let holder = Holder::new(node.token, &call.session, &open);
        let given = call.link.server.caching.note_lease(&taken, holder).ok_or(NtStatus::ACCESS_DENIED)?;
        contexts.push(ResponseContext::Lease(given));
    }
    let attributes = entered.share.attributes(&node.caller, node.node).await?;
    // The level is the one that was asked for, as Windows has it.
    let body = response_of(&attributes, action, (open.id, wanted.oplock), contexts);
    Ok(Done { status: NtStatus::SUCCESS, body: Response::Create(body), file: Some(open.id) })
}
