//! A range with very many unflushed slices: a client may write every other byte, and ask for a MiB of them. Its bytes are
//! copied as they are found, so that a read holds little more than its reply, however many slices there are.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

/// Covered bytes between two gaps that make them two: below that, one look into the map for both costs less than one each.
const COVERED_MIN: u64 = 4 << 10;
/// Bytes that are filled at once: some 100 µs of work.
const FILLED_AT_ONCE: usize = 64 << 10;

/// The bytes of a range, and which of them are there.
pub(super) struct Crowded {
    range: Range<u64>,
    bytes: BytesMut,
    /// A bit for each byte, the lowest of a word first.
    covered: Vec<u64>,
}

impl Crowded {
    /// Nothing of a range yet.
    pub(super) fn new(range: &Range<u64>) -> Crowded {
        let length = (range.end - range.start) as usize;
        Crowded { range: range.clone(), bytes: BytesMut::zeroed(length), covered: vec![0; length.div_ceil(64)] }
    }

    /// Takes the bytes of a slice; those outside the range are not wanted.
    pub(super) fn take(&mut self, offset: u64, bytes: &[u8]) {
        let skipped = self.range.start.saturating_sub(offset).min(bytes.len() as u64) as usize;
        let bytes = &bytes[skipped..];
        let start = (offset.max(self.range.start) - self.range.start) as usize;
        let start = start.min(self.bytes.len());
        let bytes = &bytes[..bytes.len().min(self.bytes.len() - start)];
        let end = start + bytes.len();
        self.bytes[start..end].copy_from_slice(bytes);
        let mut at = start;
        while at < end {
            let next = end.min((at / 64 + 1) * 64);
            self.covered[at / 64] |= (u64::MAX >> (64 - (next - at))) << (at % 64);
            at = next;
        }
    }

    fn is_covered(&self, at: usize) -> bool {
        self.covered[at / 64] & 1 << (at % 64) != 0
    }

    /// The first byte from an offset on, before `end`, that is there, or that is not; `end` if there is none.
    fn find(&self, covered: bool, from: u64, end: u64) -> u64 {
        let mut at = from;
        while at < end {
            let index = (at - self.range.start) as usize;
            let word = if covered { self.covered[index / 64] } else { !self.covered[index / 64] };
            let rest = word >> (index % 64);
            if rest != 0 {
                return end.min(at + u64::from(rest.trailing_zeros()));
            }
            at += (64 - index % 64) as u64;
        }
        end
    }

    /// Whether all bytes before `end` are there.
    pub(super) fn covers(&self, end: u64) -> bool {
        self.find(false, self.range.start, end) >= end
    }

    /// Ranges before `end` with all bytes that are not there, and few that are.
    pub(super) fn gaps(&self, end: u64) -> Vec<Range<u64>> {
        let mut gaps: Vec<Range<u64>> = Vec::new();
        let mut at = self.find(false, self.range.start, end);
        while at < end {
            let after = self.find(true, at, end);
            match gaps.last_mut() {
                Some(last) if at - last.end < COVERED_MIN => last.end = after,
                _ => gaps.push(at..after),
            }
            at = self.find(false, after, end);
        }
        gaps
    }

    /// Puts what is in the gaps, in their order, where nothing is yet. Returns all bytes before `end`.
    pub(super) async fn filled(mut self, gaps: &[Range<u64>], with: &[Bytes], end: u64) -> Bytes {
        let mut offsets = gaps.iter().cloned().flatten().map(|at| (at - self.range.start) as usize);
        let mut since = 0;
        for part in with {
            // The bytes come first: `zip` would take an offset more than there are bytes.
            for (byte, at) in part.iter().zip(offsets.by_ref()) {
                if !self.is_covered(at) {
                    self.bytes[at] = *byte;
                }
            }
            since += part.len();
            if since >= FILLED_AT_ONCE {
                since = 0;
                crate::volume::breathe::breathe().await;
            }
        }
        self.bytes.truncate((end - self.range.start) as usize);
        self.bytes.freeze()
    }
}

#[cfg(test)]
mod tests;
