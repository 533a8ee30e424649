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
    /// Whether nothing may wait any more that has no end of its own.
    is_over: AtomicBool,
}

/// How long a request may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// As long as the services let it. Its client may ask for the answer by another connection (MS-SMB2, 3.3.5.9.10).
    Bounded,
    /// Until somebody does what it waits for.
    Endless,
}

/// A request that waits.
#[derive(Debug)]
struct Request {
    message_id: u64,
    wait: Wait,
    cancel: Option<oneshot::Sender<()>>,
}

impl Waiting {
    /// Takes a request in. Returns its number, and what says that it is cancelled; none if there are so many already, or
    /// the connection ends.
    pub(crate) fn enter(&self, message_id: u64, wait: Wait, most: usize) -> Option<(u64, Cancelled)> {
        let mut by_id = self.by_id.lock();
        let is_over = wait == Wait::Endless && self.is_over.load(Ordering::Acquire);
        if by_id.len() >= most || is_over {
            return None;
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let (cancel, cancelled) = oneshot::channel();
        by_id.insert(id, Request { message_id, wait, cancel: Some(cancel) });
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
        if let Some(request) = found {
            request.cancel();
        }
    }

    /// Cancels all that have no end of their own, and takes no such in any more: nobody is there to end them.
    pub(crate) fn cancel_endless(&self) {
        // Under the lock, or one could come in between.
        let mut by_id = self.by_id.lock();
        self.is_over.store(true, Ordering::Release);
        by_id.values_mut().filter(|request| request.wait == Wait::Endless).for_each(Request::cancel);
    }

    /// Cancels all: nobody hears of an answer.
    pub(crate) fn cancel_all(&self) {
        self.cancel_endless();
        self.by_id.lock().values_mut().for_each(Request::cancel);
    }
}

impl Request {
    fn cancel(&mut self) {
        if let Some(cancel) = self.cancel.take() {
            // It may be answered already.
            cancel.send(()).ok();
        }
    }
}

#[cfg(test)]
mod tests;
