//! Disks that are full: writes are refused as long as what was written before can't be put away.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use dittofs_domain::error::{FsError, FsResult};
use futures_util::{FutureExt, select_biased};
use tokio::sync::futures::Notified;

use crate::{
    lock_order::{Rank, may_wait_for},
    volume::write_back::WriteBack,
};

/// Which disks are known to be full.
#[derive(Debug, Default)]
pub(in crate::volume) struct Full {
    /// A flush found no room in the stores.
    stores: AtomicBool,
    /// The journal can't have another segment.
    journal: AtomicBool,
}

impl Full {
    /// Whether a flush found no room in the stores.
    pub(in crate::volume) fn is_stores(&self) -> bool {
        self.stores.load(Ordering::Acquire)
    }

    /// Whether the journal waits for what a flush gives back.
    pub(in crate::volume) fn is_journal(&self) -> bool {
        self.journal.load(Ordering::Acquire)
    }

    pub(in crate::volume) fn set_journal(&self, full: bool) {
        if self.journal.load(Ordering::Relaxed) != full {
            self.journal.store(full, Ordering::Release);
        }
    }
}

impl WriteBack {
    /// Waits until there may be room again. To be asked for before it is found out that there is none.
    pub(in crate::volume) fn room(&self) -> Notified<'_> {
        self.room.notified()
    }

    /// There may be room again.
    pub(in crate::volume) fn note_room(&self) {
        self.room.notify_waiters();
    }

    /// Refuses a write that could not be flushed.
    pub(in crate::volume) fn demand_room(&self) -> FsResult<()> {
        if self.full.is_stores() { Err(FsError::NoSpace) } else { Ok(()) }
    }

    /// The error for who has waited for room in vain.
    pub(in crate::volume) fn waited_in_vain(&self, error: FsError) -> FsError {
        let full = self.full.is_stores() || self.full.is_journal();
        if full && error == FsError::Busy { FsError::NoSpace } else { error }
    }

    /// Notes how putting something into the stores ended.
    pub(in crate::volume) fn note_full<T>(&self, result: &FsResult<T>) {
        match result {
            Ok(_) => {
                if self.full.stores.swap(false, Ordering::AcqRel) {
                    tracing::info!(share = %self.share.name(), "there is space again");
                }
            }
            Err(FsError::NoSpace) => {
                if !self.full.stores.swap(true, Ordering::AcqRel) {
                    tracing::warn!(
                        share = %self.share.name(),
                        "the stores are full: writes are refused until there is space; what was written stays in the journal"
                    );
                }
            }
            Err(_) => {}
        }
    }

    /// Waits until the journal has given something up: what is dead in it counts there, but not for the admission.
    pub(in crate::volume) async fn wait_for_room(
        &self,
        room: impl Future<Output = ()>,
        until: Duration,
    ) -> FsResult<()> {
        may_wait_for(Rank::Room);
        self.admission.request_flush();
        self.admission.delayed.count();
        let left = until.saturating_sub(self.share.monotonic());
        let room = room.fuse();
        futures_util::pin_mut!(room);
        let mut timeout = self.share.sleep(left).fuse();
        select_biased! {
            () = room => Ok(()),
            () = timeout => {
                self.admission.refused.count();
                Err(self.waited_in_vain(FsError::Busy))
            }
        }
    }
}
