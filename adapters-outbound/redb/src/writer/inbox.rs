//! Waiting for requests, but not for ever.

use std::{
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::Request;

/// Where requests arrive.
pub(super) struct Inbox(mpsc::Receiver<Request>);

/// The outcome of waiting for a request.
pub(super) enum Received {
    Request(Request),
    /// Nothing came in the time allowed.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Inbox {
    pub(super) fn new(requests: mpsc::Receiver<Request>) -> Inbox {
        Inbox(requests)
    }

    /// The next request; without a bound on the time it waits for as long as it takes.
    pub(super) fn receive(&mut self, wait: Option<Duration>) -> Received {
        if let Ok(request) = self.0.try_recv() {
            return Received::Request(request);
        }
        let until = wait.map(|wait| Instant::now() + wait);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match self.0.poll_recv(&mut context) {
                Poll::Ready(Some(request)) => return Received::Request(request),
                Poll::Ready(None) => return Received::Closed,
                Poll::Pending => {}
            }
            match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => return Received::Nothing,
                Some(left) => thread::park_timeout(left),
            }
        }
    }

    /// A request that is there already.
    pub(super) fn waiting(&mut self) -> Option<Request> {
        self.0.try_recv().ok()
    }
}
