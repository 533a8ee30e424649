//! Turns at work that would keep others waiting if all of it were done at once.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// A few turns at a time. The connections that wait for one get theirs round robin, so that one with many calls delays
/// the others by no more than a turn.
#[derive(Debug)]
pub(super) struct Turns {
    state: Arc<Mutex<State>>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    /// None when it was passed on.
    state: Option<Arc<Mutex<State>>>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Connections in the order of their turns, each with its calls in the order that they came in.
    waiting: VecDeque<(SocketAddr, VecDeque<oneshot::Sender<Turn>>)>,
}

impl Turns {
    /// So many turns at a time.
    pub(super) fn new(at_once: usize) -> Turns {
        Turns { state: Arc::new(Mutex::new(State { free: at_once, waiting: VecDeque::new() })) }
    }

    /// The next turn of a connection.
    pub(super) async fn take(&self, peer: SocketAddr) -> Turn {
        let waiting = {
            let mut state = self.state.lock();
            if state.free > 0 {
                state.free -= 1;
                return Turn { state: Some(Arc::clone(&self.state)) };
            }
            let (sender, receiver) = oneshot::channel();
            match state.waiting.iter_mut().find(|(other, _)| *other == peer) {
                Some((_, calls)) => calls.push_back(sender),
                None => state.waiting.push_back((peer, VecDeque::from([sender]))),
            }
            receiver
        };
        // The sender lives as long as the turns, which this borrows.
        waiting.await.unwrap_or(Turn { state: None })
    }
}

impl State {
    /// The call whose turn it is.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let (peer, mut calls) = self.waiting.pop_front()?;
        let next = calls.pop_front();
        if !calls.is_empty() {
            self.waiting.push_back((peer, calls));
        }
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut passed = self.state.take();
        while let Some(turns) = passed.take() {
            let mut state = turns.lock();
            let Some(next) = state.next() else {
                state.free += 1;
                return;
            };
            drop(state);
            // Where the call is gone, its turn comes back.
            passed = next.send(Turn { state: Some(turns) }).err().and_then(|mut turn| turn.state.take());
        }
    }
}

#[cfg(test)]
mod tests;
