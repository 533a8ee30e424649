//! Which bytes of a file are where.

use std::ops::Range;

use super::{Facts, MapError, Piece, Source, rows::pages_in, visible};
use crate::{
    content::{Extent, MapRow, PageExtents, PendingTruncation, page as extents_of_page},
    id::{ContentVersion, NodeId},
    plan::{MapQuery, MapView},
    scale::Scale,
};

/// Most rows that one read asks for: a read is bounded by its bytes, long before that.
const READ_ROWS_MAX: u64 = 4_096;

/// Which rows [`resolve`] needs for a range.
pub fn resolve_query(node: NodeId, range: &Range<u64>, scale: &Scale) -> MapQuery {
    let first_page = scale.page_of(range.start);
    let last_page = scale.page_of(range.end.saturating_sub(1).max(range.start));
    let rows_max = (last_page - first_page).saturating_add(2).min(READ_ROWS_MAX) as usize;
    MapQuery { node, first_page, last_page, rows_max }
}

/// The pieces that make up a range of a file, in order and without gaps, up to the size of the file.
///
/// # Errors
/// `Uncovered` or `Malformed` where the map is damaged, `Incomplete` where the view ends too early.
pub fn resolve(view: &MapView, facts: &Facts, range: Range<u64>) -> Result<Vec<Piece>, MapError> {
    let page_bytes = facts.scale.page();
    let end = range.end.min(facts.size);
    let mut at = range.start;
    let mut pieces = Vec::new();
    while at < end {
        at = match covering(view, at / page_bytes)? {
            Covering::Holes { end_page } => {
                let to = end.min(end_page.saturating_mul(page_bytes));
                push(&mut pieces, Piece { offset: at, len: to - at, source: Source::Hole });
                to
            }
            Covering::Page { version, extents } => resolve_page(&mut pieces, at..end, version, extents, facts)?,
        }
    }
    Ok(pieces)
}

/// As [`resolve`], as far as the view goes, if it covers the first byte; also answers where that ends.
///
/// # Errors
/// `Uncovered` or `Malformed` where the map is damaged, `Incomplete` where the view has not even the first page.
pub fn resolve_known(view: &MapView, facts: &Facts, range: Range<u64>) -> Result<(Vec<Piece>, u64), MapError> {
    let page_bytes = facts.scale.page();
    let known = match view.rows.last() {
        Some((last, row)) if !view.complete => last.saturating_add(pages_in(row)).saturating_mul(page_bytes),
        _ => u64::MAX,
    };
    let end = range.end.min(known);
    if end <= range.start && range.start < range.end {
        return Err(MapError::Incomplete { page: range.start / page_bytes });
    }
    Ok((resolve(view, facts, range.start..end)?, end))
}

/// The extents of a page as they read: with a pending truncation taken into account, and all hole behind the map's
/// end.
///
/// # Errors
/// As [`resolve`].
pub fn page(view: &MapView, facts: &Facts, page: u64) -> Result<PageExtents, MapError> {
    if page >= facts.scale.pages_of(facts.size) {
        return Ok(extents_of_page::hole(facts.scale.page_bytes));
    }
    match covering(view, page)? {
        Covering::Holes { .. } => Ok(extents_of_page::hole(facts.scale.page_bytes)),
        Covering::Page { version, extents } => {
            effective(version, extents, page, facts.pending_truncation, &facts.scale)
        }
    }
}

/// The extents of a row's page as they read.
pub(super) fn effective(
    version: ContentVersion,
    extents: &PageExtents,
    page: u64,
    pending: Option<PendingTruncation>,
    scale: &Scale,
) -> Result<PageExtents, MapError> {
    if !extents_of_page::tiles(extents, scale.page_bytes) {
        return Err(MapError::Malformed { page });
    }
    match visible(version, page, pending, scale.page()) {
        visible if visible == scale.page() => Ok(extents.clone()),
        visible => Ok(extents_of_page::truncate(extents, visible as u32)),
    }
}

/// Adds the pieces of the page that `range.start` is in; answers where the next page's begin.
fn resolve_page(
    pieces: &mut Vec<Piece>,
    range: Range<u64>,
    version: ContentVersion,
    extents: &PageExtents,
    facts: &Facts,
) -> Result<u64, MapError> {
    let page_bytes = facts.scale.page();
    let page = range.start / page_bytes;
    let base = page * page_bytes;
    let to = range.end.min(base + page_bytes);
    let data_end = to.min(base + visible(version, page, facts.pending_truncation, page_bytes));
    let mut start = base;
    for extent in extents {
        let (from, until) = (range.start.max(start), data_end.min(start + u64::from(extent.len())));
        if from < until {
            let (skip, end) = ((from - start) as u32, (until - start) as u32);
            push(pieces, piece(from, extent.slice(skip, end)));
        }
        start += u64::from(extent.len());
        if start >= data_end {
            break;
        }
    }
    if start < data_end {
        return Err(MapError::Malformed { page });
    }
    let hole = range.start.max(data_end);
    if hole < to {
        push(pieces, Piece { offset: hole, len: to - hole, source: Source::Hole });
    }
    Ok(to)
}

fn piece(offset: u64, extent: Extent) -> Piece {
    let len = u64::from(extent.len());
    let source = match extent {
        Extent::Hole { .. } => Source::Hole,
        Extent::Inline(bytes) => Source::Inline(bytes),
        Extent::Stored { from, .. } => Source::Stored(from),
    };
    Piece { offset, len, source }
}

/// Adds a piece, merged with the last one where both are hole, or bytes that follow each other in one block.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    if let Some(last) = pieces.last_mut() {
        let merges = match (&last.source, &piece.source) {
            (Source::Hole, Source::Hole) => true,
            (Source::Stored(a), Source::Stored(b)) => {
                a.object == b.object && a.block == b.block && u64::from(a.skip) + last.len == u64::from(b.skip)
            }
            _ => false,
        };
        if merges {
            last.len += piece.len;
            return;
        }
    }
    pieces.push(piece);
}

enum Covering<'a> {
    Page { version: ContentVersion, extents: &'a PageExtents },
    Holes { end_page: u64 },
}

fn covering(view: &MapView, page: u64) -> Result<Covering<'_>, MapError> {
    let after = view.rows.partition_point(|(key, _)| *key <= page);
    let row = after.checked_sub(1).and_then(|index| view.rows.get(index));
    let next = view.rows.get(after).map(|(key, _)| *key);
    match row {
        Some((key, MapRow::Page { version, extents })) if *key == page => {
            Ok(Covering::Page { version: *version, extents })
        }
        Some((key, MapRow::Holes { pages, .. })) if page - key < *pages => {
            let end_page = key.saturating_add(*pages);
            Ok(Covering::Holes { end_page: next.map_or(end_page, |next| end_page.min(next)) })
        }
        _ if next.is_none() && !view.complete => Err(MapError::Incomplete { page }),
        _ => Err(MapError::Uncovered { page }),
    }
}
