//! Waiting for a lock: until it is granted, until the client does not want it any more, or until its open is closed.

use dittofs_domain::{
    error::FsError,
    opens::{Lock, LockRange, WaitToken},
};
use dittofs_ports::{Entered, LockReply, LockRequest};
use dittofs_smb_wire::NtStatus;
use tokio::sync::oneshot;

use super::{ask, enter, unlock};
use crate::{
    calls::{Call, CantWait},
    failure::Failure,
    link::Wait,
    locking::LockWaiters,
    open::OpenNode,
};

/// Takes a lock, and waits where another one is in the way.
///
/// # Errors
/// `CANCELLED`, `RANGE_NOT_LOCKED` if the open is closed meanwhile; `LOCK_NOT_GRANTED` for a request that can't wait
/// because of its frame, `INSUFFICIENT_RESOURCES` where too many wait.
pub(super) async fn lock(call: &Call, node: &OpenNode, lock: Lock) -> Result<(), Failure> {
    let in_use = node.in_use.read().await;
    let closed = node.in_use.closed();
    tokio::pin!(closed);
    let entered = enter(call)?;
    let range = lock.range;
    let mut waits = Waits::enter(&call.link.server.lock_waiters, entered.share.wait_token());
    let request = LockRequest { lock, wait: Some(waits.token), waits: true, reclaims: false };
    match ask(&entered, node, &request).await? {
        LockReply::Granted => return Ok(()),
        LockReply::Conflict(_) | LockReply::Grace => return Err(NtStatus::LOCK_NOT_GRANTED.into()),
        LockReply::Queued => {}
    }
    let cancelled = match call.wait(Wait::Endless) {
        Ok(cancelled) => cancelled,
        Err(reason) => {
            let is_gone = cancel(&entered, node, waits.token).await?;
            return if is_gone { Err(refused(reason).into()) } else { Ok(()) };
        }
    };
    // It may take for ever: the close of the open must not wait for it, nor the share's stores stay open.
    drop((in_use, entered));
    tokio::select! {
        biased;
        _ = &mut waits.granted => Ok(()),
        () = closed => Err(NtStatus::RANGE_NOT_LOCKED.into()),
        _ = cancelled => {
            withdraw(call, node, range, waits.token).await?;
            Err(NtStatus::CANCELLED.into())
        }
    }
}

/// The status of a request that would have to wait and can't (MS-SMB2, 3.3.4.2).
fn refused(reason: CantWait) -> NtStatus {
    match reason {
        CantWait::Frame => NtStatus::LOCK_NOT_GRANTED,
        CantWait::TooMany => NtStatus::INSUFFICIENT_RESOURCES,
    }
}

/// Takes a request out of the line. If its lock was granted just now, it is given up: the client is told that it has
/// none.
async fn withdraw(call: &Call, node: &OpenNode, range: LockRange, token: WaitToken) -> Result<(), Failure> {
    let _in_use = node.in_use.read().await;
    // Without the share there is no lock either.
    let Ok(entered) = enter(call) else { return Ok(()) };
    if cancel(&entered, node, token).await? { Ok(()) } else { give_up(&entered, node, range).await }
}

/// Takes a request out of the line, and returns whether it stood there still.
async fn cancel(entered: &Entered, node: &OpenNode, token: WaitToken) -> Result<bool, FsError> {
    let is_gone = entered.share.cancel_lock(&node.caller, node.node, token).await?;
    if is_gone {
        node.lock_room.give_back();
    }
    Ok(is_gone)
}

async fn give_up(entered: &Entered, node: &OpenNode, range: LockRange) -> Result<(), Failure> {
    match unlock(entered, node, range).await {
        // The open may be closed by now.
        Ok(()) | Err(FsError::NotFound | FsError::Stale) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A request among those that wait, until it ends: also where it is dropped with its connection.
struct Waits<'w> {
    waiters: &'w LockWaiters,
    token: WaitToken,
    granted: oneshot::Receiver<()>,
}

impl<'w> Waits<'w> {
    /// Before the lock is asked for, as the event may come before the answer.
    fn enter(waiters: &'w LockWaiters, token: WaitToken) -> Waits<'w> {
        Waits { waiters, token, granted: waiters.enter(token) }
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.waiters.leave(self.token);
    }
}
