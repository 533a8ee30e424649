//! Holding changes off for a moment: they go through a gate, each from its beginning to its end.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::lock_order::{Ordered, Rank};

/// Held by a change on its way.
pub(crate) struct Passage<'g> {
    _open: Ordered<RwLockReadGuard<'g, ()>>,
}

/// Held while nothing changes.
pub(super) struct Closed<'g> {
    _closed: Ordered<RwLockWriteGuard<'g, ()>>,
}

/// The gate of a share. It is fair: whoever comes while it is being closed waits until it is open again.
#[derive(Debug, Default)]
pub(super) struct Gate(RwLock<()>);

impl Gate {
    /// Waits until the gate is open.
    pub(super) async fn pass(&self) -> Passage<'_> {
        Passage { _open: Ordered::take(Rank::Gate, self.0.read()).await }
    }

    /// Closes the gate, and waits until what has passed it has ended. Dropped before that, it opens it again.
    pub(super) async fn close(&self) -> Closed<'_> {
        Closed { _closed: Ordered::take(Rank::Gate, self.0.write()).await }
    }
}

#[cfg(test)]
mod tests;
