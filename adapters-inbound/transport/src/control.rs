use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;

/// The server's wish for a connection, set from any thread.
#[derive(Debug, Default)]
pub struct Control {
    wish: AtomicU8,
    waker: AtomicWaker,
}

/// The action that the server wants of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// Go on.
    Run,
    /// Read no more, finish what is in flight, close.
    Drain,
    /// Close now.
    Cut,
}

impl Control {
    /// Sets the wish, and wakes the connection. A stronger wish that was set before stays.
    pub fn ask(&self, wish: Wish) {
        self.wish.fetch_max(wish as u8, Ordering::AcqRel);
        self.waker.wake();
    }

    /// The wish now; `waker` is woken when it changes.
    pub fn wish(&self, waker: &Waker) -> Wish {
        self.waker.register(waker);
        match self.wish.load(Ordering::Acquire) {
            wish if wish == Wish::Run as u8 => Wish::Run,
            wish if wish == Wish::Drain as u8 => Wish::Drain,
            _ => Wish::Cut,
        }
    }
}
