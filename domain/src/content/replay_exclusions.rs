//! Replay exclusions: the ranges of a file that a replay of the journal skips.
//!
//! A truncation, a punch and a clone change the metadata in one plan. Older journal records may still hold bytes that
//! the change removed. The index of slices forgets them at once, but after a crash the journal is read again. So the
//! plan records the removed range as a replay exclusion, with the newest record of that time, and a replay skips the
//! range in records up to that one. The flush that publishes the last such record drops the exclusion.

use std::{ops::Range, sync::Arc};

use smallvec::SmallVec;

use crate::id::Sequence;

/// A file with so many exclusions must be flushed before it gets another one. Each takes 24 bytes in the row of the
/// node.
pub const REPLAY_EXCLUSIONS_MAX: usize = 16;

/// A range that a replay skips in records up to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayExclusion {
    /// The newest record that it concerns.
    pub up_to: Sequence,
    /// Where the range starts in the file.
    pub offset: u64,
    /// Where it ends; `u64::MAX` for a truncation.
    pub end: u64,
}

/// The replay exclusions of one file, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayExclusions(Option<Arc<[ReplayExclusion]>>);

impl ReplayExclusions {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &ReplayExclusion> {
        self.0.iter().flat_map(|exclusions| exclusions.iter())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |exclusions| exclusions.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// These and a newer one, which replaces those whose range it contains. It does not replace one that concerns
    /// later records: these were dropped since, but a journal may bring back what it gave up.
    #[must_use]
    pub fn with(&self, new: ReplayExclusion) -> ReplayExclusions {
        let contained =
            |old: &&ReplayExclusion| old.offset >= new.offset && old.end <= new.end && old.up_to <= new.up_to;
        self.iter().filter(|old| !contained(old)).copied().chain([new]).collect()
    }

    /// Those that concern records above one: all that a node still needs when everything up to it is published.
    #[must_use]
    pub fn above(&self, published: Sequence) -> ReplayExclusions {
        self.iter().filter(|exclusion| exclusion.up_to > published).copied().collect()
    }

    /// Returns the parts of a record that a replay uses, in order. `range` is the range of the record in the file.
    pub fn left(&self, record: Sequence, range: Range<u64>) -> SmallVec<[Range<u64>; 2]> {
        let mut left: SmallVec<[Range<u64>; 2]> = SmallVec::new();
        if !range.is_empty() {
            left.push(range);
        }
        for ReplayExclusion { offset, end, .. } in self.iter().filter(|exclusion| record <= exclusion.up_to) {
            let parts =
                left.iter().flat_map(|part| [part.start..part.end.min(*offset), part.start.max(*end)..part.end]);
            left = parts.filter(|part| !part.is_empty()).collect();
        }
        left
    }
}

/// The changes that a truncation, a punch or a clone makes to the replay of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayUpdate {
    /// The new replay exclusions, if they change.
    pub exclusions: Option<ReplayExclusions>,
    /// The record up to which no replay is needed, if nothing is left in the journal.
    pub content_seq: Option<Sequence>,
}

/// The update for a truncation at `size` of a file with records up to `newest` in the journal. `left` says whether any
/// of their bytes are still unflushed after it, `shrinks` whether it may have taken any away.
pub fn truncated(old: &ReplayExclusions, newest: Sequence, size: u64, left: bool, shrinks: bool) -> ReplayUpdate {
    replaced(old, newest, size..u64::MAX, left, shrinks)
}

/// The update for a range that was punched, or got what another file has; otherwise as [`truncated`]. `takes` says
/// whether a record may hold bytes of the range.
pub fn replaced(old: &ReplayExclusions, newest: Sequence, range: Range<u64>, left: bool, takes: bool) -> ReplayUpdate {
    match (left, takes) {
        (false, _) => ReplayUpdate { exclusions: Some(old.above(newest)), content_seq: Some(newest) },
        (true, true) => {
            let new = ReplayExclusion { up_to: newest, offset: range.start, end: range.end };
            ReplayUpdate { exclusions: Some(old.with(new)), content_seq: None }
        }
        (true, false) => ReplayUpdate::default(),
    }
}

impl FromIterator<ReplayExclusion> for ReplayExclusions {
    fn from_iter<I: IntoIterator<Item = ReplayExclusion>>(exclusions: I) -> ReplayExclusions {
        let exclusions: SmallVec<[ReplayExclusion; 4]> = exclusions.into_iter().collect();
        ReplayExclusions((!exclusions.is_empty()).then(|| Arc::from(&exclusions[..])))
    }
}

#[cfg(test)]
mod tests;
