//! Values that every call reads, and that hardly anything changes.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};

/// More than a machine has fronts, or at least so many that few of them share a copy.
const COPIES: usize = 16;

/// A value in several copies. A thread reads always the same one, under a lock that hardly any other thread takes: a
/// lock for all would travel from core to core with each call.
pub(crate) struct Replicated<T> {
    copies: Box<[Replica<T>]>,
    /// Held by who changes the copies, so that all of them see changes in the same order.
    changing: Mutex<()>,
}

/// In cache lines of its own; processors fetch them by two.
#[repr(align(128))]
struct Replica<T>(RwLock<T>);

impl<T> Replicated<T> {
    /// Copies that `make` makes.
    pub(crate) fn new(mut make: impl FnMut() -> T) -> Replicated<T> {
        let copies = (0..COPIES).map(|_| Replica(RwLock::new(make()))).collect();
        Replicated { copies, changing: Mutex::new(()) }
    }

    /// This thread's copy. Not to be held for long, and never over an await.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.copies[copy_of_thread() % self.copies.len()].0.read()
    }

    /// Changes each copy, which `change` must do to all alike. Others may see some that are changed and some that are
    /// not until this returns, and only changed ones from then on.
    pub(crate) fn change(&self, mut change: impl FnMut(&mut T)) {
        let _changing = self.changing.lock();
        self.copies.iter().for_each(|copy| change(&mut copy.0.write()));
    }
}

/// Threads take copies in turn.
fn copy_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static COPY: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    COPY.with(|copy| *copy)
}

impl<T: Default> Default for Replicated<T> {
    fn default() -> Self {
        Replicated::new(T::default)
    }
}

impl<T: fmt::Debug> fmt::Debug for Replicated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

#[cfg(test)]
mod tests;
