//! The bytes of a file.

use std::{collections::BTreeMap, ops::Range};

/// Bytes that are kept together: where nothing was written there are none, and zeros are read.
const PIECE: u64 = 16 << 10;

/// A vector of bytes, long stretches of which may be missing.
#[derive(Clone, Debug, Default)]
pub struct Content {
    size: u64,
    pieces: BTreeMap<u64, Vec<u8>>,
    /// Where something was written, from start to end: neither overlapping nor touching.
    written: BTreeMap<u64, u64>,
}

impl Content {
    /// Zeros.
    pub fn of_size(size: u64) -> Content {
        Content { size, ..Content::default() }
    }

    /// Length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns how many bytes were written and not removed by a truncation.
    pub fn written_bytes(&self) -> u64 {
        self.written.iter().map(|(start, end)| end - start).sum()
    }

    /// Returns everything that was written and not removed by a truncation, each with the neighbourhood where a mistake
    /// would show.
    pub fn interesting(&self) -> Vec<Range<u64>> {
        let around = |(start, end): (&u64, &u64)| start.saturating_sub(PIECE)..(end + PIECE).min(self.size);
        self.written.iter().map(around).filter(|range| !range.is_empty()).collect()
    }

    /// Writes.
    pub fn write(&mut self, offset: u64, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        let end = offset + data.len() as u64;
        let mut at = offset;
        while at < end {
            let within = (at % PIECE) as usize;
            let length = (PIECE as usize - within).min((end - at) as usize);
            let from = (at - offset) as usize;
            let piece = self.pieces.entry(at / PIECE).or_insert_with(|| vec![0; PIECE as usize]);
            piece[within..within + length].copy_from_slice(&data[from..from + length]);
            at += length as u64;
        }
        self.size = self.size.max(end);
        let (mut start, mut end) = (offset, end);
        let touching: Vec<(u64, u64)> =
            self.written.range(..=end).filter(|(_, e)| **e >= start).map(|(s, e)| (*s, *e)).collect();
        for (s, e) in touching {
            self.written.remove(&s);
            start = start.min(s);
            end = end.max(e);
        }
        self.written.insert(start, end);
    }

    /// Makes a range zeros of which nothing is kept; the size stays.
    pub fn punch(&mut self, range: Range<u64>) {
        let range = range.start..range.end.min(self.size);
        if range.is_empty() {
            return;
        }
        for (number, piece) in self.pieces.range_mut(range.start / PIECE..=(range.end - 1) / PIECE) {
            let start = number * PIECE;
            let from = range.start.max(start) - start;
            let to = range.end.min(start + PIECE) - start;
            piece[from as usize..to as usize].fill(0);
        }
        let before: Vec<(u64, u64)> = self.written.range(..range.end).map(|(start, end)| (*start, *end)).collect();
        for (start, end) in before.into_iter().filter(|(_, end)| *end > range.start) {
            self.written.remove(&start);
            for (start, end) in [(start, end.min(range.start)), (start.max(range.end), end)] {
                if start < end {
                    self.written.insert(start, end);
                }
            }
        }
    }

    /// Puts a range of another one at an offset.
    pub fn clone_from(&mut self, other: &Content, range: Range<u64>, at: u64) {
        let end = at + (range.end - range.start);
        self.size = self.size.max(end);
        self.punch(at..end);
        for run in other.data(range.clone()) {
            let data = other.read(run.clone());
            self.write(at + (run.start - range.start), &data);
        }
    }

    /// Returns what of a range was written and neither truncated nor punched.
    pub fn data(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let runs = self.written.range(..range.end).map(|(start, end)| (*start).max(range.start)..(*end).min(range.end));
        runs.filter(|run| !run.is_empty()).collect()
    }

    /// Truncates or extends.
    pub fn truncate(&mut self, size: u64) {
        self.pieces.retain(|number, _| number * PIECE < size);
        if let Some(last) = self.pieces.get_mut(&(size / PIECE)) {
            last[(size % PIECE) as usize..].fill(0);
        }
        self.written.retain(|start, _| *start < size);
        if let Some(mut last) = self.written.last_entry() {
            let end = (*last.get()).min(size);
            last.insert(end);
        }
        self.size = size;
    }

    /// Reads; beyond the end there is nothing.
    pub fn read(&self, range: Range<u64>) -> Vec<u8> {
        let end = range.end.min(self.size);
        if range.start >= end {
            return Vec::new();
        }
        let mut out = vec![0; (end - range.start) as usize];
        let mut at = range.start;
        while at < end {
            let within = at % PIECE;
            let length = (PIECE - within).min(end - at) as usize;
            if let Some(piece) = self.pieces.get(&(at / PIECE)) {
                let to = (at - range.start) as usize;
                out[to..to + length].copy_from_slice(&piece[within as usize..within as usize + length]);
            }
            at += length as u64;
        }
        out
    }
}
