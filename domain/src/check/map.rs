//! Checks whether the rows of a file's map are what they should be.

use std::collections::BTreeSet;

use super::Finding;
use crate::{
    content::{
        Extent, MapRow, PageExtents, Stored,
        map::{Facts, visible},
        page,
    },
    id::{ContentVersion, NodeId, ObjectId},
    node::Node,
    plan::MapQuery,
    scale::Scale,
};

/// Findings that are reported of one file. Enough to show what kind of damage it is; a file of zeros would fill the
/// report otherwise.
const FINDINGS_MAX: usize = 16;
/// Rows of a map that are asked for at a time. At 512 pages or more, most files are whole in one.
const ROWS_MAX: usize = 512;

/// Asks for a map from a page on: as many rows of it as one answer should have.
pub fn map_from(node: NodeId, first_page: u64, scale: &Scale) -> MapQuery {
    MapQuery { node, first_page, last_page: scale.page_of(u64::MAX), rows_max: ROWS_MAX }
}

/// A part of an object that a file uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The page that uses it.
    pub page: u64,
    /// Where it is.
    pub from: Stored,
}

/// Looks at the rows of one file's map, in their order.
#[derive(Debug)]
pub struct MapFold {
    facts: Facts,
    has_content: bool,
    is_linked: bool,
    stored: u64,
    next: u64,
    counted: u64,
    findings: Vec<Finding>,
}

impl MapFold {
    /// For the map of a node, in a share of a scale.
    pub fn new(node: &Node, scale: &Scale) -> MapFold {
        MapFold {
            facts: Facts::of(node, scale),
            has_content: node.kind.has_content(),
            is_linked: node.is_linked(),
            stored: node.allocated,
            next: 0,
            counted: 0,
            findings: Vec::new(),
        }
    }

    /// Takes the next row, and reports each part of an object that it uses.
    pub fn row(&mut self, page: u64, row: &MapRow, mut used: impl FnMut(Used)) {
        let node = self.facts.node;
        if !self.has_content {
            self.find(Finding::NoContent { node });
            return;
        }
        let end = match row {
            MapRow::Page { .. } => page.saturating_add(1),
            MapRow::Holes { pages, .. } => page.saturating_add(*pages),
        };
        if end == page {
            self.find(Finding::Malformed { node, page });
        }
        // The reaper removes the rows of a nameless node from the first on.
        let is_reaped = !self.is_linked && self.next == 0;
        if page > self.next && !is_reaped {
            self.find(Finding::Uncovered { node, pages: self.next..page });
        } else if page < self.next {
            self.find(Finding::Overlap { node, page });
        }
        if end > self.facts.map_pages() {
            self.find(Finding::BehindEnd { node, page });
        }
        self.next = self.next.max(end);
        if let MapRow::Page { version, extents } = row {
            self.page(page, *version, extents);
            extents.iter().filter_map(stored).for_each(|from| used(Used { page, from }));
        }
    }

    /// Ends the check after all rows were seen, and returns what is wrong.
    pub fn finish(mut self) -> Vec<Finding> {
        let node = self.facts.node;
        let pages = if self.has_content { self.facts.map_pages() } else { 0 };
        let is_reaped = !self.is_linked && self.next == 0;
        if self.next < pages && !is_reaped {
            self.find(Finding::Uncovered { node, pages: self.next..pages });
        }
        if self.counted != self.stored {
            self.find(Finding::Allocated { node, stored: self.stored, counted: self.counted });
        }
        self.findings
    }

    fn page(&mut self, page: u64, version: ContentVersion, extents: &PageExtents) {
        let node = self.facts.node;
        self.counted = self.counted.saturating_add(page::allocated(extents));
        if !page::tiles(extents, self.facts.scale.page_bytes) {
            self.find(Finding::Malformed { node, page });
        } else if page < self.facts.map_pages() && self.has_bytes_behind_end(page, version, extents) {
            self.find(Finding::BehindEnd { node, page });
        }
    }

    fn has_bytes_behind_end(&self, page: u64, version: ContentVersion, extents: &PageExtents) -> bool {
        let page_bytes = self.facts.scale.page();
        let shown = visible(version, page, self.facts.pending_truncation, page_bytes);
        let size = self.facts.size.saturating_sub(page.saturating_mul(page_bytes)).min(page_bytes);
        size < shown && !page::is_hole(&page::slice(extents, size as u32..shown as u32))
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX && self.findings.last() != Some(&finding) {
            self.findings.push(finding);
        }
    }
}

/// The references that rows are reason for: (chunk, object).
pub fn references_in<'a>(
    rows: impl IntoIterator<Item = &'a (u64, MapRow)>,
    scale: &Scale,
) -> BTreeSet<(u64, ObjectId)> {
    let mut all = BTreeSet::new();
    for (page, row) in rows {
        if let MapRow::Page { extents, .. } = row {
            all.extend(page::objects(extents).map(|object| (scale.chunk_of(*page), object)));
        }
    }
    all
}

fn stored(extent: &Extent) -> Option<Stored> {
    match extent {
        Extent::Stored { from, .. } => Some(*from),
        Extent::Hole { .. } | Extent::Inline(_) => None,
    }
}
