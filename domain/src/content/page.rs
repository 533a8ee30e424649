//! Operations on the extents of one page.
//!
//! Each takes extents that [tile](tiles) a page and answers extents that do, with neighbours merged where they can be.

use std::ops::Range;

use super::{Extent, PageExtents};
use crate::id::ObjectId;

/// A page of so many bytes that is all hole.
pub fn hole(page_bytes: u32) -> PageExtents {
    vec![Extent::Hole { len: page_bytes }]
}

/// Whether the extents are a valid page: [well formed](is_well_formed), together exactly as many bytes as a page has.
pub fn tiles(extents: &[Extent], page_bytes: u32) -> bool {
    is_well_formed(extents) && extents.iter().map(len).sum::<u64>() == u64::from(page_bytes)
}

/// Whether the extents are a page of whatever size: at least one, none empty, each stored one inside its block.
pub fn is_well_formed(extents: &[Extent]) -> bool {
    !extents.is_empty() && extents.iter().all(|extent| len(extent) > 0 && is_inside_block(extent))
}

fn len(extent: &Extent) -> u64 {
    match extent {
        Extent::Inline(bytes) => bytes.len() as u64,
        Extent::Hole { len } | Extent::Stored { len, .. } => u64::from(*len),
    }
}

/// Bytes of the page that extents tile.
fn page_len(extents: &[Extent]) -> u32 {
    extents.iter().map(len).sum::<u64>().try_into().unwrap_or(u32::MAX)
}

fn is_inside_block(extent: &Extent) -> bool {
    match extent {
        Extent::Hole { .. } | Extent::Inline(_) => true,
        Extent::Stored { len, from } => u64::from(from.skip) + u64::from(*len) <= u64::from(from.block.raw_len),
    }
}

/// Lays a newer extent over the page at an offset; the part that reaches beyond the page's end is dropped.
#[must_use]
pub fn overlay(extents: &[Extent], at: u32, newer: &Extent) -> PageExtents {
    let page_len = page_len(extents);
    let at = at.min(page_len);
    let newer = newer.slice(0, page_len - at);
    let end = at + newer.len();
    let mut out = PageExtents::with_capacity(extents.len() + 2);
    append(&mut out, extents, 0..at);
    push(&mut out, newer);
    append(&mut out, extents, end..page_len);
    out
}

/// Returns the extents of the page after a truncation at `offset`: the rest is a hole.
#[must_use]
pub fn truncate(extents: &[Extent], offset: u32) -> PageExtents {
    punch(extents, offset..page_len(extents))
}

/// Turns a range of the page into a hole.
#[must_use]
pub fn punch(extents: &[Extent], range: Range<u32>) -> PageExtents {
    let end = range.end.min(page_len(extents));
    overlay(extents, range.start, &Extent::Hole { len: end.saturating_sub(range.start) })
}

/// Returns the extents of a range of the page. Those at both ends are shortened to the range.
#[must_use]
pub fn slice(extents: &[Extent], range: Range<u32>) -> PageExtents {
    let mut out = PageExtents::new();
    append(&mut out, extents, range);
    out
}

/// The page with all neighbours merged that can be.
#[must_use]
pub fn merge(extents: &[Extent]) -> PageExtents {
    slice(extents, 0..page_len(extents))
}

/// Whether all of it is hole.
pub fn is_hole(extents: &[Extent]) -> bool {
    extents.iter().all(|extent| matches!(extent, Extent::Hole { .. }))
}

/// Bytes that are not hole.
pub fn allocated(extents: &[Extent]) -> u64 {
    let data = extents.iter().filter(|extent| !matches!(extent, Extent::Hole { .. }));
    data.map(|extent| u64::from(extent.len())).sum()
}

/// The objects that extents refer to, once for each extent.
pub fn objects(extents: &[Extent]) -> impl Iterator<Item = ObjectId> {
    extents.iter().filter_map(|extent| match extent {
        Extent::Stored { from, .. } => Some(from.object),
        Extent::Hole { .. } | Extent::Inline(_) => None,
    })
}

/// Adds an extent at the end, merged with the last one where both are hole, or bytes that follow each other in one
/// block. An empty one adds nothing.
pub fn push(out: &mut PageExtents, extent: Extent) {
    if extent.is_empty() {
        return;
    }
    match (out.last_mut(), &extent) {
        (Some(Extent::Hole { len }), Extent::Hole { len: more }) => *len = len.saturating_add(*more),
        (Some(Extent::Stored { len, from }), Extent::Stored { len: more, from: next })
            if from.object == next.object
                && from.block == next.block
                && from.skip.checked_add(*len) == Some(next.skip) =>
        {
            *len = len.saturating_add(*more);
        }
        _ => out.push(extent),
    }
}

fn append(out: &mut PageExtents, extents: &[Extent], range: Range<u32>) {
    let mut start = 0u32;
    for extent in extents {
        let end = start.saturating_add(extent.len());
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            push(out, extent.slice(from - start, to - start));
        }
        start = end;
    }
}

#[cfg(test)]
mod tests;
