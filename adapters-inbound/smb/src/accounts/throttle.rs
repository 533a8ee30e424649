//! Bounds how fast passwords can be guessed. Time is an argument.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use dittofs_transport::ClientNetwork;

/// Failures that a client may have at once. People mistype; a program that asks the wrong way tries a few times.
const FAILURES_MAX: u32 = 50;
/// After so long a client has one more.
const RECOVERY: Duration = Duration::from_secs(1);
/// Clients that are remembered. Beyond it, those that have recovered are forgotten, or else all.
const CLIENTS_MAX: usize = 10_000;

/// Failures of clients.
#[derive(Debug, Default)]
pub(super) struct Throttle(HashMap<ClientNetwork, Failures>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    since: Instant,
}

impl Failures {
    /// The failures that count now.
    fn at(self, now: Instant) -> u32 {
        let recovered = now.saturating_duration_since(self.since).as_millis() / RECOVERY.as_millis();
        self.count.saturating_sub(u32::try_from(recovered).unwrap_or(u32::MAX))
    }
}

impl Throttle {
    /// Whether a client has failed too often.
    pub(super) fn is_throttled(&self, client: ClientNetwork, now: Instant) -> bool {
        self.0.get(&client).is_some_and(|failures| failures.at(now) >= FAILURES_MAX)
    }

    /// Notes one more failure.
    pub(super) fn note(&mut self, client: ClientNetwork, now: Instant) {
        if self.0.len() >= CLIENTS_MAX {
            self.0.retain(|_, failures| failures.at(now) > 0);
        }
        if self.0.len() >= CLIENTS_MAX {
            self.0.clear();
        }
        let failures = self.0.entry(client).or_insert(Failures { count: 0, since: now });
        *failures = Failures { count: failures.at(now) + 1, since: now };
    }
}

#[cfg(test)]
mod tests;
