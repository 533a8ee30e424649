//! The usage of the share that counts against its quota.
//!
//! The sums are those of the metadata store, kept up to date by the plans that this volume applies. Whatever is taken
//! and is not in those sums yet has a claim, which counts until it is dropped: unflushed bytes, and plans on their way.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use dittofs_domain::{
    plan::Statistics,
    quota::{Amount, Holding, Quota, Verdict, judge},
};
use parking_lot::Mutex;

/// The sums of a share, and the claims on it.
#[derive(Debug)]
pub(super) struct Ledger {
    sums: Arc<Mutex<Sums>>,
    /// How often something was left for the reaper, and how many of these it has been through.
    left: AtomicU64,
    reaped: AtomicU64,
    /// Somebody waits for what a flush makes known.
    wanted: AtomicBool,
}

#[derive(Debug)]
struct Sums {
    quota: Quota,
    stored: Statistics,
    claimed: Amount,
    /// Plans that change the sums: those that were begun, and those that are on their way.
    begun: u64,
    on_their_way: u32,
}

impl Sums {
    fn stored(&self) -> Amount {
        Amount {
            bytes: u64::try_from(self.stored.bytes).unwrap_or(0),
            nodes: u64::try_from(self.stored.nodes).unwrap_or(0),
        }
    }
}

impl Ledger {
    pub(super) fn new(quota: Quota) -> Ledger {
        Ledger {
            sums: Arc::new(Mutex::new(Sums {
                quota,
                stored: Statistics::default(),
                claimed: Amount::default(),
                begun: 0,
                on_their_way: 0,
            })),
            // Nobody knows what was left before the start until the reaper has looked.
            left: AtomicU64::new(1),
            reaped: AtomicU64::new(0),
            wanted: AtomicBool::new(false),
        }
    }

    pub(super) fn quota(&self) -> Quota {
        self.sums.lock().quota
    }

    /// Changes the quota. Whatever is over it already stays.
    pub(super) fn set_quota(&self, quota: Quota) {
        self.sums.lock().quota = quota;
    }

    /// Returns the usage that the metadata store has counted, and the claims beside it.
    pub(super) fn held(&self) -> (Amount, Amount) {
        let sums = self.sums.lock();
        (sums.stored(), sums.claimed)
    }

    /// Claims growth of the share, if the quota allows it.
    pub(super) fn claim(&self, growth: Amount) -> Result<Claim, Verdict> {
        let mut sums = self.sums.lock();
        let holding = Holding { stored: sums.stored(), coming: sums.claimed, is_freeing: self.is_freeing() };
        match judge(sums.quota, holding, growth) {
            Verdict::Fits => Ok(self.taken(&mut sums, growth)),
            refused @ (Verdict::Wait | Verdict::Over) => Err(refused),
        }
    }

    /// A claim of nothing, which may become one of something.
    pub(super) fn nothing(&self) -> Claim {
        Claim { amount: Amount::default(), sums: Arc::clone(&self.sums) }
    }

    fn taken(&self, sums: &mut Sums, amount: Amount) -> Claim {
        sums.claimed.bytes += amount.bytes;
        sums.claimed.nodes += amount.nodes;
        Claim { amount, sums: Arc::clone(&self.sums) }
    }

    /// Begins a plan that changes the sums by so much.
    pub(super) fn begin(&self, change: Statistics) -> Counting {
        let mut sums = self.sums.lock();
        sums.begun += 1;
        sums.on_their_way += 1;
        Counting { change, sums: Arc::clone(&self.sums) }
    }

    /// Plans that were begun, ever.
    pub(super) fn begun(&self) -> u64 {
        self.sums.lock().begun
    }

    /// Returns the version to pass to [`Ledger::observe`]; none while plans are on their way. To be called before the
    /// metadata store is asked.
    pub(super) fn version(&self) -> Option<u64> {
        let sums = self.sums.lock();
        (sums.on_their_way == 0).then_some(sums.begun)
    }

    /// Takes over what the metadata store said, unless a plan came between.
    pub(super) fn observe(&self, version: Option<u64>, stored: Statistics) {
        let mut sums = self.sums.lock();
        if version == Some(sums.begun) {
            sums.stored = stored;
        }
    }

    /// Notes that something removed is still counted, until the reaper has been through it.
    pub(super) fn leave(&self) {
        self.left.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns the count of removals so far. The reaper asks for it before it begins, and passes it to
    /// [`Ledger::reaped`].
    pub(super) fn left(&self) -> u64 {
        self.left.load(Ordering::Acquire)
    }

    /// Notes that the reaper has been through all that was left at that count.
    pub(super) fn reaped(&self, left: u64) {
        self.reaped.fetch_max(left, Ordering::AcqRel);
    }

    fn is_freeing(&self) -> bool {
        self.left() > self.reaped.load(Ordering::Acquire)
    }

    /// Somebody waits until what was taken is stored.
    pub(super) fn want(&self) {
        self.wanted.store(true, Ordering::Release);
    }

    /// Whether somebody does, since this was asked last.
    pub(super) fn take_wanted(&self) -> bool {
        self.wanted.swap(false, Ordering::AcqRel)
    }
}

/// Growth of the share that its sums do not know yet. Given back when dropped, so that it cannot leak.
#[derive(Debug)]
pub(super) struct Claim {
    amount: Amount,
    sums: Arc<Mutex<Sums>>,
}

impl Claim {
    /// One of nothing, on the same share.
    pub(super) fn nothing(&self) -> Claim {
        Claim { amount: Amount::default(), sums: Arc::clone(&self.sums) }
    }

    /// Takes over another one.
    pub(super) fn join(&mut self, mut other: Claim) {
        let amount = std::mem::take(&mut other.amount);
        self.amount.bytes += amount.bytes;
        self.amount.nodes += amount.nodes;
    }

    /// Gives back what is more than this many bytes.
    pub(super) fn shrink_to(&mut self, bytes: u64) {
        if self.amount.bytes > bytes {
            self.set(bytes);
        }
    }

    /// Claims so many bytes, whether they fit or not: they are there.
    pub(super) fn set(&mut self, bytes: u64) {
        let mut sums = self.sums.lock();
        sums.claimed.bytes = sums.claimed.bytes + bytes - self.amount.bytes;
        self.amount.bytes = bytes;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.amount != Amount::default() {
            let mut sums = self.sums.lock();
            sums.claimed.bytes -= self.amount.bytes;
            sums.claimed.nodes -= self.amount.nodes;
        }
    }
}

/// A plan on its way.
pub(super) struct Counting {
    change: Statistics,
    sums: Arc<Mutex<Sums>>,
}

impl Counting {
    /// The plan has been applied.
    pub(super) fn applied(self) {
        let mut sums = self.sums.lock();
        sums.stored.bytes = sums.stored.bytes.saturating_add(self.change.bytes);
        sums.stored.nodes = sums.stored.nodes.saturating_add(self.change.nodes);
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.sums.lock().on_their_way -= 1;
    }
}

#[cfg(test)]
mod tests;
