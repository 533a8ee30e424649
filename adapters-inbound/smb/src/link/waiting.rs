//! Requests that may wait for long, and can be cancelled (MS-SMB2, 3.3.5.16).

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use dittofs_smb_wire::header::{Header, Routing};
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// The client does not wait any longer.
pub(crate) type Cancelled = oneshot::Receiver<()>;

/// Requests that wait, by the server's number of them.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    next: AtomicU64,
    by_id: Mutex<HashMap<u64, Request>>,
    /// Whether nothing may wait any more.
    is_over: AtomicBool,
}

/// A request that waits.
#[derive(Debug)]
struct Request {
    message_id: u64,
    cancel: Option<oneshot::Sender<()>>,
}

impl Waiting {
    /// Takes a request in. Returns its number, and what says that it is cancelled; none if there are so many already, or
    /// the connection ends.
    pub(crate) fn enter(&self, message_id: u64, most: usize) -> Option<(u64, Cancelled)> {
        let mut by_id = self.by_id.lock();
        if by_id.len() >= most || self.is_over.load(Ordering::Acquire) {
            return None;
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let (cancel, cancelled) = oneshot::channel();
        by_id.insert(id, Request { message_id, cancel: Some(cancel) });
        Some((id, cancelled))
    }

    /// The request is answered.
    pub(crate) fn leave(&self, id: u64) {
        self.by_id.lock().remove(&id);
    }

    /// Cancels the request that a CANCEL names. There may be none any more.
    pub(crate) fn cancel(&self, cancel: &Header) {
        let mut by_id = self.by_id.lock();
        let found = match cancel.routing {
            Routing::Asynchronous { async_id } => by_id.get_mut(&async_id),
            Routing::Synchronous { .. } => by_id.values_mut().find(|request| request.message_id == cancel.message_id),
        };
        if let Some(cancel) = found.and_then(|request| request.cancel.take()) {
            // Its request may be answered already.
            cancel.send(()).ok();
        }
    }

    /// Cancels all, and takes none in any more: nobody is there to end them.
    pub(crate) fn cancel_all(&self) {
        // Under the lock, or one could come in between.
        let mut by_id = self.by_id.lock();
        self.is_over.store(true, Ordering::Release);
        for request in by_id.values_mut() {
            if let Some(cancel) = request.cancel.take() {
                cancel.send(()).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests;
