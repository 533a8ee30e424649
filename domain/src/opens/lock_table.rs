//! All byte-range locks of a node, in one table.

use smallvec::SmallVec;

use crate::{
    client::ClientId,
    opens::{Denied, Lock, LockHolder, LockKind, LockOwner, LockRange, OpenToken, limits},
};

/// The byte-range locks that are held on a node, by offset.
///
/// Of one POSIX owner, no two overlap, and no two of one kind touch. Of an open, they are as they were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct LockTable {
    locks: Vec<Lock>,
    counts: LockCounts,
}

/// How many locks there are, by what they stop: most reads and writes meet none that could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct LockCounts {
    shared_by_owners: usize,
    exclusive_by_owners: usize,
    shared_by_opens: usize,
    exclusive_by_opens: usize,
}

impl LockCounts {
    fn of(&mut self, lock: &Lock) -> &mut usize {
        match (&lock.holder, lock.kind) {
            (LockHolder::Owner(_), LockKind::Shared) => &mut self.shared_by_owners,
            (LockHolder::Owner(_), LockKind::Exclusive) => &mut self.exclusive_by_owners,
            (LockHolder::Open { .. }, LockKind::Shared) => &mut self.shared_by_opens,
            (LockHolder::Open { .. }, LockKind::Exclusive) => &mut self.exclusive_by_opens,
        }
    }

    /// Whether there is a lock that could stop this somewhere: see [`Lock::stops`].
    fn may_stop(&self, is_mandatory: bool, write: bool) -> bool {
        let exclusive = self.exclusive_by_opens + if is_mandatory { self.exclusive_by_owners } else { 0 };
        let shared = self.shared_by_opens + if is_mandatory { self.shared_by_owners } else { 0 };
        exclusive > 0 || (write && shared > 0)
    }
}

/// Locks to take out, by index and ascending, and to put in.
#[derive(Default)]
struct Replacement {
    removed: SmallVec<[usize; 8]>,
    added: SmallVec<[Lock; 2]>,
}

impl LockTable {
    /// A lock that is in the way of `wanted`, the first by offset.
    pub fn test(&self, wanted: &Lock) -> Option<&Lock> {
        self.starting_up_to(wanted.range).iter().find(|held| held.blocks(wanted))
    }

    /// Whether [`LockTable::lock`] would succeed.
    ///
    /// # Errors
    /// Those of [`LockTable::lock`].
    pub fn check(&self, wanted: &Lock) -> Result<(), Denied> {
        if let Some(held) = self.test(wanted) {
            return Err(Denied::Locked(held.clone()));
        }
        if wanted.holder.open().is_some() {
            return self.check_room(&wanted.holder, 0, 1);
        }
        self.replacement(&wanted.holder, wanted.range, Some(wanted.kind)).map(|_| ())
    }

    /// Takes a lock. A POSIX owner's replaces what it has in the range (upgrade and downgrade alike).
    ///
    /// # Errors
    /// `Locked` if another is in the way; `Invalid` for a zero-length range of a POSIX owner; `Limit` if there would
    /// be more than [`limits::LOCKS`] or [`limits::LOCKS_PER_HOLDER`]. Nothing is changed then.
    pub fn lock(&mut self, wanted: Lock) -> Result<(), Denied> {
        if let Some(held) = self.test(&wanted) {
            return Err(Denied::Locked(held.clone()));
        }
        if wanted.holder.open().is_some() {
            self.check_room(&wanted.holder, 0, 1)?;
            self.insert(wanted);
            return Ok(());
        }
        let replacement = self.replacement(&wanted.holder, wanted.range, Some(wanted.kind))?;
        self.apply(replacement);
        Ok(())
    }

    /// Gives up a range: whatever a POSIX owner has in it, or one lock of an open with exactly this range, an
    /// exclusive one first.
    ///
    /// # Errors
    /// `NotLocked` if an open has no such lock; `Invalid` for a zero-length range of a POSIX owner; `Limit` if a
    /// lock would be split in two and there is no room for both. Nothing is changed then.
    pub fn unlock(&mut self, holder: &LockHolder, range: LockRange) -> Result<(), Denied> {
        if holder.open().is_none() {
            let replacement = self.replacement(holder, range, None)?;
            self.apply(replacement);
            return Ok(());
        }
        let exact = |kind| self.locks.iter().position(|l| l.range == range && l.holder == *holder && l.kind == kind);
        let at = exact(LockKind::Exclusive).or_else(|| exact(LockKind::Shared)).ok_or(Denied::NotLocked)?;
        self.remove(at);
        Ok(())
    }

    /// Drops all locks of a POSIX owner; whether there were any.
    pub fn release_owner(&mut self, owner: &LockOwner) -> bool {
        self.release(|holder| matches!(holder, LockHolder::Owner(o) if o == owner))
    }

    /// Drops all locks of an open; whether there were any.
    pub fn release_open(&mut self, open: OpenToken) -> bool {
        self.release(|holder| holder.open() == Some(open))
    }

    /// Drops all locks of a client; whether there were any.
    pub fn release_client(&mut self, client: ClientId) -> bool {
        self.release(|holder| holder.client() == client)
    }

    /// A lock that stops reading or writing of `range`: see [`Lock::stops`].
    pub fn io_conflict(&self, open: Option<OpenToken>, range: LockRange, write: bool) -> Option<&Lock> {
        if !self.counts.may_stop(open.is_some(), write) {
            return None;
        }
        self.starting_up_to(range).iter().find(|held| held.stops(open, range, write))
    }

    /// All locks, by offset.
    pub fn iter(&self) -> impl Iterator<Item = &Lock> {
        self.locks.iter()
    }

    /// How many locks are held.
    pub fn len(&self) -> usize {
        self.locks.len()
    }

    /// Whether no lock is held.
    pub fn is_empty(&self) -> bool {
        self.locks.is_empty()
    }

    /// How many locks a POSIX owner holds.
    pub fn held_by(&self, owner: &LockOwner) -> usize {
        self.locks.iter().filter(|l| matches!(&l.holder, LockHolder::Owner(o) if o == owner)).count()
    }

    fn release(&mut self, gone: impl Fn(&LockHolder) -> bool) -> bool {
        let before = self.locks.len();
        let counts = &mut self.counts;
        self.locks.retain(|lock| {
            let stays = !gone(&lock.holder);
            if !stays {
                *counts.of(lock) -= 1;
            }
            stays
        });
        self.locks.len() < before
    }

    /// Returns the change that makes `kind` the only lock of a POSIX owner in a range; `None` removes its locks there.
    fn replacement(
        &self,
        holder: &LockHolder,
        range: LockRange,
        kind: Option<LockKind>,
    ) -> Result<Replacement, Denied> {
        if range.is_empty() {
            return Err(Denied::Invalid);
        }
        let mut whole = range;
        let mut change = Replacement::default();
        for (i, held) in self.locks.iter().enumerate().filter(|(_, held)| held.holder == *holder) {
            if Some(held.kind) == kind && held.range.touches(range) {
                whole = whole.cover(held.range);
                change.removed.push(i);
            } else if held.range.overlaps(range) {
                change.removed.push(i);
                let rest = held.range.without(range).into_iter().flatten();
                change.added.extend(rest.map(|range| Lock { range, ..held.clone() }));
            }
        }
        change.added.extend(kind.map(|kind| Lock { range: whole, kind, holder: holder.clone() }));
        self.check_room(holder, change.removed.len(), change.added.len())?;
        Ok(change)
    }

    fn apply(&mut self, change: Replacement) {
        for at in change.removed.into_iter().rev() {
            self.remove(at);
        }
        for lock in change.added {
            self.insert(lock);
        }
    }

    /// Never refuses a change that does not raise the number of locks.
    fn check_room(&self, holder: &LockHolder, removed: usize, added: usize) -> Result<(), Denied> {
        let more = added.saturating_sub(removed);
        let held = || self.locks.iter().filter(|l| l.holder == *holder).count();
        if more > 0 && (self.locks.len() + more > limits::LOCKS || held() + more > limits::LOCKS_PER_HOLDER) {
            return Err(Denied::Limit);
        }
        Ok(())
    }

    pub(super) fn insert(&mut self, lock: Lock) {
        let at = self.locks.partition_point(|held| held.range.offset() <= lock.range.offset());
        *self.counts.of(&lock) += 1;
        self.locks.insert(at, lock);
    }

    fn remove(&mut self, at: usize) {
        let lock = self.locks.remove(at);
        *self.counts.of(&lock) -= 1;
    }

    fn starting_up_to(&self, range: LockRange) -> &[Lock] {
        let end = range.last().unwrap_or(range.offset());
        &self.locks[..self.locks.partition_point(|held| held.range.offset() <= end)]
    }
}
