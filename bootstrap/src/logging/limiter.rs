//! Holds back events of a kind that come too often, and counts them. A client that is refused over and over, or a store
//! that is away, must not fill the disk.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

/// After a window in which some were held back: one that shows that it goes on.
const AGAIN: u32 = 1;
/// The length of a window. Something that goes on is logged once a minute, which is often enough for an operator who
/// watches.
const WINDOW: Duration = Duration::from_secs(60);
/// Kinds that are distinguished; any more are held back together. A kind is a place in the code and a share, of which
/// there are a few hundred. A table that clients could make grow needs a bound.
const KINDS_MAX: usize = 1_024;

/// The events of each kind that were written, and those that were held back. `T` holds the properties that a kind has
/// in common.
#[derive(Debug)]
pub(super) struct Limiter<T> {
    /// Events of a kind that are written in a window.
    burst: u32,
    hasher: RandomState,
    kinds: HashMap<u64, Kind<T>>,
}

#[derive(Debug)]
struct Kind<T> {
    began: Instant,
    /// The events that may still be written before the window ends.
    left: u32,
    held: Held<T>,
}

/// Events of a kind that were not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held<T> {
    pub(super) count: u64,
    /// The properties that they have in common; none if they are of all the kinds beyond the limit.
    pub(super) common: Option<T>,
}

impl<T: Clone> Limiter<T> {
    pub(super) fn new(burst: u32) -> Self {
        Self { burst, hasher: RandomState::new(), kinds: HashMap::new() }
    }

    /// Whether an event may be written.
    pub(super) fn admits(&mut self, kind: impl Hash, now: Instant, common: impl FnOnce() -> T) -> bool {
        let mut key = self.hasher.hash_one(kind);
        let mut is_one_too_many = false;
        if self.kinds.len() >= KINDS_MAX && !self.kinds.contains_key(&key) {
            self.kinds.retain(|_, kind| kind.held.count > 0 || now.saturating_duration_since(kind.began) < WINDOW);
            if self.kinds.len() >= KINDS_MAX {
                (key, is_one_too_many) = (0, true);
            }
        }
        let burst = self.burst;
        let kind = self.kinds.entry(key).or_insert_with(|| {
            let common = (!is_one_too_many).then(common);
            Kind { began: now, left: burst, held: Held { count: 0, common } }
        });
        if kind.held.count == 0 && now.saturating_duration_since(kind.began) >= WINDOW {
            (kind.began, kind.left) = (now, burst);
        }
        match kind.left.checked_sub(1) {
            Some(left) => kind.left = left,
            None => kind.held.count += 1,
        }
        kind.held.count == 0
    }

    /// Takes the counts of held-back events from windows that have ended, or from all windows.
    pub(super) fn take_held(&mut self, now: Instant, all: bool) -> Vec<Held<T>> {
        let mut taken = Vec::new();
        for kind in self.kinds.values_mut().filter(|kind| kind.held.count > 0) {
            if all || now.saturating_duration_since(kind.began) >= WINDOW {
                taken.push(kind.held.clone());
                kind.held.count = 0;
                (kind.began, kind.left) = (now, AGAIN);
            }
        }
        taken
    }
}
