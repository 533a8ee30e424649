//! Bounds how fast passwords can be guessed. Time is an argument.
//!
//! Failures count for the user whose password was wrong, and for the address: one program with an old password must not
//! keep out all others behind the same address, and somebody who tries a few passwords for each of many users must be
//! slowed down as well.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    time::{Duration, Instant},
};

use dittofs_transport::ClientNetwork;

/// Failures that a client may have at once for one user. People mistype; a program that asks the wrong way tries a few
/// times.
const USER: Bound = Bound { failures_max: 50, recovery: Duration::from_secs(1) };
/// The same for all users together.
const ADDRESS: Bound = Bound { failures_max: 500, recovery: Duration::from_millis(100) };
/// Entries that are remembered, of each kind. Beyond it, those that have recovered are forgotten, or else all.
const ENTRIES_MAX: usize = 10_000;
/// Users of one client that are told apart, by a hash of what the client says: names that do not exist must not fill
/// the memory.
const USERS_OF_ONE: u64 = 256;

/// Failures of clients.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    users: Failures<(ClientNetwork, u64)>,
    addresses: Failures<ClientNetwork>,
    hasher: RandomState,
}

/// How many failures are too many.
#[derive(Clone, Copy, Debug)]
struct Bound {
    failures_max: u32,
    /// After so long there is one less.
    recovery: Duration,
}

#[derive(Debug)]
struct Failures<K>(HashMap<K, Count>);

#[derive(Clone, Copy, Debug)]
struct Count {
    count: u32,
    since: Instant,
}

impl Throttle {
    /// Whether a client has failed too often with this user, or with all.
    pub(super) fn is_throttled(&self, client: ClientNetwork, user: &str, now: Instant) -> bool {
        self.users.are_too_many((client, self.number(user)), USER, now)
            || self.addresses.are_too_many(client, ADDRESS, now)
    }

    /// Notes one more failure.
    pub(super) fn note(&mut self, client: ClientNetwork, user: &str, now: Instant) {
        let user = (client, self.number(user));
        self.users.note(user, USER, now);
        self.addresses.note(client, ADDRESS, now);
    }

    /// The number that stands for a user, in any case.
    fn number(&self, user: &str) -> u64 {
        self.hasher.hash_one(user.to_lowercase()) % USERS_OF_ONE
    }
}

impl Count {
    /// The failures that count now.
    fn at(self, bound: Bound, now: Instant) -> u32 {
        let recovered = now.saturating_duration_since(self.since).as_millis() / bound.recovery.as_millis();
        self.count.saturating_sub(u32::try_from(recovered).unwrap_or(u32::MAX))
    }
}

impl<K: Eq + Hash> Failures<K> {
    fn are_too_many(&self, key: K, bound: Bound, now: Instant) -> bool {
        self.0.get(&key).is_some_and(|failures| failures.at(bound, now) >= bound.failures_max)
    }

    fn note(&mut self, key: K, bound: Bound, now: Instant) {
        if self.0.len() >= ENTRIES_MAX {
            self.0.retain(|_, failures| failures.at(bound, now) > 0);
        }
        if self.0.len() >= ENTRIES_MAX {
            self.0.clear();
        }
        let failures = self.0.entry(key).or_insert(Count { count: 0, since: now });
        *failures = Count { count: failures.at(bound, now) + 1, since: now };
    }
}

impl<K> Default for Failures<K> {
    fn default() -> Failures<K> {
        Failures(HashMap::new())
    }
}

#[cfg(test)]
mod tests;
