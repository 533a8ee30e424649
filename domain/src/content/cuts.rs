//! What was cut out of a file while some of its bytes were only in the journal.
//!
//! A truncation, a punch and a clone change the metadata in one plan. Journal records that are older than it may still hold bytes
//! of what it cut; in the running server the index of slices forgets them, but after a crash the journal is read again. So the
//! plan that cuts a file notes the newest record of then with what was cut, and a replay leaves out the same bytes. A
//! note is dropped by the flush that publishes the last record up to it.

use std::{ops::Range, sync::Arc};

use smallvec::SmallVec;

use crate::id::Sequence;

/// A file with so many notes must be flushed before it is cut again. 24 bytes each in the row of the node; a file that
/// is cut more often between two flushes is flushed first.
pub const CUTS_MAX: usize = 16;

/// Of records up to one, nothing in a range counts any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The newest record that it concerns.
    pub up_to: Sequence,
    /// Where the range starts in the file.
    pub offset: u64,
    /// Where it ends; `u64::MAX` for a truncation.
    pub end: u64,
}

/// The cuts of one file, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts(Option<Arc<[Cut]>>);

impl Cuts {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Cut> {
        self.0.iter().flat_map(|cuts| cuts.iter())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |cuts| cuts.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// These and a newer one, which replaces those whose range it contains. Not one that concerns later records: they
    /// were dropped since, but a journal may bring back what it gave up.
    #[must_use]
    pub fn with(&self, cut: Cut) -> Cuts {
        let contained = |old: &&Cut| old.offset >= cut.offset && old.end <= cut.end && old.up_to <= cut.up_to;
        self.iter().filter(|old| !contained(old)).copied().chain([cut]).collect()
    }

    /// Those that concern records above one: all that a node still needs when everything up to it is published.
    #[must_use]
    pub fn above(&self, published: Sequence) -> Cuts {
        self.iter().filter(|cut| cut.up_to > published).copied().collect()
    }

    /// What a record still has of a range of the file, in order.
    pub fn left(&self, record: Sequence, range: Range<u64>) -> SmallVec<[Range<u64>; 2]> {
        let mut left: SmallVec<[Range<u64>; 2]> = SmallVec::new();
        if !range.is_empty() {
            left.push(range);
        }
        for cut in self.iter().filter(|cut| record <= cut.up_to) {
            let parts =
                left.iter().flat_map(|part| [part.start..part.end.min(cut.offset), part.start.max(cut.end)..part.end]);
            left = parts.filter(|part| !part.is_empty()).collect();
        }
        left
    }
}

/// What a truncation, a punch or a clone must note about bytes of the file that are only in the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// The new list of cuts, if it changes.
    pub cuts: Option<Cuts>,
    /// The record up to which nothing needs to be replayed any more, if nothing is left in the journal.
    pub content_seq: Option<Sequence>,
}

/// Notes a truncation at `size` of a file with records up to `newest` in the journal. `left` says whether any of their
/// bytes are still unflushed after it, `shrinks` whether it may have taken any away.
pub fn truncated(cuts: &Cuts, newest: Sequence, size: u64, left: bool, shrinks: bool) -> Noted {
    replaced(cuts, newest, size..u64::MAX, left, shrinks)
}

/// Notes that a range was punched, or got what another file has, as [`truncated`] does. `takes` says whether a record
/// may hold bytes of the range.
pub fn replaced(cuts: &Cuts, newest: Sequence, range: Range<u64>, left: bool, takes: bool) -> Noted {
    match (left, takes) {
        (false, _) => Noted { cuts: Some(cuts.above(newest)), content_seq: Some(newest) },
        (true, true) => {
            let cut = Cut { up_to: newest, offset: range.start, end: range.end };
            Noted { cuts: Some(cuts.with(cut)), content_seq: None }
        }
        (true, false) => Noted::default(),
    }
}

impl FromIterator<Cut> for Cuts {
    fn from_iter<I: IntoIterator<Item = Cut>>(cuts: I) -> Cuts {
        let cuts: SmallVec<[Cut; 4]> = cuts.into_iter().collect();
        Cuts((!cuts.is_empty()).then(|| Arc::from(&cuts[..])))
    }
}

#[cfg(test)]
mod tests;
