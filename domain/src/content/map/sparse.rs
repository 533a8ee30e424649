//! Where a file has data.

use std::ops::Range;

use super::{Piece, Source};
use crate::content::slices::Part;

/// The runs of a range that are data: in the journal, or in extents that are not holes. `pieces` and `parts` are what
/// map and journal say of the range, in order; neighbours are one run.
pub fn data_ranges(pieces: &[Piece], parts: &[Part], range: &Range<u64>) -> Vec<Range<u64>> {
    let slices = parts.iter().filter_map(|part| match part {
        Part::Slice(slice) => Some(slice.offset..slice.end()),
        Part::Gap { .. } => None,
    });
    let stored = pieces.iter().filter(|piece| piece.source != Source::Hole).map(|piece| piece.offset..piece.end());
    let (mut slices, mut stored) = (slices.peekable(), stored.peekable());
    let mut runs: Vec<Range<u64>> = Vec::new();
    loop {
        let next = match (slices.peek(), stored.peek()) {
            (Some(slice), Some(piece)) if slice.start <= piece.start => slices.next(),
            (Some(_), None) => slices.next(),
            _ => stored.next(),
        };
        let Some(next) = next else { return runs };
        let next = next.start.max(range.start)..next.end.min(range.end);
        match runs.last_mut() {
            _ if next.is_empty() => {}
            Some(last) if last.end >= next.start => last.end = last.end.max(next.end),
            _ => runs.push(next),
        }
    }
}
