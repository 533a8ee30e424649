//! Room inside objects that live on. Where the stores are so full that nothing can be written anew, what nothing refers
//! to any more is given back where it lies: a store may be able to do that without any room.
//!
//! A range of an object is given back only if it is dead for good, and nobody reads it:
//! - no map refers to it, and no flush is on its way that could publish it: both are seen under `flushing`;
//! - nothing can come to refer to it again: only a clone copies extents, and only those that its source has at that
//!   moment. Whether they are there is looked at while nobody clones, or they could move from a file that was not looked
//!   at yet to one that was. A clone that begins after that finds them in no map;
//! - whoever resolved extents before it died is done, as for an object that is deleted: it has been dead for the grace;
//! - no backup pins the object: it needs all that was there when it was made;
//! - it is looked at once more then.

use std::ops::Range;

use dittofs_domain::{
    content::{
        BlockPlace,
        map::{Piece, Source},
        object::{BLOCK_ALIGNMENT, dead_ranges},
    },
    error::FsResult,
    plan::ObjectRecord,
};
use dittofs_ports::ContentError;

use super::Repacker;
use crate::{lock_order::may_wait_outside, volume::share::is_of_file};

impl Repacker {
    /// Notes which ranges of a live object nothing refers to. `flushing` is held, and nobody clones.
    pub(super) fn note_dead_ranges<'a>(&self, object: &ObjectRecord, living: impl Iterator<Item = &'a Piece>) {
        let mut ranges = dead_ranges(object.bytes, living.filter_map(block_of));
        // Leaves out the padding between two blocks.
        ranges.retain(|range| range.end - range.start > BLOCK_ALIGNMENT);
        self.collector.discards().note(object.id, ranges, self.share.monotonic());
    }

    /// Gives back what has been dead for long enough. Returns whether more is waiting. `flushing` is held.
    pub(super) async fn discard_dead_ranges(&self) -> FsResult<bool> {
        let due = self.collector.discards().due(self.share.monotonic());
        let mut given_back = 0;
        for (object, dead) in due {
            let nobody_clones = self.garbage.stop_cloning().await;
            let living = self.living_pieces(object).await;
            // A store that is slow must not keep clones waiting. What is dead now stays dead: a clone that begins from here
            // on copies extents that some map has, and none has these; no flush and no other repacking is on its way.
            drop(nobody_clones);
            let living = match living {
                Ok(Some(living)) => living,
                Ok(None) => {
                    self.collector.discards().forget(object);
                    continue;
                }
                // A file that uses it is damaged: nobody knows which of its bytes are dead, and the others go on.
                Err(error) if is_of_file(error) => {
                    self.collector.discards().forget(object);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if meets(&dead.ranges, living.iter().filter_map(block_of)) {
                tracing::error!(share = %self.share.name(), %object, "bytes of an object that were dead are in use again");
                self.collector.discards().forget(object);
                continue;
            }
            may_wait_outside();
            match self.content.discard(self.share.id(), object, dead.ranges.clone()).await {
                Ok(bytes) => given_back += bytes,
                Err(ContentError::NotFound) => {}
                // A disk that copies on write needs some for that, too.
                Err(ContentError::Full) => {
                    self.collector.discards().is_refused(object);
                    continue;
                }
                Err(error @ ContentError::Unavailable(_)) => {
                    self.collector.report_outage(&error);
                    break;
                }
                Err(error) => {
                    tracing::warn!(share = %self.share.name(), %object, %error, "dead bytes of an object are not given back yet");
                    continue;
                }
            }
            self.collector.discards().is_done(object, &dead);
        }
        if given_back > 0 {
            tracing::info!(share = %self.share.name(), bytes = given_back, "dead bytes of objects were given back");
            self.write_back.admission().request_flush();
        }
        Ok(self.collector.discards().are_waiting())
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
