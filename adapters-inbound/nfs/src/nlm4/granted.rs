//! Clients are told that a lock is theirs for which they have waited.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use dittofs_domain::{
    ClientId,
    opens::{Break, LeaseKey, WaitToken, Waiter},
};
use dittofs_ports::{NodeRef, OpenEvents};

use super::{
    PROGRAM, VERSION,
    manager::LockManager,
    waiting::Blocked,
    wire::{Procedure, nlm4_res, nlm4_stats},
};
use crate::rpc::outgoing::{CallError, call};

/// How long a client that is not reached has until it is called again. It may ask itself meanwhile: Linux does, after 30 s.
const RETRY: Duration = Duration::from_secs(10);
/// How often it is called. A client that neither answers nor asks for so long is not there: others wait for the lock.
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
            let runtime = manager.runtime.clone();
            runtime.spawn(tell(manager, waiter.token, blocked));
        }
    }
}

/// Tells a client, until it has answered or learnt it otherwise.
async fn tell(manager: Arc<LockManager>, token: WaitToken, blocked: Blocked) {
    for _ in 0..ATTEMPTS {
        if !manager.waiting.is_untold(token) {
            return;
        }
        let told = match manager.calls.acquire().await {
            Ok(_place) => tell_once(&manager, &blocked).await,
            Err(_) => return,
        };
        match told {
            Ok(nlm4_stats::NLM4_GRANTED) => {
                manager.waiting.told(token);
                return;
            }
            Ok(nlm4_stats::NLM4_DENIED_GRACE_PERIOD) => {}
            Ok(_) => break,
            Err(error) => {
                tracing::debug!(address = %blocked.origin.address(), %error, "a client is not told of its lock yet");
            }
        }
        tokio::time::sleep(RETRY).await;
    }
    if manager.waiting.told(token) {
        manager.give_back(&blocked).await;
    }
}

/// Only the address that asked is called: names that a client gives itself are nobody's.
async fn tell_once(manager: &LockManager, blocked: &Blocked) -> Result<nlm4_stats, CallError> {
    let between = (blocked.origin.address(), blocked.origin.sender.local);
    let target = manager.clients.find(between, (PROGRAM, VERSION), Procedure::GRANTED as u32).await?;
    let answer: nlm4_res = call(target, &blocked.granted).await?;
    Ok(answer.stat)
}
