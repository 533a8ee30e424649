//! Requests for locks that stand in line, and those that got their locks while their clients do not know it yet.

use std::collections::HashMap;

use dittofs_domain::opens::{LockRange, WaitToken};
use dittofs_transport::ClientNetwork;
use parking_lot::Mutex;

use super::{
    claims::{Claim, Full},
    origin::Origin,
    wire::nlm4_testargs,
};

/// Requests that may wait in all, and of one network of clients. A client asks again later beyond that.
const ALL_MAX: usize = 16_384;
const NETWORK_MAX: usize = 2_048;

/// A request that waits.
#[derive(Clone, Debug)]
pub(super) struct Blocked {
    pub(super) origin: Origin,
    pub(super) claim: Claim,
    pub(super) range: LockRange,
    /// As its client will be told.
    pub(super) granted: nlm4_testargs,
}

/// A request, as its client names it again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) claim: &'a Claim,
    pub(super) range: LockRange,
    pub(super) exclusive: bool,
}

impl Blocked {
    fn is(&self, asked: Asked<'_>) -> bool {
        self.claim == *asked.claim && self.range == asked.range && self.granted.exclusive == asked.exclusive
    }
}

/// All requests that wait. An event may come before the answer that it belongs to, so a request enters before it asks.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    waiting: HashMap<WaitToken, Blocked>,
    /// Their locks are held, and somebody tells their clients: until that one is done they count.
    untold: HashMap<WaitToken, Untold>,
    networks: HashMap<ClientNetwork, usize>,
}

#[derive(Debug)]
struct Untold {
    blocked: Blocked,
    /// The client knows, or does not want to know any longer.
    is_over: bool,
}

impl Waiting {
    /// Takes a request in.
    pub(super) fn enter(&self, token: WaitToken, blocked: Blocked) -> Result<(), Full> {
        let mut table = self.0.lock();
        let all = table.waiting.len() + table.untold.len();
        let of_network = table.networks.entry(network(&blocked)).or_default();
        if all >= ALL_MAX || *of_network >= NETWORK_MAX {
            return Err(Full);
        }
        *of_network += 1;
        table.waiting.insert(token, blocked);
        Ok(())
    }

    /// A request does not wait any longer.
    pub(super) fn leave(&self, token: WaitToken) {
        self.0.lock().drop_waiting(|other, _| other == token);
    }

    /// The same request, sent again, waits under this token alone.
    pub(super) fn replace(&self, token: WaitToken, asked: Asked<'_>) {
        self.0.lock().drop_waiting(|other, blocked| other != token && blocked.is(asked));
    }

    /// A request has its lock. Returns whom to tell: [`Waiting::finished`] must follow.
    pub(super) fn granted(&self, token: WaitToken) -> Option<Blocked> {
        let mut table = self.0.lock();
        let blocked = table.waiting.remove(&token)?;
        table.untold.insert(token, Untold { blocked: blocked.clone(), is_over: false });
        Some(blocked)
    }

    /// Whether a client is still to be told.
    pub(super) fn is_untold(&self, token: WaitToken) -> bool {
        self.0.lock().untold.get(&token).is_some_and(|untold| !untold.is_over)
    }

    /// Nobody tells a client any longer.
    pub(super) fn finished(&self, token: WaitToken) {
        let mut table = self.0.lock();
        if let Some(untold) = table.untold.remove(&token) {
            table.uncount(&untold.blocked);
        }
    }

    /// The client has asked again, and learns from the answer that it has the lock.
    pub(super) fn learnt(&self, asked: Asked<'_>) {
        let mut table = self.0.lock();
        table.drop_waiting(|_, blocked| blocked.is(asked));
        table.end_telling(|blocked| blocked.is(asked));
    }

    /// Requests like this that wait.
    pub(super) fn of(&self, asked: Asked<'_>) -> Vec<WaitToken> {
        let table = self.0.lock();
        table.waiting.iter().filter(|(_, blocked)| blocked.is(asked)).map(|(token, _)| *token).collect()
    }

    /// How many requests of a claim wait.
    pub(super) fn count(&self, claim: &Claim) -> usize {
        self.0.lock().waiting.values().filter(|blocked| blocked.claim == *claim).count()
    }

    /// The owner has given up a range: it does not wait to be told of a lock there.
    pub(super) fn unlocked(&self, claim: &Claim, range: LockRange) {
        self.0.lock().end_telling(|blocked| blocked.claim == *claim && blocked.range.overlaps(range));
    }

    /// All that a claim had has gone.
    pub(super) fn forget(&self, claim: &Claim) {
        let mut table = self.0.lock();
        table.drop_waiting(|_, blocked| blocked.claim == *claim);
        table.end_telling(|blocked| blocked.claim == *claim);
    }
}

impl Table {
    fn drop_waiting(&mut self, gone: impl Fn(WaitToken, &Blocked) -> bool) {
        let gone: Vec<Blocked> =
            self.waiting.extract_if(|token, blocked| gone(*token, blocked)).map(|(_, b)| b).collect();
        gone.iter().for_each(|blocked| self.uncount(blocked));
    }

    fn end_telling(&mut self, over: impl Fn(&Blocked) -> bool) {
        self.untold.values_mut().filter(|untold| over(&untold.blocked)).for_each(|untold| untold.is_over = true);
    }

    fn uncount(&mut self, blocked: &Blocked) {
        let network = network(blocked);
        if let Some(count) = self.networks.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.networks.remove(&network);
            }
        }
    }
}

fn network(blocked: &Blocked) -> ClientNetwork {
    ClientNetwork::of(blocked.origin.address())
}

#[cfg(test)]
mod tests;
