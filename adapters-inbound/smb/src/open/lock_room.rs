//! The byte-range locks of an open, as they count for its user.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use dittofs_smb_wire::NtStatus;

use crate::holdings::Holding;

/// What its locks take of what its user may hold. What is left goes with the open.
#[derive(Debug, Default)]
pub(crate) struct LockRoom {
    of: Arc<Holding>,
    taken: AtomicUsize,
}

impl LockRoom {
    pub(crate) fn new(of: Arc<Holding>) -> LockRoom {
        LockRoom { of, taken: AtomicUsize::new(0) }
    }

    /// Takes room for one more, before it is asked for: a request that is dropped halfway must leave none that does not
    /// count.
    ///
    /// # Errors
    /// `INSUFFICIENT_RESOURCES` if its user has too many.
    pub(crate) fn take(&self) -> Result<(), NtStatus> {
        self.of.take_lock()?;
        self.taken.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// One is unlocked, or was not granted.
    pub(crate) fn give_back(&self) {
        let less = |taken: usize| taken.checked_sub(1);
        if self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, less).is_ok() {
            self.of.give_back_locks(1);
        }
    }
}

impl Drop for LockRoom {
    fn drop(&mut self) {
        self.of.give_back_locks(*self.taken.get_mut());
    }
}

#[cfg(test)]
mod tests;
