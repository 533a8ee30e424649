//! The unflushed state of one node.

use std::{ops::Range, time::Duration};

use dittofs_domain::{ChangeId, Node, Sequence, Timestamp, attributes::Pending, content::slices::SliceIndex};
use dittofs_ports::Appended;

use super::super::ledger::Claim;
use crate::admission::Credits;

/// A record whose bytes are not in the content store yet.
#[derive(Debug)]
pub(in crate::volume) struct Held {
    pub(in crate::volume) appended: Appended,
    /// Where its bytes are in the file.
    pub(super) offset: u64,
    pub(super) length: u32,
    /// When it was written, on the monotonic clock.
    pub(super) at: Duration,
    pub(super) _credits: Option<Credits>,
}

impl Held {
    pub(super) fn end(&self) -> u64 {
        self.offset + u64::from(self.length)
    }
}

/// The unflushed state of one node.
#[derive(Debug)]
pub(in crate::volume) struct NodePending {
    pub(in crate::volume) slices: SliceIndex,
    pub(in crate::volume) held: Vec<Held>,
    /// The newest record that it ever had. One that was lost since may be in the journal again after a crash.
    pub(super) highest: Sequence,
    /// The values that attributes show.
    pub(in crate::volume) shown: Pending,
    /// When the oldest record was written, on the monotonic clock.
    pub(in crate::volume) since: Duration,
    /// Odd while a change of the stored map and this index go together: what a reader saw of the two may not fit.
    pub(in crate::volume) generation: u64,
    /// A plan that removes bytes of the file was sent, and nobody has heard what became of it: the index may still
    /// have these bytes.
    pub(in crate::volume) is_uncertain: bool,
    /// Up to this record, all that the index has is in the file's map as well.
    in_map: Sequence,
    /// For what the share may grow once all of it is stored: never more than the slices have.
    pub(super) claim: Claim,
}

/// A write, as the index takes it.
#[derive(Debug)]
pub(in crate::volume) struct Written {
    pub(in crate::volume) offset: u64,
    pub(in crate::volume) length: u32,
    pub(in crate::volume) appended: Appended,
    pub(in crate::volume) credits: Credits,
    /// For what the share may grow by it.
    pub(in crate::volume) claim: Claim,
    /// The time to show for it.
    pub(in crate::volume) time: Timestamp,
    pub(in crate::volume) stamp: ChangeId,
    pub(in crate::volume) at: Duration,
}

/// A record of the journal that a replay meets.
#[derive(Debug)]
pub(in crate::volume) struct Replayed<'a> {
    pub(in crate::volume) offset: u64,
    pub(in crate::volume) length: u32,
    /// The ranges of the file that it still holds.
    pub(in crate::volume) left: &'a [Range<u64>],
    pub(in crate::volume) appended: Appended,
    pub(in crate::volume) credits: Option<Credits>,
    /// The time that was shown for it.
    pub(in crate::volume) time: Timestamp,
    pub(in crate::volume) stamp: ChangeId,
    pub(in crate::volume) at: Duration,
}

/// Bytes that a file's map has itself, to be put into an object.
#[derive(Debug)]
pub(in crate::volume) struct TakenUp {
    pub(in crate::volume) offset: u64,
    pub(in crate::volume) length: u32,
    pub(in crate::volume) appended: Appended,
    pub(in crate::volume) credits: Option<Credits>,
    pub(in crate::volume) at: Duration,
}

/// Bytes of the index that were written to the journal once more.
#[derive(Debug)]
pub(in crate::volume) struct Moved {
    pub(in crate::volume) offset: u64,
    pub(in crate::volume) length: u32,
    pub(in crate::volume) appended: Appended,
    pub(in crate::volume) credits: Option<Credits>,
}

impl NodePending {
    pub(super) fn new(claim: Claim) -> NodePending {
        NodePending {
            slices: SliceIndex::default(),
            held: Vec::new(),
            highest: Sequence::default(),
            shown: Pending::default(),
            since: Duration::default(),
            generation: 0,
            is_uncertain: false,
            in_map: Sequence::default(),
            claim,
        }
    }

    /// After slices have come or gone.
    pub(super) fn count_bytes(&mut self) {
        self.shown.bytes = self.slices.bytes();
        self.claim.shrink_to(self.shown.bytes);
    }

    /// The newest record.
    pub(in crate::volume) fn newest(&self) -> Option<Sequence> {
        self.held.last().map(|held| held.appended.sequence)
    }

    /// The record up to which all that the index has is in the file's map as well.
    pub(in crate::volume) fn in_map(&self) -> Sequence {
        self.in_map
    }

    /// All that the index has, up to this record, is in the file's map as well: the share grows no more by it.
    pub(in crate::volume) fn put_in_map(&mut self, up_to: Sequence) {
        self.in_map = self.in_map.max(up_to);
        self.claim.shrink_to(0);
    }

    /// The record up to which all are done once these ranges are stored. Where nothing is left of the index then, that is
    /// the newest that it ever had, though another part of a flush may have stored that one: nobody will know of it any
    /// more, and a crash may bring it back behind a truncation that found nothing to note.
    pub(in crate::volume) fn content_seq_after(&self, stored: &[Range<u64>], up_to: Sequence) -> Sequence {
        let done = self.slices.content_seq_after(stored, up_to);
        let is_empty = done == up_to && self.slices.newest().is_none_or(|newest| newest <= up_to);
        if is_empty { done.max(self.highest) } else { done }
    }

    /// Whether a record above this one lies over bytes of older ones, or between them.
    pub(in crate::volume) fn is_written_over(&self, up_to: Sequence) -> bool {
        let split = self.held.partition_point(|held| held.appended.sequence <= up_to);
        let (older, newer) = self.held.split_at(split);
        let start = older.iter().map(|held| held.offset).min().unwrap_or(u64::MAX);
        let end = older.iter().map(Held::end).max().unwrap_or(0);
        newer.iter().any(|held| held.offset < end && held.end() > start)
    }

    /// When the newest record was written, on the monotonic clock.
    pub(in crate::volume) fn latest(&self) -> Duration {
        self.held.last().map_or(self.since, |held| held.at)
    }

    /// Takes a write that has been appended to the journal.
    pub(in crate::volume) fn write(&mut self, stored: &Node, written: Written) {
        let sequence = written.appended.sequence;
        self.highest = sequence;
        if self.held.is_empty() {
            self.since = written.at;
            self.shown.size = stored.size;
        }
        self.slices.insert(written.offset, written.length, sequence, written.appended.place, 0);
        self.held.push(Held {
            appended: written.appended,
            offset: written.offset,
            length: written.length,
            at: written.at,
            _credits: Some(written.credits),
        });
        self.shown.size = self.shown.size.max(written.offset + u64::from(written.length));
        self.claim.join(written.claim);
        self.count_bytes();
        let change = self.shown.shown.map_or(stored.change, |(change, _)| change.max(stored.change));
        self.shown.shown = Some((written.stamp.max(ChangeId(change.0 + 1)), written.time));
        self.shown.times = Some((written.time, sequence));
    }

    /// Makes the index anew of the records that are left; what flushes have published already comes in again, which
    /// changes no byte.
    pub(super) fn lose(&mut self, stored: &Node, lost: &[Sequence]) -> Vec<Held> {
        let is_lost = |held: &Held| lost.contains(&held.appended.sequence);
        let (gone, kept): (Vec<Held>, Vec<Held>) = std::mem::take(&mut self.held).into_iter().partition(is_lost);
        self.held = kept;
        self.slices.clear();
        for held in self.held.iter().filter(|held| held.appended.sequence > stored.content_seq) {
            let Appended { sequence, place } = held.appended;
            for range in stored.replay_exclusions.left(sequence, held.offset..held.end()) {
                let (length, skip) = ((range.end - range.start) as u32, (range.start - held.offset) as u32);
                self.slices.insert(range.start, length, sequence, place, skip);
            }
        }
        self.shown.size = stored.size.max(self.slices.end());
        self.shown.bytes = self.slices.bytes();
        // More bytes than before may count, since some count again.
        self.claim.set(self.shown.bytes);
        gone
    }

    /// Notes that a record has had bytes of the node, though it is in no index.
    pub(in crate::volume) fn has_seen(&mut self, sequence: Sequence) {
        self.highest = self.highest.max(sequence);
    }

    /// Takes other records in the place of all, which have what the index has; answers the old ones.
    pub(super) fn move_to(&mut self, moved: Vec<Moved>) -> Vec<Held> {
        let at = self.since;
        self.slices.clear();
        let old = std::mem::take(&mut self.held);
        for Moved { offset, length, appended, credits } in moved {
            self.slices.insert(offset, length, appended.sequence, appended.place, 0);
            self.highest = self.highest.max(appended.sequence);
            self.held.push(Held { appended, offset, length, at, _credits: credits });
        }
        if let Some((time, _)) = self.shown.times {
            self.shown.times = Some((time, self.highest));
        }
        self.shown.bytes = self.slices.bytes();
        old
    }

    /// Takes bytes that the map has: attributes show what is stored.
    pub(super) fn take_up(&mut self, stored: &Node, taken: TakenUp) {
        let TakenUp { offset, length, appended, credits, at } = taken;
        self.highest = appended.sequence;
        if self.held.is_empty() {
            self.since = at;
            self.shown.size = stored.size;
        }
        self.slices.insert(offset, length, appended.sequence, appended.place, 0);
        self.held.push(Held { appended, offset, length, at, _credits: credits });
        self.count_bytes();
        self.put_in_map(appended.sequence);
    }

    /// Takes a record that the journal has kept over a restart. It shows the same times as before, and a new stamp.
    pub(super) fn replay(&mut self, stored: &Node, replayed: Replayed<'_>) {
        let Appended { sequence, place } = replayed.appended;
        self.highest = sequence;
        if self.held.is_empty() {
            self.since = replayed.at;
            self.shown.size = stored.size;
        }
        for range in replayed.left {
            let (length, skip) = ((range.end - range.start) as u32, (range.start - replayed.offset) as u32);
            self.slices.insert(range.start, length, sequence, place, skip);
            self.shown.size = self.shown.size.max(range.end);
        }
        let Replayed { offset, length, appended, credits, at, .. } = replayed;
        self.held.push(Held { appended, offset, length, at, _credits: credits });
        self.shown.bytes = self.slices.bytes();
        self.claim.set(self.shown.bytes);
        // As it was shown for the newest record, whose time need not be the highest.
        let (change, ctime) = self.shown.shown.unwrap_or((stored.change, stored.ctime));
        self.shown.shown = Some((replayed.stamp.max(change), replayed.time.max(ctime).max(stored.ctime)));
        if sequence > stored.times_seq {
            self.shown.times = Some((replayed.time, sequence));
        }
    }
}

#[cfg(test)]
mod tests;
