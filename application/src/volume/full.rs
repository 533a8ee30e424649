//! Disks that are full: writes are refused as long as what was written before can't be put away.

use std::sync::atomic::{AtomicBool, Ordering};

use dittofs_domain::error::{FsError, FsResult};

use super::Volume;

/// Which disks are known to be full.
#[derive(Debug, Default)]
pub(super) struct Full {
    /// A flush found no room in the stores.
    stores: AtomicBool,
    /// The journal can't have another segment.
    journal: AtomicBool,
}

impl Full {
    /// Whether a flush found no room in the stores.
    pub(super) fn is_stores(&self) -> bool {
        self.stores.load(Ordering::Acquire)
    }

    /// Whether the journal waits for what a flush gives back.
    pub(super) fn is_journal(&self) -> bool {
        self.journal.load(Ordering::Acquire)
    }

    pub(super) fn set_journal(&self, full: bool) {
        if self.journal.load(Ordering::Relaxed) != full {
            self.journal.store(full, Ordering::Release);
        }
    }
}

/// The least that is tried to be written where there is no space, in bytes, and how much less is tried each time.
const STEP_BYTES_MIN: u64 = 64 << 10;
const STEP_LESS: u64 = 4;

/// How much is written at once. Where there is no room for that, less may still have some, and what is written then
/// gives back what it replaces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps(Option<u64>);

impl Steps {
    /// Bytes of the next step, where there may be so many at most.
    pub(super) fn next(self, most: u64) -> u64 {
        self.0.map_or(most, |step| step.min(most))
    }

    /// There was no room for so many bytes; answers whether that is the least that is tried.
    pub(super) fn found_no_room(&mut self, bytes: u64) -> bool {
        self.0 = Some((bytes / STEP_LESS).max(STEP_BYTES_MIN));
        bytes <= STEP_BYTES_MIN
    }

    /// There was room for a step.
    pub(super) fn found_room(&mut self, most: u64) {
        self.0 = self.0.map(|step| step * STEP_LESS).filter(|step| *step < most);
    }
}

impl Volume {
    /// Refuses a write that could not be flushed.
    pub(super) fn demand_room(&self) -> FsResult<()> {
        if self.full.is_stores() { Err(FsError::NoSpace) } else { Ok(()) }
    }

    /// What is told to who has waited for room in vain.
    pub(super) fn waited_in_vain(&self, error: FsError) -> FsError {
        let full = self.full.is_stores() || self.full.is_journal();
        if full && error == FsError::Busy { FsError::NoSpace } else { error }
    }

    /// Notes how putting something into the stores ended.
    pub(super) fn note_full<T>(&self, result: &FsResult<T>) {
        match result {
            Ok(_) => {
                if self.full.stores.swap(false, Ordering::AcqRel) {
                    tracing::info!(share = %self.name, "there is space again");
                }
            }
            Err(FsError::NoSpace) => {
                if !self.full.stores.swap(true, Ordering::AcqRel) {
                    tracing::warn!(
                        share = %self.name,
                        "the stores are full: writes are refused until there is space; what was written stays in the journal"
                    );
                }
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
