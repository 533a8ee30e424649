//! What plans leave behind: objects that lost references or bytes, and nodes that wait to be reaped.

use std::collections::{BTreeMap, BTreeSet};

use dittofs_domain::{KeyId, ObjectId};
use dittofs_ports::FrameSealer;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, RwLock, RwLockReadGuard, RwLockWriteGuard, futures::Notified};

/// What is known of an object that has lost bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dying {
    /// Bytes that died, as far as that was seen.
    pub(super) dead: u64,
    /// From how many dead bytes on it is worth looking at.
    pub(super) due: u64,
    /// A key that is missing: until it is back the object stays as it is.
    pub(super) waits_for: Option<KeyId>,
}

impl Dying {
    pub(super) fn is_due(&self, full: bool, sealer: &dyn FrameSealer) -> bool {
        (self.dead >= self.due || full && self.dead > 0) && self.waits_for.is_none_or(|key| sealer.demand(key).is_ok())
    }
}

/// What is left behind in a share, for its collector.
#[derive(Debug, Default)]
pub(super) struct Garbage {
    /// Objects that lost a reference: garbage, if it was the last one.
    suspects: Mutex<BTreeSet<ObjectId>>,
    /// Objects that may be mostly dead.
    dying: Mutex<BTreeMap<ObjectId, Dying>>,
    /// Held for reading by who clones, which makes new references to blocks, and for writing by who looks for dead ones.
    /// Taken after node locks.
    cloning: RwLock<()>,
    left: Notify,
}

impl Garbage {
    /// Objects have lost a reference, or nobody knows whether they have.
    pub(super) fn released(&self, objects: impl IntoIterator<Item = ObjectId>) {
        self.suspects.lock().extend(objects);
    }

    /// The next object that may have lost its last reference.
    pub(super) fn next_suspect(&self) -> Option<ObjectId> {
        self.suspects.lock().pop_first()
    }

    /// How many such objects there are.
    pub(super) fn suspects(&self) -> usize {
        self.suspects.lock().len()
    }

    /// Notes that bytes of objects have died.
    pub(super) fn note_dead(&self, lost: impl IntoIterator<Item = (ObjectId, u64)>) {
        let mut dying = self.dying.lock();
        for (object, bytes) in lost {
            let known = dying.entry(object).or_default();
            known.dead = known.dead.saturating_add(bytes);
        }
    }

    /// The objects that have lost bytes.
    pub(super) fn dying(&self) -> MutexGuard<'_, BTreeMap<ObjectId, Dying>> {
        self.dying.lock()
    }

    /// Makes new references to blocks; held until they are stored.
    pub(super) async fn clone_blocks(&self) -> RwLockReadGuard<'_, ()> {
        self.cloning.read().await
    }

    /// Waits until nobody makes new references to blocks, and keeps everybody from it.
    pub(super) async fn stop_cloning(&self) -> RwLockWriteGuard<'_, ()> {
        self.cloning.write().await
    }

    /// Has the collector look.
    pub(super) fn wake(&self) {
        self.left.notify_one();
    }

    /// Waits until the collector should look.
    pub(super) fn woken(&self) -> Notified<'_> {
        self.left.notified()
    }
}
