//! Requests for locks that stand in line, and what they are told.

use std::collections::HashMap;

use dittofs_domain::{
    ClientId,
    opens::{Break, LeaseKey, WaitToken, Waiter},
};
use dittofs_ports::{NodeRef, OpenEvents};
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Those that wait. An event may come before the answer that it belongs to, so a request enters before it asks.
#[derive(Default)]
pub(crate) struct LockWaiters(Mutex<HashMap<WaitToken, oneshot::Sender<()>>>);

impl LockWaiters {
    /// Takes a request in. Returns what says that it has its lock.
    pub(crate) fn enter(&self, token: WaitToken) -> oneshot::Receiver<()> {
        let (granted, waits) = oneshot::channel();
        self.0.lock().insert(token, granted);
        waits
    }

    /// The request does not wait any longer.
    pub(crate) fn leave(&self, token: WaitToken) {
        self.0.lock().remove(&token);
    }
}

impl OpenEvents for LockWaiters {
    fn serves(&self, client: ClientId) -> bool {
        matches!(client, ClientId::Smb(_))
    }

    /// Nobody caches here yet, so there is nothing to take away.
    fn break_requested(&self, _node: NodeRef, _request: &Break) {}

    fn lease_revoked(&self, _node: NodeRef, _key: LeaseKey) {}

    fn lock_granted(&self, _node: NodeRef, waiter: &Waiter) {
        if let Some(granted) = self.0.lock().remove(&waiter.token) {
            // The request may have been cancelled.
            granted.send(()).ok();
        }
    }
}
