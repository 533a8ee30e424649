//! The grace period after a start.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::volume::share::Share;

/// The time in which only who held a lock before gets one.
pub(crate) struct Grace {
    share: Arc<Share>,
    /// When it ends, in milliseconds of the monotonic clock: 0 where there was none.
    until_ms: AtomicU64,
}

impl Grace {
    pub(super) fn new(share: Arc<Share>) -> Grace {
        Grace { share, until_ms: AtomicU64::new(0) }
    }

    /// Begins it, for so long from now.
    pub(crate) fn begin(&self, period: Duration) {
        let period_ms = u64::try_from(period.as_millis()).unwrap_or(u64::MAX);
        self.until_ms.store(self.share.now_ms().saturating_add(period_ms), Ordering::Relaxed);
    }

    pub(super) fn lasts(&self) -> bool {
        let until_ms = self.until_ms.load(Ordering::Relaxed);
        until_ms != 0 && self.share.now_ms() < until_ms
    }
}
