//! Shrinking and growing.

use std::ops::Range;

use super::{Edit, Facts, MapError, rows::Rows};
use crate::{
    content::{FILE_BYTES_MAX, MapRow, PendingTruncation, page},
    id::ContentVersion,
    plan::{MapQuery, MapView},
};

/// The outcome of a truncation.
#[derive(Clone, Debug, PartialEq)]
pub enum Truncation {
    /// One edit.
    Edit(Edit),
    /// An earlier truncation, at a lower offset, is still pending, and the file has grown since by more rows than can
    /// be removed at once: finish [`super::reap_truncation`] first.
    ReapFirst,
}

/// Returns the rows by which a file whose pages end at `pages.start` gets to cover `pages`: one run of holes. Pages
/// below a pending truncation's end are left out, because rows cover them already.
pub fn cover(pages: Range<u64>, version: ContentVersion, pending: Option<PendingTruncation>) -> Vec<(u64, MapRow)> {
    let start = pages.start.max(pending.map_or(0, |pending| pending.end_page));
    match pages.end.checked_sub(start) {
        None | Some(0) => Vec::new(),
        Some(count) => vec![(start, MapRow::Holes { version, pages: count })],
    }
}

/// Which rows [`truncate`] needs.
pub fn truncate_query(facts: &Facts, new_size: u64) -> MapQuery {
    let last_page = facts.map_pages().saturating_sub(1);
    if new_size >= facts.size {
        return MapQuery { node: facts.node, first_page: last_page, last_page, rows_max: 2 };
    }
    let scale = &facts.scale;
    let rows_max = scale.truncate_rows() + scale.chunk_pages() as usize + 2;
    MapQuery { node: facts.node, first_page: scale.chunk_start(scale.page_of(new_size)), last_page, rows_max }
}

/// Sets a file's size. The content version is raised in any case, so that a flush under way drops the truncated bytes.
///
/// Shrinking removes up to [`Scale::truncate_rows`](crate::Scale::truncate_rows) rows at once. Where there are more it
/// leaves all rows as they are and answers one [`PendingTruncation`], so `allocated` and references follow only when
/// the reaper removes rows. Growing covers the new pages with one run of holes.
///
/// # Errors
/// `BadPiece` if the size is above [`FILE_BYTES_MAX`]; `Uncovered` or `Malformed` where the map is damaged.
pub fn truncate(view: &MapView, facts: &Facts, new_size: u64) -> Result<Truncation, MapError> {
    if new_size > FILE_BYTES_MAX {
        return Err(MapError::BadPiece { offset: new_size });
    }
    let version = next_version(facts);
    let mut edit = match new_size >= facts.size {
        true => grow(view, facts, new_size, version)?,
        false if is_small(view, facts, new_size) => shrink(view, facts, new_size, version)?,
        false => match truncation_at(facts, new_size, version) {
            Some(pending) => Edit { pending_truncation: Some(Some(pending)), ..Edit::default() },
            None => return Ok(Truncation::ReapFirst),
        },
    };
    edit.size = (new_size != facts.size).then_some(new_size);
    edit.content_version = Some(version);
    Ok(Truncation::Edit(edit))
}

fn grow(view: &MapView, facts: &Facts, new_size: u64, version: ContentVersion) -> Result<Edit, MapError> {
    let mut rows = Rows::new(view, facts, version);
    rows.grow_to(facts.scale.pages_of(new_size));
    rows.finish()
}

fn is_small(view: &MapView, facts: &Facts, new_size: u64) -> bool {
    let behind = view.rows.iter().filter(|(key, _)| *key >= facts.scale.page_of(new_size)).count();
    view.complete && behind <= facts.scale.truncate_rows()
}

fn shrink(view: &MapView, facts: &Facts, new_size: u64, version: ContentVersion) -> Result<Edit, MapError> {
    let mut rows = Rows::new(view, facts, version);
    let keep = facts.scale.pages_of(new_size);
    let within = (new_size % facts.scale.page()) as u32;
    if within > 0 {
        let kept = page::truncate(&rows.page(keep - 1)?, within);
        rows.put_page(keep - 1, kept)?;
    }
    rows.remove(keep, facts.map_pages())?;
    let mut edit = rows.finish()?;
    edit.pending_truncation = match facts.pending_truncation {
        Some(pending) if new_size <= pending.offset => Some(None),
        Some(pending) if pending.end_page > keep => Some(Some(PendingTruncation { end_page: keep, ..pending })),
        _ => None,
    };
    Ok(edit)
}

fn truncation_at(facts: &Facts, offset: u64, version: ContentVersion) -> Option<PendingTruncation> {
    match facts.pending_truncation {
        Some(pending) if offset > pending.offset => None,
        _ => Some(PendingTruncation { offset, version, end_page: facts.map_pages() }),
    }
}

pub(super) fn next_version(facts: &Facts) -> ContentVersion {
    ContentVersion(facts.content_version.0 + 1)
}
