//! The opens of one node: share modes, locks and caching rights in one state.

mod check;

use crate::{
    client::ClientId,
    opens::{
        AcknowledgeError, Break, Deletion, Denied, LeaseForm, LeaseKey, LeaseState, LeaseTable, Lock, LockHolder,
        LockOutcome, LockOwner, LockRange, LockTable, Open, OpenToken, Outcome, Requester, Rights, ShareAccess,
        ShareMode, Trigger, WaitToken, Waiter, limits,
        open_files::OpenFiles,
        waiters::{Waiters, is_repeated},
    },
};

/// The answer to a request for caching rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseGrant {
    /// The rights that the key has now.
    pub rights: Rights,
    /// Its epoch.
    pub epoch: u16,
    /// Whether a break of it is under way, so that it could not grow.
    pub breaking: bool,
}

/// The outcome of a close.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Closed {
    /// The open that is gone.
    pub open: Open,
    /// Waiters that got their locks.
    pub woken: Vec<Waiter>,
    /// Whether no open is left: if the node has no name either, it can go.
    pub last: bool,
    /// The name that has to be removed now, as no open is left. [`NodeOpens::deleted`] must follow.
    pub deletion: Option<Deletion>,
}

/// The outcome for a node whose client is gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Released {
    /// Waiters of others that got their locks.
    pub woken: Vec<Waiter>,
    /// As in [`Closed::deletion`].
    pub deletion: Option<Deletion>,
}

/// The opens of one node. An empty one carries no information and can be dropped.
///
/// Invariants after every transition:
/// - no two opens conflict by share mode, no two locks block each other;
/// - a holder that may write from its cache is the only one that has the node open for content or caches it, and nobody
///   else holds or awaits a lock on it, unless a break of it is under way;
/// - every request in line is blocked by a held lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct NodeOpens {
    pub(super) opens: OpenFiles,
    pub(super) locks: LockTable,
    waiters: Waiters,
    pub(super) leases: LeaseTable,
    deletion: Option<Deletion>,
}

impl NodeOpens {
    /// Opens the node, for content alone. `truncate` where the open discards it.
    ///
    /// `Denied`: as [`NodeOpens::open_for`].
    pub fn open(&mut self, token: OpenToken, open: Open, truncate: bool, deadline_ms: u64) -> Outcome {
        let trigger = if truncate { Some(Trigger::OpenTruncate) } else { content_trigger(open.share.access) };
        self.open_for(token, open, trigger, deadline_ms)
    }

    /// Opens the node, with what that does to those who cache ([`Trigger::of_open`]).
    ///
    /// `Denied`: `Share`, `Deleting`, `TokenInUse`, `Limit`, or `Invalid` for a key of another client.
    pub fn open_for(&mut self, token: OpenToken, open: Open, trigger: Option<Trigger>, deadline_ms: u64) -> Outcome {
        if open.lease.is_some_and(|key| key.client != open.client) {
            return Outcome::Denied(Denied::Invalid);
        }
        if self.deletion.is_some() {
            return Outcome::Denied(Denied::Deleting);
        }
        if self.opens.get(token).is_some() {
            return Outcome::Denied(Denied::TokenInUse);
        }
        if self.opens.len() >= limits::OPENS {
            return Outcome::Denied(Denied::Limit);
        }
        let outcome = self.admit(token, &open, trigger, deadline_ms);
        if matches!(outcome, Outcome::Granted(_)) {
            self.opens.insert(token, open);
        }
        outcome
    }

    /// Gives an open another share mode (NFSv4's OPEN by the owner of an open, and OPEN_DOWNGRADE).
    ///
    /// `Denied`: `Share` or `UnknownOpen`.
    pub fn change_share(&mut self, token: OpenToken, share: ShareMode, deadline_ms: u64) -> Outcome {
        let Some(former) = self.opens.get(token) else {
            return Outcome::Denied(Denied::UnknownOpen);
        };
        let open = Open { share, ..*former };
        let outcome = self.admit(token, &open, content_trigger(share.access), deadline_ms);
        if matches!(outcome, Outcome::Granted(_)) {
            self.opens.insert(token, open);
        }
        outcome
    }

    /// Closes an open, with its locks and, if it was the last under its key, its caching rights; a delegation stays.
    /// `None` if there is no such open.
    pub fn close(&mut self, token: OpenToken) -> Option<Closed> {
        let open = self.opens.remove(token)?;
        if let Some(key) = open.lease
            && key.form != LeaseForm::Delegation
            && !self.opens.has_key(&key)
        {
            self.leases.remove(&key);
        }
        self.locks.release_open(token);
        self.waiters.remove(|w| w.lock.holder.open() == Some(token));
        let woken = self.waiters.grant(&mut self.locks);
        Some(Closed { open, woken, last: self.opens.is_empty(), deletion: self.due_deletion() })
    }

    /// Has a name removed with the last open, or no longer.
    ///
    /// # Errors
    /// `UnknownOpen`.
    pub fn set_deletion(&mut self, token: OpenToken, deletion: Option<Deletion>) -> Result<(), Denied> {
        self.opens.get(token).ok_or(Denied::UnknownOpen)?;
        self.deletion = deletion;
        Ok(())
    }

    /// The name that is removed with the last open.
    pub fn deletion(&self) -> Option<&Deletion> {
        self.deletion.as_ref()
    }

    /// The name that was due is removed, or can't be.
    pub fn deleted(&mut self) {
        if self.opens.is_empty() {
            self.deletion = None;
        }
    }

    fn due_deletion(&self) -> Option<Deletion> {
        self.deletion.clone().filter(|_| self.opens.is_empty())
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
        let lease = match wanted.holder.open().map(|token| self.opens.get(token)) {
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
        let demand = self.leases.demand(Trigger::Lock, &by, deadline_ms);
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

    /// Removes a request from the line. Returns false if it is not, or no longer, there.
    pub fn cancel_wait(&mut self, token: WaitToken) -> bool {
        self.waiters.remove(|w| w.token == token)
    }

    /// Drops all locks and requests of a POSIX owner; the waiters that got theirs.
    pub fn release_owner(&mut self, owner: &LockOwner) -> Vec<Waiter> {
        self.waiters.remove(|w| matches!(&w.lock.holder, LockHolder::Owner(o) if o == owner));
        self.locks.release_owner(owner);
        self.waiters.grant(&mut self.locks)
    }

    /// Drops all that a client has on the node.
    pub fn release_client(&mut self, client: ClientId) -> Released {
        let was_open = self.is_open();
        self.opens.remove_client(client);
        self.leases.release_client(client);
        self.waiters.remove(|w| w.lock.holder.client() == client);
        self.locks.release_client(client);
        let woken = self.waiters.grant(&mut self.locks);
        Released { woken, deletion: self.due_deletion().filter(|_| was_open) }
    }

    /// Gives a key as much of `wanted` as others leave room for: what it has grows, and never shrinks here. An SMB
    /// lease that has something grows by all that is wanted or not at all, as with Windows. Nobody else's rights are
    /// broken for it.
    pub fn request_lease(&mut self, key: LeaseKey, wanted: Rights) -> LeaseGrant {
        let fit = key.form.fit(wanted, self.allowed(&key));
        let held = self.leases.find(&key).map(|lease| lease.rights);
        if held.is_none() && (fit.is_empty() || self.leases.len() >= limits::LEASES) {
            return LeaseGrant { rights: Rights::empty(), epoch: 0, breaking: false };
        }
        let grows = key.form != LeaseForm::Lease || fit == wanted || held.is_none_or(|held| held.is_empty());
        let lease = self.leases.grant(key, if grows { fit } else { Rights::empty() });
        LeaseGrant { rights: lease.rights, epoch: lease.epoch, breaking: lease.state != LeaseState::Granted }
    }

    /// The holder of a key acknowledges a break and keeps `rights`; a further break to be sent.
    ///
    /// # Errors
    /// As [`LeaseTable::acknowledge`].
    pub fn acknowledge(
        &mut self,
        key: &LeaseKey,
        rights: Rights,
        deadline_ms: u64,
    ) -> Result<Option<Break>, AcknowledgeError> {
        self.leases.acknowledge(key, rights, deadline_ms)
    }

    /// The holder of a key gives all of it back (NFSv4's DELEGRETURN); whether it had any.
    pub fn return_lease(&mut self, key: &LeaseKey) -> bool {
        self.leases.remove(key)
    }

    /// The entries of a directory are being changed. `by` has the key of the directory that the request names as its
    /// parent's: who changes it under its own lease knows what it lists (MS-SMB2, 3.3.5.9.11). Nobody waits: a copy of
    /// what is listed is all that is lost. The breaks are to be sent.
    pub fn change_entries(&mut self, by: &Requester, deadline_ms: u64) -> Vec<Break> {
        self.leases.demand(Trigger::ChangeEntries, by, deadline_ms).breaks
    }

    /// Revokes all rights whose break was not acknowledged by its deadline, and names their keys.
    pub fn expire(&mut self, now_ms: u64) -> Vec<LeaseKey> {
        self.leases.expire(now_ms)
    }

    /// Whether a client has anything here.
    pub fn involves(&self, client: ClientId) -> bool {
        self.has_open_of(client)
            || self.leases.has_client(client)
            || self.locks.iter().any(|lock| lock.holder.client() == client)
            || self.waiters.holders().any(|holder| holder.client() == client)
    }

    /// Whether anybody has the node open.
    pub fn is_open(&self) -> bool {
        !self.opens.is_empty()
    }

    /// Whether a client has the node open.
    pub fn has_open_of(&self, client: ClientId) -> bool {
        self.opens.has_client(client)
    }

    /// Whether nothing is left to keep.
    pub fn is_empty(&self) -> bool {
        let is_unused = self.opens.is_empty() && self.locks.is_empty();
        is_unused && self.waiters.is_empty() && self.leases.is_empty() && self.deletion.is_none()
    }

    /// One of the opens.
    pub fn find(&self, token: OpenToken) -> Option<&Open> {
        self.opens.get(token)
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

    fn admit(&mut self, token: OpenToken, open: &Open, trigger: Option<Trigger>, deadline_ms: u64) -> Outcome {
        let by = open.requester();
        if let Some(outcome) = self.share_conflict(Some(token), open.share, &by, deadline_ms) {
            return outcome;
        }
        let Some(trigger) = trigger else { return Outcome::Granted(Vec::new()) };
        self.leases.demand(trigger, &by, deadline_ms).into_outcome()
    }

    fn place(&mut self, wanted: Lock, wait: Option<WaitToken>, breaks: Vec<Break>) -> LockOutcome {
        if let Some(token) = wait {
            self.waiters.push(token, wanted);
            return LockOutcome::Queued { breaks };
        }
        if let Err(denied) = self.locks.lock(wanted.clone()) {
            return LockOutcome::Denied(denied);
        }
        self.waiters.remove(|waiter| is_repeated(&waiter.lock, &wanted));
        LockOutcome::Granted { breaks, woken: self.waiters.grant(&mut self.locks) }
    }

    /// The rights that others leave room for; none without an open under the key, unless it is a delegation.
    fn allowed(&self, key: &LeaseKey) -> Rights {
        if key.form != LeaseForm::Delegation && !self.opens.has_key(key) {
            return Rights::empty();
        }
        let own_holder = |holder: &LockHolder| {
            let lease = holder.open().and_then(|token| self.opens.get(token)).and_then(|open| open.lease);
            Requester { client: holder.client(), lease }.owns(key)
        };
        let others_have = |rights: Rights| self.leases.others_have(key, |had| had.intersects(rights));
        let mut holders = self.locks.iter().map(|lock| &lock.holder).chain(self.waiters.holders());
        if !holders.all(own_holder) || others_have(Rights::WRITE) {
            return Rights::empty();
        }
        let opened = self.opens.access_of_others(key);
        if key.form == LeaseForm::Delegation && opened.contains(ShareAccess::WRITE) {
            return Rights::empty();
        }
        if opened.is_empty() && !others_have(Rights::all()) {
            return Rights::all();
        }
        // A level II oplock and a lease with a handle exclude each other (MS-FSA, 2.1.5.18.2).
        let of_form = |form| self.leases.others_of_form(key, form);
        match key.form {
            LeaseForm::Oplock if of_form(LeaseForm::Lease).contains(Rights::HANDLE) => Rights::empty(),
            LeaseForm::Lease if !of_form(LeaseForm::Oplock).is_empty() => Rights::READ,
            _ => Rights::READ | Rights::HANDLE,
        }
    }
}

/// The effect of an open for content alone on those who cache.
fn content_trigger(access: ShareAccess) -> Option<Trigger> {
    match access {
        access if access.contains(ShareAccess::WRITE) => Some(Trigger::OpenWrite),
        access if !access.intersects(ShareAccess::all()) => None,
        _ => Some(Trigger::OpenRead),
    }
}
