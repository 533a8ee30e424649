//! The rows of a view while they are edited.

use std::collections::BTreeMap;

use super::{
    Edit, Facts, MapError, Piece, Source,
    edit::{changed_pages, edit_between},
    read::effective,
};
use crate::{
    content::{MapRow, PageExtents, PendingTruncation, page as extents_of_page},
    id::{ContentVersion, NodeId},
    plan::MapView,
    scale::Scale,
};

pub(super) struct Rows<'a> {
    before: &'a MapView,
    now: BTreeMap<u64, MapRow>,
    node: NodeId,
    pending_truncation: Option<PendingTruncation>,
    /// The content version that changed rows are stamped with.
    version: ContentVersion,
    /// Pages that were covered before.
    map_pages: u64,
    scale: Scale,
}

impl<'a> Rows<'a> {
    pub(super) fn new(before: &'a MapView, facts: &Facts, version: ContentVersion) -> Rows<'a> {
        let now = before.rows.iter().cloned().collect();
        let map_pages = facts.map_pages();
        Rows {
            before,
            now,
            node: facts.node,
            pending_truncation: facts.pending_truncation,
            version,
            map_pages,
            scale: facts.scale,
        }
    }

    /// Covers pages that were behind the map's end.
    pub(super) fn grow_to(&mut self, pages: u64) {
        for (page, row) in super::cover(self.map_pages..pages, self.version, self.pending_truncation) {
            self.now.insert(page, row);
            self.coalesce(page);
        }
    }

    /// Lays a piece over the pages that it touches.
    pub(super) fn write(&mut self, piece: &Piece) -> Result<(), MapError> {
        let (end, page_bytes) = (piece.end(), self.scale.page());
        let mut at = piece.offset;
        while at < end {
            let page = at / page_bytes;
            if piece.source == Source::Hole && at.is_multiple_of(page_bytes) && end - at >= page_bytes {
                self.put_holes(page, end / page_bytes)?;
                at = end / page_bytes * page_bytes;
                continue;
            }
            let to = end.min((page + 1) * page_bytes);
            let extent = piece.extent(at - piece.offset, (to - at) as u32);
            let old = self.page(page)?;
            self.put_page(page, extents_of_page::overlay(&old, (at % page_bytes) as u32, &extent))?;
            at = to;
        }
        Ok(())
    }

    /// The extents of a page as they read.
    pub(super) fn page(&self, page: u64) -> Result<PageExtents, MapError> {
        match self.now.range(..=page).next_back() {
            Some((key, MapRow::Page { version, extents })) if *key == page => {
                effective(*version, extents, page, self.pending_truncation, &self.scale)
            }
            Some((key, MapRow::Holes { pages, .. })) if page - key < *pages => {
                Ok(extents_of_page::hole(self.scale.page_bytes))
            }
            _ => Err(self.missing(page)),
        }
    }

    /// Puts a page in the place of what covered it, unless the row as it stands says the same, with the pending
    /// truncation and without it: bytes that it hides are written though the row has the same ones.
    pub(super) fn put_page(&mut self, page: u64, extents: PageExtents) -> Result<(), MapError> {
        if extents_of_page::is_hole(&extents) {
            return self.put_holes(page, page + 1);
        }
        if matches!(self.now.get(&page), Some(MapRow::Page { extents: old, .. }) if *old == extents)
            && self.page(page)? == extents
        {
            return Ok(());
        }
        self.remove(page, page + 1)?;
        self.now.insert(page, MapRow::Page { version: self.version, extents });
        Ok(())
    }

    /// Puts a run of holes in the place of what covered these pages.
    pub(super) fn put_holes(&mut self, from: u64, to: u64) -> Result<(), MapError> {
        let covered = match self.now.range(..=from).next_back() {
            Some((key, MapRow::Holes { pages, .. })) => key.saturating_add(*pages) >= to,
            _ => false,
        };
        if covered || from >= to {
            return Ok(());
        }
        self.remove(from, to)?;
        self.now.insert(from, MapRow::Holes { version: self.version, pages: to - from });
        self.coalesce(from);
        Ok(())
    }

    /// Removes all rows of pages `from .. to`. Runs that reach over an end are split.
    pub(super) fn remove(&mut self, from: u64, to: u64) -> Result<(), MapError> {
        if from >= to {
            return Ok(());
        }
        self.demand_cover(from, to)?;
        self.split(from);
        self.split(to);
        let keys: Vec<u64> = self.now.range(from..to).map(|(key, _)| *key).collect();
        for key in keys {
            self.now.remove(&key);
        }
        Ok(())
    }

    /// Merges all runs of holes that follow each other, from a row on up to a page.
    pub(super) fn coalesce_range(&mut self, from: u64, to: u64) {
        let keys: Vec<u64> = self.now.range(from..to).map(|(key, _)| *key).collect();
        for key in keys {
            self.coalesce(key);
        }
    }

    /// Pages from the first that the view covers; none if it has no row.
    pub(super) fn first_page(&self) -> Option<u64> {
        self.now.first_key_value().map(|(key, _)| *key)
    }

    /// The pages of a range whose rows are older than the pending truncation.
    pub(super) fn truncated_pages(&self, from: u64, to: u64) -> Vec<u64> {
        let truncation_version = self.pending_truncation.map_or(ContentVersion(0), |pending| pending.version);
        let rows = self.now.range(from..to.max(from));
        rows.filter(|(_, row)| matches!(row, MapRow::Page { version, .. } if *version < truncation_version))
            .map(|(key, _)| *key)
            .collect()
    }

    /// Returns the edit that leads from the rows before to the rows now.
    ///
    /// # Errors
    /// `Incomplete` or `Uncovered` if the view lacks a row of a chunk with a changed page: the references of the chunk
    /// would not be known.
    pub(super) fn finish(self) -> Result<Edit, MapError> {
        let mut checked = None;
        for page in changed_pages(&self.before.rows, &self.now) {
            if checked != Some(self.scale.chunk_of(page)) {
                self.demand_whole_chunk(page)?;
                checked = Some(self.scale.chunk_of(page));
            }
        }
        Ok(edit_between(self.node, &self.before.rows, &self.now, &self.scale))
    }

    fn demand_whole_chunk(&self, page: u64) -> Result<(), MapError> {
        let mut next = self.scale.chunk_start(page);
        let end = self.scale.chunk_end(page).min(self.map_pages);
        let first = self.before.rows.partition_point(|(key, _)| *key <= next).saturating_sub(1);
        for (key, row) in self.before.rows.iter().skip(first) {
            if *key > next || next >= end {
                break;
            }
            next = next.max(key.saturating_add(pages_in(row)));
        }
        if next < end { Err(self.missing(next)) } else { Ok(()) }
    }

    fn demand_cover(&self, from: u64, to: u64) -> Result<(), MapError> {
        let first = self.now.range(..=from).next_back().map_or(from, |(key, _)| *key);
        let mut next = from;
        for (key, row) in self.now.range(first..to) {
            if *key > next {
                break;
            }
            next = next.max(key.saturating_add(pages_in(row)));
        }
        if next < to { Err(self.missing(next)) } else { Ok(()) }
    }

    fn missing(&self, page: u64) -> MapError {
        let is_last = self.before.rows.last().is_none_or(|(key, _)| *key <= page);
        match is_last && !self.before.complete {
            true => MapError::Incomplete { page },
            false => MapError::Uncovered { page },
        }
    }

    /// Splits the run that reaches over the start of a page.
    fn split(&mut self, page: u64) {
        if let Some((key, MapRow::Holes { version, pages })) = self.now.range_mut(..page).next_back() {
            let end = key.saturating_add(*pages);
            if end > page {
                let version = *version;
                *pages = page - key;
                self.now.insert(page, MapRow::Holes { version, pages: end - page });
            }
        }
    }

    /// Merges the run at a key with the runs on both sides. The newer version holds for both: holes read the same
    /// under either, and a run that reaches over the end of a pending truncation has to be newer than it.
    fn coalesce(&mut self, key: u64) {
        let mut key = key;
        let Some(MapRow::Holes { mut version, mut pages }) = self.now.get(&key).cloned() else { return };
        if let Some((&next, MapRow::Holes { version: other, pages: more })) = self.now.range(key + 1..).next()
            && key + pages == next
        {
            (version, pages) = (version.max(*other), pages + more);
            self.now.remove(&next);
        }
        if let Some((&last, MapRow::Holes { version: other, pages: less })) = self.now.range(..key).next_back()
            && last + less == key
        {
            (version, pages) = (version.max(*other), pages + less);
            self.now.remove(&key);
            key = last;
        }
        self.now.insert(key, MapRow::Holes { version, pages });
    }
}

/// Pages that a row covers.
pub(super) fn pages_in(row: &MapRow) -> u64 {
    match row {
        MapRow::Page { .. } => 1,
        MapRow::Holes { pages, .. } => *pages,
    }
}
