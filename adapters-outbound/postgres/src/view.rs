//! Views: one statement each, and so of one instant.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use dittofs_domain::{
    Cookie, Name, Node, NodeId, OpId,
    content::MapRow,
    plan::{Alike, Earlier, EntryKey, FOLDED_MAX, Folded, Found, MapQuery, MapView, Query, View},
    xattr::Xattrs,
};
use sqlx::postgres::PgRow;

use crate::{
    claims::Claim,
    connections::Statement,
    extents,
    fault::Fault,
    node::{self, Columns},
    numbers::{bound, count, operation, signed, unsigned},
    statements::{Keys, Shape, tag},
};

/// Where the columns of a node begin in a row of a view.
pub(crate) const NODE_AT: usize = 5;

/// Which operations are remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remembered {
    /// When this server got the share, in milliseconds of the database's clock.
    pub(crate) opened: i64,
    /// In milliseconds.
    pub(crate) age: i64,
}

/// The statement of a query.
pub(crate) fn statement(claim: &Claim, query: &Query) -> Statement {
    let shape = Shape {
        nodes: Keys::of(query.nodes.len()),
        entries: Keys::of(query.entries.len()),
        folded: Keys::of(query.folded.len()),
        ancestors: query.ancestors_of.is_some(),
        map: query.map.is_some(),
        xattrs: query.xattrs_of.is_some(),
        op: query.op.is_some(),
    };
    let mut statement = Statement::new(shape.statement()).with(signed(claim.share.0));
    statement = match &*query.nodes {
        [] => statement,
        [id] => statement.with(signed(id.0)),
        ids => statement.with(ids.iter().map(|id| signed(id.0)).collect::<Vec<i64>>()),
    };
    statement = with_keys(statement, query.entries.iter().map(|key| (key, key.name.clone())));
    statement = with_keys(statement, query.folded.iter().map(|key| (key, claim.folding().folded(&key.name))));
    if let Some(directory) = query.ancestors_of {
        statement = statement.with(signed(directory.0));
    }
    if let Some(MapQuery { node, first_page, last_page, rows_max }) = query.map {
        // One more than wanted says whether there are more; and the first one may not cover the first page.
        let rows = count(rows_max).saturating_add(2);
        statement = statement.with(signed(node.0)).with(bound(first_page)).with(bound(last_page)).with(rows);
    }
    if let Some(node) = query.xattrs_of {
        statement = statement.with(signed(node.0));
    }
    match query.op {
        Some(op) => with_operation(statement, op, claim.remembered),
        None => statement,
    }
}

/// Adds keys of entries, with the names to look for.
fn with_keys<'a>(statement: Statement, keys: impl ExactSizeIterator<Item = (&'a EntryKey, Name)> + Clone) -> Statement {
    match Keys::of(keys.len()) {
        Keys::None => statement,
        Keys::One => keys.fold(statement, |statement, (key, name)| {
            statement.with(signed(key.directory.0)).with(key.space as i16).with(name.as_bytes().to_vec())
        }),
        Keys::Many => statement
            .with(keys.clone().map(|(key, _)| signed(key.directory.0)).collect::<Vec<i64>>())
            .with(keys.clone().map(|(key, _)| key.space as i16).collect::<Vec<i16>>())
            .with(keys.map(|(_, name)| name.as_bytes().to_vec()).collect::<Vec<Vec<u8>>>()),
    }
}

fn with_operation(statement: Statement, op: OpId, Remembered { opened, age }: Remembered) -> Statement {
    statement.with(operation(op)).with(opened).with(age)
}

/// The view that rows make up.
pub(crate) fn read(claim: &Claim, query: &Query, rows: &[PgRow]) -> Result<View, Fault> {
    let nothing = |key: &EntryKey| Folded { name: claim.folding().folded(&key.name), entries: Vec::new() };
    let folded = query.folded.iter().map(nothing).collect();
    let mut found = Rows { entries: vec![None; query.entries.len()], folded, ..Rows::default() };
    for row in rows {
        found.read(row)?;
    }
    let Rows { mut nodes, entries, mut folded, topology, parents, map, xattrs, earlier } = found;
    nodes.sort_by_key(|(place, _)| *place);
    for Folded { entries, .. } in &mut folded {
        entries.sort_by_key(|alike| alike.found.cookie);
        entries.truncate(FOLDED_MAX);
    }
    Ok(View {
        nodes: nodes.into_iter().map(|(_, node)| node).collect(),
        entries: entries.into(),
        folded,
        ancestors: query.ancestors_of.map_or(Ok(Vec::new()), |directory| ancestors(directory, &parents))?,
        topology,
        map: query.map.as_ref().map_or_else(MapView::default, |query| map_view(query, map)),
        xattrs,
        leases: None,
        earlier,
    })
}

/// The parts of a view as they come.
#[derive(Default)]
struct Rows {
    nodes: Vec<(i64, Arc<Node>)>,
    entries: Vec<Option<Found>>,
    folded: Vec<Folded>,
    topology: u64,
    parents: HashMap<NodeId, NodeId>,
    map: Vec<(u64, MapRow)>,
    xattrs: Option<Arc<Xattrs>>,
    earlier: Option<Earlier>,
}

impl Rows {
    fn read(&mut self, row: &PgRow) -> Result<(), Fault> {
        let mut columns = Columns::new(row, 0);
        let which: i16 = columns.take()?;
        let (place, one, other): (Option<i64>, Option<i64>, Option<i64>) =
            (columns.take()?, columns.take()?, columns.take()?);
        let (place, number) = (place.unwrap_or_default(), unsigned(one.unwrap_or_default()));
        let damaged = || Fault::damaged(format!("a row of a view ({which}) makes no sense"));
        match which {
            tag::TOPOLOGY => self.topology = number,
            tag::NODE => self.nodes.push((place, node::read(row, NODE_AT)?.ok_or_else(damaged)?)),
            tag::ENTRY => {
                let node = node::read(row, NODE_AT)?.ok_or_else(damaged)?;
                let entry = usize::try_from(place - 1).ok().and_then(|index| self.entries.get_mut(index));
                *entry.ok_or_else(damaged)? = Some(Found { node, cookie: Cookie(number), empty: other == Some(1) });
            }
            tag::ALIKE => {
                let name: &[u8] = columns.take()?;
                let name = Name::new(name).map_err(|_| damaged())?;
                let node = node::read(row, NODE_AT)?.ok_or_else(damaged)?;
                let folded = usize::try_from(place - 1).ok().and_then(|index| self.folded.get_mut(index));
                let found = Found { node, cookie: Cookie(number), empty: other == Some(1) };
                folded.ok_or_else(damaged)?.entries.push(Alike { name, found });
            }
            tag::ANCESTOR => {
                self.parents.insert(NodeId(number), NodeId(unsigned(other.unwrap_or_default())));
            }
            tag::ROW => {
                let bytes: Option<&[u8]> = columns.take()?;
                self.map.push((unsigned(place), extents::row(one.unwrap_or_default(), other, bytes)?));
            }
            tag::XATTRS => {
                let bytes: &[u8] = columns.take()?;
                let xattrs = Xattrs::from_bytes(Bytes::copy_from_slice(bytes)).map_err(|_| damaged())?;
                self.xattrs = Some(Arc::new(xattrs));
            }
            tag::OPERATION => {
                let made = Some(NodeId(number)).filter(|made| made.0 != 0);
                self.earlier = Some(Earlier { made, node: node::read(row, NODE_AT)? });
            }
            _ => return Err(damaged()),
        }
        Ok(())
    }
}

/// The way up from a directory.
fn ancestors(directory: NodeId, parents: &HashMap<NodeId, NodeId>) -> Result<Vec<NodeId>, Fault> {
    let mut ancestors = Vec::with_capacity(parents.len());
    let mut next = directory;
    while let Some(parent) = parents.get(&next) {
        if ancestors.len() == parents.len() {
            return Err(Fault::damaged(format!("the ancestors of node {directory} do not end at the root")));
        }
        ancestors.push(next);
        if next == NodeId::ROOT || *parent == next {
            break;
        }
        next = *parent;
    }
    Ok(ancestors)
}

fn map_view(query: &MapQuery, mut rows: Vec<(u64, MapRow)>) -> MapView {
    rows.sort_by_key(|(page, _)| *page);
    let covers = |first: u64, row: &MapRow| match row {
        MapRow::Page { .. } => first == query.first_page,
        MapRow::Holes { pages, .. } => query.first_page - first < *pages,
    };
    let is_before = |(page, row): &(u64, MapRow)| *page < query.first_page && !covers(*page, row);
    if rows.first().is_some_and(is_before) {
        rows.remove(0);
    }
    let complete = rows.len() <= query.rows_max;
    rows.truncate(query.rows_max);
    MapView { rows, complete }
}
