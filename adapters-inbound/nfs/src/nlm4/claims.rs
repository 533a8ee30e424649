//! What clients have: on which files, whose. The services keep the locks; this is how to find them again when a client ends.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_domain::{LockClient, opens::OpenToken};
use dittofs_transport::ClientNetwork;
use parking_lot::Mutex;

use super::origin::{Host, Origin};

/// Locks and shares of all clients. Each takes some hundred bytes here and in the state of its file.
const ALL_MAX: usize = 131_072;
/// Those of one network of clients, so that one does not take all places.
const NETWORK_MAX: usize = 16_384;
/// Clients that are known, by their names. Several may share an address.
const HOSTS_MAX: usize = 4_096;
/// Those of one network.
const HOSTS_OF_NETWORK_MAX: usize = 256;

/// What one owner of a client may have on one file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Claim {
    /// The file's handle.
    pub(super) file: Bytes,
    pub(super) by: By,
}

/// The two kinds of what NLM gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum By {
    /// Byte-range locks of the owner with this name.
    Owner(Bytes),
    /// A DOS share of this owner handle.
    Share(Bytes),
}

/// A claim that a call works on.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Calls of one owner for one file take turns. With it the open of a share.
    pub(super) turn: tokio::sync::Mutex<Option<OpenToken>>,
}

/// No room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// The claims of all clients.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    hosts: HashMap<Host, Claimed>,
    networks: HashMap<ClientNetwork, Counts>,
    locks: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    hosts: usize,
    locks: usize,
}

#[derive(Debug)]
struct Claimed {
    claims: HashMap<Claim, Counted>,
    /// How it called last.
    origin: Origin,
    /// As it is kept for the next start.
    remembered: Option<LockClient>,
    used: Instant,
}

#[derive(Debug, Default)]
struct Counted {
    held: Arc<Held>,
    locks: usize,
}

impl Claims {
    /// Takes a client in, and what it may get; until [`Claims::settle`] it counts as one lock.
    pub(super) fn enter(&self, origin: &Origin, claim: &Claim, now: Instant) -> Result<Arc<Held>, Full> {
        let mut table = self.0.lock();
        let table = &mut *table;
        let host = origin.host();
        let is_known = table.hosts.get(&host).is_some_and(|claimed| claimed.claims.contains_key(claim));
        if !is_known {
            table.admit(&host)?;
        }
        let claimed = table.hosts.entry(host).or_insert_with(|| Claimed::new(origin.clone(), now));
        claimed.used = now;
        claimed.origin = origin.clone();
        Ok(Arc::clone(&claimed.claims.entry(claim.clone()).or_insert_with(|| Counted::new(1)).held))
    }

    /// What a client may have, if it is known.
    pub(super) fn find(&self, host: &Host, claim: &Claim) -> Option<Arc<Held>> {
        Some(Arc::clone(&self.0.lock().hosts.get(host)?.claims.get(claim)?.held))
    }

    /// How many locks there are of a claim now; with none, it is forgotten unless another call works on it.
    pub(super) fn settle(&self, host: &Host, claim: &Claim, held: &Arc<Held>, locks: usize, now: Instant) {
        let mut table = self.0.lock();
        let table = &mut *table;
        let Some(claimed) = table.hosts.get_mut(host) else { return };
        claimed.used = now;
        let Some(counted) = claimed.claims.get_mut(claim).filter(|counted| Arc::ptr_eq(&counted.held, held)) else {
            return;
        };
        let before = counted.locks;
        // In the table, and of the call that settles.
        let is_used = Arc::strong_count(held) > 2;
        counted.locks = if locks == 0 && is_used { 1 } else { locks };
        let after = counted.locks;
        if after == 0 {
            claimed.claims.remove(claim);
        }
        table.count(&host.network(), before, after);
    }

    /// Whether a client is remembered for the next start.
    pub(super) fn is_remembered(&self, host: &Host) -> bool {
        self.0.lock().hosts.get(host).is_some_and(|claimed| claimed.remembered.is_some())
    }

    /// A client is remembered for the next start.
    pub(super) fn remembered(&self, host: &Host, client: LockClient) {
        if let Some(claimed) = self.0.lock().hosts.get_mut(host) {
            claimed.remembered = Some(client);
        }
    }

    /// Takes in a client that an earlier life of the server has left.
    pub(super) fn recall(&self, client: LockClient, now: Instant) {
        let origin = Origin::of_earlier(&client);
        let host = origin.host();
        let mut table = self.0.lock();
        if table.hosts.contains_key(&host) || table.admit_host(&host).is_err() {
            return;
        }
        table.hosts.insert(host, Claimed { remembered: Some(client), ..Claimed::new(origin, now) });
    }

    /// The clients at an address, and how each called last.
    pub(super) fn hosts_at(&self, origin: &Origin) -> Vec<(Host, Origin)> {
        let table = self.0.lock();
        let here = table.hosts.iter().filter(|(host, _)| host.address == origin.address());
        here.map(|(host, claimed)| (host.clone(), claimed.origin.clone())).collect()
    }

    /// All claims of a client.
    pub(super) fn of(&self, host: &Host) -> Vec<(Claim, Arc<Held>)> {
        let table = self.0.lock();
        let claims = table.hosts.get(host).into_iter().flat_map(|claimed| &claimed.claims);
        claims.map(|(claim, counted)| (claim.clone(), Arc::clone(&counted.held))).collect()
    }

    /// Drops clients that have had nothing for so long. Returns those that were remembered.
    pub(super) fn drop_idle(&self, idle: Duration, now: Instant) -> Vec<LockClient> {
        let mut table = self.0.lock();
        let table = &mut *table;
        let mut forgotten = Vec::new();
        let networks = &mut table.networks;
        table.hosts.retain(|host, claimed| {
            let stays = !claimed.claims.is_empty() || now.duration_since(claimed.used) < idle;
            if !stays {
                forgotten.extend(claimed.remembered.take());
                if let Some(counts) = networks.get_mut(&host.network()) {
                    counts.hosts -= 1;
                }
            }
            stays
        });
        networks.retain(|_, counts| counts.hosts > 0);
        forgotten
    }
}

impl Table {
    /// Makes room for one more lock of a client, and for the client.
    fn admit(&mut self, host: &Host) -> Result<(), Full> {
        let network = host.network();
        let of_network = self.networks.get(&network).map_or(0, |counts| counts.locks);
        if self.locks >= ALL_MAX || of_network >= NETWORK_MAX {
            return Err(Full);
        }
        if !self.hosts.contains_key(host) {
            self.admit_host(host)?;
        }
        self.count(&network, 0, 1);
        Ok(())
    }

    fn admit_host(&mut self, host: &Host) -> Result<(), Full> {
        let all = self.hosts.len();
        let counts = self.networks.entry(host.network()).or_default();
        if all >= HOSTS_MAX || counts.hosts >= HOSTS_OF_NETWORK_MAX {
            return Err(Full);
        }
        counts.hosts += 1;
        Ok(())
    }

    fn count(&mut self, network: &ClientNetwork, before: usize, after: usize) {
        let counts = self.networks.entry(*network).or_default();
        counts.locks = counts.locks + after - before;
        self.locks = self.locks + after - before;
    }
}

impl Claimed {
    fn new(origin: Origin, now: Instant) -> Claimed {
        Claimed { claims: HashMap::new(), origin, remembered: None, used: now }
    }
}

impl Counted {
    fn new(locks: usize) -> Counted {
        Counted { locks, ..Counted::default() }
    }
}

#[cfg(test)]
mod tests;
