//! Permits for work that would keep others waiting if all of it were done at once.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// A few permits at a time. The connections that wait for one get theirs round robin, so that one with many calls
/// delays the others by no more than one permit.
#[derive(Debug)]
pub(super) struct FairSemaphore {
    state: Arc<Mutex<State>>,
}

/// The right to a piece of work, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    /// None when it was passed on.
    state: Option<Arc<Mutex<State>>>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Connections in the order in which they are next, each with its calls in the order that they came in.
    waiting: VecDeque<(SocketAddr, VecDeque<oneshot::Sender<Permit>>)>,
}

impl FairSemaphore {
    /// So many permits at a time.
    pub(super) fn new(at_once: usize) -> FairSemaphore {
        FairSemaphore { state: Arc::new(Mutex::new(State { free: at_once, waiting: VecDeque::new() })) }
    }

    /// The next permit of a connection.
    pub(super) async fn take(&self, peer: SocketAddr) -> Permit {
        let waiting = {
            let mut state = self.state.lock();
            if state.free > 0 {
                state.free -= 1;
                return Permit { state: Some(Arc::clone(&self.state)) };
            }
            let (sender, receiver) = oneshot::channel();
            match state.waiting.iter_mut().find(|(other, _)| *other == peer) {
                Some((_, calls)) => calls.push_back(sender),
                None => state.waiting.push_back((peer, VecDeque::from([sender]))),
            }
            receiver
        };
        // The sender lives as long as the semaphore, which this borrows.
        waiting.await.unwrap_or(Permit { state: None })
    }
}

impl State {
    /// The call that is next.
    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        let (peer, mut calls) = self.waiting.pop_front()?;
        let next = calls.pop_front();
        if !calls.is_empty() {
            self.waiting.push_back((peer, calls));
        }
        next
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut passed = self.state.take();
        while let Some(semaphore) = passed.take() {
            let mut state = semaphore.lock();
            let Some(next) = state.next() else {
                state.free += 1;
                return;
            };
            drop(state);
            // Where the call is gone, its permit comes back.
            passed = next.send(Permit { state: Some(semaphore) }).err().and_then(|mut permit| permit.state.take());
        }
    }
}

#[cfg(test)]
mod tests;
