//! A client comes back to an open that has outlived its connection (MS-SMB2, 3.3.5.9.7 and 3.3.5.9.12).

use std::sync::Arc;

use dittofs_domain::{
    error::FsError,
    opens::{LeaseForm, LeaseKey, Rights},
};
use dittofs_ports::{Entered, NodeRef};
use dittofs_smb_wire::{
    NtStatus, Response,
    create::{ContextName, CreateAction, CreateRequest, Lease},
    identifiers::FileId,
};

use super::{
    caching::Asked,
    durability::{Durability, Reconnect},
    response_of,
};
use crate::{
    calls::{Call, Done},
    closing::{close_open, report},
    durable::Detached,
    failure::Failure,
    holdings::OPEN_KIB,
    open::{Open, OpenKind, OpenNode},
    path::Path,
    tree::TreeKind,
};

/// A request to come back. All its other fields mean nothing.
pub(super) struct Return {
    reconnect: Reconnect,
    lease: Option<Lease>,
    path: Option<Path>,
}

impl Return {
    /// Reads it from a request, if it is one.
    ///
    /// # Errors
    /// As [`Durability::to_reconnect`].
    pub(super) fn read(request: &CreateRequest) -> Result<Option<Return>, NtStatus> {
        let Some(reconnect) = Durability::of(&request.contexts)?.wanted_reconnect()? else { return Ok(None) };
        let lease = request.contexts.find(ContextName::LEASE).and_then(|data| Lease::decode(&data).ok());
        Ok(Some(Return { reconnect, lease, path: Path::read(&request.name).ok() }))
    }
}

/// Gives an open back.
///
/// # Errors
/// `OBJECT_NAME_NOT_FOUND` for one that there is not, or not for this client; `INVALID_PARAMETER` for another name than
/// that of its lease's file.
pub(super) async fn reconnect(call: &Call, entered: &Entered, back: &Return) -> Result<Done, Failure> {
    let server = &call.link.server;
    let persistent = back.reconnect.file_id.persistent;
    let found = server.detached.take(persistent, |detached| demand_fit(call, entered, back, detached))?;
    let detached = found.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
    let OpenKind::Node(node) = &detached.open.kind else { return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into()) };
    match give_back(call, entered, back, (persistent, node)).await {
        Ok(done) => Ok(done),
        Err(failure) => {
            report(close_open(server, &detached.open).await);
            Err(failure)
        }
    }
}

async fn give_back(
    call: &Call,
    entered: &Entered,
    back: &Return,
    (persistent, node): (u64, &Arc<OpenNode>),
) -> Result<Done, Failure> {
    let attributes = entered.share.attributes(&node.caller, node.node).await;
    let attributes = attributes.map_err(|_: FsError| NtStatus::OBJECT_NAME_NOT_FOUND)?;
    let key = node.cache.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
    let _opening = call.link.server.caching.opening();
    let tree = Arc::clone(call.tree()?);
    let kind = OpenKind::Node(Arc::clone(node));
    let held = call.session.hold(OPEN_KIB)?;
    let open = call.session.add_open(|id| Open { id: FileId { persistent, volatile: id }, tree, kind, _held: held })?;
    let asked = match back.lease {
        Some(lease) if key.form == LeaseForm::Lease => Asked::Lease(lease, Rights::empty()),
        _ => Asked::Oplock(Rights::empty()),
    };
    // It has what it had, whatever is asked for.
    let grant = entered.share.request_lease(&node.caller, node.node, key, Rights::empty()).await;
    let granted = grant.map(|grant| (key, grant)).map_err(Failure::from);
    let at = NodeRef { node: node.node, ..entered.node };
    let given = match granted.and_then(|granted| Ok(asked.note(call, at, &open, Some(granted))?)) {
        Ok(given) => given,
        Err(failure) => {
            call.session.remove_open(open.id);
            return Err(failure);
        }
    };
    let contexts = given.context.into_iter().collect();
    let body = response_of(&attributes, CreateAction::OPENED, (open.id, given.level), contexts);
    Ok(Done { status: NtStatus::SUCCESS, body: Response::Create(body), file: Some(open.id) })
}

/// Whether an open is the one that this client may come back to.
fn demand_fit(
    call: &Call,
    entered: &Entered,
    back: &Return,
    Detached { open, user }: &Detached,
) -> Result<(), NtStatus> {
    let none = Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    let (OpenKind::Node(node), TreeKind::Files(files)) = (&open.kind, &open.tree.kind) else { return none };
    let Some(durable) = node.durable else { return none };
    // Who may only read by now does not get back what it could change.
    let TreeKind::Files(here) = &call.tree()?.kind else { return none };
    if here.read_only && !files.read_only {
        return none;
    }
    let guid = call.session.client.guid;
    let is_same_client = node.keeps.as_ref().is_some_and(|client| client.guid == guid);
    // Of an open of version 1 it is zero.
    let is_same_create = back.reconnect.create_guid.is_none_or(|guid| durable.create_guid.unwrap_or_default() == guid);
    // An oplock is the open's, whatever the machine's GUID.
    let must_be_same_client = back.lease.is_some();
    if *user != *call.session.user()
        || files.root.share != entered.node.share
        || !is_same_create
        || (must_be_same_client && !is_same_client)
    {
        return none;
    }
    match (node.cache, &back.lease) {
        (Some(LeaseKey { form: LeaseForm::Lease, id, .. }), Some(lease)) => {
            if id != u128::from_be_bytes(lease.key.0) {
                return none;
            }
            if is_named(back, node) { Ok(()) } else { Err(NtStatus::INVALID_PARAMETER) }
        }
        (Some(LeaseKey { form: LeaseForm::Oplock, .. }), None) => Ok(()),
        _ => none,
    }
}

/// Whether the request has the name of the file.
fn is_named(back: &Return, node: &OpenNode) -> bool {
    let path = back.path.as_ref().map(Path::shown).filter(|path| !path.is_empty());
    path.is_some_and(|path| path.to_lowercase() == node.place.lock().path.to_lowercase())
}
