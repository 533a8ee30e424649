//! The part of a file that is only in the journal: its newest slices.
//!
//! There is one index per node. Records come in with their sequence numbers, in any order; where they overlap, the
//! newest wins. After a flush has published slices, they are removed by range and sequence number, so that bytes
//! written while the flush ran stay.

use std::{collections::BTreeMap, ops::Range};

use smallvec::SmallVec;

use crate::{
    bugs::{self, Bug},
    id::Sequence,
    scale::Scale,
};

/// Where the payload of a journal's record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Which segment.
    pub segment: u64,
    /// Offset of the payload's first byte in it.
    pub at: u64,
}

/// A run of bytes of a file that is in one record of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Where it starts in the file.
    pub offset: u64,
    /// Its length in bytes, above 0.
    pub len: u32,
    /// The record.
    pub seq: Sequence,
    /// Where the record's payload is.
    pub place: Place,
    /// Bytes of the payload that come before the slice.
    pub skip: u32,
}

impl Slice {
    /// The offset of the byte after it.
    pub fn end(&self) -> u64 {
        self.offset + u64::from(self.len)
    }

    /// The part of it that is in a range, if any.
    pub fn cut(&self, range: &Range<u64>) -> Option<Slice> {
        let (from, to) = (self.offset.max(range.start), self.end().min(range.end));
        (from < to).then(|| Slice {
            offset: from,
            len: (to - from) as u32,
            skip: self.skip + (from - self.offset) as u32,
            ..*self
        })
    }
}

/// A part of a range of a file, as far as the journal knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// In the journal.
    Slice(Slice),
    /// Not in the journal: the map says what it is.
    Gap {
        /// Where it starts in the file.
        offset: u64,
        /// Its length in bytes.
        len: u64,
    },
}

impl Part {
    /// The offset of the byte after it.
    pub fn end(&self) -> u64 {
        match self {
            Part::Slice(slice) => slice.end(),
            Part::Gap { offset, len } => offset.saturating_add(*len),
        }
    }
}

/// All slices of one region of a file: the unit that a flush takes at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Where it starts in the file.
    pub start: u64,
    /// Where the next one starts.
    pub end: u64,
    /// Its slices, shortened to the region, in order.
    pub slices: Vec<Slice>,
}

impl Region {
    /// The bytes of the file that its slices are: ranges in order that neither overlap nor touch.
    pub fn changed(&self) -> Vec<Range<u64>> {
        let mut out: Vec<Range<u64>> = Vec::new();
        for slice in &self.slices {
            match out.last_mut() {
                Some(last) if last.end == slice.offset => last.end = slice.end(),
                _ => out.push(slice.offset..slice.end()),
            }
        }
        out
    }
}

/// A slice as kept; its offset is the key.
#[derive(Clone, Copy, Debug)]
struct Entry {
    len: u32,
    skip: u32,
    seq: Sequence,
    place: Place,
}

/// The newest slices of one node.
#[derive(Clone, Debug, Default)]
pub struct SliceIndex {
    slices: BTreeMap<u64, Entry>,
    /// How many slices each record still has.
    sequences: BTreeMap<Sequence, u32>,
    bytes: u64,
}

impl SliceIndex {
    /// Adds payload bytes `skip .. skip + len` of a record, as the file's bytes from `offset` on. Where a newer record
    /// is there already, that one stays.
    pub fn insert(&mut self, offset: u64, len: u32, seq: Sequence, place: Place, skip: u32) {
        let end = offset.saturating_add(u64::from(len));
        self.carve(offset..end, seq);
        let whole = Slice { offset, len: (end - offset) as u32, seq, place, skip };
        let gaps: SmallVec<[Range<u64>; 4]> = self.parts(offset..end).filter_map(gap).collect();
        for slice in gaps.iter().filter_map(|gap| whole.cut(gap)) {
            self.add(slice);
        }
    }

    /// Returns the parts of a range, in order. They cover the range completely.
    pub fn read(&self, range: Range<u64>) -> Vec<Part> {
        self.parts(range).collect()
    }

    /// Returns the parts at the start of a range, at most `parts_max` of them. Where they end before the range does,
    /// the rest is not known.
    pub fn read_some(&self, range: Range<u64>, parts_max: usize) -> Vec<Part> {
        self.parts(range).take(parts_max).collect()
    }

    /// Forgets what lies behind the new end of the file.
    pub fn truncate(&mut self, size: u64) {
        self.carve(size..u64::MAX, Sequence(u64::MAX));
    }

    /// Forgets a range.
    pub fn punch(&mut self, range: Range<u64>) {
        self.carve(range, Sequence(u64::MAX));
    }

    /// Forgets what a flush has published: in these ranges, all records up to one.
    pub fn remove(&mut self, flushed: &[Range<u64>], up_to: Sequence) {
        for range in flushed {
            self.carve(range.clone(), up_to);
        }
    }

    /// The sequence number up to which all records of the node are published once these ranges, in order and disjoint,
    /// are: what the plan of a flush may set as the node's `content_seq`. Records above it are replayed after a crash
    /// even if they were flushed, which is harmless as long as the journal keeps all that follow them.
    ///
    /// Looks at what is in the ranges only, however much else there is: a flush in many parts asks for each of them.
    pub fn content_seq_after(&self, flushed: &[Range<u64>], up_to: Sequence) -> Sequence {
        let covered = self.covered(flushed);
        let is_left = |(seq, count): &(&Sequence, &u32)| covered.get(seq).is_none_or(|covered| covered < count);
        let oldest = self.sequences.range(..=up_to).find(is_left);
        oldest.map_or(up_to, |(seq, _)| Sequence(seq.0.saturating_sub(1)))
    }

    /// How many slices of each record lie within ranges, which are in order and disjoint.
    fn covered(&self, ranges: &[Range<u64>]) -> BTreeMap<Sequence, u32> {
        let mut covered: BTreeMap<Sequence, u32> = BTreeMap::new();
        let mut ranges = ranges.iter().peekable();
        while let Some(first) = ranges.next() {
            let mut end = first.end;
            while let Some(next) = ranges.next_if(|next| next.start <= end) {
                end = end.max(next.end);
            }
            for (offset, entry) in self.slices.range(first.start..end) {
                if entry.at(*offset).end() <= end {
                    *covered.entry(entry.seq).or_default() += 1;
                }
            }
        }
        covered
    }

    /// Returns the first region with slices, from the region of an offset on, with all of its slices. A flush takes it.
    /// Nothing is removed here. No region is ever taken in parts.
    pub fn region_from(&self, from: u64, scale: &Scale) -> Option<Region> {
        if bugs::has(Bug::RegionsSplit) {
            return self.half_region_from(from, scale);
        }
        let from = scale.region_start(from);
        let start = self.iter_from(from).next().map(|slice| scale.region_start(slice.offset.max(from)))?;
        let end = start.saturating_add(scale.region());
        let slices = self.iter_from(start).take_while(|slice| slice.offset < end);
        Some(Region { start, end, slices: slices.filter_map(|slice| slice.cut(&(start..end))).collect() })
    }

    /// Returns a part of a region. A flush must never take that, because the rest of the region may come into another
    /// batch.
    fn half_region_from(&self, from: u64, scale: &Scale) -> Option<Region> {
        let at = self.iter_from(from).next().map(|slice| slice.offset.max(from))?;
        let (start, half) = (scale.region_start(at), scale.region() / 2);
        let end = if at - start < half { start + half } else { start + scale.region() };
        let slices = self.iter_from(at).take_while(|slice| slice.offset < end);
        Some(Region { start, end, slices: slices.filter_map(|slice| slice.cut(&(at..end))).collect() })
    }

    /// All slices, in the order of their offsets.
    pub fn iter(&self) -> impl Iterator<Item = Slice> {
        self.slices.iter().map(|(offset, entry)| entry.at(*offset))
    }

    /// Bytes in all slices.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many slices there are.
    pub fn len(&self) -> usize {
        self.slices.len()
    }

    /// Whether nothing is in the journal only.
    pub fn is_empty(&self) -> bool {
        self.slices.is_empty()
    }

    /// The offset after the last slice.
    pub fn end(&self) -> u64 {
        self.slices.last_key_value().map_or(0, |(offset, entry)| entry.at(*offset).end())
    }

    /// The newest record that still has a byte in a slice.
    pub fn newest(&self) -> Option<Sequence> {
        self.sequences.last_key_value().map(|(seq, _)| *seq)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = SliceIndex::default();
    }

    /// Slices from the one that an offset is in.
    fn iter_from(&self, from: u64) -> impl Iterator<Item = Slice> {
        let first = self.slices.range(..=from).next_back().filter(|(offset, entry)| entry.at(**offset).end() > from);
        let first = first.map_or(from, |(offset, _)| *offset);
        self.slices.range(first..).map(|(offset, entry)| entry.at(*offset))
    }

    fn parts(&self, range: Range<u64>) -> impl Iterator<Item = Part> {
        let mut slices = self.iter_from(range.start);
        let mut at = range.start;
        let mut pending = None;
        std::iter::from_fn(move || {
            if let Some(slice) = pending.take() {
                return Some(Part::Slice(slice));
            }
            if at >= range.end {
                return None;
            }
            let slice = slices.next().and_then(|slice| slice.cut(&range));
            let (from, to) = slice.map_or((range.end, range.end), |slice| (slice.offset, slice.end()));
            let gap = Part::Gap { offset: at, len: from - at };
            let is_gap = from > at;
            at = to;
            if is_gap {
                pending = slice;
                return Some(gap);
            }
            slice.map(Part::Slice)
        })
    }

    /// Removes what records up to one have in a range.
    fn carve(&mut self, range: Range<u64>, up_to: Sequence) {
        if range.is_empty() {
            return;
        }
        let slices = self.iter_from(range.start).take_while(|slice| slice.offset < range.end);
        let doomed: SmallVec<[Slice; 4]> = slices.filter(|slice| slice.seq <= up_to).collect();
        for slice in doomed {
            self.forget(&slice);
            for keep in [0..range.start, range.end..u64::MAX] {
                if let Some(rest) = slice.cut(&keep) {
                    self.add(rest);
                }
            }
        }
    }

    fn add(&mut self, slice: Slice) {
        let entry = Entry { len: slice.len, skip: slice.skip, seq: slice.seq, place: slice.place };
        self.slices.insert(slice.offset, entry);
        *self.sequences.entry(slice.seq).or_default() += 1;
        self.bytes += u64::from(slice.len);
    }

    fn forget(&mut self, slice: &Slice) {
        self.slices.remove(&slice.offset);
        self.bytes -= u64::from(slice.len);
        if let Some(count) = self.sequences.get_mut(&slice.seq) {
            *count -= 1;
            if *count == 0 {
                self.sequences.remove(&slice.seq);
            }
        }
    }
}

impl Entry {
    fn at(&self, offset: u64) -> Slice {
        Slice { offset, len: self.len, seq: self.seq, place: self.place, skip: self.skip }
    }
}

fn gap(part: Part) -> Option<Range<u64>> {
    match part {
        Part::Gap { offset, len } => Some(offset..offset + len),
        Part::Slice(_) => None,
    }
}

#[cfg(test)]
mod tests;
