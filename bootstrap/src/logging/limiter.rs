//! Holds back events of a kind that come too often, and counts them. A client that is refused over and over, or a store
//! that is away, must not fill the disk.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use tracing::Level;

/// Events of a kind that are written in a window: enough to see what differs between them, and with the four kinds that a
/// store causes which is away still less than 5 KB in a minute.
const BURST: u32 = 3;
/// After a window in which some were held back: one that shows that it goes on.
const AGAIN: u32 = 1;
const WINDOW: Duration = Duration::from_secs(60);
/// Kinds that are told apart. A kind is a place in the code and a share, of which there are a few hundred; any more are
/// held back together.
const KINDS_MAX: usize = 1_024;

/// What was written and held back of each kind.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    hasher: RandomState,
    kinds: HashMap<u64, Kind>,
}

#[derive(Debug)]
struct Kind {
    began: Instant,
    /// What may still be written before the window ends.
    left: u32,
    held: Held,
}

/// Events of a kind that were not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) count: u64,
    pub(super) level: Level,
    /// Where they are from.
    pub(super) target: String,
    /// What the first of them said.
    pub(super) message: String,
    pub(super) share: Option<String>,
}

impl Limiter {
    /// Whether an event may be written.
    pub(super) fn admits(&mut self, kind: impl Hash, now: Instant, held: impl FnOnce() -> Held) -> bool {
        let mut key = self.hasher.hash_one(kind);
        if self.kinds.len() >= KINDS_MAX && !self.kinds.contains_key(&key) {
            self.kinds.retain(|_, kind| kind.held.count > 0 || now.saturating_duration_since(kind.began) < WINDOW);
            if self.kinds.len() >= KINDS_MAX {
                key = 0;
            }
        }
        let new = || Kind { began: now, left: BURST, held: held() };
        let kind = self.kinds.entry(key).or_insert_with(new);
        if kind.held.count == 0 && now.saturating_duration_since(kind.began) >= WINDOW {
            (kind.began, kind.left) = (now, BURST);
        }
        match kind.left.checked_sub(1) {
            Some(left) => kind.left = left,
            None => kind.held.count += 1,
        }
        kind.held.count == 0
    }

    /// What was held back in windows that have ended, or in all.
    pub(super) fn take_held(&mut self, now: Instant, all: bool) -> Vec<Held> {
        let mut told = Vec::new();
        for kind in self.kinds.values_mut().filter(|kind| kind.held.count > 0) {
            if all || now.saturating_duration_since(kind.began) >= WINDOW {
                told.push(kind.held.clone());
                kind.held.count = 0;
                (kind.began, kind.left) = (now, AGAIN);
            }
        }
        told
    }
}
