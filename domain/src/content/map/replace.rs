//! Putting a hole, or what another file has, in the place of a range.

use std::ops::Range;

use super::{Edit, Facts, MapError, Piece, Source, reap::known_end, rows::Rows, truncate::next_version};
use crate::{
    content::{FILE_BYTES_MAX, MapRow},
    plan::{Change, MapQuery, MapView},
    scale::Scale,
};

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
    /// A page would get more than [`Scale::page_extents_bound`] extents: up to here the bytes must be written instead.
    Crowded {
        /// Where to go on.
        end: u64,
    },
}

/// Which rows [`replace`] needs for a range, or for the start of it.
pub fn replace_query(facts: &Facts, range: &Range<u64>) -> MapQuery {
    let scale = &facts.scale;
    let last = scale.page_of(range.end.saturating_sub(1).max(range.start));
    let first_page = scale.chunk_start(scale.page_of(range.start)).saturating_sub(1);
    MapQuery { node: facts.node, first_page, last_page: scale.chunk_end(last) - 1, rows_max: scale.plan_rows as usize }
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

/// Puts pieces in the place of what is there, as far as the view goes and one plan may. Each piece begins where the one
/// before it ends. The content version is raised. The size grows to the end of the pieces, if it is less.
///
/// # Errors
/// `BadPiece`; `Incomplete` if the view has not even the first chunk; `Uncovered` or `Malformed` where the map is
/// damaged.
pub fn replace(view: &MapView, facts: &Facts, pieces: &[Piece]) -> Result<Replaced, MapError> {
    let range = range_of(pieces)?;
    let scale = &facts.scale;
    let stop = known_end(view, scale.page_of(range.start), scale.pages_of(range.end), scale)?;
    let mut end = range.end.min(stop.saturating_mul(scale.page()));
    loop {
        let edit = edit(view, facts, pieces, range.start..end)?;
        if let Some(page) = crowded(view, &edit, scale) {
            let start = page * scale.page();
            if start <= range.start {
                return Ok(Replaced::Crowded { end: end.min(start + scale.page()) });
            }
            end = start;
            continue;
        }
        let less = half(&(range.start..end), scale.page());
        // So that there is room for what else is in the plan.
        if steps(&edit) <= scale.plan_steps as usize * 3 / 4 || less >= end {
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
    rows.grow_to(facts.scale.pages_of(size));
    for piece in pieces.iter().filter_map(|piece| piece.cut(&range)) {
        rows.write(&piece)?;
    }
    let mut edit = rows.finish()?;
    edit.size = (size != facts.size).then_some(size);
    edit.content_version = Some(version);
    Ok(edit)
}

/// The first page that would have too many extents, and more than it has.
fn crowded(view: &MapView, edit: &Edit, scale: &Scale) -> Option<u64> {
    let before = |page: u64| {
        let index = view.rows.binary_search_by_key(&page, |(key, _)| *key).ok();
        match index.and_then(|index| view.rows.get(index)) {
            Some((_, MapRow::Page { extents, .. })) => extents.len(),
            Some((_, MapRow::Holes { .. })) | None => 0,
        }
    };
    let is_crowded = |change: &Change| match change {
        Change::PutRow { page, row: MapRow::Page { extents, .. }, .. } => {
            (extents.len() > scale.page_extents_bound().max(before(*page))).then_some(*page)
        }
        _ => None,
    };
    edit.changes.iter().filter_map(is_crowded).min()
}

/// Changes, and the expectation of each object that is referred to anew.
fn steps(edit: &Edit) -> usize {
    let referred = edit.changes.iter().filter(|change| matches!(change, Change::InsertReference(_)));
    edit.changes.len() + referred.count()
}

/// A page's start in the middle of a range, or the first one in it.
fn half(range: &Range<u64>, page_bytes: u64) -> u64 {
    let middle = range.start + (range.end - range.start) / 2;
    (middle - middle % page_bytes).max((range.start / page_bytes + 1).saturating_mul(page_bytes))
}
