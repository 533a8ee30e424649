//! The garbage that plans leave behind: objects that lost references or bytes, and nodes that wait to be reaped.

use std::collections::{BTreeMap, BTreeSet};

use dittofs_domain::{KeyId, ObjectId};
use dittofs_ports::FrameSealer;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, RwLock, RwLockReadGuard, RwLockWriteGuard, futures::Notified};

use crate::lock_order::{Ordered, Rank};

/// The known state of an object that has lost bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MostlyDead {
    /// Bytes that died, as far as that was seen.
    pub(super) dead: u64,
    /// From how many dead bytes on it is worth looking at.
    pub(super) due: u64,
    /// A key that is missing: until it is back the object stays as it is.
    pub(super) waits_for: Option<KeyId>,
}

impl MostlyDead {
    pub(super) fn is_due(&self, full: bool, sealer: &dyn FrameSealer) -> bool {
        (self.dead >= self.due || full && self.dead > 0) && self.waits_for.is_none_or(|key| sealer.demand(key).is_ok())
    }
}

/// The garbage of a share, for its collector.
#[derive(Debug, Default)]
pub(super) struct Garbage {
    /// Garbage candidates: objects that lost a reference, and are garbage if it was the last one.
    candidates: Mutex<BTreeSet<ObjectId>>,
    /// Objects that may be mostly dead.
    mostly_dead: Mutex<BTreeMap<ObjectId, MostlyDead>>,
    /// Held for reading by who clones, which makes new references to blocks, and for writing by who looks for dead ones.
    /// Taken after node locks.
    cloning: RwLock<()>,
    left: Notify,
}

impl Garbage {
    /// Objects have lost a reference, or nobody knows whether they have.
    pub(super) fn released(&self, objects: impl IntoIterator<Item = ObjectId>) {
        self.candidates.lock().extend(objects);
    }

    /// The next garbage candidate.
    pub(super) fn next_candidate(&self) -> Option<ObjectId> {
        self.candidates.lock().pop_first()
    }

    /// How many garbage candidates there are.
    pub(super) fn candidates(&self) -> usize {
        self.candidates.lock().len()
    }

    /// Notes that bytes of objects have died.
    pub(super) fn note_dead(&self, lost: impl IntoIterator<Item = (ObjectId, u64)>) {
        let mut mostly_dead = self.mostly_dead.lock();
        for (object, bytes) in lost {
            let known = mostly_dead.entry(object).or_default();
            known.dead = known.dead.saturating_add(bytes);
        }
    }

    /// The objects that have lost bytes.
    pub(super) fn mostly_dead(&self) -> MutexGuard<'_, BTreeMap<ObjectId, MostlyDead>> {
        self.mostly_dead.lock()
    }

    /// Makes new references to blocks; held until they are stored.
    pub(super) async fn clone_blocks(&self) -> Ordered<RwLockReadGuard<'_, ()>> {
        Ordered::take(Rank::Cloning, self.cloning.read()).await
    }

    /// Waits until nobody makes new references to blocks, and keeps everybody from it.
    pub(super) async fn stop_cloning(&self) -> Ordered<RwLockWriteGuard<'_, ()>> {
        Ordered::take(Rank::Cloning, self.cloning.write()).await
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
