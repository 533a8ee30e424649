//! Clients are told that a lock is theirs for which they have waited.

use std::{
    sync::Weak,
    time::{Duration, Instant},
};

use dittofs_domain::{
    ClientId,
    opens::{Break, LeaseKey, WaitToken, Waiter},
};
use dittofs_ports::{NodeRef, OpenEvents};

use super::{
    PROGRAM, VERSION,
    locking::LockManager,
    waiting::Blocked,
    wire::{Procedure, nlm4_res, nlm4_stats},
};
use crate::rpc::outgoing::{CallError, call};

/// How long a client that is not reached has until it is called again. It may ask itself meanwhile: Linux does, after
/// 30 s.
const RETRY: Duration = Duration::from_secs(10);
/// How often it is called, in five minutes or a little more. A client that neither answers nor asks for so long is not
/// there: others wait for the lock.
const ATTEMPTS: usize = 30;

/// Passes events on, as long as there is the manager.
pub(crate) struct Events(pub(crate) Weak<LockManager>);

impl OpenEvents for Events {
    fn serves(&self, client: ClientId) -> bool {
        matches!(client, ClientId::Nfs3(_))
    }

    /// Clients of NFSv3 cache by times, not by rights.
    fn break_requested(&self, _node: NodeRef, _request: &Break) {}

    fn lease_revoked(&self, _node: NodeRef, _key: LeaseKey) {}

    fn lock_granted(&self, _node: NodeRef, waiter: &Waiter) {
        let Some(manager) = self.0.upgrade() else { return };
        // One that is not there was cancelled, or asked for again, and the answer to that says so.
        if let Some(blocked) = manager.waiting.granted(waiter.token) {
            let (runtime, token) = (manager.runtime.clone(), waiter.token);
            runtime.spawn(async move {
                tell(&manager, token, &blocked).await;
                manager.waiting.finished(token);
            });
        }
    }
}

/// The result of one call.
enum Told {
    /// The client knows, or needs not know any longer.
    Done,
    /// It was not reached.
    NotReached,
    /// It may know: the answer got lost.
    Perhaps,
}

/// Tells a client, until it has answered or learnt it otherwise. One that is never reached loses the lock.
async fn tell(manager: &LockManager, token: WaitToken, blocked: &Blocked) {
    let mut knows_perhaps = false;
    for _ in 0..ATTEMPTS {
        if !manager.waiting.is_untold(token) {
            return;
        }
        match tell_once(manager, token, blocked, knows_perhaps).await {
            Ok(Told::Done) => return,
            Ok(Told::Perhaps) => knows_perhaps = true,
            Ok(Told::NotReached) => {}
            Err(error) => {
                tracing::debug!(address = %blocked.origin.address(), %error, "a client is not told of its lock yet");
            }
        }
        tokio::time::sleep(RETRY).await;
    }
    let host = blocked.origin.host();
    let Some(held) = manager.claims.find(&host, &blocked.claim) else { return };
    let serial = held.serial.lock().await;
    give_back(manager, token, blocked).await;
    let locks = manager.locks_of(&blocked.origin, &blocked.claim).await;
    manager.claims.leave(&host, &blocked.claim, locks, Instant::now());
    drop(serial);
}

/// Only the address that asked is called: names that a client gives itself are nobody's. It is called, and what follows
/// is done, while no request of the same owner for the file is carried out: none can come in between.
async fn tell_once(
    manager: &LockManager,
    token: WaitToken,
    blocked: &Blocked,
    knows_perhaps: bool,
) -> Result<Told, CallError> {
    let _place = manager.calls.take(blocked.origin.host().network()).await;
    let between = (blocked.origin.address(), blocked.origin.sender.local);
    let target = manager.clients.find(between, (PROGRAM, VERSION), Procedure::GRANTED as u32).await?;
    let host = blocked.origin.host();
    // Without a claim there is no lock any more either.
    let Some(held) = manager.claims.find(&host, &blocked.claim) else { return Ok(Told::Done) };
    let serial = held.serial.lock().await;
    let told = if manager.waiting.is_untold(token) {
        let answered = call::<nlm4_res>(target, &blocked.granted).await;
        judge(manager, token, blocked, (answered, knows_perhaps)).await
    } else {
        Ok(Told::Done)
    };
    let locks = manager.locks_of(&blocked.origin, &blocked.claim).await;
    manager.claims.leave(&host, &blocked.claim, locks, Instant::now());
    drop(serial);
    told
}

async fn judge(
    manager: &LockManager,
    token: WaitToken,
    blocked: &Blocked,
    (answered, knows_perhaps): (Result<nlm4_res, CallError>, bool),
) -> Result<Told, CallError> {
    match answered {
        Ok(answer) if answer.stat == nlm4_stats::NLM4_GRANTED => Ok(Told::Done),
        Ok(answer) if answer.stat == nlm4_stats::NLM4_DENIED_GRACE_PERIOD => Ok(Told::NotReached),
        // It has taken the lock when it was called before. One that has given up says so by UNLOCK.
        Ok(_) if knows_perhaps => Ok(Told::Done),
        Ok(_) => {
            give_back(manager, token, blocked).await;
            Ok(Told::Done)
        }
        Err(error) if error.may_have_arrived() => Ok(Told::Perhaps),
        Err(error) => Err(error),
    }
}

/// Gives back a lock whose client does not want it, unless it has learnt of it meanwhile.
async fn give_back(manager: &LockManager, token: WaitToken, blocked: &Blocked) {
    if manager.waiting.is_untold(token) {
        let freed = manager.free_blocked(blocked).await;
        tracing::info!(address = %blocked.origin.address(), ?freed, "a client does not take a lock that it waited for");
    }
}
