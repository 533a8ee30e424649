//! The opens of one node: share modes, locks and caching rights in one state.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    credentials::ClientId,
    opens::{
        AcknowledgeError, Break, Denied, LeaseForm, LeaseKey, LeaseState, LeaseTable, Lock, LockHolder, LockOutcome,
        LockOwner, LockRange, LockTable, OpenToken, Outcome, Requester, Rights, ShareAccess, ShareMode, Trigger,
        WaitToken, Waiter, limits, share_mode::ShareCounts, waiters::Waiters,
    },
};

/// Whose rules an open's reads and writes follow where there are locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Locking {
    /// POSIX's: locks of POSIX owners do not stop it, those of opens do. So it is, too, where there is no open at all.
    Advisory,
    /// MS-FSA's: all locks but its own exclusive ones stop it.
    Mandatory,
}

/// An open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    /// Who has it.
    pub client: ClientId,
    /// What for.
    pub share: ShareMode,
    /// How it meets locks.
    pub locking: Locking,
    /// Under which key it caches.
    pub lease: Option<LeaseKey>,
}

/// What is done to a node, with or without an open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Reads a range.
    Read(LockRange),
    /// Writes, allocates or punches a range.
    Write(LockRange),
    /// Changes the size: the range between the old and the new end.
    Truncate(LockRange),
    /// Renames a name of it.
    Rename,
    /// Removes a name of it, or renames something over it.
    Remove,
    /// Adds a name.
    Link,
    /// Sets attributes other than the size.
    SetAttributes,
}

impl Operation {
    fn trigger(self) -> Trigger {
        match self {
            Operation::Read(_) => Trigger::Read,
            Operation::Write(_) => Trigger::Write,
            Operation::Truncate(_) => Trigger::Truncate,
            Operation::Rename => Trigger::Rename,
            Operation::Remove => Trigger::Remove,
            Operation::Link => Trigger::Link,
            Operation::SetAttributes => Trigger::SetAttributes,
        }
    }

    /// What an open must be for, to do this through it, and what others can deny.
    pub fn access(self) -> ShareAccess {
        match self {
            Operation::Read(_) => ShareAccess::READ,
            Operation::Write(_) | Operation::Truncate(_) => ShareAccess::WRITE,
            Operation::Rename | Operation::Remove => ShareAccess::DELETE,
            Operation::Link | Operation::SetAttributes => ShareAccess::empty(),
        }
    }

    fn range(self) -> Option<LockRange> {
        match self {
            Operation::Read(range) | Operation::Write(range) | Operation::Truncate(range) => Some(range),
            Operation::Rename | Operation::Remove | Operation::Link | Operation::SetAttributes => None,
        }
    }
}

/// What a request for caching rights got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseGrant {
    /// What the key has now.
    pub rights: Rights,
    /// Its epoch.
    pub epoch: u16,
    /// Whether a break of it is under way, so that it could not grow.
    pub breaking: bool,
}

/// What a close leaves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Closed {
    /// The open that is gone.
    pub open: Open,
    /// Waiters that got their locks.
    pub woken: Vec<Waiter>,
    /// Whether no open is left: if the node has no name either, it can go.
    pub last: bool,
}

/// The opens of one node. Empty, it says nothing and can be dropped.
///
/// What holds after every transition:
/// - no two opens conflict by share mode, no two locks block each other;
/// - who may write from its cache is the only one who has the node open for content or caches it, and nobody else
///   holds or awaits a lock on it, unless a break of it is under way;
/// - no request stands in line that no held lock blocks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct NodeOpens {
    opens: BTreeMap<OpenToken, Open>,
    counts: ShareCounts,
    pub(super) locks: LockTable,
    waiters: Waiters,
    pub(super) leases: LeaseTable,
}

impl NodeOpens {
    /// Opens the node. `truncate` where the open discards its content.
    ///
    /// `Denied`: `Share`, `TokenInUse` or `Limit`.
    pub fn open(&mut self, token: OpenToken, open: Open, truncate: bool, deadline_ms: u64) -> Outcome {
        if self.opens.contains_key(&token) {
            return Outcome::Denied(Denied::TokenInUse);
        }
        if self.opens.len() >= limits::OPENS {
            return Outcome::Denied(Denied::Limit);
        }
        let outcome = self.admit(token, &open, truncate, deadline_ms);
        if matches!(outcome, Outcome::Granted(_)) {
            self.counts.add(open.share);
            self.opens.insert(token, open);
        }
        outcome
    }

    /// Gives an open another share mode (NFSv4's OPEN by the owner of an open, and OPEN_DOWNGRADE).
    ///
    /// `Denied`: `Share` or `UnknownOpen`.
    pub fn change_share(&mut self, token: OpenToken, share: ShareMode, deadline_ms: u64) -> Outcome {
        let Some(mut open) = self.opens.get(&token).copied() else {
            return Outcome::Denied(Denied::UnknownOpen);
        };
        let former = std::mem::replace(&mut open.share, share);
        let outcome = self.admit(token, &open, false, deadline_ms);
        if matches!(outcome, Outcome::Granted(_)) {
            self.counts.remove(former);
            self.counts.add(share);
            self.opens.insert(token, open);
        }
        outcome
    }

    /// Closes an open, with its locks and, if it was the last under its key, its caching rights; a delegation stays.
    /// `None` if there is no such open.
    pub fn close(&mut self, token: OpenToken) -> Option<Closed> {
        let open = self.opens.remove(&token)?;
        self.counts.remove(open.share);
        if let Some(key) = open.lease
            && key.form != LeaseForm::Delegation
            && !self.opens.values().any(|other| other.lease == Some(key))
        {
            self.leases.remove(&key);
        }
        self.locks.release_open(token);
        self.waiters.remove(|w| w.lock.holder.open() == Some(token));
        Some(Closed { open, woken: self.waiters.grant(&mut self.locks), last: self.opens.is_empty() })
    }

    /// Whether an operation may go on, by `opener` or without an open (NFSv3, or a special stateid). To be asked
    /// right before it is done.
    ///
    /// `Denied`: `Share` or `Locked`. An open that has gone meanwhile counts as none.
    pub fn check(
        &mut self,
        client: ClientId,
        opener: Option<OpenToken>,
        operation: Operation,
        deadline_ms: u64,
    ) -> Outcome {
        let own = opener.and_then(|token| self.opens.get(&token).map(|open| (token, *open)));
        let by = Requester { client, lease: own.and_then(|(_, open)| open.lease) };
        let share = ShareMode { access: operation.access(), deny: ShareAccess::empty() };
        if !own.is_some_and(|(_, open)| open.share.access.contains(share.access))
            && let Some(outcome) = self.share_conflict(opener, share, &by, deadline_ms)
        {
            return outcome;
        }
        if let Some(range) = operation.range() {
            let mandatory = own.filter(|(_, open)| open.locking == Locking::Mandatory).map(|(token, _)| token);
            let write = operation.access() == ShareAccess::WRITE;
            if let Some(lock) = self.locks.io_conflict(mandatory, range, write) {
                return Outcome::Denied(Denied::Locked(lock.clone()));
            }
        }
        self.leases.demand(operation.trigger(), &by, deadline_ms, |_| true).into_outcome()
    }

    /// A lock that is in the way of `wanted`.
    pub fn test_lock(&self, wanted: &Lock) -> Option<&Lock> {
        self.locks.test(wanted)
    }

    /// Takes a lock; with `wait`, stands in line if another is in the way. Only held locks are in the way: a request
    /// may pass those that wait for something else.
    ///
    /// `Denied`: `Locked` (only without `wait`), `UnknownOpen`, `Invalid` or `Limit`.
    pub fn lock(&mut self, wanted: Lock, wait: Option<WaitToken>, deadline_ms: u64) -> LockOutcome {
        let lease = match wanted.holder.open().map(|token| self.opens.get(&token)) {
            Some(None) => return LockOutcome::Denied(Denied::UnknownOpen),
            Some(Some(open)) => open.lease,
            None if wanted.range.is_empty() => return LockOutcome::Denied(Denied::Invalid),
            None => None,
        };
        let by = Requester { client: wanted.holder.client(), lease };
        let wait = match (self.locks.check(&wanted), wait) {
            (Ok(()), _) => None,
            (Err(Denied::Locked(_)), Some(_)) if !self.waiters.has_room_for(&wanted) => {
                return LockOutcome::Denied(Denied::Limit);
            }
            (Err(Denied::Locked(_)), Some(token)) => Some(token),
            (Err(denied), _) => return LockOutcome::Denied(denied),
        };
        // Who will wait takes caching rights away at once: it may be woken by their holder's unlock.
        let demand = self.leases.demand(Trigger::Lock, &by, deadline_ms, |_| true);
        match demand.wait_until_ms {
            None => self.place(wanted, wait, demand.breaks),
            Some(until_ms) if demand.breaks.is_empty() => LockOutcome::Wait { until_ms },
            Some(_) => LockOutcome::MustBreak(demand.breaks),
        }
    }

    /// Gives up a lock; the waiters that got theirs.
    ///
    /// # Errors
    /// As [`LockTable::unlock`].
    pub fn unlock(&mut self, holder: &LockHolder, range: LockRange) -> Result<Vec<Waiter>, Denied> {
        self.locks.unlock(holder, range)?;
        Ok(self.waiters.grant(&mut self.locks))
    }

    /// Takes a request out of the line; false if it is not there (any more).
    pub fn cancel_wait(&mut self, token: WaitToken) -> bool {
        self.waiters.remove(|w| w.token == token)
    }

    /// Drops all locks and requests of a POSIX owner; the waiters that got theirs.
    pub fn release_owner(&mut self, owner: &LockOwner) -> Vec<Waiter> {
        self.waiters.remove(|w| matches!(&w.lock.holder, LockHolder::Owner(o) if o == owner));
        self.locks.release_owner(owner);
        self.waiters.grant(&mut self.locks)
    }

    /// Drops all that a client has on the node; the waiters of others that got their locks.
    pub fn release_client(&mut self, client: ClientId) -> Vec<Waiter> {
        let counts = &mut self.counts;
        self.opens.retain(|_, open| {
            if open.client == client {
                counts.remove(open.share);
            }
            open.client != client
        });
        self.leases.release_client(client);
        self.waiters.remove(|w| w.lock.holder.client() == client);
        self.locks.release_client(client);
        self.waiters.grant(&mut self.locks)
    }

    /// Gives a key as much of `wanted` as others leave room for: what it has grows, and never shrinks here. Nobody
    /// else's rights are broken for it.
    pub fn request_lease(&mut self, key: LeaseKey, wanted: Rights) -> LeaseGrant {
        let wanted = key.form.fit(wanted, self.allowed(&key));
        if self.leases.find(&key).is_none() && (wanted.is_empty() || self.leases.len() >= limits::LEASES) {
            return LeaseGrant { rights: Rights::empty(), epoch: 0, breaking: false };
        }
        let lease = self.leases.grant(key, wanted);
        LeaseGrant { rights: lease.rights, epoch: lease.epoch, breaking: lease.state != LeaseState::Granted }
    }

    /// The holder of a key acknowledges a break and keeps `rights`.
    ///
    /// # Errors
    /// As [`LeaseTable::acknowledge`].
    pub fn acknowledge(&mut self, key: &LeaseKey, rights: Rights) -> Result<(), AcknowledgeError> {
        self.leases.acknowledge(key, rights)
    }

    /// The holder of a key gives all of it back (NFSv4's DELEGRETURN); whether it had any.
    pub fn return_lease(&mut self, key: &LeaseKey) -> bool {
        self.leases.remove(key)
    }

    /// Revokes all rights whose break was not acknowledged by its deadline, and names their keys.
    pub fn expire(&mut self, now_ms: u64) -> Vec<LeaseKey> {
        self.leases.expire(now_ms)
    }

    /// Whether a client has anything here.
    pub fn involves(&self, client: ClientId) -> bool {
        self.opens.values().any(|open| open.client == client)
            || self.locks.iter().any(|lock| lock.holder.client() == client)
            || self.waiters.holders().any(|holder| holder.client() == client)
            || self.leases.iter().any(|(key, _)| key.client == client)
    }

    /// Whether nothing is left to keep.
    pub fn is_empty(&self) -> bool {
        self.opens.is_empty() && self.locks.is_empty() && self.waiters.is_empty() && self.leases.is_empty()
    }

    /// One of the opens.
    pub fn find(&self, token: OpenToken) -> Option<&Open> {
        self.opens.get(&token)
    }

    /// All opens.
    pub fn opens(&self) -> impl Iterator<Item = (&OpenToken, &Open)> {
        self.opens.iter()
    }

    /// The locks held.
    pub fn locks(&self) -> &LockTable {
        &self.locks
    }

    /// The requests that wait for locks, in order of arrival.
    pub fn waiters(&self) -> impl Iterator<Item = &Waiter> {
        self.waiters.iter()
    }

    /// The caching rights.
    pub fn leases(&self) -> &LeaseTable {
        &self.leases
    }

    fn admit(&mut self, token: OpenToken, open: &Open, truncate: bool, deadline_ms: u64) -> Outcome {
        let by = Requester { client: open.client, lease: open.lease };
        if let Some(outcome) = self.share_conflict(Some(token), open.share, &by, deadline_ms) {
            return outcome;
        }
        let trigger = match open.share.access {
            _ if truncate => Trigger::OpenTruncate,
            access if access.contains(ShareAccess::WRITE) => Trigger::OpenWrite,
            access if access.is_empty() => return Outcome::Granted(Vec::new()),
            _ => Trigger::OpenRead,
        };
        self.leases.demand(trigger, &by, deadline_ms, |_| true).into_outcome()
    }

    /// The answer if share modes of others are in the way. Those that may be closed on their clients already are
    /// asked back, unless one is in the way that is surely open.
    fn share_conflict(
        &mut self,
        own: Option<OpenToken>,
        share: ShareMode,
        by: &Requester,
        deadline_ms: u64,
    ) -> Option<Outcome> {
        if !self.counts.may_conflict(share) {
            return None;
        }
        let mut cached = BTreeSet::new();
        let mut first = None;
        for (token, open) in &self.opens {
            if Some(*token) == own || !open.share.conflicts(share) {
                continue;
            }
            let key = open.lease.filter(|key| !by.owns(key));
            match key.filter(|key| self.leases.find(key).is_some_and(|l| l.rights.contains(Rights::HANDLE))) {
                Some(key) => {
                    cached.insert(key);
                }
                None => return Some(Outcome::Denied(Denied::Share(*token))),
            }
            first.get_or_insert(*token);
        }
        let first = first?;
        let demand = self.leases.demand(Trigger::ShareConflict, by, deadline_ms, |key| cached.contains(key));
        Some(match demand.into_outcome() {
            Outcome::Granted(_) => Outcome::Denied(Denied::Share(first)),
            outcome => outcome,
        })
    }

    fn place(&mut self, wanted: Lock, wait: Option<WaitToken>, breaks: Vec<Break>) -> LockOutcome {
        if let Some(token) = wait {
            self.waiters.push(token, wanted);
            return LockOutcome::Queued { breaks };
        }
        if let Err(denied) = self.locks.lock(wanted.clone()) {
            return LockOutcome::Denied(denied);
        }
        self.waiters.remove(|w| w.lock == wanted);
        LockOutcome::Granted { breaks, woken: self.waiters.grant(&mut self.locks) }
    }

    /// The rights that others leave room for; none without an open under the key, unless it is a delegation.
    fn allowed(&self, key: &LeaseKey) -> Rights {
        if key.form != LeaseForm::Delegation && !self.opens.values().any(|open| open.lease == Some(*key)) {
            return Rights::empty();
        }
        let own = |client: ClientId, lease| Requester { client, lease }.owns(key);
        let own_holder = |holder: &LockHolder| {
            own(holder.client(), holder.open().and_then(|t| self.opens.get(&t)).and_then(|open| open.lease))
        };
        let locks = self.locks.iter().map(|l| &l.holder).chain(self.waiters.holders());
        let others = || self.leases.iter().filter(|(other, lease)| *other != key && !lease.rights.is_empty());
        if !locks.into_iter().all(own_holder) || others().any(|(_, lease)| lease.rights.contains(Rights::WRITE)) {
            return Rights::empty();
        }
        let mut opened = ShareAccess::empty();
        for open in self.opens.values().filter(|open| !own(open.client, open.lease)) {
            opened |= open.share.access;
        }
        if key.form == LeaseForm::Delegation && opened.contains(ShareAccess::WRITE) {
            return Rights::empty();
        }
        if opened.is_empty() && others().next().is_none() { Rights::all() } else { Rights::READ | Rights::HANDLE }
    }
}
