//! Copies of bytes that the map has, on their way into another object: they may take the place of the originals only
//! where these still stand.

use std::ops::Range;

use super::{MapError, Piece, Source};
use crate::bugs::{self, Bug};

/// Returns the parts of a piece, as it was read once, that the map still has unchanged. `now` is the current state of
/// the map, in order; a range that none of its pieces covers is a hole.
pub fn still_there(read: &Piece, now: &[Piece]) -> Vec<Range<u64>> {
    let whole = read.offset..read.end();
    let first = now.partition_point(|piece| piece.end() <= whole.start);
    let now = now.iter().skip(first).take_while(|piece| piece.offset < whole.end);
    if read.source == Source::Hole {
        let is_data = |piece: &&Piece| piece.source != Source::Hole;
        return without(read.offset..read.end(), now.filter(is_data).map(|piece| piece.offset..piece.end()));
    }
    let same = now.filter_map(|piece| {
        let range = piece.offset.max(whole.start)..piece.end().min(whole.end);
        (piece.cut(&range)?.source == read.cut(&range)?.source).then_some(range)
    });
    same.collect()
}

/// Returns the pieces of a flush's blocks that may be installed. A block holds newly written bytes, and next to them
/// copies of bytes that the map had. `base` is the state of the map in the range of all blocks when the flush took
/// them. `written` are the ranges of new bytes. `now` is the current state of the map. All of these are in order, and
/// so are the pieces. Copies whose originals have changed are left out. Pieces that are installed already do not count
/// as changes: a plan may have been applied and its answer lost.
///
/// # Errors
/// `Newer` if something else was put below the new bytes in the meantime: the new bytes may be the older ones now.
pub fn current(
    pieces: &[Piece],
    base: &[Piece],
    written: &[Range<u64>],
    now: &[Piece],
) -> Result<Vec<Piece>, MapError> {
    if bugs::has(Bug::RegionsSplit) {
        return Ok(pieces.to_vec());
    }
    let done: Vec<Range<u64>> = pieces.iter().flat_map(|piece| still_there(piece, now)).collect();
    let mut stale: Vec<Range<u64>> = Vec::new();
    for read in base {
        for range in without(read.offset..read.end(), still_there(read, now)) {
            stale.extend(without(range.clone(), touching(&done, &range).cloned()));
        }
    }
    let overwritten = stale.iter().find_map(|range| Some((touching(written, range).next()?, range)));
    if let Some((new, range)) = overwritten {
        return Err(MapError::Newer { offset: new.start.max(range.start) });
    }
    let mut out = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let whole = piece.offset..piece.end();
        let left = without(whole.clone(), touching(&stale, &whole).cloned());
        out.extend(left.iter().filter_map(|range| piece.cut(range)));
    }
    Ok(out)
}

/// Those of ranges in order that have a byte of another one.
fn touching<'a>(ranges: &'a [Range<u64>], other: &Range<u64>) -> impl Iterator<Item = &'a Range<u64>> {
    let (first, end) = (ranges.partition_point(|range| range.end <= other.start), other.end);
    ranges.iter().skip(first).take_while(move |range| range.start < end)
}

/// A range without others, which are in order.
fn without(whole: Range<u64>, others: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut at = whole.start;
    let mut out = Vec::new();
    for other in others {
        if other.start > at {
            out.push(at..other.start.min(whole.end));
        }
        at = at.max(other.end);
    }
    if at < whole.end {
        out.push(at..whole.end);
    }
    out
}

#[cfg(test)]
mod tests;
