//! The parts of a node besides its record: entries, streams, the rows of its map.

use bytes::Bytes;
use dittofs_domain::{
    content::MapRow,
    plan::{MapQuery, MapView, Space},
};

use super::{directory::Directory, ordered::Ordered};

/// Made with the first entry or row, and given up with the last: most nodes of a tree of small files have one row.
#[derive(Debug, Default)]
pub(super) struct Body {
    children: Directory,
    streams: Option<Box<Directory>>,
    pub(super) rows: Ordered<MapRow>,
    /// Extended attributes, as [`Xattrs::to_bytes`] has them: what callers gave is part of greater buffers.
    pub(super) xattrs: Option<Bytes>,
}

impl Body {
    pub(super) fn is_empty(&self) -> bool {
        self.goes_with_node() && self.xattrs.is_none()
    }

    /// Whether it is empty but for what goes with its node.
    pub(super) fn goes_with_node(&self) -> bool {
        self.children.is_empty()
            && self.streams.as_ref().is_none_or(|streams| streams.is_empty())
            && self.rows.is_empty()
    }

    pub(super) fn directory(&self, space: Space) -> Option<&Directory> {
        match space {
            Space::Children => Some(&self.children),
            Space::Streams => self.streams.as_deref(),
        }
    }

    pub(super) fn directory_mut(&mut self, space: Space) -> &mut Directory {
        match space {
            Space::Children => &mut self.children,
            Space::Streams => self.streams.get_or_insert_default(),
        }
    }

    /// The rows that a query asks for.
    pub(super) fn map(&self, query: &MapQuery) -> MapView {
        let first = match self.rows.floor(query.first_page) {
            Some((page, row)) if covers(page, row, query.first_page) => page,
            _ => query.first_page,
        };
        let mut wanted = self.rows.from(first).take_while(|(page, _)| *page <= query.last_page);
        let rows = wanted.by_ref().take(query.rows_max).map(|(page, row)| (page, row.clone())).collect();
        MapView { rows, complete: wanted.next().is_none() }
    }
}

fn covers(first: u64, row: &MapRow, page: u64) -> bool {
    match row {
        MapRow::Page { .. } => first == page,
        MapRow::Holes { pages, .. } => page - first < *pages,
    }
}
