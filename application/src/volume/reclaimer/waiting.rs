//! The ranges that are to be given back inside of objects.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use dittofs_domain::ObjectId;

use super::GRACE;

/// Objects whose dead ranges wait; more are found again later. It bounds memory only.
const WAITING_MAX: usize = 4_096;

/// The ranges that are to be given back, and the bytes that have been.
#[derive(Debug, Default)]
pub(super) struct Discards {
    waiting: BTreeMap<ObjectId, Dead>,
    /// Bytes of each object that were given back, or that the store was asked to.
    done: BTreeMap<ObjectId, u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Dead {
    pub(super) ranges: Vec<Range<u64>>,
    since: Duration,
    /// The store had no room for giving them back.
    is_refused: bool,
}

impl Discards {
    /// Forgets an object that is deleted.
    pub(super) fn forget(&mut self, object: ObjectId) {
        self.waiting.remove(&object);
        self.done.remove(&object);
    }

    pub(super) fn are_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether anything waits that the store has not refused to give back.
    pub(super) fn are_promising(&self) -> bool {
        self.waiting.values().any(|dead| !dead.is_refused)
    }

    pub(super) fn is_refused(&mut self, object: ObjectId) {
        self.waiting.entry(object).and_modify(|dead| dead.is_refused = true);
    }

    pub(super) fn note(&mut self, object: ObjectId, ranges: Vec<Range<u64>>, since: Duration) {
        let is_known = self.done.get(&object).is_some_and(|done| length(&ranges) <= *done);
        if !is_known && !ranges.is_empty() && self.waiting.len() < WAITING_MAX {
            // Those that wait already were seen earlier.
            self.waiting.entry(object).or_insert(Dead { ranges, since, is_refused: false });
        }
    }

    pub(super) fn due(&self, now: Duration) -> Vec<(ObjectId, Dead)> {
        let is_due = |dead: &Dead| now.saturating_sub(dead.since) >= GRACE;
        self.waiting.iter().filter(|(_, dead)| is_due(dead)).map(|(object, dead)| (*object, dead.clone())).collect()
    }

    pub(super) fn is_done(&mut self, object: ObjectId, dead: &Dead) {
        self.waiting.remove(&object);
        self.done.insert(object, length(&dead.ranges));
    }
}

fn length(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}
