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
