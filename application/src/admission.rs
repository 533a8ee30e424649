//! Credits for unflushed bytes: what is written must first be admitted.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{
    counters::Counter,
    error::{FsError, FsResult},
    flush::Usage,
};
use dittofs_ports::Clock;
use futures_util::{FutureExt, select_biased};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::lock_order::{Rank, may_wait_for};

/// Bytes of one credit. Fine enough for small records, and few enough of them for a semaphore of 32 bits.
const CREDIT_BYTES: u64 = 512;

/// One share's controller of unflushed bytes and their index entries.
#[derive(Debug)]
pub(crate) struct Admission {
    credits: Arc<Semaphore>,
    total: usize,
    record_bytes: u64,
    wait_max: Duration,
    short: Notify,
    /// Writes that had to wait for room.
    pub(crate) delayed: Counter,
    /// Writes that waited for too long.
    pub(crate) refused: Counter,
}

/// The right to some unflushed bytes. Given back when dropped, so that it cannot leak.
#[derive(Debug)]
pub(crate) struct Credits {
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    /// A controller of at most `bytes_max` unflushed bytes, where each record counts `record_bytes` beside its own, and a
    /// write waits at most `wait_max`.
    pub(crate) fn new(bytes_max: u64, record_bytes: u64, wait_max: Duration) -> Admission {
        let total = usize::try_from(bytes_max / CREDIT_BYTES).unwrap_or(usize::MAX).min(u32::MAX as usize >> 1);
        Admission {
            credits: Arc::new(Semaphore::new(total)),
            total,
            record_bytes,
            wait_max,
            short: Notify::new(),
            delayed: Counter::default(),
            refused: Counter::default(),
        }
    }

    /// Admits a record of some bytes, waiting for the flush where there is no room.
    ///
    /// # Errors
    /// `Busy` if there is no room for too long; `NoSpace` if the record is larger than the bound.
    pub(crate) async fn admit(&self, bytes: usize, clock: &dyn Clock) -> FsResult<Credits> {
        may_wait_for(Rank::Room);
        let wanted = self.credits_of(bytes).ok_or(FsError::Busy)?;
        if self.credits.available_permits() < self.total / 2 {
            self.short.notify_one();
        }
        if let Ok(permit) = Arc::clone(&self.credits).try_acquire_many_owned(wanted) {
            return Ok(Credits { _permit: permit });
        }
        if wanted as usize > self.total {
            return Err(FsError::NoSpace);
        }
        self.delayed.count();
        let mut permit = Box::pin(Arc::clone(&self.credits).acquire_many_owned(wanted)).fuse();
        let mut timeout = clock.sleep(self.wait_max).fuse();
        select_biased! {
            permit = permit => match permit {
                Ok(permit) => Ok(Credits { _permit: permit }),
                Err(_) => Err(FsError::Busy),
            },
            () = timeout => {
                self.refused.count();
                Err(FsError::Busy)
            }
        }
    }

    /// Counts a record that is in the journal already, as far as there are credits.
    pub(crate) fn admit_recovered(&self, bytes: usize) -> Option<Credits> {
        let wanted = self.credits_of(bytes)?;
        let permit = Arc::clone(&self.credits).try_acquire_many_owned(wanted).ok()?;
        Some(Credits { _permit: permit })
    }

    fn credits_of(&self, bytes: usize) -> Option<u32> {
        u32::try_from((bytes as u64).saturating_add(self.record_bytes).div_ceil(CREDIT_BYTES)).ok()
    }

    /// How much of the bound is used.
    pub(crate) fn usage(&self) -> Usage {
        let free = self.credits.available_permits().min(self.total);
        Usage { used: (self.total - free) as u64 * CREDIT_BYTES, limit: self.total as u64 * CREDIT_BYTES }
    }

    /// How long a write waits at most.
    pub(crate) fn patience(&self) -> Duration {
        self.wait_max
    }

    /// Asks the flusher not to wait for its next tick.
    pub(crate) fn request_flush(&self) {
        self.short.notify_one();
    }

    /// Waits until credits run short: the flusher should not wait for its next tick then.
    pub(crate) async fn short(&self) {
        self.short.notified().await;
    }
}

#[cfg(test)]
mod tests;
