//! Where each frame is: 24 bytes a frame here and 8 in the list of its segment.
//!
//! Keys are known by their hash alone. An entry has its whole key beside it, so that two with the same hash are
//! distinguished when they are read.

use std::{collections::HashMap, collections::VecDeque, sync::Arc};

use foldhash::fast::RandomState;

use super::{
    format::{ENTRY_HEAD_LEN, FRAME_LEN_MAX, Row},
    segment::Segment,
};

/// Marks what was read since it was written, beside the length.
const READ: u32 = 1 << 31;

#[derive(Clone, Copy)]
struct Spot {
    /// The segment's number, less the first one's: numbers only grow, and few segments are there at a time.
    segment: u32,
    offset: u32,
    len: u32,
}

/// A segment and what was put into it.
struct Listed {
    segment: Arc<Segment>,
    hashes: Vec<u64>,
    bytes: u64,
}

pub(super) struct Index {
    spots: HashMap<u64, Spot, RandomState>,
    segments: VecDeque<Listed>,
    first_number: u64,
}

/// A frame that is to be read.
pub(super) struct Found {
    pub(super) segment: Arc<Segment>,
    pub(super) row: Row,
}

impl Index {
    /// An empty one, for segments with numbers from this one on.
    pub(super) fn new(first_number: u64) -> Index {
        Index { spots: HashMap::default(), segments: VecDeque::new(), first_number }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|listed| listed.bytes).sum()
    }

    pub(super) fn segments(&self) -> usize {
        self.segments.len()
    }

    pub(super) fn contains(&self, hash: u64) -> bool {
        self.spots.contains_key(&hash)
    }

    /// Adds a segment, which is newer than all others.
    pub(super) fn push(&mut self, segment: Arc<Segment>, rows: &[Row], bytes: u64) {
        self.segments.push_back(Listed { segment, hashes: Vec::with_capacity(rows.len()), bytes });
        rows.iter().for_each(|row| self.add(*row));
    }

    /// Adds an entry of the newest segment.
    pub(super) fn add(&mut self, row: Row) {
        let Some(newest) = self.segments.back_mut() else { return };
        let Ok(segment) = u32::try_from(newest.segment.number.wrapping_sub(self.first_number)) else { return };
        newest.hashes.push(row.hash);
        newest.bytes = newest.bytes.max(u64::from(row.offset) + ENTRY_HEAD_LEN as u64 + u64::from(row.len));
        self.spots.insert(row.hash, Spot { segment, offset: row.offset, len: row.len & !READ });
    }

    /// The newest segment's file has this length now.
    pub(super) fn sealed(&mut self, bytes: u64) {
        if let Some(newest) = self.segments.back_mut() {
            newest.bytes = bytes;
            newest.hashes.shrink_to_fit();
        }
    }

    /// Where a frame is; notes that it was wanted.
    pub(super) fn find(&mut self, hash: u64) -> Option<Found> {
        let spot = self.spots.get_mut(&hash)?;
        spot.len |= READ;
        let spot = *spot;
        let segment = Arc::clone(&self.listed(spot)?.segment);
        Some(Found { segment, row: row(hash, spot) })
    }

    fn listed(&self, spot: Spot) -> Option<&Listed> {
        let number = self.first_number + u64::from(spot.segment);
        let at = self.segments.binary_search_by_key(&number, |listed| listed.segment.number).ok()?;
        self.segments.get(at)
    }

    /// Forgets a frame, if it is still where it was found.
    pub(super) fn forget(&mut self, found: &Found) {
        let is_there = |spot: &Spot| {
            self.first_number + u64::from(spot.segment) == found.segment.number && spot.offset == found.row.offset
        };
        if self.spots.get(&found.row.hash).is_some_and(is_there) {
            self.spots.remove(&found.row.hash);
        }
    }

    /// Takes the oldest segment out, with what was read of it.
    pub(super) fn pop(&mut self) -> Option<(Arc<Segment>, Vec<Row>)> {
        let Listed { segment, hashes, .. } = self.segments.pop_front()?;
        let mut read = Vec::new();
        for hash in hashes {
            let Some(spot) = self.spots.get(&hash).copied() else { continue };
            if self.first_number + u64::from(spot.segment) != segment.number {
                continue;
            }
            self.spots.remove(&hash);
            if spot.len & READ != 0 {
                read.push(row(hash, spot));
            }
        }
        Some((segment, read))
    }

    pub(super) fn clear(&mut self) {
        *self = Index::new(self.first_number);
    }
}

fn row(hash: u64, spot: Spot) -> Row {
    debug_assert!((spot.len & !READ) as usize <= FRAME_LEN_MAX);
    Row { hash, offset: spot.offset, len: spot.len & !READ }
}
