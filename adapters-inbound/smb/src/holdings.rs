//! What a user makes the server keep, in all sessions together: each has its bounds, and there can be many.

use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use dittofs_domain::users::UserName;
use dittofs_smb_wire::NtStatus;
use parking_lot::Mutex;

/// KiB of memory that one user may take by what is open: a quarter of a million of files, more than the clients of any
/// user have open.
pub(crate) const KIB_MAX: usize = 256 << 10;
/// KiB that an open file takes, measured, besides a long path or pattern, and a share that is used.
pub(crate) const OPEN_KIB: usize = 1;
/// Byte-range locks of one user on all files, each of some hundred bytes: of four files that are locked as full as they
/// can be.
pub(crate) const LOCKS_MAX: usize = 65_536;
/// KiB that a pipe takes at most: a call that is half there, and an answer that was not read.
pub(crate) const PIPE_KIB: usize = 128;

/// The users that have sessions.
#[derive(Default)]
pub(crate) struct Holdings(Mutex<HashMap<UserName, Weak<Holding>>>);

/// What one of them takes.
#[derive(Debug, Default)]
pub(crate) struct Holding {
    kib: AtomicUsize,
    locks: AtomicUsize,
}

/// A part of it, given back by its drop.
#[derive(Debug)]
pub(crate) struct Held {
    of: Arc<Holding>,
    kib: usize,
}

impl Holdings {
    /// What a user takes, for one more session.
    pub(crate) fn of(&self, user: &UserName) -> Arc<Holding> {
        let mut users = self.0.lock();
        if let Some(holding) = users.get(user).and_then(Weak::upgrade) {
            return holding;
        }
        users.retain(|_, holding| holding.strong_count() > 0);
        let holding = Arc::new(Holding::default());
        users.insert(user.clone(), Arc::downgrade(&holding));
        holding
    }
}

impl Holding {
    /// Takes some more.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if that is too much.
    pub(crate) fn take(self: &Arc<Holding>, kib: usize) -> Result<Held, NtStatus> {
        let more = |taken: usize| taken.checked_add(kib).filter(|all| *all <= KIB_MAX);
        let taken = self.kib.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        taken.map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        Ok(Held { of: Arc::clone(self), kib })
    }

    /// Takes one more byte-range lock.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if that is too many.
    pub(crate) fn take_lock(&self) -> Result<(), NtStatus> {
        let more = |taken: usize| Some(taken + 1).filter(|all| *all <= LOCKS_MAX);
        let taken = self.locks.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        taken.map(drop).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)
    }

    /// Gives back locks that were taken.
    pub(crate) fn give_back_locks(&self, count: usize) {
        self.locks.fetch_sub(count, Ordering::AcqRel);
    }
}

#[cfg(test)]
impl Holding {
    pub(crate) fn kib(&self) -> usize {
        self.kib.load(Ordering::Acquire)
    }

    pub(crate) fn locks(&self) -> usize {
        self.locks.load(Ordering::Acquire)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.kib.fetch_sub(self.kib, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
