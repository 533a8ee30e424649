//! How many uploads run at once: more while that makes them faster, half as many when the store asks for it.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Uploads at once in the beginning. Enough to keep a common link busy; it grows where more are faster.
const FIRST: usize = 4;
/// A rate counts as higher from so many thousandths more. Less is within what a rate changes by itself.
const BETTER_PERMILLE: u128 = 1_050;

/// The window.
pub(super) struct Window {
    room: Arc<Semaphore>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    max: usize,
    /// Permits that a shrunk window still has to take back.
    excess: usize,
    /// It doubles, because nothing is known of the link yet.
    is_young: bool,
    running: usize,
    round: Round,
    /// Bytes a second of the last full round.
    rate: u128,
    /// Refusals of uploads that began before it shrank say nothing new.
    shrunk: Option<Instant>,
}

/// As many uploads as the window is wide.
#[derive(Debug)]
struct Round {
    began: Instant,
    bytes: u128,
    uploads: usize,
    /// Whether the window was ever full: otherwise its width has not been tried.
    was_full: bool,
}

impl Round {
    fn begin() -> Round {
        Round { began: Instant::now(), bytes: 0, uploads: 0, was_full: false }
    }
}

impl Window {
    pub(super) fn new(max: usize) -> Window {
        let max = max.clamp(1, 1 << 12);
        let limit = FIRST.min(max);
        let state =
            State { limit, max, excess: 0, is_young: true, running: 0, round: Round::begin(), rate: 0, shrunk: None };
        Window { room: Arc::new(Semaphore::new(limit)), state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for room for one more.
    pub(super) async fn enter(&self) -> Entered {
        // The semaphore is never closed; without a permit the upload would only be uncounted.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
        let mut state = self.state.lock();
        if state.running == 0 {
            state.round = Round::begin();
        }
        state.running += 1;
        let is_full = state.running >= state.limit;
        state.round.was_full |= is_full;
        Entered { permit, room: Arc::clone(&self.room), state: Arc::clone(&self.state), began: Instant::now() }
    }

    #[cfg(test)]
    fn limit(&self) -> usize {
        self.state.lock().limit
    }
}

/// An upload in the window. Dropped without a word it leaves as if nothing was learned.
pub(super) struct Entered {
    permit: Option<OwnedSemaphorePermit>,
    room: Arc<Semaphore>,
    state: Arc<Mutex<State>>,
    began: Instant,
}

impl Entered {
    /// So many bytes have arrived.
    pub(super) fn done(self, bytes: usize) {
        let mut state = self.state.lock();
        let more = state.finished(bytes);
        drop(state);
        self.room.add_permits(more);
    }

    /// The store asked for fewer, or did not answer.
    pub(super) fn refused(self) {
        let mut state = self.state.lock();
        state.shrink(self.began);
        state.excess -= self.room.forget_permits(state.excess);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        state.running = state.running.saturating_sub(1);
        if state.excess > 0
            && let Some(permit) = self.permit.take()
        {
            state.excess -= 1;
            permit.forget();
        }
    }
}

impl State {
    /// Answers by how much the window has grown.
    fn finished(&mut self, bytes: usize) -> usize {
        self.round.bytes += bytes as u128;
        self.round.uploads += 1;
        if self.round.uploads < self.limit {
            return 0;
        }
        let round = std::mem::replace(&mut self.round, Round::begin());
        if !round.was_full {
            return 0;
        }
        let rate = round.bytes * 1_000_000 / round.began.elapsed().as_micros().max(1);
        let is_better = rate * 1_000 > self.rate * BETTER_PERMILLE;
        self.rate = rate;
        if !is_better {
            self.is_young = false;
            return 0;
        }
        let wanted = if self.is_young { self.limit * 2 } else { self.limit + 1 };
        let grown = wanted.min(self.max) - self.limit;
        self.limit += grown;
        let owed = grown.min(self.excess);
        self.excess -= owed;
        grown - owed
    }

    fn shrink(&mut self, began: Instant) {
        if self.shrunk.is_some_and(|shrunk| began < shrunk) {
            return;
        }
        let halved = (self.limit / 2).max(1);
        self.excess += self.limit - halved;
        self.limit = halved;
        // From the bottom it starts over: after an outage nothing is known of the link any more.
        self.is_young = halved == 1;
        self.rate = 0;
        self.round = Round::begin();
        self.shrunk = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests;
