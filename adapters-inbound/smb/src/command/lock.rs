//! LOCK (MS-SMB2, 3.3.5.14).

mod elements;
mod waiting;

use dittofs_domain::{
    access::AccessMask,
    error::FsError,
    opens::{Lock, LockHolder, LockRange},
};
use dittofs_ports::{Entered, LockReply, LockRequest as Request};
use dittofs_smb_wire::{
    NtStatus, Response,
    lock::{LockElement, LockRequest},
    negotiate::Capabilities,
};

use crate::{
    calls::{Call, Done},
    failure::Failure,
    open::{LockSequence, OpenNode},
    tree::TreeKind,
};

/// Some right to the bytes that are locked: a lock keeps others from them.
const CONTENT: AccessMask =
    AccessMask::READ_DATA.union(AccessMask::EXECUTE).union(AccessMask::WRITE_DATA).union(AccessMask::APPEND_DATA);

pub(super) async fn lock(call: &Call, request: &LockRequest) -> Result<Done, Failure> {
    let open = call.open(request.file_id)?;
    let node = open.node()?;
    if node.is_directory {
        // As MS-FSA has it (2.1.5.8 and 2.1.5.9).
        return Err(NtStatus::INVALID_PARAMETER.into());
    }
    node.demand_any(CONTENT)?;
    let sequence = LockSequence::read(request.lock_sequence).filter(|_| may_be_repeated(call, node));
    if sequence.is_some_and(|sequence| node.lock_sequences.is_repeated(sequence)) {
        return Ok(Response::Empty.into());
    }
    if elements::are_unlocks(&request.locks) {
        unlock_all(call, node, &request.locks).await?;
    } else {
        lock_all(call, node, &request.locks).await?;
    }
    if let Some(sequence) = sequence {
        node.lock_sequences.note(sequence);
    }
    Ok(Response::Empty.into())
}

/// Whether clients have other connections to send the same again on.
fn may_be_repeated(call: &Call, node: &OpenNode) -> bool {
    let terms = call.link.terms();
    let has_channels = terms.is_some_and(|terms| terms.capabilities.contains(Capabilities::MULTI_CHANNEL));
    has_channels || node.durable.is_some()
}

/// Unlocks range by range. Those in front of one that is refused stay unlocked (3.3.5.14.1).
async fn unlock_all(call: &Call, node: &OpenNode, elements: &[LockElement]) -> Result<(), Failure> {
    let _in_use = node.in_use.read().await;
    let entered = enter(call)?;
    for element in elements {
        unlock(&entered, node, elements::unlock(element)?).await.map_err(|error| match error {
            FsError::NotFound => NtStatus::RANGE_NOT_LOCKED.into(),
            other => Failure::from(other),
        })?;
    }
    Ok(())
}

/// Takes all locks or none (3.3.5.14.2).
async fn lock_all(call: &Call, node: &OpenNode, elements: &[LockElement]) -> Result<(), Failure> {
    let is_only = elements.len() == 1;
    let locks = || elements.iter().map(|element| elements::lock(element, is_only, holder(node)));
    locks().try_for_each(|lock| lock.map(drop))?;
    if let [element] = elements
        && elements::may_wait(element)
    {
        return waiting::lock(call, node, elements::lock(element, is_only, holder(node))?).await;
    }
    let _in_use = node.in_use.read().await;
    let entered = enter(call)?;
    let mut taken = Vec::new();
    for lock in locks() {
        let lock = lock?;
        let range = lock.range;
        if let Err(failure) = take(&entered, node, lock).await {
            give_back(&entered, node, &taken).await;
            return Err(failure);
        }
        taken.push(range);
    }
    Ok(())
}

/// Takes a lock at once.
async fn take(entered: &Entered, node: &OpenNode, lock: Lock) -> Result<(), Failure> {
    let request = Request { lock, wait: None, waits: true, reclaims: false };
    match ask(entered, node, &request).await? {
        LockReply::Granted => Ok(()),
        LockReply::Queued | LockReply::Conflict(_) | LockReply::Grace => Err(NtStatus::LOCK_NOT_GRANTED.into()),
    }
}

/// Asks for a lock, which counts for the user if it is granted now or later.
async fn ask(entered: &Entered, node: &OpenNode, request: &Request) -> Result<LockReply, Failure> {
    node.lock_room.take()?;
    let reply = entered.share.lock(&node.caller, node.node, request).await;
    if !matches!(reply, Ok(LockReply::Granted | LockReply::Queued)) {
        node.lock_room.give_back();
    }
    reply.map_err(refusal)
}

/// Gives the locks of a request back that got only some.
async fn give_back(entered: &Entered, node: &OpenNode, taken: &[LockRange]) {
    for range in taken.iter().rev() {
        if let Err(error) = unlock(entered, node, *range).await {
            tracing::debug!(node = %node.node, %error, "a lock stays that was to be given back");
        }
    }
}

async fn unlock(entered: &Entered, node: &OpenNode, range: LockRange) -> Result<(), FsError> {
    entered.share.unlock(&node.caller, node.node, &holder(node), range).await?;
    node.lock_room.give_back();
    Ok(())
}

/// Locks belong to the open, whichever process of the client has asked.
fn holder(node: &OpenNode) -> LockHolder {
    LockHolder::Open { client: node.caller.client, open: node.token }
}

fn enter(call: &Call) -> Result<Entered, NtStatus> {
    match &call.tree()?.kind {
        TreeKind::Files(files) => files.enter(&*call.link.server.services.entry),
        TreeKind::Pipes => Err(NtStatus::FILE_CLOSED),
    }
}

/// Why a lock can't be taken, apart from locks in the way: a file has only so many.
fn refusal(error: FsError) -> Failure {
    match error {
        FsError::NoSpace => NtStatus::INSUFFICIENT_RESOURCES.into(),
        other => other.into(),
    }
}
