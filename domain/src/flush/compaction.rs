//! Which bytes a flush writes, so that pages keep few extents.
//!
//! A flush writes what has changed. Three rules make it write more, so that reading stays cheap:
//! 1. Where most of a region has changed, all of it becomes one block.
//! 2. Where a page would hold more extents than its scale lets it have, neighbours in it are written together, so
//!    that half as many are left: with random writes about half a page for every eight of them, with a log that is
//!    appended to and committed line by line the newest lines, not what was written long ago.
//! 3. If by then most of the region is to be written, the first rule takes it whole.
//!
//! Holes of an eighth of a page and more stay holes when a region is taken whole.

mod neighbours;

use std::ops::Range;

use crate::{
    content::{BlockPlace, Extent, PageExtents, Stored, page},
    id::ObjectId,
    scale::Scale,
};

/// Of the extents that a page may have, so many times as many ranges are written as one, with all that lies between.
const CHANGES_PER_EXTENT_MAX: usize = 2;
/// Holes from this part of a page on stay holes where what is around them is written again. 128 KiB in production: a
/// smaller one is taken to cost more as an extent than as zeros.
const HOLE_PART_MIN: u32 = 8;

/// The ranges to write for the region that begins at `start`, where `changed` has changed: in order, disjoint, not
/// empty, all in the region. Each range becomes one block; together they contain all that has changed. The caller reads
/// the bytes that have not. `pages` are the extents of the region's pages as they read now
/// ([`crate::content::map::page`]); a page that is left out is a hole. `size` is the file's size after the flush.
pub fn rewrite(
    start: u64,
    changed: &[Range<u64>],
    pages: &[(u64, PageExtents)],
    size: u64,
    scale: &Scale,
) -> Vec<Range<u64>> {
    let end = size.min(start.saturating_add(scale.region()));
    let mut ranges = thin_out(changed, scale);
    let overlaid: Vec<(u64, PageExtents)> = (scale.page_of(start)..scale.pages_of(end))
        .map(|number| (number * scale.page(), overlay(known(pages, number, scale), number * scale.page(), &ranges)))
        .collect();
    let crowded = overlaid.iter().filter(|(_, extents)| extents.len() > scale.page_extents as usize);
    let joined = crowded.flat_map(|(start, extents)| neighbours::join(*start, extents, scale));
    ranges.extend(joined.map(|range| range.start..range.end.min(end)).filter(|range| !range.is_empty()));
    let ranges = union(ranges);
    let written: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    match written > end.saturating_sub(start) / 2 {
        true => union(ranges.into_iter().chain(data(&overlaid, end, scale)).collect()),
        false => ranges,
    }
}

/// Writes of a few bytes can be many: a page full of them is one range.
fn thin_out(changed: &[Range<u64>], scale: &Scale) -> Vec<Range<u64>> {
    let changes_max = CHANGES_PER_EXTENT_MAX * scale.page_extents as usize;
    let mut out = Vec::with_capacity(changed.len().min(8 * changes_max));
    for page in changed.chunk_by(|a, b| scale.page_of(a.start) == scale.page_of(b.start)) {
        match page {
            [first, .., last] if page.len() > changes_max => out.push(first.start..last.end),
            few => out.extend_from_slice(few),
        }
    }
    out
}

fn known(pages: &[(u64, PageExtents)], number: u64, scale: &Scale) -> PageExtents {
    let known = pages.iter().find(|(page, _)| *page == number);
    known.map_or_else(|| page::hole(scale.page_bytes), |(_, extents)| extents.clone())
}

/// The page as it would be with each range as one extent.
fn overlay(mut extents: PageExtents, start: u64, ranges: &[Range<u64>]) -> PageExtents {
    let end = start + extents.iter().map(|extent| u64::from(extent.len())).sum::<u64>();
    for range in ranges.iter().filter(|range| range.start < end && range.end > start) {
        let (from, to) = (range.start.max(start) - start, range.end.min(end) - start);
        extents = page::overlay(&extents, from as u32, &stand_in(to as u32 - from as u32));
    }
    extents
}

/// An extent for bytes that have no block yet. Its `skip` is such that it merges with no neighbour.
fn stand_in(len: u32) -> Extent {
    let block = BlockPlace { at: 0, stored_len: 0, raw_len: 0, codec: 0, key_id: crate::id::KeyId::NONE };
    Extent::Stored { len, from: Stored { object: ObjectId(0), block, skip: u32::MAX } }
}

/// All of the pages but large holes.
fn data(pages: &[(u64, PageExtents)], end: u64, scale: &Scale) -> impl Iterator<Item = Range<u64>> {
    let hole_min = scale.page_bytes / HOLE_PART_MIN;
    pages.iter().flat_map(move |(start, extents)| {
        let mut at = *start;
        extents.iter().filter_map(move |extent| {
            let from = at;
            at += u64::from(extent.len());
            let is_large_hole = matches!(extent, Extent::Hole { len } if *len >= hole_min);
            (!is_large_hole && from < end).then(|| from..at.min(end))
        })
    })
}

/// The same bytes as ranges in order that neither overlap nor touch.
fn union(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut out: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests;
