//! Following the log from its start to its end, and telling damage from a torn tail.

use dittofs_domain::NodeId;

use super::{
    format::{SEGMENT_HEAD, SegmentHead},
    scan::Found,
    slot::Slot,
    superblock::{Gap, Superblock},
};

/// A segment that was read. One whose file is missing has no slot, and no records.
pub(super) struct Scanned {
    pub(super) number: u64,
    pub(super) file: Option<(SegmentHead, Slot)>,
    pub(super) found: Vec<Found>,
}

/// A run of records that were durable and are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostRun {
    /// The segment in which the run starts.
    pub segment: u64,
    /// The first number.
    pub first: u64,
    /// How many numbers.
    pub count: u64,
}

/// The findings of recovery besides records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Records of the torn tail that could still be recognised.
    pub torn: u64,
    /// The records that were durable and are lost.
    pub lost: Vec<LostRun>,
    /// The nodes of lost records, as far as they are known.
    pub nodes: Vec<NodeId>,
}

/// The log's records, by index of the segment and of the record in it.
pub(super) struct Walked {
    pub(super) kept: Vec<(usize, usize)>,
    /// Behind the last record.
    pub(super) end: (u64, u64),
    /// The number behind the last record.
    pub(super) next: u64,
    pub(super) gaps: Vec<Gap>,
    pub(super) recovery: Recovery,
}

/// The faults that are accepted, but usually are not.
#[derive(Clone, Copy)]
pub(super) struct Accepted {
    /// Goes on behind records that are lost.
    pub(super) loss: bool,
    /// Takes records out of turn: that is a seeded bug.
    pub(super) any_number: bool,
}

/// Follows the log. `Err` names what is damaged, unless losses are accepted.
pub(super) fn walk(superblock: &Superblock, segments: &[Scanned], accepted: Accepted) -> Result<Walked, LostRun> {
    let heads = segments.iter().filter_map(|segment| segment.file.as_ref()).map(|(head, _)| head.durable);
    let records = segments.iter().flat_map(|segment| &segment.found).map(|found| found.head.durable);
    let mut walker = Walker {
        superblock,
        segments,
        any_number: accepted.any_number,
        durable: heads.chain(records).fold(superblock.durable, u64::max),
        index: 0,
        at: SEGMENT_HEAD,
        walked: Walked {
            kept: Vec::new(),
            end: (superblock.oldest, SEGMENT_HEAD),
            next: superblock.start,
            gaps: Vec::new(),
            recovery: Recovery::default(),
        },
    };
    while walker.index < segments.len() {
        if walker.jump() || walker.take() || walker.next_segment() {
            continue;
        }
        let Some(lost) = walker.damage() else {
            break;
        };
        if !accepted.loss {
            return Err(lost);
        }
        if !walker.skip(lost) {
            break;
        }
    }
    let next = walker.walked.next;
    let behind = segments.iter().flat_map(|segment| &segment.found).filter(|found| found.head.sequence >= next);
    walker.walked.recovery.torn = behind.count() as u64;
    Ok(walker.walked)
}

/// The nodes of lost records whose heads can still be read.
pub(super) fn nodes_of(segments: &[Scanned], lost: LostRun) -> Vec<NodeId> {
    let numbers = lost.first..lost.first.saturating_add(lost.count);
    let heads = segments.iter().flat_map(|segment| &segment.found).map(|found| found.head);
    let nodes = heads.filter(|head| head.is_data() && numbers.contains(&head.sequence));
    nodes.map(|head| NodeId(head.node)).collect()
}

struct Walker<'a> {
    superblock: &'a Superblock,
    segments: &'a [Scanned],
    any_number: bool,
    /// The highest number that anything knew to be durable.
    durable: u64,
    index: usize,
    at: u64,
    walked: Walked,
}

impl Walker<'_> {
    fn number(&self) -> u64 {
        self.superblock.oldest + self.index as u64
    }

    /// Goes over a gap that starts here.
    fn jump(&mut self) -> bool {
        let here = (self.number(), self.at);
        let Some(gap) = self.superblock.gaps.iter().find(|gap| gap.from == here && gap.to > here) else {
            return false;
        };
        self.index = usize::try_from(gap.to.0.saturating_sub(self.superblock.oldest)).unwrap_or(usize::MAX);
        self.at = gap.to.1;
        self.walked.next = gap.next;
        true
    }

    /// Takes the record that is here, if it is the one that belongs here.
    fn take(&mut self) -> bool {
        let Some((record, span)) = self.expected_at(self.index, self.at) else {
            return false;
        };
        if self.any_number {
            let found = self.segments.get(self.index).and_then(|segment| segment.found.get(record));
            self.walked.next = found.map_or(self.walked.next, |found| found.head.sequence);
        }
        self.walked.kept.push((self.index, record));
        self.walked.next += 1;
        self.at += span;
        self.walked.end = (self.number(), self.at);
        true
    }

    fn expected_at(&self, index: usize, at: u64) -> Option<(usize, u64)> {
        let found = &self.segments.get(index)?.found;
        let record = found.binary_search_by_key(&at, |found| found.at).ok()?;
        let head = &found.get(record).filter(|found| found.whole)?.head;
        (self.any_number || head.sequence == self.walked.next).then(|| (record, head.span()))
    }

    /// Goes on to the next segment where this one ends here.
    fn next_segment(&mut self) -> bool {
        let start = (self.number() + 1, SEGMENT_HEAD);
        let mut gaps = self.superblock.gaps.iter();
        // A failed sync may have moved all that the next one held.
        let moved = gaps.any(|gap| gap.from == start && gap.next == self.walked.next);
        let goes_on = moved || self.expected_at(self.index + 1, SEGMENT_HEAD).is_some();
        if goes_on {
            (self.index, self.at) = (self.index + 1, SEGMENT_HEAD);
        }
        goes_on
    }

    /// Returns the run of records that are lost here, if any that had been durable is. The head of a segment is durable
    /// before the segment belongs to the log, so a missing head is always damage.
    fn damage(&self) -> Option<LostRun> {
        let first = self.walked.next;
        let missing = self.segments.iter().skip(self.index).find(|segment| segment.file.is_none());
        let segment = if first <= self.durable { self.number() } else { missing?.number };
        let behind = self.behind().map(|(_, found)| found.head.sequence).next();
        let last = behind.map_or(self.durable, |number| number - 1);
        Some(LostRun { segment, first, count: (last + 1).saturating_sub(first) })
    }

    /// Whole records behind this point whose turn is still to come.
    fn behind(&self) -> impl Iterator<Item = (usize, &Found)> {
        let (here, next) = ((self.index, self.at), self.walked.next);
        let segments = self.segments.iter().enumerate().skip(self.index);
        let all = segments.flat_map(|(index, segment)| segment.found.iter().map(move |found| (index, found)));
        all.filter(move |(index, found)| (*index, found.at) >= here && found.whole && found.head.sequence > next)
    }

    /// Goes on behind a loss; false at the end of the log.
    fn skip(&mut self, lost: LostRun) -> bool {
        self.walked.recovery.nodes.extend(nodes_of(self.segments, lost));
        self.walked.recovery.lost.push(lost);
        let target = self.behind().next().map(|(index, found)| (index, found.at, found.head.sequence));
        let Some((index, at, next)) = target else {
            return false;
        };
        let to = (self.superblock.oldest + index as u64, at);
        self.walked.gaps.push(Gap { from: (self.number(), self.at), to, next });
        (self.index, self.at) = (index, at);
        self.walked.next = next;
        true
    }
}
