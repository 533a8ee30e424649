//! Requests for locks that wait.

use std::collections::VecDeque;

use crate::opens::{Lock, LockHolder, LockKind, LockTable, limits};

/// A request for a lock that waits, as its adapter knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaitToken(pub u64);

/// Whether a request is one that waits already, sent again.
pub(super) fn is_repeated(waiting: &Lock, asked: &Lock) -> bool {
    waiting == asked && asked.holder.open().is_none()
}

/// A request for a lock that waits, or has just been granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiter {
    /// The adapter's name for it.
    pub token: WaitToken,
    /// The lock that it wants.
    pub lock: Lock,
}

/// The line of a node: at most [`limits::WAITERS`] requests, in order of arrival.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(super) struct Waiters {
    line: VecDeque<Waiter>,
}

impl Waiters {
    /// Puts a request at the end of the line. One that stands there already keeps its place, if it is a POSIX owner's: it
    /// is a repeated call. Two of an open are two locks. [`Waiters::has_room_for`] is asked first.
    pub(super) fn push(&mut self, token: WaitToken, lock: Lock) {
        match self.line.iter_mut().find(|waiter| is_repeated(&waiter.lock, &lock)) {
            Some(same) => same.token = token,
            None => self.line.push_back(Waiter { token, lock }),
        }
    }

    pub(super) fn has_room_for(&self, lock: &Lock) -> bool {
        self.line.len() < limits::WAITERS || self.line.iter().any(|waiter| is_repeated(&waiter.lock, lock))
    }

    /// Grants, in order of arrival, every request that no held lock blocks. Who waits for something else does not
    /// hold up those behind it: otherwise an upgrade behind it could wait for ever.
    pub(super) fn grant(&mut self, locks: &mut LockTable) -> Vec<Waiter> {
        let mut woken = Vec::new();
        let mut at = 0;
        while let Some(waiter) = self.line.get(at) {
            let weakens = weakens(&waiter.lock, locks);
            if locks.lock(waiter.lock.clone()).is_err() {
                at += 1;
                continue;
            }
            woken.extend(self.line.remove(at));
            if weakens {
                at = 0;
            }
        }
        woken
    }

    pub(super) fn remove(&mut self, gone: impl Fn(&Waiter) -> bool) -> bool {
        let before = self.line.len();
        self.line.retain(|waiter| !gone(waiter));
        self.line.len() < before
    }

    pub(super) fn holders(&self) -> impl Iterator<Item = &LockHolder> {
        self.line.iter().map(|w| &w.lock.holder)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.line.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }
}

/// Whether a lock turns exclusive bytes of its holder into shared ones.
fn weakens(lock: &Lock, locks: &LockTable) -> bool {
    let exclusive = |held: &Lock| held.kind == LockKind::Exclusive && held.holder == lock.holder;
    lock.kind == LockKind::Shared && locks.iter().any(|held| exclusive(held) && held.range.overlaps(lock.range))
}
