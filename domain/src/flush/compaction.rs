//! Which bytes a flush writes, so that pages keep few extents.
//!
//! A flush writes what has changed. Three rules make it write more, so that reading stays cheap:
//! 1. Where most of a 4 MiB region has changed, all of it becomes one block.
//! 2. Where a page would hold more than [`EXTENTS_PER_PAGE_MAX`] extents, neighbours in it are written together, so
//!    that half as many are left: with random writes about half a page for every eight of them, with a log that is
//!    appended to and committed line by line the newest lines, not what was written long ago.
//! 3. If by then most of the region is to be written, the first rule takes it whole.
//!
//! Holes of a frame (128 KiB) and more stay holes when a region is taken whole.

mod neighbours;

use std::ops::Range;

use crate::{
    content::{
        BLOCK_BYTES_MAX, BlockPlace, EXTENTS_PER_PAGE_MAX, Extent, PAGE_BYTES, PageExtents, Stored, page, slices::Run,
    },
    id::ObjectId,
};

/// Bytes of a region: the greatest block, aligned.
pub const REGION_BYTES: u64 = BLOCK_BYTES_MAX as u64;

/// Ranges of one page above which they are written as one, with all that lies between.
const CHANGES_PER_PAGE_MAX: usize = 2 * EXTENTS_PER_PAGE_MAX;
/// Holes from this size on stay holes where what is around them is written again.
const HOLE_BYTES_MIN: u32 = 128 << 10;

/// What changes in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Where it starts in the file: a multiple of [`REGION_BYTES`].
    pub start: u64,
    /// What has changed: in order, disjoint, not empty, all in the region.
    pub changed: Vec<Range<u64>>,
}

/// Groups runs of slices by region.
pub fn regions(runs: &[Run]) -> Vec<Region> {
    let mut out: Vec<Region> = Vec::new();
    for run in runs {
        let mut at = run.offset;
        while at < run.range().end {
            let start = at - at % REGION_BYTES;
            let end = run.range().end.min(start.saturating_add(REGION_BYTES));
            match out.last_mut() {
                Some(region) if region.start == start => region.changed.push(at..end),
                _ => out.push(Region { start, changed: std::iter::once(at..end).collect() }),
            }
            at = end;
        }
    }
    out
}

/// The ranges to write for a region: each becomes one block; together they contain all that has changed. The caller
/// reads the bytes that have not. `pages` are the extents of the region's pages as they read now
/// ([`crate::content::map::page`]); a page that is left out is a hole. `size` is the file's size after the flush.
pub fn rewrite(region: &Region, pages: &[(u64, PageExtents)], size: u64) -> Vec<Range<u64>> {
    let end = size.min(region.start.saturating_add(REGION_BYTES));
    let mut ranges = thin_out(&region.changed);
    let overlaid: Vec<(u64, PageExtents)> = page_numbers(region.start..end)
        .map(|number| (number * PAGE_BYTES, overlay(known(pages, number), number * PAGE_BYTES, &ranges)))
        .collect();
    let crowded = overlaid.iter().filter(|(_, extents)| extents.len() > EXTENTS_PER_PAGE_MAX);
    let joined = crowded.flat_map(|(start, extents)| neighbours::join(*start, extents));
    ranges.extend(joined.map(|range| range.start..range.end.min(end)).filter(|range| !range.is_empty()));
    let ranges = union(ranges);
    let written: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    match written > end.saturating_sub(region.start) / 2 {
        true => union(ranges.into_iter().chain(data(&overlaid, end)).collect()),
        false => ranges,
    }
}

/// Writes of a few bytes can be many: a page full of them is one range.
fn thin_out(changed: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut out = Vec::with_capacity(changed.len().min(8 * CHANGES_PER_PAGE_MAX));
    for page in changed.chunk_by(|a, b| a.start / PAGE_BYTES == b.start / PAGE_BYTES) {
        match page {
            [first, .., last] if page.len() > CHANGES_PER_PAGE_MAX => out.push(first.start..last.end),
            few => out.extend_from_slice(few),
        }
    }
    out
}

fn page_numbers(range: Range<u64>) -> Range<u64> {
    range.start / PAGE_BYTES..range.end.div_ceil(PAGE_BYTES)
}

fn known(pages: &[(u64, PageExtents)], number: u64) -> PageExtents {
    pages.iter().find(|(page, _)| *page == number).map_or_else(page::hole, |(_, extents)| extents.clone())
}

/// The page as it would be with each range as one extent.
fn overlay(mut extents: PageExtents, start: u64, ranges: &[Range<u64>]) -> PageExtents {
    let end = start + PAGE_BYTES;
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
fn data(pages: &[(u64, PageExtents)], end: u64) -> impl Iterator<Item = Range<u64>> {
    pages.iter().flat_map(move |(start, extents)| {
        let mut at = *start;
        extents.iter().filter_map(move |extent| {
            let from = at;
            at += u64::from(extent.len());
            let is_large_hole = matches!(extent, Extent::Hole { len } if *len >= HOLE_BYTES_MIN);
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
