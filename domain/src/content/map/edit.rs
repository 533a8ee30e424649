//! The changes of a map, derived from its rows before and after an edit.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use crate::{
    content::{Extent, MapRow, PendingTruncation, page},
    id::{ContentVersion, NodeId, ObjectId},
    node::NodeFlags,
    plan::{Change, MapQuery, MapView, NodeUpdate, Plan, Reference, Statistics},
    scale::Scale,
};

/// Changes of a file's map and what they mean for its node. Nothing in it is optional: rows, references and node go
/// into one plan.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Edit {
    /// `PutRow`, `DeleteRow`, `InsertReference`, `DeleteReference` and `Count`.
    pub changes: Vec<Change>,
    /// Difference of the bytes allocated.
    pub allocated: i64,
    /// The new size, where it changes.
    pub size: Option<u64>,
    /// The new content version, where it is raised.
    pub content_version: Option<ContentVersion>,
    /// The new pending truncation, where that changes.
    pub pending_truncation: Option<Option<PendingTruncation>>,
}

impl Edit {
    /// Adds all of it to a plan, with whatever else `update` changes of the node.
    pub fn add_to(self, plan: &mut Plan, node: NodeId, mut update: NodeUpdate) {
        update.allocated += self.allocated;
        update.size = self.size.or(update.size);
        update.content_version = self.content_version.or(update.content_version);
        update.pending_truncation = self.pending_truncation.or(update.pending_truncation);
        if self.changes.iter().any(puts_inline) {
            update.set_flags |= NodeFlags::INLINE;
        }
        plan.changes.extend(self.changes);
        plan.change(Change::UpdateNode(node, update));
    }

    /// Whether neither the map nor the node changes.
    pub fn is_empty(&self) -> bool {
        *self == Edit::default()
    }
}

fn puts_inline(change: &Change) -> bool {
    matches!(change, Change::PutRow { row, .. } if is_inline(row))
}

/// Whether a row has bytes itself.
pub fn is_inline(row: &MapRow) -> bool {
    matches!(row, MapRow::Page { extents, .. } if extents.iter().any(|extent| matches!(extent, Extent::Inline(_))))
}

/// Whether these are all rows of a file's map, and none has bytes itself once these changes are made.
pub fn is_packed(view: &MapView, facts: &Facts, query: &MapQuery, changes: &[Change]) -> bool {
    let replaced = |page: u64| {
        changes.iter().any(|change| {
            matches!(change, Change::PutRow { page: at, .. } | Change::DeleteRow { page: at, .. } if *at == page)
        })
    };
    let are_all = view.complete && query.first_page == 0 && query.last_page + 1 >= facts.map_pages();
    are_all
        && !changes.iter().any(puts_inline)
        && !view.rows.iter().any(|(page, row)| is_inline(row) && !replaced(*page))
}

/// Bytes of objects that extents no longer refer to once these changes are made to these rows, by object. An object
/// that gains more than it loses is left out.
pub fn lost(before: &[(u64, MapRow)], changes: &[Change]) -> BTreeMap<ObjectId, u64> {
    let old_row = |page: &u64| {
        let index = before.binary_search_by_key(page, |(key, _)| *key).ok()?;
        before.get(index).map(|(_, row)| row)
    };
    let mut lost: BTreeMap<ObjectId, i64> = BTreeMap::new();
    for change in changes {
        let (old, new) = match change {
            Change::PutRow { page, row, .. } => (old_row(page), Some(row)),
            Change::DeleteRow { page, .. } => (old_row(page), None),
            _ => continue,
        };
        for (object, len) in old.into_iter().flat_map(stored) {
            *lost.entry(object).or_default() += i64::from(len);
        }
        for (object, len) in new.into_iter().flat_map(stored) {
            *lost.entry(object).or_default() -= i64::from(len);
        }
    }
    let positive = |(object, bytes): (ObjectId, i64)| u64::try_from(bytes).ok().filter(|b| *b > 0).map(|b| (object, b));
    lost.into_iter().filter_map(positive).collect()
}

fn stored(row: &MapRow) -> impl Iterator<Item = (ObjectId, u32)> {
    let extents = match row {
        MapRow::Page { extents, .. } => &extents[..],
        MapRow::Holes { .. } => &[],
    };
    extents.iter().filter_map(|extent| match extent {
        Extent::Stored { len, from } => Some((from.object, *len)),
        Extent::Hole { .. } | Extent::Inline(_) => None,
    })
}

/// The pages whose page row is put, replaced or removed, in order.
pub(super) fn changed_pages(before: &[(u64, MapRow)], now: &BTreeMap<u64, MapRow>) -> Vec<u64> {
    let is_page = |row: Option<&MapRow>| matches!(row, Some(MapRow::Page { .. }));
    let mut pages: BTreeSet<u64> = BTreeSet::new();
    for (key, row) in before {
        let new = now.get(key);
        if new != Some(row) && (is_page(Some(row)) || is_page(new)) {
            pages.insert(*key);
        }
    }
    let is_new = |key: &u64| before.binary_search_by_key(key, |(key, _)| *key).is_err();
    pages.extend(now.iter().filter(|(key, row)| is_page(Some(row)) && is_new(key)).map(|(key, _)| *key));
    pages.into_iter().collect()
}

pub(super) fn edit_between(node: NodeId, before: &[(u64, MapRow)], now: &BTreeMap<u64, MapRow>, scale: &Scale) -> Edit {
    let mut edit = Edit::default();
    for (key, row) in before {
        if !now.contains_key(key) {
            edit.changes.push(Change::DeleteRow { node, page: *key });
        }
        if now.get(key) != Some(row) {
            edit.allocated -= allocated(row);
        }
    }
    for (key, row) in now {
        let old = before.binary_search_by_key(key, |(key, _)| *key).ok().and_then(|index| before.get(index));
        if old.is_none_or(|(_, old)| old != row) {
            edit.changes.push(Change::PutRow { node, page: *key, row: row.clone() });
            edit.allocated += allocated(row);
        }
    }
    let (old, new) = (references(before.iter().map(|(key, row)| (key, row)), scale), references(now.iter(), scale));
    for (chunk, object) in new.difference(&old).copied() {
        edit.changes.push(Change::InsertReference(Reference::live(object, node, chunk)));
    }
    for (chunk, object) in old.difference(&new).copied() {
        edit.changes.push(Change::DeleteReference(Reference::live(object, node, chunk)));
    }
    if edit.allocated != 0 {
        edit.changes.push(Change::Count(Statistics { bytes: edit.allocated, nodes: 0 }));
    }
    edit
}

fn allocated(row: &MapRow) -> i64 {
    match row {
        MapRow::Page { extents, .. } => page::allocated(extents) as i64,
        MapRow::Holes { .. } => 0,
    }
}

fn references<'a>(rows: impl Iterator<Item = (&'a u64, &'a MapRow)>, scale: &Scale) -> BTreeSet<(u64, ObjectId)> {
    let mut set = BTreeSet::new();
    for (key, row) in rows {
        if let MapRow::Page { extents, .. } = row {
            set.extend(page::objects(extents).map(|object| (scale.chunk_of(*key), object)));
        }
    }
    set
}
