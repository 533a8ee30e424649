//! Requests for locks that stand in line, and those that got their locks while their clients do not know it yet.

use std::collections::HashMap;

use dittofs_domain::opens::WaitToken;
use dittofs_transport::ClientNetwork;
use parking_lot::Mutex;

use super::{
    claims::{Claim, Full},
    origin::Origin,
    wire::{nlm4_lock, nlm4_testargs},
};

/// Requests that may wait in all, and of one network of clients. A client asks again later beyond that.
const ALL_MAX: usize = 16_384;
const NETWORK_MAX: usize = 2_048;

/// A request that waits.
#[derive(Clone, Debug)]
pub(super) struct Blocked {
    pub(super) origin: Origin,
    pub(super) claim: Claim,
    /// As its client will be told.
    pub(super) granted: nlm4_testargs,
}

impl Blocked {
    fn is_for(&self, claim: &Claim, exclusive: bool, lock: &nlm4_lock) -> bool {
        let own = &self.granted;
        let is_same = |own: &nlm4_lock| (own.l_offset, own.l_len) == (lock.l_offset, lock.l_len);
        self.claim == *claim && own.exclusive == exclusive && is_same(&own.alock)
    }
}

/// All requests that wait. An event may come before the answer that it belongs to, so a request enters before it asks.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    waiting: HashMap<WaitToken, Blocked>,
    /// Their locks are held; what is left is to tell.
    untold: HashMap<WaitToken, Blocked>,
}

impl Waiting {
    /// Takes a request in.
    pub(super) fn enter(&self, token: WaitToken, blocked: Blocked) -> Result<(), Full> {
        let mut table = self.0.lock();
        let network = |blocked: &Blocked| ClientNetwork::of(blocked.origin.address());
        let all = || table.waiting.values().chain(table.untold.values());
        let own = network(&blocked);
        let is_full = table.waiting.len() + table.untold.len() >= ALL_MAX
            || all().filter(|other| network(other) == own).count() >= NETWORK_MAX;
        if is_full {
            return Err(Full);
        }
        table.waiting.insert(token, blocked);
        Ok(())
    }

    /// A request does not wait any longer.
    pub(super) fn leave(&self, token: WaitToken) {
        self.0.lock().waiting.remove(&token);
    }

    /// The same request, sent again, waits under this token alone.
    pub(super) fn replace(&self, token: WaitToken, claim: &Claim, exclusive: bool, lock: &nlm4_lock) {
        self.0.lock().waiting.retain(|other, blocked| *other == token || !blocked.is_for(claim, exclusive, lock));
    }

    /// A request has its lock. Returns whom to tell.
    pub(super) fn granted(&self, token: WaitToken) -> Option<Blocked> {
        let mut table = self.0.lock();
        let blocked = table.waiting.remove(&token)?;
        table.untold.insert(token, blocked.clone());
        Some(blocked)
    }

    /// Whether a client is still to be told.
    pub(super) fn is_untold(&self, token: WaitToken) -> bool {
        self.0.lock().untold.contains_key(&token)
    }

    /// A client is not to be told any longer. Returns false if it was not anyway.
    pub(super) fn told(&self, token: WaitToken) -> bool {
        self.0.lock().untold.remove(&token).is_some()
    }

    /// The client has asked again, and learnt from the answer that it has the lock.
    pub(super) fn learnt(&self, claim: &Claim, exclusive: bool, lock: &nlm4_lock) {
        let mut table = self.0.lock();
        table.waiting.retain(|_, blocked| !blocked.is_for(claim, exclusive, lock));
        table.untold.retain(|_, blocked| !blocked.is_for(claim, exclusive, lock));
    }

    /// The requests of a claim for a lock that wait.
    pub(super) fn of(&self, claim: &Claim, exclusive: bool, lock: &nlm4_lock) -> Vec<WaitToken> {
        let table = self.0.lock();
        let own = table.waiting.iter().filter(|(_, blocked)| blocked.is_for(claim, exclusive, lock));
        own.map(|(token, _)| *token).collect()
    }

    /// How many requests of a claim wait.
    pub(super) fn count(&self, claim: &Claim) -> usize {
        self.0.lock().waiting.values().filter(|blocked| blocked.claim == *claim).count()
    }

    /// The owner has unlocked something: it is not waiting to be told of a lock there.
    pub(super) fn unlocked(&self, claim: &Claim) {
        self.0.lock().untold.retain(|_, blocked| blocked.claim != *claim);
    }

    /// All that a claim had has gone.
    pub(super) fn forget(&self, claim: &Claim) {
        let mut table = self.0.lock();
        table.waiting.retain(|_, blocked| blocked.claim != *claim);
        table.untold.retain(|_, blocked| blocked.claim != *claim);
    }
}
