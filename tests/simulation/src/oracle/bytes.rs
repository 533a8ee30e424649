//! The bytes of a file: which write each of them may be of.

use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use super::register::{Moment, OpNumber, Register, Window};
use crate::random::Random;

/// Writes take their bytes from a pool of random ones: at a place of the file the bytes of two writes differ.
pub(crate) const POOL_BYTES: u64 = 1 << 20;
const LENGTH_MAX: u64 = 1 << 19;

static POOL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = Random::new(1);
    let mut pool: Vec<u8> =
        (0..POOL_BYTES / 8).flat_map(|_| (random.bits() | 0x0101_0101_0101_0101).to_le_bytes()).collect();
    pool.extend_from_within(..LENGTH_MAX as usize);
    pool
});

static ZEROS: [u8; LENGTH_MAX as usize] = [0; LENGTH_MAX as usize];

/// The bytes that a write with this phase has at a range of the file, at most [`LENGTH_MAX`] of them.
pub(crate) fn written(phase: u64, range: Range<u64>) -> &'static [u8] {
    let from = ((range.start + phase) % POOL_BYTES) as usize;
    &POOL[from..from + (range.end - range.start) as usize]
}

/// The source of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nothing: zero.
    Zero,
    /// A write.
    Written(u64),
    /// A clone on its way: whatever its source has.
    Unknown,
}

impl Source {
    /// The same bytes at another place of a file.
    fn moved(self, from: u64, to: u64) -> Source {
        match self {
            Source::Written(phase) => {
                Source::Written((phase % POOL_BYTES + from % POOL_BYTES + POOL_BYTES - to % POOL_BYTES) % POOL_BYTES)
            }
            Source::Zero | Source::Unknown => self,
        }
    }

    fn matches(self, at: u64, bytes: &[u8]) -> bool {
        if self == Source::Unknown {
            return true;
        }
        let mut at = at;
        for part in bytes.chunks(LENGTH_MAX as usize) {
            let end = at + part.len() as u64;
            let expected = match self {
                Source::Zero => &ZEROS[..part.len()],
                Source::Written(phase) => written(phase, at..end),
                Source::Unknown => part,
            };
            if expected != part {
                return false;
            }
            at = end;
        }
        true
    }
}

/// The bytes of a file. Bytes behind its end are zero.
#[derive(Clone, Debug)]
pub(crate) struct Bytes {
    /// By start; each reaches to the next one's.
    parts: BTreeMap<u64, Register<Source>>,
    /// Operations that were perhaps done in part: in these ranges each part is for itself.
    in_pieces: BTreeMap<OpNumber, Range<u64>>,
    /// The same of operations that have come to their end, as long as it is not clear where others came before their
    /// pieces and where after.
    interleaved: BTreeMap<OpNumber, Range<u64>>,
    /// Writes of which it is not known that they are durable.
    volatile: BTreeMap<OpNumber, Range<u64>>,
    region_bytes: u64,
}

impl Bytes {
    pub(crate) fn new(region_bytes: u64) -> Bytes {
        Bytes {
            parts: BTreeMap::from([(0, Register::new(Source::Zero))]),
            in_pieces: BTreeMap::new(),
            interleaved: BTreeMap::new(),
            volatile: BTreeMap::new(),
            region_bytes,
        }
    }

    fn split(&mut self, at: u64) {
        if let Some((start, register)) = self.parts.range(..=at).next_back()
            && *start != at
        {
            let register = register.clone();
            self.parts.insert(at, register);
        }
    }

    /// The parts of a range, which begin and end with it.
    fn of(&mut self, range: &Range<u64>) -> impl Iterator<Item = &mut Register<Source>> {
        self.split(range.start);
        self.split(range.end);
        self.parts.range_mut(range.clone()).map(|(_, register)| register)
    }

    pub(crate) fn begin(&mut self, op: OpNumber, range: &Range<u64>, source: Source) {
        self.of(range).for_each(|part| part.begin(op, source));
    }

    /// The same for a write, which may be lost before it is durable.
    pub(crate) fn begin_write(&mut self, op: OpNumber, range: &Range<u64>, source: Source) {
        self.volatile.insert(op, range.clone());
        self.begin(op, range, source);
    }

    /// The same for an operation that may end at some places before its end.
    pub(crate) fn begin_in_pieces(&mut self, op: OpNumber, range: &Range<u64>, ends: &[u64], source: Source) {
        ends.iter().for_each(|end| self.split(*end));
        self.keep_apart(op, range);
        self.begin(op, range, source);
    }

    /// Parts of a range are not joined before it is clear what became of an operation.
    pub(crate) fn keep_apart(&mut self, op: OpNumber, range: &Range<u64>) {
        self.in_pieces.insert(op, range.clone());
    }

    /// Whether a part of a range is perhaps as an operation left it that ended in the middle.
    pub(crate) fn may_be_in_pieces(&self, range: &Range<u64>) -> bool {
        self.in_pieces.values().any(|other| other.start < range.end && range.start < other.end)
    }

    /// Returns what a range may have been since `start`, as it would be at another place.
    pub(crate) fn sources(&mut self, range: &Range<u64>, start: Moment, to: u64) -> Vec<(Range<u64>, Vec<Source>)> {
        self.split(range.start);
        self.split(range.end);
        let mut sources: Vec<(Range<u64>, Vec<Source>)> = Vec::new();
        for (at, part) in self.parts.range(range.clone()) {
            if let Some((last, _)) = sources.last_mut() {
                last.end = at - range.start + to;
            }
            let at = at - range.start + to;
            let all = part.since(start).map(|source| source.moved(range.start, to)).collect();
            sources.push((at..range.end - range.start + to, all));
        }
        sources
    }

    /// Notes that the bytes which an operation on its way made of a range are known: they are from one of these
    /// sources.
    pub(crate) fn resolve(&mut self, op: OpNumber, range: &Range<u64>, sources: &[Source]) {
        self.of(range).for_each(|part| part.resolve(op, &Source::Unknown, sources));
    }

    pub(crate) fn acknowledge(&mut self, window: Window, range: &Range<u64>, now: Moment) {
        if !self.volatile.contains_key(&window.op) {
            self.end_in_pieces(window.op);
        }
        self.of(range).for_each(|part| part.acknowledge(window, now, |_| true));
    }

    pub(crate) fn make_durable(&mut self, window: Window, range: &Range<u64>, now: Moment) {
        self.volatile.remove(&window.op);
        self.end_in_pieces(window.op);
        self.of(range).for_each(|part| part.make_durable(window, now, |_| true));
    }

    fn end_in_pieces(&mut self, op: OpNumber) {
        self.interleaved.extend(self.in_pieces.remove_entry(&op));
    }

    pub(crate) fn finish(&mut self, op: OpNumber, range: &Range<u64>, now: Moment) {
        self.of(range).for_each(|part| part.finish(op, now));
    }

    pub(crate) fn refuse(&mut self, op: OpNumber, range: &Range<u64>) {
        self.in_pieces.remove(&op);
        self.volatile.remove(&op);
        self.of(range).for_each(|part| part.refuse(op));
    }

    pub(crate) fn crash(&mut self, now: Moment) {
        self.tear();
        self.parts.values_mut().for_each(|part| part.crash(now));
    }

    pub(crate) fn lose(&mut self) {
        self.tear();
        self.parts.values_mut().for_each(Register::lose);
    }

    /// Of a write whose record is lost before all of it was flushed, the regions that were flushed are left. Nobody was
    /// promised it: a client that sees another verifier sends it again (RFC 1813, 3.3.21).
    fn tear(&mut self) {
        for (_, end) in self.torn() {
            self.split(end);
        }
        for (op, range) in self.volatile.clone() {
            self.keep_apart(op, &range);
        }
    }

    /// Where a write that may be lost is left to, if it is not left whole.
    pub(crate) fn torn(&self) -> Vec<(OpNumber, u64)> {
        let region_bytes = self.region_bytes;
        let ends = |op: OpNumber, range: &Range<u64>| {
            let regions = range.start / region_bytes + 1..range.end.div_ceil(region_bytes);
            regions.map(move |region| (op, region * region_bytes))
        };
        self.volatile.iter().flat_map(|(op, range)| ends(*op, range)).collect()
    }

    /// Forgets what is over, and joins neighbours that say the same.
    pub(crate) fn forget(&mut self, oldest: Moment) {
        self.parts.values_mut().for_each(|part| part.forget(oldest));
        let parts = &self.parts;
        self.interleaved.retain(|op, range| parts.range(range.clone()).any(|(_, part)| part.is_undecided_about(*op)));
        let mut same = Vec::new();
        let mut before: Option<&Register<Source>> = None;
        for (start, part) in &self.parts {
            let mut apart = self.in_pieces.values().chain(self.interleaved.values());
            let is_apart = apart.any(|range| range.contains(start));
            if before == Some(part) && !is_apart {
                same.push(*start);
            }
            before = Some(part);
        }
        for start in same {
            self.parts.remove(&start);
        }
    }

    /// Compares bytes that were read with what they may have been since `start`; with `pins`, they are that from now
    /// on.
    pub(crate) fn check(&mut self, at: u64, bytes: &[u8], start: Moment, pins: bool) -> Result<(), String> {
        let end = at + bytes.len() as u64;
        if bytes.is_empty() {
            return Ok(());
        }
        self.split(at);
        self.split(end);
        let starts: Vec<u64> = self.parts.range(at..end).map(|(start, _)| *start).collect();
        for (index, from) in starts.iter().enumerate() {
            let to = starts.get(index + 1).copied().unwrap_or(end);
            let part = &bytes[(from - at) as usize..(to - at) as usize];
            let Some(register) = self.parts.get_mut(from) else { continue };
            let found = register.since(start).copied().find(|source| source.matches(*from, part));
            match found {
                Some(source) if pins => register.pin(source),
                Some(_) => {}
                None => {
                    let allowed: Vec<Source> = register.since(start).copied().collect();
                    let zeros = part.iter().filter(|byte| **byte == 0).count();
                    return Err(format!(
                        "bytes {from}..{to} are none of {allowed:?} ({zeros} of {} are zero, first {:?}): {register:?}",
                        part.len(),
                        &part[..part.len().min(8)]
                    ));
                }
            }
        }
        Ok(())
    }

    /// Behind the end that it surely has, it is zero; before it, all was read.
    pub(crate) fn pin_beyond(&mut self, size: u64) {
        self.in_pieces.clear();
        self.interleaved.clear();
        self.volatile.clear();
        self.split(size);
        self.parts.split_off(&size);
        self.parts.insert(size, Register::new(Source::Zero));
    }

    /// Where something may have been written, with some bytes around it: where a mistake would show.
    pub(crate) fn interesting(&self, size: u64) -> Vec<Range<u64>> {
        const AROUND: u64 = 4 << 10;
        let mut ranges: Vec<Range<u64>> = Vec::new();
        let ends = self.parts.keys().skip(1).copied().chain([u64::MAX]);
        for ((start, part), end) in self.parts.iter().zip(ends) {
            if part.since(0).all(|source| *source == Source::Zero) {
                continue;
            }
            let range = start.saturating_sub(AROUND)..end.saturating_add(AROUND).min(size);
            match ranges.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ if range.is_empty() => {}
                _ => ranges.push(range),
            }
        }
        ranges
    }

    /// Whether some byte before `size` is surely not zero.
    pub(crate) fn surely_has_data(&self, size: u64) -> bool {
        self.parts.range(..size).any(|(_, part)| !part.since(0).any(|source| *source == Source::Zero))
    }
}
