use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;

/// What the server wants of a connection, from another thread.
#[derive(Debug, Default)]
pub(crate) struct Control {
    wish: AtomicU8,
    waker: AtomicWaker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Run,
    /// Read no more, finish what is in flight, close.
    Drain,
    /// Close now.
    Cut,
}

impl Control {
    pub(crate) fn ask(&self, wish: Wish) {
        self.wish.store(wish as u8, Ordering::Release);
        self.waker.wake();
    }

    /// The wish now; `waker` is woken when it changes.
    pub(crate) fn wish(&self, waker: &Waker) -> Wish {
        self.waker.register(waker);
        match self.wish.load(Ordering::Acquire) {
            wish if wish == Wish::Run as u8 => Wish::Run,
            wish if wish == Wish::Drain as u8 => Wish::Drain,
            _ => Wish::Cut,
        }
    }
}
