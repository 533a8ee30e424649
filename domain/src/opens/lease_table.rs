//! All caching rights of a node.

use std::collections::BTreeMap;

use crate::{
    client::ClientId,
    opens::{
        Break, Lease, LeaseForm, LeaseKey, LeaseState, Outcome, Rights, Trigger,
        lease_counts::{LeaseClass, LeaseCounts},
    },
};

/// Who does something, as far as caching rights care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requester {
    /// The client.
    pub client: ClientId,
    /// The key of its open.
    pub lease: Option<LeaseKey>,
}

impl Requester {
    /// Whether rights are the requester's own: those of its open, and its client's delegations.
    pub fn owns(&self, key: &LeaseKey) -> bool {
        self.lease == Some(*key) || (key.form == LeaseForm::Delegation && key.client == self.client)
    }
}

/// The breaks that an operation demands of those who cache.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[must_use]
pub struct Demand {
    /// To be sent.
    pub breaks: Vec<Break>,
    /// The first deadline of the breaks, new or under way, that the operation has to wait for.
    pub wait_until_ms: Option<u64>,
}

impl Demand {
    /// The answer to the operation.
    pub fn into_outcome(self) -> Outcome {
        match self.wait_until_ms {
            None => Outcome::Granted(self.breaks),
            Some(until_ms) if self.breaks.is_empty() => Outcome::Wait { until_ms },
            Some(_) => Outcome::MustBreak(self.breaks),
        }
    }
}

/// Why an acknowledgement is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AcknowledgeError {
    /// No such rights, or they were revoked.
    #[error("no such lease")]
    Unknown,
    /// Nothing is to be acknowledged.
    #[error("lease is not breaking")]
    NotBreaking,
    /// The holder wants to keep more than it may.
    #[error("more than may be kept")]
    TooMuch,
}

/// The caching rights on a node, by key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct LeaseTable {
    leases: BTreeMap<LeaseKey, Lease>,
    counts: LeaseCounts,
}

impl LeaseTable {
    /// Whether `trigger` takes from anybody but the requester what has to be asked back, or waits for what is being
    /// asked back already. Where nobody is concerned, no key is looked at but the requester's own.
    pub fn concerns(&self, trigger: Trigger, by: &Requester) -> bool {
        let all = self.counts.count(|class| class.is_met_by(trigger));
        let is_spared = |(key, lease): &(&LeaseKey, &Lease)| {
            LeaseClass::of(key, lease).is_met_by(trigger) && lease.is_spared(key, trigger)
        };
        all > 0 && all > self.owned(by).filter(is_spared).count()
    }

    /// Takes from everybody but the requester what `trigger` takes, and from the requester what it can't keep either.
    pub fn demand(&mut self, trigger: Trigger, by: &Requester, deadline_ms: u64) -> Demand {
        if !self.concerns(trigger, by) {
            return Demand::default();
        }
        let is_concerned = |(key, lease): &(&LeaseKey, &Lease)| !by.owns(key) || !lease.is_spared(key, trigger);
        let others: Vec<LeaseKey> = self.leases.iter().filter(is_concerned).map(|(key, _)| *key).collect();
        self.demand_of(trigger, others, deadline_ms)
    }

    /// Takes from these keys what `trigger` takes.
    pub fn demand_of(
        &mut self,
        trigger: Trigger,
        keys: impl IntoIterator<Item = LeaseKey>,
        deadline_ms: u64,
    ) -> Demand {
        let mut demand = Demand::default();
        for key in keys {
            self.demand_one(trigger, key, deadline_ms, &mut demand);
        }
        demand
    }

    fn demand_one(&mut self, trigger: Trigger, key: LeaseKey, deadline_ms: u64, demand: &mut Demand) {
        let Some(mut lease) = self.leases.get(&key).copied() else { return };
        let class = LeaseClass::of(&key, &lease);
        let to = class.left_by(trigger);
        let until_ms = match (&mut lease.state, to) {
            (LeaseState::Breaking { deadline_ms, required, .. }, to) => {
                let until_ms = *deadline_ms;
                *required &= to.unwrap_or(Rights::all());
                self.put(key, Some(lease));
                until_ms
            }
            (LeaseState::Granted, Some(to)) => {
                demand.breaks.push(lease.start_break(key, to, deadline_ms));
                self.put(key, (!lease.is_spent(&key)).then_some(lease));
                deadline_ms
            }
            (LeaseState::Granted, None) => return,
        };
        if class.holds_up(trigger) || to.is_some_and(|to| class.keeps_waiting(trigger, to)) {
            demand.wait_until_ms = Some(demand.wait_until_ms.map_or(until_ms, |first| first.min(until_ms)));
        }
    }

    /// Gives a key `rights`, if it has fewer and no break is under way; what it has then. Not to be asked for no rights
    /// at all for a key that has none.
    pub(super) fn grant(&mut self, key: LeaseKey, rights: Rights) -> Lease {
        let fresh = Lease { rights: Rights::empty(), epoch: 0, state: LeaseState::Granted };
        let mut lease = self.leases.get(&key).copied().unwrap_or(fresh);
        if lease.state == LeaseState::Granted && rights.contains(lease.rights) && rights != lease.rights {
            lease.rights = rights;
            lease.epoch = lease.epoch.wrapping_add(1);
        }
        self.put(key, Some(lease));
        lease
    }

    /// The holder of a key acknowledges a break and keeps `rights`. Returns a further break of a lease, where that is
    /// more than others leave it who have come meanwhile.
    ///
    /// # Errors
    /// `Unknown`, `NotBreaking`, or `TooMuch` if `rights` are not all among those that it may keep; the break stays
    /// under way then.
    pub fn acknowledge(
        &mut self,
        key: &LeaseKey,
        rights: Rights,
        deadline_ms: u64,
    ) -> Result<Option<Break>, AcknowledgeError> {
        let mut lease = *self.leases.get(key).ok_or(AcknowledgeError::Unknown)?;
        match lease.state {
            LeaseState::Granted => Err(AcknowledgeError::NotBreaking),
            LeaseState::Breaking { to, .. } if !to.contains(rights) => Err(AcknowledgeError::TooMuch),
            LeaseState::Breaking { to, required, .. } => {
                lease.rights = key.form.fit(rights, to);
                lease.state = LeaseState::Granted;
                let is_too_much = key.form == LeaseForm::Lease && !required.contains(lease.rights);
                let further = is_too_much.then(|| lease.break_further(*key, required, deadline_ms));
                self.put(*key, (!lease.is_spent(key)).then_some(lease));
                Ok(further)
            }
        }
    }

    /// Revokes all rights whose break was not acknowledged by its deadline, and names their keys, those first that were
    /// due first.
    pub fn expire(&mut self, now_ms: u64) -> Vec<LeaseKey> {
        let late = self.counts.deadlines().take_while(|(deadline_ms, _)| *deadline_ms <= now_ms);
        let revoked: Vec<LeaseKey> = late.map(|(_, key)| *key).collect();
        for key in &revoked {
            self.put(*key, None);
        }
        revoked
    }

    /// The first deadline of all breaks under way, for the caller's timer.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.counts.deadlines().next().map(|(deadline_ms, _)| *deadline_ms)
    }

    /// Drops a key's rights (its holder returned them, or closed its last open); whether it had any.
    pub fn remove(&mut self, key: &LeaseKey) -> bool {
        self.put(*key, None).is_some()
    }

    /// Drops all rights of a client; whether there were any.
    pub fn release_client(&mut self, client: ClientId) -> bool {
        let keys: Vec<LeaseKey> = self.of_client(client).map(|(key, _)| *key).collect();
        for key in &keys {
            self.put(*key, None);
        }
        !keys.is_empty()
    }

    /// Whether a client has any rights.
    pub fn has_client(&self, client: ClientId) -> bool {
        self.of_client(client).next().is_some()
    }

    /// Whether anybody but a key has rights that meet a condition.
    pub(super) fn others_have(&self, key: &LeaseKey, wanted: impl Fn(Rights) -> bool) -> bool {
        let own = self.leases.get(key).is_some_and(|lease| wanted(lease.rights));
        self.counts.count(|class| wanted(class.rights)) > usize::from(own)
    }

    /// All rights that others than a key have in a form.
    pub(super) fn others_of_form(&self, key: &LeaseKey, form: LeaseForm) -> Rights {
        let own = self.leases.get(key).map(|lease| LeaseClass::of(key, lease));
        self.counts.rights_of(form, own.as_ref())
    }

    /// Returns the rights of a key.
    pub fn find(&self, key: &LeaseKey) -> Option<&Lease> {
        self.leases.get(key)
    }

    /// All rights, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&LeaseKey, &Lease)> {
        self.leases.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// Gives a key these rights, or none; what it had. Nothing else changes the table, so that the counts stay true.
    pub(super) fn put(&mut self, key: LeaseKey, lease: Option<Lease>) -> Option<Lease> {
        let former = match lease {
            Some(lease) => self.leases.insert(key, lease),
            None => self.leases.remove(&key),
        };
        if let Some(former) = &former {
            self.counts.remove(&key, former);
        }
        if let Some(lease) = &lease {
            self.counts.add(&key, lease);
        }
        former
    }

    fn of_client(&self, client: ClientId) -> impl Iterator<Item = (&LeaseKey, &Lease)> {
        let least = LeaseKey { client, form: LeaseForm::Lease, id: 0 };
        self.leases.range(least..).take_while(move |(key, _)| key.client == client)
    }

    /// Returns the rights that a requester owns ([`Requester::owns`]).
    fn owned(&self, by: &Requester) -> impl Iterator<Item = (&LeaseKey, &Lease)> {
        let delegation = |id| LeaseKey { client: by.client, form: LeaseForm::Delegation, id };
        let delegations = self.leases.range(delegation(0)..=delegation(u128::MAX));
        let own = by.lease.filter(|key| key.form != LeaseForm::Delegation || key.client != by.client);
        delegations.chain(own.and_then(|key| self.leases.get_key_value(&key)))
    }
}

impl Lease {
    /// Goes on to take rights away, in steps: reading goes last. The epoch stays, as with Windows: it tells breaks from
    /// grants, and there was none.
    fn break_further(&mut self, key: LeaseKey, required: Rights, deadline_ms: u64) -> Break {
        let is_last = self.rights == Rights::READ;
        let to = if is_last { Rights::empty() } else { self.rights & (required | Rights::READ) };
        let epoch = self.epoch;
        let broken = self.start_break(key, to, deadline_ms);
        self.epoch = epoch;
        if let LeaseState::Breaking { required: all, is_further, .. } = &mut self.state {
            (*all, *is_further) = (required, true);
        }
        Break { epoch, ..broken }
    }

    /// Whether its own holder keeps it in spite of `trigger`. A level II oplock promises that nobody writes, its holder
    /// included (MS-FSA, 2.1.4.12).
    fn is_spared(&self, key: &LeaseKey, trigger: Trigger) -> bool {
        key.form != LeaseForm::Oplock || self.rights != Rights::READ || !trigger.changes_content()
    }

    /// Only a lease is kept while it is empty, for its epoch.
    fn is_spent(&self, key: &LeaseKey) -> bool {
        self.rights.is_empty() && key.form != LeaseForm::Lease
    }

    /// Who has a copy of content only, and no handle, is notified but not asked (MS-SMB2, 3.3.4.7).
    fn start_break(&mut self, key: LeaseKey, to: Rights, deadline_ms: u64) -> Break {
        let from = self.rights;
        let asked = from != Rights::READ || key.form == LeaseForm::Delegation;
        self.epoch = self.epoch.wrapping_add(1);
        if asked {
            self.state = LeaseState::Breaking { to, required: to, is_further: false, deadline_ms };
        } else {
            self.rights = to;
        }
        Break { key, from, to, epoch: self.epoch, deadline_ms: asked.then_some(deadline_ms) }
    }
}
