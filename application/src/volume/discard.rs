//! Room inside objects that live on. Where the stores are so full that nothing can be written anew, what nothing refers
//! to any more is given back where it lies: a store may be able to do that without any room.
//!
//! A range of an object is given back only if it is dead for good, and nobody reads it:
//! - no map refers to it, and no flush is on its way that could publish it: both are seen under `flushing`;
//! - nothing can come to refer to it again: only a clone copies extents, and only those that its source has at that
//!   moment. Whether they are there is looked at while nobody clones, or they could move from a file that was not looked
//!   at yet to one that was;
//! - whoever resolved extents before it died is done, as for an object that is deleted: it has been dead for the grace;
//! - no backup pins the object: it needs all that was there when it was made;
//! - it is looked at once more then.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use dittofs_domain::{
    ObjectId,
    content::{
        BlockPlace,
        map::{Piece, Source},
        object::{BLOCK_ALIGNMENT, dead_ranges},
    },
    error::FsResult,
    plan::ObjectRecord,
};
use dittofs_ports::ContentError;

use super::{Volume, garbage::GRACE};

/// Objects whose dead ranges wait; more are found again later.
const WAITING_MAX: usize = 4_096;

/// What is to be given back, and what has been.
#[derive(Debug, Default)]
pub(super) struct Discards {
    waiting: BTreeMap<ObjectId, Dead>,
    /// Bytes of each object that were given back, or that the store was asked to.
    done: BTreeMap<ObjectId, u64>,
}

#[derive(Clone, Debug)]
struct Dead {
    ranges: Vec<Range<u64>>,
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

    fn is_refused(&mut self, object: ObjectId) {
        self.waiting.entry(object).and_modify(|dead| dead.is_refused = true);
    }

    fn note(&mut self, object: ObjectId, ranges: Vec<Range<u64>>, since: Duration) {
        let is_known = self.done.get(&object).is_some_and(|done| length(&ranges) <= *done);
        if !is_known && !ranges.is_empty() && self.waiting.len() < WAITING_MAX {
            // Those that wait already were seen earlier.
            self.waiting.entry(object).or_insert(Dead { ranges, since, is_refused: false });
        }
    }

    fn due(&self, now: Duration) -> Vec<(ObjectId, Dead)> {
        let is_due = |dead: &Dead| now.saturating_sub(dead.since) >= GRACE;
        self.waiting.iter().filter(|(_, dead)| is_due(dead)).map(|(object, dead)| (*object, dead.clone())).collect()
    }

    fn is_done(&mut self, object: ObjectId, dead: &Dead) {
        self.waiting.remove(&object);
        self.done.insert(object, length(&dead.ranges));
    }
}

impl Volume {
    /// Notes which ranges of a live object nothing refers to. `flushing` is held, and nobody clones.
    pub(super) fn note_dead_ranges<'a>(&self, object: &ObjectRecord, living: impl Iterator<Item = &'a Piece>) {
        let mut ranges = dead_ranges(object.bytes, living.filter_map(block_of));
        // What only fills the space between two blocks.
        ranges.retain(|range| range.end - range.start > BLOCK_ALIGNMENT);
        self.discards.lock().note(object.id, ranges, self.machine.clock.monotonic());
    }

    /// Gives back what has been dead for long enough; answers whether more is waiting. `flushing` is held.
    pub(super) async fn discard_dead_ranges(&self) -> FsResult<bool> {
        let due = self.discards.lock().due(self.machine.clock.monotonic());
        let mut given_back = 0;
        for (object, dead) in due {
            let _nobody_clones = self.cloning.write().await;
            let living = match self.living_pieces(object).await {
                Ok(Some(living)) => living,
                Ok(None) => {
                    self.discards.lock().forget(object);
                    continue;
                }
                // A file that uses it is damaged: nobody knows which of its bytes are dead, and the others go on.
                Err(error) if Volume::is_of_file(error) => {
                    self.discards.lock().forget(object);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if meets(&dead.ranges, living.iter().filter_map(block_of)) {
                tracing::error!(share = %self.name, %object, "bytes of an object that were dead are in use again");
                self.discards.lock().forget(object);
                continue;
            }
            match self.stores.content.discard(self.share(), object, dead.ranges.clone()).await {
                Ok(bytes) => given_back += bytes,
                Err(ContentError::NotFound) => {}
                // A disk that copies on write needs some for that, too.
                Err(ContentError::Full) => {
                    self.discards.lock().is_refused(object);
                    continue;
                }
                Err(error) => {
                    tracing::warn!(share = %self.name, %object, %error, "dead bytes of an object are not given back yet");
                    continue;
                }
            }
            self.discards.lock().is_done(object, &dead);
        }
        if given_back > 0 {
            tracing::info!(share = %self.name, bytes = given_back, "dead bytes of objects were given back");
            self.admission.hurry();
        }
        Ok(!self.discards.lock().waiting.is_empty())
    }
}

fn block_of(piece: &Piece) -> Option<BlockPlace> {
    match &piece.source {
        Source::Stored(from) => Some(from.block),
        Source::Hole | Source::Inline(_) => None,
    }
}

/// Whether a block lies in one of these ranges, even in part.
fn meets(ranges: &[Range<u64>], blocks: impl Iterator<Item = BlockPlace>) -> bool {
    let mut blocks = blocks;
    blocks.any(|block| {
        let end = block.at.saturating_add(block.stored_len.into());
        let first = ranges.partition_point(|range| range.end <= block.at);
        ranges.get(first).is_some_and(|range| range.start < end)
    })
}

fn length(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}
