//! Builds the view that a query asks for, from wherever the rows come: the cache alone, or a snapshot with the cache
//! before it.

use std::sync::Arc;

use dittofs_domain::{
    Cookie, Node, NodeId, NodeKind, OpId, ShareId,
    content::MapRow,
    plan::{Alike, Earlier, EntryKey, FOLDED_MAX, Folded, Found, MapQuery, MapView, Query, Space, View},
    xattr::Xattrs,
};
use smallvec::SmallVec;

use crate::{
    cache::{Row, RowCache, directory_key},
    fault::Fault,
    folded,
    keys::{self, Count, Key},
    operations::Remembered,
    tables::{Kind, Snapshot},
};

/// Of maps, only queries for so few pages are answered from the cache. 16 MiB of a file: longer walks would push out
/// what is asked for often.
const PAGES_MAX: u64 = 16;

/// Single rows.
pub(crate) trait Rows {
    type Error;

    fn topology(&self, share: ShareId) -> Result<u64, Self::Error>;
    fn node(&self, share: ShareId, id: NodeId) -> Result<Option<Arc<Node>>, Self::Error>;
    fn entry(&self, share: ShareId, key: &EntryKey) -> Result<Option<(NodeId, Cookie)>, Self::Error>;
    /// What the index of folded names has for a name.
    fn folded(&self, share: ShareId, key: &EntryKey) -> Result<folded::Rows, Self::Error>;
    /// Whether a directory has no entry.
    fn is_empty(&self, share: ShareId, id: NodeId) -> Result<bool, Self::Error>;
    fn map(&self, share: ShareId, query: &MapQuery) -> Result<MapView, Self::Error>;
    fn xattrs(&self, share: ShareId, id: NodeId) -> Result<Option<Arc<Xattrs>>, Self::Error>;
    /// The node that an operation made, if that is remembered.
    fn operation(&self, share: ShareId, op: OpId) -> Option<Option<NodeId>>;
    /// The error for ancestors that never end.
    fn circle(&self, directory: NodeId) -> Self::Error;
}

pub(crate) fn view<R: Rows>(rows: &R, share: ShareId, query: &Query) -> Result<View, R::Error> {
    let mut view = View { topology: rows.topology(share)?, ..View::default() };
    for id in &query.nodes {
        view.nodes.extend(rows.node(share, *id)?);
    }
    let entries = query.entries.iter().map(|key| found(rows, share, key));
    view.entries = entries.collect::<Result<SmallVec<_>, R::Error>>()?;
    for key in &query.folded {
        view.folded.push(alike(rows, share, key)?);
    }
    if let Some(directory) = query.ancestors_of {
        view.ancestors = ancestors(rows, share, directory)?;
    }
    if let Some(map) = &query.map {
        view.map = rows.map(share, map)?;
    }
    if let Some(node) = query.xattrs_of {
        view.xattrs = rows.xattrs(share, node)?;
    }
    if let Some(made) = query.op.and_then(|op| rows.operation(share, op)) {
        let node = made.map_or(Ok(None), |made| rows.node(share, made))?;
        view.earlier = Some(Earlier { made, node });
    }
    Ok(view)
}

fn found<R: Rows>(rows: &R, share: ShareId, key: &EntryKey) -> Result<Option<Found>, R::Error> {
    let Some((id, cookie)) = rows.entry(share, key)? else { return Ok(None) };
    found_at(rows, share, id, cookie)
}

/// The entry that has the folded name itself, and those of the index.
fn alike<R: Rows>(rows: &R, share: ShareId, key: &EntryKey) -> Result<Folded, R::Error> {
    let folded::Rows { folded, mut others } = rows.folded(share, key)?;
    if let Some((node, cookie)) = rows.entry(share, &folded)? {
        others.push((cookie, folded.name.clone(), node));
        others.sort_unstable_by_key(|(cookie, ..)| *cookie);
    }
    let mut entries = Vec::with_capacity(others.len());
    for (cookie, name, node) in others.into_iter().take(FOLDED_MAX) {
        entries.extend(found_at(rows, share, node, cookie)?.map(|found| Alike { name, found }));
    }
    Ok(Folded { name: folded.name, entries })
}

fn found_at<R: Rows>(rows: &R, share: ShareId, id: NodeId, cookie: Cookie) -> Result<Option<Found>, R::Error> {
    let Some(node) = rows.node(share, id)? else { return Ok(None) };
    let empty = node.kind == NodeKind::Directory && rows.is_empty(share, id)?;
    Ok(Some(Found { node, cookie, empty }))
}

fn ancestors<R: Rows>(rows: &R, share: ShareId, directory: NodeId) -> Result<Vec<NodeId>, R::Error> {
    let mut ancestors = Vec::new();
    let mut next = directory;
    // Where parents lead in a circle, the walk comes back to a place at which it has been left behind (Brent).
    let mut left_behind = NodeId(0);
    while let Some(node) = rows.node(share, next)? {
        if next == left_behind {
            return Err(rows.circle(directory));
        }
        ancestors.push(next);
        if ancestors.len().is_power_of_two() {
            left_behind = next;
        }
        if next == NodeId::ROOT || node.parent.directory == next {
            break;
        }
        next = node.parent.directory;
    }
    Ok(ancestors)
}

/// Something is not in the cache.
pub(crate) struct Miss;

/// The cache alone.
pub(crate) struct Cached<'a> {
    pub(crate) cache: &'a RowCache,
    pub(crate) remembered: &'a Remembered,
}

impl Rows for Cached<'_> {
    type Error = Miss;

    fn topology(&self, share: ShareId) -> Result<u64, Miss> {
        match self.cache.row(Kind::Count, &keys::count(share, Count::Topology)) {
            Some(Row::Topology(topology)) => Ok(topology),
            _ => Err(Miss),
        }
    }

    fn node(&self, share: ShareId, id: NodeId) -> Result<Option<Arc<Node>>, Miss> {
        match self.cache.row(Kind::Node, &keys::node(share, id)) {
            Some(Row::Node(node)) => Ok(Some(node)),
            _ => Err(Miss),
        }
    }

    fn entry(&self, share: ShareId, key: &EntryKey) -> Result<Option<(NodeId, Cookie)>, Miss> {
        match self.cache.row(Kind::Entry, &keys::entry(share, key)) {
            Some(Row::Entry(entry)) => Ok(entry),
            _ => Err(Miss),
        }
    }

    /// None of it is in the cache.
    fn folded(&self, _: ShareId, _: &EntryKey) -> Result<folded::Rows, Miss> {
        Err(Miss)
    }

    fn is_empty(&self, share: ShareId, id: NodeId) -> Result<bool, Miss> {
        match self.cache.row(Kind::Listing, &directory_key(share, id, Space::Children)) {
            Some(Row::IsEmpty(is_empty)) => Ok(is_empty),
            _ => Err(Miss),
        }
    }

    /// Only pages that have each a row of their own: then no row before them can matter.
    fn map(&self, share: ShareId, query: &MapQuery) -> Result<MapView, Miss> {
        let pages = query.last_page.checked_sub(query.first_page).filter(|pages| *pages < PAGES_MAX).ok_or(Miss)? + 1;
        if pages > query.rows_max as u64 {
            return Err(Miss);
        }
        let mut view = MapView { rows: Vec::with_capacity(pages as usize), complete: true };
        for page in query.first_page..=query.last_page {
            match self.cache.row(Kind::Row, &keys::row(share, query.node, page)) {
                Some(Row::Map(row)) => view.rows.push((page, MapRow::clone(&row))),
                _ => return Err(Miss),
            }
        }
        Ok(view)
    }

    /// None of them is in the cache.
    fn xattrs(&self, _: ShareId, _: NodeId) -> Result<Option<Arc<Xattrs>>, Miss> {
        Err(Miss)
    }

    /// Those of a transaction that is just being shown are found out by the epoch of the cache.
    fn operation(&self, share: ShareId, op: OpId) -> Option<Option<NodeId>> {
        self.remembered.find(share, op, u64::MAX)
    }

    fn circle(&self, _directory: NodeId) -> Miss {
        Miss
    }
}

/// A snapshot, with what the cache holds of the same epoch; what it does not hold is put there.
pub(crate) struct Through<'a> {
    pub(crate) tables: &'a Snapshot,
    pub(crate) cache: &'a RowCache,
    pub(crate) remembered: &'a Remembered,
    pub(crate) epoch: u64,
    /// The last one in the snapshot.
    pub(crate) transaction: u64,
}

impl Through<'_> {
    fn row(
        &self,
        kind: Kind,
        key: &Key,
        read: impl FnOnce() -> Result<Option<Row>, Fault>,
    ) -> Result<Option<Row>, Fault> {
        if let Some(row) = self.cache.row(kind, key)
            && self.cache.is_at(self.epoch)
        {
            return Ok(Some(row));
        }
        let row = read()?;
        if let Some(row) = &row {
            self.cache.keep(self.epoch, kind, key, row.clone());
        }
        Ok(row)
    }
}

impl Rows for Through<'_> {
    type Error = Fault;

    fn topology(&self, share: ShareId) -> Result<u64, Fault> {
        let read = || Ok(Some(Row::Topology(self.tables.topology(share)?)));
        match self.row(Kind::Count, &keys::count(share, Count::Topology), read)? {
            Some(Row::Topology(topology)) => Ok(topology),
            _ => self.tables.topology(share),
        }
    }

    fn node(&self, share: ShareId, id: NodeId) -> Result<Option<Arc<Node>>, Fault> {
        let read = || Ok(self.tables.node(share, id)?.map(Row::Node));
        match self.row(Kind::Node, &keys::node(share, id), read)? {
            Some(Row::Node(node)) => Ok(Some(node)),
            _ => Ok(None),
        }
    }

    fn entry(&self, share: ShareId, key: &EntryKey) -> Result<Option<(NodeId, Cookie)>, Fault> {
        let read = || Ok(Some(Row::Entry(self.tables.entry(share, key)?)));
        match self.row(Kind::Entry, &keys::entry(share, key), read)? {
            Some(Row::Entry(entry)) => Ok(entry),
            _ => Ok(None),
        }
    }

    fn folded(&self, share: ShareId, key: &EntryKey) -> Result<folded::Rows, Fault> {
        self.tables.folded(share, self.tables.folding(share)?, key)
    }

    fn is_empty(&self, share: ShareId, id: NodeId) -> Result<bool, Fault> {
        let read = || Ok(Some(Row::IsEmpty(self.tables.is_empty_directory(share, id, Space::Children)?)));
        match self.row(Kind::Listing, &directory_key(share, id, Space::Children), read)? {
            Some(Row::IsEmpty(is_empty)) => Ok(is_empty),
            _ => self.tables.is_empty_directory(share, id, Space::Children),
        }
    }

    fn map(&self, share: ShareId, query: &MapQuery) -> Result<MapView, Fault> {
        let view = self.tables.map(share, query)?;
        if query.last_page.saturating_sub(query.first_page) < PAGES_MAX {
            for (page, row) in view.rows.iter().filter(|(_, row)| matches!(row, MapRow::Page { .. })) {
                let row = Row::Map(Arc::new(row.clone()));
                self.cache.keep(self.epoch, Kind::Row, &keys::row(share, query.node, *page), row);
            }
        }
        Ok(view)
    }

    fn xattrs(&self, share: ShareId, id: NodeId) -> Result<Option<Arc<Xattrs>>, Fault> {
        self.tables.xattrs(share, id)
    }

    fn operation(&self, share: ShareId, op: OpId) -> Option<Option<NodeId>> {
        self.remembered.find(share, op, self.transaction)
    }

    fn circle(&self, directory: NodeId) -> Fault {
        Fault::damaged(format!("the ancestors of node {directory} do not end at the root"))
    }
}
