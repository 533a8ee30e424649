//! Putting a hole, or what another file has, in the place of a range.

use std::ops::Range;

use super::{
    Edit, Facts, MapError, Piece, Source, chunk_end, chunk_start, pages_of, reap::known_end, rows::Rows,
    truncate::next_version,
};
use crate::{
    content::{FILE_BYTES_MAX, MapRow, PAGE_BYTES},
    plan::{Change, MapQuery, MapView, PLAN_STEPS_MAX},
};

/// A punch or a clone never makes a page of more extents. A flush keeps pages below
/// [`EXTENTS_PER_PAGE_MAX`](crate::content::EXTENTS_PER_PAGE_MAX), but many small punches or clones of one page would
/// else make its row ever longer; and the references of a whole chunk must fit into one plan, as they can only be told
/// together.
pub const PAGE_EXTENTS_BOUND: usize = 40;

/// Rows of a file that one plan replaces, those around them included.
pub const REPLACE_ROWS_MAX: usize = 2_048;

/// Changes and expectations of objects that one plan may have, so that there is room for what else is in it.
const STEPS_MAX: usize = PLAN_STEPS_MAX * 3 / 4;

/// How far one plan gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Replaced {
    /// These changes, up to `end`.
    Edit {
        /// The changes.
        edit: Edit,
        /// Where to go on in another plan, if that is not the end of the range.
        end: u64,
    },
    /// A page would get more than [`PAGE_EXTENTS_BOUND`] extents: up to here the bytes must be written instead.
    Crowded {
        /// Where to go on.
        end: u64,
    },
}

/// Which rows [`replace`] needs for a range, or for the start of it.
pub fn replace_query(facts: &Facts, range: &Range<u64>) -> MapQuery {
    let first = range.start / PAGE_BYTES;
    let last = range.end.saturating_sub(1).max(range.start) / PAGE_BYTES;
    let first_page = chunk_start(first).saturating_sub(1);
    MapQuery { node: facts.node, first_page, last_page: chunk_end(last) - 1, rows_max: REPLACE_ROWS_MAX }
}

/// Makes a range a hole, as far as the view goes and one plan may. What lies behind the size is a hole anyway: the size
/// stays.
///
/// # Errors
/// As [`replace`]; `BadPiece` if the range is behind the size.
pub fn punch(view: &MapView, facts: &Facts, range: Range<u64>) -> Result<Replaced, MapError> {
    let end = range.end.min(facts.size);
    let len = end.checked_sub(range.start).filter(|len| *len > 0);
    let len = len.ok_or(MapError::BadPiece { offset: range.start })?;
    replace(view, facts, &[Piece { offset: range.start, len, source: Source::Hole }])
}

/// Puts pieces, each of which begins where the last one ends, in the place of what is there, as far as the view goes and
/// one plan may. The content version is raised. The size grows to the end of what was put, if it is less.
///
/// # Errors
/// `BadPiece`; `Incomplete` if the view has not even the first chunk; `Uncovered` or `Malformed` where the map is
/// damaged.
pub fn replace(view: &MapView, facts: &Facts, pieces: &[Piece]) -> Result<Replaced, MapError> {
    let range = range_of(pieces)?;
    let stop = known_end(view, range.start / PAGE_BYTES, pages_of(range.end))?;
    let mut end = range.end.min(stop.saturating_mul(PAGE_BYTES));
    loop {
        let edit = edit(view, facts, pieces, range.start..end)?;
        if let Some(page) = crowded(view, &edit) {
            let start = page * PAGE_BYTES;
            if start <= range.start {
                return Ok(Replaced::Crowded { end: end.min(start + PAGE_BYTES) });
            }
            end = start;
            continue;
        }
        let less = half(&(range.start..end));
        if steps(&edit) <= STEPS_MAX || less >= end {
            return Ok(Replaced::Edit { edit, end });
        }
        end = less;
    }
}

fn range_of(pieces: &[Piece]) -> Result<Range<u64>, MapError> {
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
        return Err(MapError::BadPiece { offset: 0 });
    };
    let is_torn = |pair: &&[Piece]| pair.first().map(Piece::end) != pair.last().map(|piece| piece.offset);
    let torn = pieces.windows(2).find(is_torn).and_then(<[Piece]>::first);
    let bad = pieces.iter().find(|piece| !piece.is_valid() || piece.end() > FILE_BYTES_MAX);
    match bad.or(torn) {
        Some(bad) => Err(MapError::BadPiece { offset: bad.offset }),
        None => Ok(first.offset..last.end()),
    }
}

fn edit(view: &MapView, facts: &Facts, pieces: &[Piece], range: Range<u64>) -> Result<Edit, MapError> {
    let version = next_version(facts);
    let size = facts.size.max(range.end);
    let mut rows = Rows::new(view, facts, version);
    rows.grow_to(pages_of(size));
    for piece in pieces.iter().filter_map(|piece| piece.cut(&range)) {
        rows.write(&piece)?;
    }
    let mut edit = rows.finish()?;
    edit.size = (size != facts.size).then_some(size);
    edit.content_version = Some(version);
    Ok(edit)
}

/// The first page that would have too many extents, and more than it has.
fn crowded(view: &MapView, edit: &Edit) -> Option<u64> {
    let before = |page: u64| {
        let index = view.rows.binary_search_by_key(&page, |(key, _)| *key).ok();
        match index.and_then(|index| view.rows.get(index)) {
            Some((_, MapRow::Page { extents, .. })) => extents.len(),
            Some((_, MapRow::Holes { .. })) | None => 0,
        }
    };
    let is_crowded = |change: &Change| match change {
        Change::PutRow { page, row: MapRow::Page { extents, .. }, .. } => {
            (extents.len() > PAGE_EXTENTS_BOUND.max(before(*page))).then_some(*page)
        }
        _ => None,
    };
    edit.changes.iter().filter_map(is_crowded).min()
}

/// Changes, and the expectation of each object that is referred to anew.
fn steps(edit: &Edit) -> usize {
    let referred = edit.changes.iter().filter(|change| matches!(change, Change::InsertReference { .. }));
    edit.changes.len() + referred.count()
}

/// A page's start in the middle of a range, or the first one in it.
fn half(range: &Range<u64>) -> u64 {
    let middle = range.start + (range.end - range.start) / 2;
    (middle - middle % PAGE_BYTES).max((range.start / PAGE_BYTES + 1).saturating_mul(PAGE_BYTES))
}
