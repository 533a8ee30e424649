//! Invariants that must hold in the stores themselves, whatever clients see.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dittofs_domain::{
    Cookie, KeyId, Node, NodeId, NodeKind, ObjectId, Scale,
    content::{
        Extent, MapRow,
        map::{Facts, resolve},
        page,
    },
    plan::{MapQuery, ObjectState, Query, Reference, Space},
    quota::metadata_bytes,
};
use dittofs_ports::ShareMetadata;

use crate::{content::Objects, fsck};

const ALL: usize = 1_000_000;

/// When the check is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The server has just recovered, and clients do nothing.
    AfterRecovery,
    /// Everything is flushed, and garbage had time to go.
    AtRest,
}

/// Checks them all, twice: by what is written here, and by the check that the server brings.
pub(crate) async fn check(metadata: &Arc<dyn ShareMetadata>, objects: &Arc<Objects>, when: When) -> Result<(), String> {
    check_records(metadata, objects, when).await?;
    fsck::check(metadata, objects, when)
}

async fn check_records(metadata: &Arc<dyn ShareMetadata>, objects: &Objects, when: When) -> Result<(), String> {
    let nodes = metadata.nodes(NodeId(0), ALL).await.map_err(|error| error.to_string())?;
    let record = metadata.record().await.map_err(|error| error.to_string())?;
    let mut found = Found::of(record.scale);
    for node in &nodes {
        found.directory(metadata, node).await?;
        found.bytes += metadata_bytes(node) as i64;
        found.map(metadata, node, when).await?;
    }
    if let Some(key) = found.keys.difference(&record.keys.in_use).next() {
        return Err(format!("key {key} seals something, and the share's row does not name it"));
    }
    found.links(metadata, &nodes, when).await?;
    found.objects(metadata, objects, when).await?;
    let statistics = metadata.statistics().await.map_err(|error| error.to_string())?;
    if statistics.bytes != found.bytes || statistics.nodes != nodes.len() as i64 {
        let there = (found.bytes, nodes.len());
        return Err(format!("statistics say {statistics:?}, but there are {there:?} bytes and nodes"));
    }
    Ok(())
}

struct Found {
    scale: Scale,
    names: BTreeMap<NodeId, u32>,
    subdirectories: BTreeMap<NodeId, u32>,
    /// How far an object must reach, at least.
    ends: BTreeMap<ObjectId, u64>,
    references: BTreeSet<Reference>,
    keys: BTreeSet<KeyId>,
    bytes: i64,
}

impl Found {
    fn of(scale: Scale) -> Found {
        Found {
            scale,
            names: BTreeMap::new(),
            subdirectories: BTreeMap::new(),
            ends: BTreeMap::new(),
            references: BTreeSet::new(),
            keys: BTreeSet::new(),
            bytes: 0,
        }
    }

    async fn directory(&mut self, metadata: &Arc<dyn ShareMetadata>, node: &Node) -> Result<(), String> {
        let listing = metadata.list(node.id, Space::Children, Cookie::START, ALL, true).await;
        let listing = listing.map_err(|error| error.to_string())?;
        if node.kind != NodeKind::Directory && !listing.entries.is_empty() {
            return Err(format!("{} has entries, and is no directory", node.id));
        }
        for entry in listing.entries {
            let Some(child) = entry.record else {
                return Err(format!("an entry of {} leads to {}, which is not there", node.id, entry.node));
            };
            *self.names.entry(child.id).or_default() += 1;
            if child.kind == NodeKind::Directory {
                *self.subdirectories.entry(node.id).or_default() += 1;
                if child.parent.directory != node.id || child.parent.cookie != entry.cookie {
                    return Err(format!("{} is in {}, and believes to be in {:?}", child.id, node.id, child.parent));
                }
            }
        }
        Ok(())
    }

    /// A map tiles its file, nothing is behind the end, and what it refers to is noted.
    async fn map(&mut self, metadata: &Arc<dyn ShareMetadata>, node: &Node, when: When) -> Result<(), String> {
        let id = node.id;
        let query = MapQuery { node: id, first_page: 0, last_page: u64::MAX, rows_max: ALL };
        let view = metadata.view(&Query { map: Some(query), ..Query::node(id) }).await;
        let view = view.map_err(|error| error.to_string())?;
        if !node.kind.has_content() {
            return if view.map.rows.is_empty() { Ok(()) } else { Err(format!("{id} has a map, and is no file")) };
        }
        if node.is_linked() {
            resolve(&view.map, &Facts::of(node, &self.scale), 0..node.size)
                .map_err(|error| format!("the map of {id}: {error}"))?;
        }
        let (mut next, mut allocated) = (0, 0);
        for (first, row) in &view.map.rows {
            if node.is_linked() && *first != next {
                return Err(format!("the map of {id} has page {first} where page {next} should be"));
            }
            next = match row {
                MapRow::Page { extents, .. } => {
                    allocated += page::allocated(extents);
                    self.page(id, *first, extents, when)?;
                    first + 1
                }
                MapRow::Holes { pages, .. } => first + pages,
            };
        }
        let pages = Facts::of(node, &self.scale).map_pages();
        if node.is_linked() && next != pages {
            return Err(format!("the map of {id} has {next} pages, and should have {pages}"));
        }
        if allocated != node.allocated {
            return Err(format!("{id} has {allocated} bytes in extents, and says {}", node.allocated));
        }
        self.bytes += allocated as i64;
        Ok(())
    }

    fn page(&mut self, node: NodeId, page_number: u64, extents: &[Extent], when: When) -> Result<(), String> {
        if !page::tiles(extents, self.scale.page_bytes) {
            return Err(format!("the extents of page {page_number} of {node} do not tile it"));
        }
        for extent in extents {
            if when == When::AtRest && matches!(extent, Extent::Inline(_)) {
                return Err(format!("bytes of {node} are in its map still"));
            }
            if let Extent::Stored { from, .. } = extent {
                let end = from.block.at + u64::from(from.block.stored_len);
                let known = self.ends.entry(from.object).or_default();
                *known = (*known).max(end);
                self.keys.extend(Some(from.block.key_id).filter(|key| !key.is_none()));
                self.references.insert(Reference::live(from.object, node, self.scale.chunk_of(page_number)));
            }
        }
        Ok(())
    }

    async fn links(&self, metadata: &Arc<dyn ShareMetadata>, nodes: &[Arc<Node>], when: When) -> Result<(), String> {
        let unlinked = metadata.unlinked(NodeId(0), ALL).await.map_err(|error| error.to_string())?;
        for node in nodes {
            let names = self.names.get(&node.id).copied().unwrap_or_default();
            let links = match node.kind {
                NodeKind::Directory => 2 + self.subdirectories.get(&node.id).copied().unwrap_or_default(),
                _ => names,
            };
            let waits = unlinked.iter().any(|(id, _)| *id == node.id);
            if node.is_linked() && (links != node.links || (names == 0 && node.id != NodeId::ROOT)) {
                return Err(format!("{} has {names} names and {links} links, and says {}", node.id, node.links));
            }
            if node.is_linked() == waits || (names > 1 && node.kind == NodeKind::Directory) {
                return Err(format!("{} has {names} names, is linked: {}, waits: {waits}", node.id, node.is_linked()));
            }
            if when == When::AtRest && !node.is_linked() {
                return Err(format!("{} has no name and nobody has it open, but it stays", node.id));
            }
            if when == When::AtRest && node.pending_truncation.is_some() {
                return Err(format!("{} keeps {:?}", node.id, node.pending_truncation));
            }
        }
        Ok(())
    }

    /// Extents refer to objects that are there, references say so exactly, and garbage goes.
    async fn objects(&self, metadata: &Arc<dyn ShareMetadata>, objects: &Objects, when: When) -> Result<(), String> {
        let noted = metadata.references_after(None, ALL).await.map_err(|error| error.to_string())?;
        let noted: BTreeSet<Reference> = noted.into_iter().collect();
        if let Some(differs) = noted.symmetric_difference(&self.references).next() {
            return Err(format!("a reference is noted or needed, but not both: {differs:?}"));
        }
        let stored: BTreeMap<ObjectId, u64> = objects.all().into_iter().collect();
        let rows = metadata.objects(None, ALL).await.map_err(|error| error.to_string())?;
        for (object, end) in &self.ends {
            let there = stored.get(object).copied().unwrap_or_default();
            if there < *end {
                return Err(format!("extents reach to {end} of object {object}, of which {there} bytes are stored"));
            }
            if !rows.iter().any(|row| row.id == *object && row.state == ObjectState::Live) {
                return Err(format!("extents refer to object {object}, which is not live"));
            }
        }
        if when == When::AtRest {
            if let Some((object, _)) = stored.iter().find(|(object, _)| !self.ends.contains_key(object)) {
                return Err(format!("object {object} is garbage, and stays"));
            }
            if let Some(row) = rows.iter().find(|row| !self.ends.contains_key(&row.id)) {
                return Err(format!("the row of object {} is garbage, and stays: {row:?}", row.id));
            }
        } else if let Some((object, _)) = stored.iter().find(|(object, _)| !rows.iter().any(|row| row.id == **object)) {
            return Err(format!("object {object} is stored, and nobody knows of it"));
        }
        Ok(())
    }
}
