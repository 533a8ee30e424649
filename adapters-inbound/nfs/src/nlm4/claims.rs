//! Who has something on which file. The services keep the locks; this is how to find them again when a client ends.

use std::{
    collections::HashMap,
    net::IpAddr,
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

/// One owner of a client, and one file.
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
    /// Calls of one owner for one file are carried out one after the other. With it the open of a share.
    pub(super) serial: tokio::sync::Mutex<Option<OpenToken>>,
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
    /// How it has called: from a port below 1024, if it ever did.
    origin: Origin,
    /// As it is kept for the next start, for each address of the server that it knows.
    remembered: Vec<LockClient>,
    used: Instant,
}

#[derive(Debug, Default)]
struct Counted {
    held: Arc<Held>,
    locks: usize,
    /// Calls that work on it: each ends by [`Claims::leave`].
    users: usize,
}

impl Claims {
    /// Takes a client in for a lock that it asks for. [`Claims::leave`] must follow.
    pub(super) fn enter(&self, origin: &Origin, claim: &Claim, now: Instant) -> Result<Arc<Held>, Full> {
        let mut table = self.0.lock();
        let table = &mut *table;
        let host = origin.host();
        table.admit(&host)?;
        let claimed = table.hosts.entry(host.clone()).or_insert_with(|| Claimed::new(origin.clone(), now));
        claimed.used = now;
        if origin.is_reserved() || !claimed.origin.is_reserved() {
            claimed.origin = origin.clone();
        }
        let counted = claimed.claims.entry(claim.clone()).or_default();
        counted.users += 1;
        let held = Arc::clone(&counted.held);
        let (before, after) = (counted.locks, counted.locks.max(1));
        counted.locks = after;
        table.count(&host.network(), before, after);
        Ok(held)
    }

    /// The claim of a client, if it is known. Then [`Claims::leave`] must follow.
    pub(super) fn find(&self, host: &Host, claim: &Claim) -> Option<Arc<Held>> {
        let mut table = self.0.lock();
        let counted = table.hosts.get_mut(host)?.claims.get_mut(claim)?;
        counted.users += 1;
        Some(Arc::clone(&counted.held))
    }

    /// A call is done with a claim, and has found so many locks; none: it doesn't know. One without locks is forgotten
    /// with the last call. Before the next call of the owner is carried out: it would count what is not so any more.
    pub(super) fn leave(&self, host: &Host, claim: &Claim, locks: Option<usize>, now: Instant) {
        let mut table = self.0.lock();
        let table = &mut *table;
        let Some(claimed) = table.hosts.get_mut(host) else { return };
        claimed.used = now;
        let Some(counted) = claimed.claims.get_mut(claim) else { return };
        counted.users = counted.users.saturating_sub(1);
        let before = counted.locks;
        let found = locks.unwrap_or(before);
        // Who works on it still may have one.
        let after = if counted.users > 0 { found.max(1) } else { found };
        counted.locks = after;
        if after == 0 {
            claimed.claims.remove(claim);
        }
        table.count(&host.network(), before, after);
    }

    /// Whether a client has as much as it may, so that it gets no more by splitting locks either.
    pub(super) fn is_full(&self, host: &Host) -> bool {
        self.0.lock().is_full(&host.network())
    }

    /// Whether a client is remembered for the next start, as one that knows the server by this address.
    pub(super) fn is_remembered(&self, host: &Host, server: IpAddr) -> bool {
        let table = self.0.lock();
        table.hosts.get(host).is_some_and(|claimed| claimed.remembered.iter().any(|client| client.server == server))
    }

    /// A client is remembered for the next start.
    pub(super) fn remembered(&self, host: &Host, client: LockClient) {
        if let Some(claimed) = self.0.lock().hosts.get_mut(host) {
            claimed.remembered.push(client);
        }
    }

    /// Takes in a client that an earlier life of the server has left.
    pub(super) fn recall(&self, client: LockClient, now: Instant) {
        let origin = Origin::of_earlier(&client);
        let host = origin.host();
        let mut table = self.0.lock();
        if !table.hosts.contains_key(&host) {
            if table.admit_host(&host).is_err() {
                return;
            }
            table.hosts.insert(host.clone(), Claimed::new(origin, now));
        }
        if let Some(claimed) = table.hosts.get_mut(&host) {
            claimed.remembered.push(client);
        }
    }

    /// Whether a client has locks.
    pub(super) fn has_locks(&self, host: &Host) -> bool {
        self.0.lock().hosts.get(host).is_some_and(|claimed| !claimed.claims.is_empty())
    }

    /// The clients at an address, and how each has called.
    pub(super) fn hosts_at(&self, address: IpAddr) -> Vec<(Host, Origin)> {
        let table = self.0.lock();
        let here = table.hosts.iter().filter(|(host, _)| host.address == address);
        here.map(|(host, claimed)| (host.clone(), claimed.origin.clone())).collect()
    }

    /// All claims of a client.
    pub(super) fn of(&self, host: &Host) -> Vec<Claim> {
        let table = self.0.lock();
        table.hosts.get(host).into_iter().flat_map(|claimed| claimed.claims.keys().cloned()).collect()
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
                forgotten.append(&mut claimed.remembered);
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
    /// Whether there is room for one more lock of a client, and for the client.
    fn admit(&mut self, host: &Host) -> Result<(), Full> {
        if self.is_full(&host.network()) {
            return Err(Full);
        }
        if self.hosts.contains_key(host) { Ok(()) } else { self.admit_host(host) }
    }

    fn is_full(&self, network: &ClientNetwork) -> bool {
        let of_network = self.networks.get(network).map_or(0, |counts| counts.locks);
        self.locks >= ALL_MAX || of_network >= NETWORK_MAX
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
        Claimed { claims: HashMap::new(), origin, remembered: Vec::new(), used: now }
    }
}

#[cfg(test)]
mod tests;
