//! The bytes that all connections hold together.
//!
//! Each connection has a few bytes of its own, so that small calls always go on. What exceeds them is taken from what is
//! shared. There a client (a [`ClientNetwork`]) may hold as much as it leaves free, and a connection as much as its
//! client could still take (the *dynamic thresholds* of switches with shared buffers): a lone client gets a third, a
//! newcomer always finds room, and the more there are the less each holds. Who finds no room waits in line; whatever is
//! given back goes to the first in line who may have it.
//!
//! Who waits holds nothing but what its charges need, and is granted all that it lacks by then. No request counts for
//! more than there is in all. So all that wait come to an end once the charges do.

mod account;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use super::ClientNetwork;
pub use account::{Account, Charge};
use account::{Core, GRAIN};

/// The budget of all connections. Connections take from it by an [`Account`] each.
#[derive(Debug)]
pub struct MemoryBudget {
    limit: u64,
    state: Mutex<State>,
}

/// The use of a budget at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// Bytes that are shared.
    pub limit: u64,
    /// Those that are taken.
    pub taken: u64,
    /// The most that ever were.
    pub taken_max: u64,
    /// Connections that wait for room.
    pub waiting: u64,
}

#[derive(Debug)]
struct State {
    limit: u64,
    taken: u64,
    taken_max: u64,
    /// The bytes that each client has taken; only those that have something.
    by_network: HashMap<ClientNetwork, u64>,
    waiting: VecDeque<Arc<Core>>,
    /// Those in line whose client has nothing: nobody passes them.
    hungry: usize,
}

impl MemoryBudget {
    /// The memory that each connection has of its own, and does not share: a buffer of 64 KiB to receive into, and
    /// [`MemoryBudget::OWN_CALL_BYTES`].
    pub const OWN_BYTES: u64 = (64 << 10) + Self::OWN_CALL_BYTES;
    /// The memory that each connection has of its own for calls and replies: a few small ones.
    pub const OWN_CALL_BYTES: u64 = 16 << 10;

    /// A budget of so many bytes to share. A charge should ask for a small part of it.
    pub fn new(limit: u64) -> Arc<MemoryBudget> {
        let state =
            State { limit, taken: 0, taken_max: 0, by_network: HashMap::new(), waiting: VecDeque::new(), hungry: 0 };
        Arc::new(MemoryBudget { limit, state: Mutex::new(state) })
    }

    /// An account of one connection of this client.
    pub fn account(self: &Arc<Self>, network: ClientNetwork) -> Account {
        Account::new(Arc::clone(self), network)
    }

    /// Whether somebody waits for room: peers that hold some get less patience then.
    pub fn is_short(&self) -> bool {
        !self.state.lock().waiting.is_empty()
    }

    /// The most that one charge may count for. More could never be granted, and would keep all others waiting.
    fn charge_bytes_max(&self) -> u64 {
        Self::OWN_CALL_BYTES + self.limit / GRAIN * GRAIN
    }

    /// Returns the present use.
    pub fn usage(&self) -> MemoryUse {
        let State { taken, taken_max, waiting, .. } = &*self.state.lock();
        MemoryUse { limit: self.limit, taken: *taken, taken_max: *taken_max, waiting: waiting.len() as u64 }
    }
}

impl State {
    fn of(&self, network: ClientNetwork) -> u64 {
        self.by_network.get(&network).copied().unwrap_or_default()
    }

    /// Whether a connection that has taken `taken` may take so many more.
    fn may_take(&self, network: ClientNetwork, taken: u64, bytes: u64) -> bool {
        let room = self.limit.saturating_sub(self.taken).saturating_sub(self.of(network));
        taken.saturating_add(bytes) <= room
    }

    fn take(&mut self, network: ClientNetwork, bytes: u64) {
        if bytes > 0 {
            self.taken += bytes;
            self.taken_max = self.taken_max.max(self.taken);
            *self.by_network.entry(network).or_default() += bytes;
        }
    }

    fn give_back(&mut self, network: ClientNetwork, bytes: u64) {
        self.taken = self.taken.saturating_sub(bytes);
        if let Some(held) = self.by_network.get_mut(&network) {
            *held = held.saturating_sub(bytes);
            if *held == 0 {
                self.by_network.remove(&network);
            }
        }
    }

    /// Gives what is free to those in line who may have it, in their order.
    fn serve_waiting(&mut self) {
        if self.waiting.is_empty() {
            return self.count_hungry();
        }
        let mut still = VecDeque::with_capacity(self.waiting.len());
        let mut is_barred = false;
        for account in std::mem::take(&mut self.waiting) {
            if !account.grant(self, is_barred) {
                // Small ones that pass could keep a large one waiting for ever.
                is_barred |= self.of(account.network()) == 0;
                still.push_back(account);
            }
        }
        self.waiting = still;
        self.count_hungry();
    }

    /// Takes an account out of the line.
    fn leave(&mut self, account: &Arc<Core>) {
        self.waiting.retain(|waiting| !Arc::ptr_eq(waiting, account));
        self.count_hungry();
    }

    fn count_hungry(&mut self) {
        let is_hungry = |waiting: &&Arc<Core>| self.of(waiting.network()) == 0;
        self.hungry = self.waiting.iter().filter(is_hungry).count();
    }
}

#[cfg(test)]
mod tests;
