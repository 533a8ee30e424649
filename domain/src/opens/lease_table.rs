//! All caching rights of a node.

use std::collections::BTreeMap;

use crate::{
    credentials::ClientId,
    opens::{Break, Lease, LeaseForm, LeaseKey, LeaseState, Outcome, Rights, Trigger},
};

/// Who does something, as far as caching rights care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// What an operation asks of those who cache.
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
}

impl LeaseTable {
    /// Takes from everybody but the requester what `trigger` takes, of the keys that `concerned` names.
    pub fn demand(
        &mut self,
        trigger: Trigger,
        by: &Requester,
        deadline_ms: u64,
        concerned: impl Fn(&LeaseKey) -> bool,
    ) -> Demand {
        let mut demand = Demand::default();
        for (key, lease) in self.leases.iter_mut().filter(|(key, _)| !by.owns(key) && concerned(key)) {
            let to = trigger.leaves(key.form, lease.rights);
            if to == lease.rights {
                continue;
            }
            let mut waits = trigger.waits(key.form, lease.rights - to);
            let until_ms = match lease.state {
                LeaseState::Breaking { to: under_way, deadline_ms } => {
                    // A second break must not cross the acknowledgement of the first.
                    waits |= !to.contains(under_way);
                    deadline_ms
                }
                LeaseState::Granted => {
                    demand.breaks.push(lease.start_break(*key, to, deadline_ms));
                    deadline_ms
                }
            };
            if waits {
                demand.wait_until_ms = Some(demand.wait_until_ms.map_or(until_ms, |first| first.min(until_ms)));
            }
        }
        if !demand.breaks.is_empty() {
            self.leases.retain(|key, lease| !lease.is_spent(key));
        }
        demand
    }

    /// Gives a key `rights`, if it has fewer and no break is under way; what it has then. Not to be asked for no rights
    /// at all for a key that has none.
    pub(super) fn grant(&mut self, key: LeaseKey, rights: Rights) -> Lease {
        let fresh = Lease { rights: Rights::empty(), epoch: 0, state: LeaseState::Granted };
        let lease = self.leases.entry(key).or_insert(fresh);
        if lease.state == LeaseState::Granted && rights.contains(lease.rights) && rights != lease.rights {
            lease.rights = rights;
            lease.epoch = lease.epoch.wrapping_add(1);
        }
        *lease
    }

    /// The holder of a key acknowledges a break and keeps `rights`.
    ///
    /// # Errors
    /// `Unknown`, `NotBreaking`, or `TooMuch` if `rights` are not all among those that it may keep; the break stays
    /// under way then.
    pub fn acknowledge(&mut self, key: &LeaseKey, rights: Rights) -> Result<(), AcknowledgeError> {
        let lease = self.leases.get_mut(key).ok_or(AcknowledgeError::Unknown)?;
        match lease.state {
            LeaseState::Granted => Err(AcknowledgeError::NotBreaking),
            LeaseState::Breaking { to, .. } if !to.contains(rights) => Err(AcknowledgeError::TooMuch),
            LeaseState::Breaking { to, .. } => {
                lease.rights = key.form.fit(rights, to);
                lease.state = LeaseState::Granted;
                if lease.is_spent(key) {
                    self.leases.remove(key);
                }
                Ok(())
            }
        }
    }

    /// Revokes all rights whose break was not acknowledged by its deadline, and names their keys.
    pub fn expire(&mut self, now_ms: u64) -> Vec<LeaseKey> {
        let late = |l: &Lease| matches!(l.state, LeaseState::Breaking { deadline_ms, .. } if deadline_ms <= now_ms);
        let revoked: Vec<LeaseKey> = self.leases.iter().filter(|(_, l)| late(l)).map(|(key, _)| *key).collect();
        for key in &revoked {
            self.leases.remove(key);
        }
        revoked
    }

    /// The first deadline of all breaks under way, for the caller's timer.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let deadline = |l: &Lease| match l.state {
            LeaseState::Granted => None,
            LeaseState::Breaking { deadline_ms, .. } => Some(deadline_ms),
        };
        self.leases.values().filter_map(deadline).min()
    }

    /// Drops a key's rights (its holder returned them, or closed its last open); whether it had any.
    pub fn remove(&mut self, key: &LeaseKey) -> bool {
        self.leases.remove(key).is_some()
    }

    /// Drops all rights of a client; whether there were any.
    pub fn release_client(&mut self, client: ClientId) -> bool {
        let before = self.leases.len();
        self.leases.retain(|key, _| key.client != client);
        self.leases.len() < before
    }

    /// What a key has.
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
}

impl Lease {
    /// Only a lease is kept while it is empty, for its epoch.
    fn is_spent(&self, key: &LeaseKey) -> bool {
        self.rights.is_empty() && key.form != LeaseForm::Lease
    }

    /// Who has a copy of content only, and no handle, is told but not asked (MS-SMB2, 3.3.4.7).
    fn start_break(&mut self, key: LeaseKey, to: Rights, deadline_ms: u64) -> Break {
        let from = self.rights;
        let asked = from != Rights::READ || key.form == LeaseForm::Delegation;
        self.epoch = self.epoch.wrapping_add(1);
        if asked {
            self.state = LeaseState::Breaking { to, deadline_ms };
        } else {
            self.rights = to;
        }
        Break { key, from, to, epoch: self.epoch, deadline_ms: asked.then_some(deadline_ms) }
    }
}
