//! Who holds which locks: debug builds only.

use std::{
    cell::RefCell,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::Rank;

thread_local! {
    /// The locks of the strand that runs on this thread now; none outside of strands.
    static HELD: RefCell<Option<Vec<Rank>>> = const { RefCell::new(None) };
}

/// Does something with the locks that the running strand holds; outside of strands nothing.
pub(super) fn with_held(work: impl FnOnce(&mut Vec<Rank>)) {
    HELD.with_borrow_mut(|held| held.as_mut().map(work));
}

/// Work that holds no lock at its beginning, and does one thing after the other.
pub(crate) fn strand<F: Future>(work: F) -> Strand<F> {
    Strand { held: Some(Vec::new()), work: Some(Box::pin(work)) }
}

/// Work beside other work of a strand, which goes on holding what it holds now. Outside of strands this is not one either.
pub(crate) fn branch<F: Future>(work: F) -> Strand<F> {
    Strand { held: HELD.with_borrow(Clone::clone), work: Some(Box::pin(work)) }
}

/// A future whose locks are known.
pub(crate) struct Strand<F> {
    held: Option<Vec<Rank>>,
    work: Option<Pin<Box<F>>>,
}

impl<F> Strand<F> {
    /// Does something as the strand that runs.
    fn run<T>(&mut self, work: impl FnOnce(&mut Option<Pin<Box<F>>>) -> T) -> T {
        struct Back<'s>(&'s mut Option<Vec<Rank>>);

        // Also if the work panics.
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                HELD.with_borrow_mut(|held| mem::swap(held, self.0));
            }
        }

        HELD.with_borrow_mut(|held| mem::swap(held, &mut self.held));
        let _back = Back(&mut self.held);
        work(&mut self.work)
    }
}

impl<F: Future> Future for Strand<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.run(|work| work.as_mut().map_or(Poll::Pending, |work| work.as_mut().poll(context)))
    }
}

impl<F> Drop for Strand<F> {
    fn drop(&mut self) {
        // Guards that the work still has are given back as its own.
        self.run(|work| *work = None);
    }
}
