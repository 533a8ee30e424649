//! Removal of rows that are no longer read, in bounded steps.

use std::collections::BTreeMap;

use super::{
    Edit, Facts, MapError,
    edit::edit_between,
    rows::{Rows, pages_in},
};
use crate::{
    content::{MapRow, PendingTruncation},
    id::NodeId,
    plan::{MapQuery, MapView},
    scale::Scale,
};

/// Where the reaper of a pending truncation goes on. Kept in memory only: without it the work starts again at the
/// truncation's offset, and finds less to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReapCursor {
    /// The pending truncation that the work is for: another one starts from its own offset.
    pub pending_truncation: PendingTruncation,
    /// The next page.
    pub page: u64,
}

/// One step of reaping a pending truncation.
#[derive(Clone, Debug, PartialEq)]
pub struct Reaped {
    /// The changes; the last step's clear the node's pending truncation.
    pub edit: Edit,
    /// Where to go on; none if all is done.
    pub next: Option<ReapCursor>,
}

/// One step of reaping an unlinked node.
#[derive(Clone, Debug, PartialEq)]
pub struct ReapedNode {
    /// The changes.
    pub edit: Edit,
    /// Whether the node has no rows left.
    pub done: bool,
}

/// Which rows [`reap_truncation`] needs; none if no truncation is pending.
pub fn reap_truncation_query(facts: &Facts, cursor: Option<ReapCursor>) -> Option<MapQuery> {
    let pending = facts.pending_truncation?;
    // One page more at the front: the run of holes that earlier steps left, which this step makes longer.
    let scale = &facts.scale;
    let first_page = scale.chunk_start(start_page(pending, cursor, scale)).saturating_sub(1);
    let last_page = scale.chunk_end(pending.end_page.saturating_sub(1)) - 1;
    Some(MapQuery { node: facts.node, first_page, last_page, rows_max: scale.step_rows() })
}

/// Removes rows that are older than the pending truncation and lie behind its offset, and puts holes in their place.
/// The page with the offset is truncated. The last step removes what covers pages behind the size, and clears the
/// pending truncation. The content version stays: no byte that counts changes.
///
/// # Errors
/// `Incomplete` if the view has not even one chunk; `Uncovered` or `Malformed` where the map is damaged.
pub fn reap_truncation(view: &MapView, facts: &Facts, cursor: Option<ReapCursor>) -> Result<Reaped, MapError> {
    let Some(pending) = facts.pending_truncation else {
        return Ok(Reaped { edit: Edit::default(), next: None });
    };
    let scale = &facts.scale;
    let from = start_page(pending, cursor, scale);
    let stop = if from < pending.end_page { step_end(view, from, pending.end_page, scale)? } else { pending.end_page };
    let mut rows = Rows::new(view, facts, facts.content_version);
    for page in rows.truncated_pages(from, stop) {
        let extents = rows.page(page)?;
        rows.put_page(page, extents)?;
    }
    rows.coalesce_range(from, stop);
    let mut next = (stop < pending.end_page).then_some(stop);
    if next.is_none() {
        let end = scale.pages_of(facts.size);
        if end >= pending.end_page || rows.first_page().is_some_and(|first| first <= end) {
            rows.remove(end, pending.end_page)?;
        } else {
            next = Some(end);
        }
    }
    let mut edit = rows.finish()?;
    edit.pending_truncation = next.is_none().then_some(None);
    Ok(Reaped { edit, next: next.map(|page| ReapCursor { pending_truncation: pending, page }) })
}

fn start_page(pending: PendingTruncation, cursor: Option<ReapCursor>, scale: &Scale) -> u64 {
    let first = scale.page_of(pending.offset);
    cursor.filter(|cursor| cursor.pending_truncation == pending).map_or(first, |cursor| cursor.page.max(first))
}

/// Which rows [`reap_node`] needs.
pub fn reap_node_query(node: NodeId, scale: &Scale) -> MapQuery {
    MapQuery { node, first_page: 0, last_page: scale.page_of(u64::MAX), rows_max: scale.step_rows() }
}

/// Removes the first rows of a node that has neither a name nor an open.
///
/// # Errors
/// `Incomplete` if the view has not even one chunk.
pub fn reap_node(view: &MapView, node: NodeId, scale: &Scale) -> Result<ReapedNode, MapError> {
    let (Some((first, _)), Some((last, row))) = (view.rows.first(), view.rows.last()) else {
        return Ok(ReapedNode { edit: Edit::default(), done: view.complete });
    };
    let end = last.saturating_add(pages_in(row));
    let stop = step_end(view, *first, end, scale)?;
    let keep: BTreeMap<u64, MapRow> = view.rows.iter().filter(|(key, _)| *key >= stop).cloned().collect();
    let done = keep.is_empty() && view.complete;
    Ok(ReapedNode { edit: edit_between(node, &view.rows, &keep, scale), done })
}

/// The page before which one plan has to stop: at `to`, or earlier at the start of a chunk, because references are
/// only known from all rows of a chunk, and a plan is bounded.
///
/// A step takes no further chunk after a quarter of a plan's steps in rows and extents: a chunk has at most 64 rows of
/// [`Scale::page_extents_bound`] extents each at the scale of production, so that all of it fits.
pub(super) fn step_end(view: &MapView, from: u64, to: u64, scale: &Scale) -> Result<u64, MapError> {
    let known = known_end(view, from, to, scale)?;
    let cost_max = scale.plan_steps as usize / 4;
    let mut cost = 0;
    let mut chunk = None;
    for (key, row) in view.rows.iter().filter(|(key, _)| (scale.chunk_start(from)..known).contains(key)) {
        if cost > cost_max && chunk != Some(scale.chunk_of(*key)) {
            return Ok(scale.chunk_start(*key).max(scale.chunk_end(from)));
        }
        chunk = Some(scale.chunk_of(*key));
        cost += match row {
            MapRow::Page { extents, .. } => 1 + extents.len(),
            MapRow::Holes { .. } => 1,
        };
    }
    Ok(known)
}

/// The page up to which the view has all rows of every chunk.
pub(super) fn known_end(view: &MapView, from: u64, to: u64, scale: &Scale) -> Result<u64, MapError> {
    let known = match view.rows.last() {
        _ if view.complete => to,
        Some((last, _)) => to.min(scale.chunk_start(*last)),
        None => 0,
    };
    if known <= from { Err(MapError::Incomplete { page: from }) } else { Ok(known) }
}
