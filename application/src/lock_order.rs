//! The order in which locks are taken (`docs/architecture.md`, threads and lock order), asserted in debug builds.
//!
//! Locks are held over `await`, and several futures of one task may hold some, so that neither a thread nor a task tells
//! who holds what. A *strand* does: a future in which one thing is done after the other. Whoever begins work makes a
//! strand of it ([`strand`]); whoever lets several futures run side by side makes a [`branch`] of each. Outside of
//! strands nothing is asserted. A release build keeps nothing of all this.

use dittofs_domain::NodeId;

#[cfg(debug_assertions)]
pub(crate) use strand::{branch, strand};

/// The locks, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// The collector's lock.
    Collecting,
    /// The gate of changes.
    Gate,
    /// Credits of the admission controller, and room in the journal or the quota: a flush makes room, and takes the locks
    /// that follow.
    Room,
    /// The flusher's lock.
    Flushing,
    /// A node's lock: of two, the one with the lower id first.
    Node(NodeId),
    /// The lock of cloning.
    Cloning,
}

/// A lock that this strand holds.
#[derive(Debug)]
pub(crate) struct Held {
    #[cfg(debug_assertions)]
    rank: Rank,
}

/// A lock's guard, with its place in the order.
#[derive(Debug)]
pub(crate) struct Ordered<G> {
    _guard: G,
    _held: Held,
}

impl<G> Ordered<G> {
    /// Takes a lock: `guard` waits for it.
    ///
    /// # Panics
    /// In debug builds, if the strand holds a lock that comes after it, or the lock itself.
    pub(crate) async fn take(rank: Rank, guard: impl Future<Output = G>) -> Ordered<G> {
        may_wait_for(rank);
        Ordered { _guard: guard.await, _held: Held::note(rank) }
    }
}

impl Held {
    /// The strand holds a lock now. Taken without waiting, it may be taken out of order.
    pub(crate) fn note(rank: Rank) -> Held {
        #[cfg(debug_assertions)]
        strand::with_held(|held| held.push(rank));
        #[cfg(not(debug_assertions))]
        let _ = rank;
        Held {
            #[cfg(debug_assertions)]
            rank,
        }
    }
}

#[cfg(debug_assertions)]
impl Drop for Held {
    fn drop(&mut self) {
        strand::with_held(|held| {
            if let Some(at) = held.iter().rposition(|rank| *rank == self.rank) {
                held.remove(at);
            }
        });
    }
}

/// Asserts that a strand may wait for a lock, or for room.
///
/// # Panics
/// In debug builds, if it holds a lock that comes after it, or the lock itself.
pub(crate) fn may_wait_for(rank: Rank) {
    assert_all(|held| held < rank, "a lock is taken out of order", rank);
}

/// Asserts that a strand may wait for a client or an object store: it holds no node lock.
///
/// # Panics
/// In debug builds, if it holds one.
pub(crate) fn may_wait_outside() {
    let first = Rank::Node(NodeId(0));
    assert_all(|held| held < first, "a node lock is held while a store or a client is waited for", first);
}

#[cfg(debug_assertions)]
fn assert_all(is_right: impl Fn(Rank) -> bool, fault: &str, rank: Rank) {
    strand::with_held(|held| {
        assert!(held.iter().all(|held| is_right(*held)), "{fault}: {rank:?} while {held:?} are held");
    });
}

#[cfg(not(debug_assertions))]
fn assert_all(_: impl Fn(Rank) -> bool, _: &str, _: Rank) {}

/// Work that holds no lock at its beginning, and does one thing after the other.
#[cfg(not(debug_assertions))]
pub(crate) fn strand<F: Future>(work: F) -> F {
    work
}

/// Work beside other work of a strand, which goes on holding what it holds now.
#[cfg(not(debug_assertions))]
pub(crate) fn branch<F: Future>(work: F) -> F {
    work
}

#[cfg(debug_assertions)]
mod strand;
#[cfg(all(test, debug_assertions))]
mod tests;
