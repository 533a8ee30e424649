//! Requests for locks that stand in line, and what they are told.

use std::collections::HashMap;

use dittofs_domain::opens::WaitToken;
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

    /// The request has its lock.
    pub(crate) fn granted(&self, token: WaitToken) {
        if let Some(granted) = self.0.lock().remove(&token) {
            // The request may have been cancelled.
            granted.send(()).ok();
        }
    }
}
