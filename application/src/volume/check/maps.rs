//! Nodes and their maps.

use std::collections::BTreeSet;

use dittofs_domain::{
    NodeId, ObjectId, Scale,
    check::{Finding, MapFold, Used, map_from, reference_digest},
    content::MapRow,
    error::FsResult,
    plan::{ObjectRecord, ObjectState, Query},
};
use dittofs_ports::CheckPhase;

use super::{Checker, LOOKS_MAX, PAGE, Subject, metadata_failed};
use crate::volume::{
    breathe::breathe,
    scan::{nodes_after, pages_in},
};

/// Nodes that are read at a time. Fewer than of others, as each comes with up to 512 rows of its map.
const NODES_PER_PAGE: usize = 256;

/// The result of one read of a file's map.
#[derive(Default)]
struct Looked {
    findings: Vec<Finding>,
    /// The sum of the digests of the references that its rows are reason for.
    references: u64,
    /// Extents in objects that they may not be in.
    candidates: Vec<Used>,
    /// Whether all of it was seen at one instant.
    at_once: bool,
}

impl Looked {
    fn unreadable(node: NodeId) -> Looked {
        Looked { findings: vec![Finding::MapUnreadable { node }], at_once: true, ..Looked::default() }
    }
}

/// The objects that the chunk uses which a scan of rows is in.
#[derive(Default)]
struct ChunkObjects {
    chunk: u64,
    objects: BTreeSet<ObjectId>,
}

impl ChunkObjects {
    /// Whether this is the first use of the object in its chunk.
    fn is_new(&mut self, used: &Used, scale: &Scale) -> bool {
        let chunk = scale.chunk_of(used.page);
        if chunk != self.chunk {
            self.objects.clear();
            self.chunk = chunk;
        }
        self.objects.insert(used.from.object)
    }
}

impl Checker<'_> {
    pub(super) async fn load_objects(&mut self) -> FsResult<()> {
        let mut after = None;
        loop {
            let page = self.subject.metadata.objects(after, PAGE).await.map_err(|error| metadata_failed(&error))?;
            page.iter().for_each(|record| self.objects.push(record));
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.id),
                _ => return Ok(()),
            }
            breathe().await;
        }
    }

    pub(super) async fn scan_nodes(&mut self) -> FsResult<()> {
        let statistics = self.subject.metadata.statistics().await.map_err(|error| metadata_failed(&error))?;
        let of = u64::try_from(statistics.nodes).unwrap_or(0);
        let mut candidates = Vec::new();
        let mut after = NodeId(0);
        loop {
            let page = nodes_after(&*self.subject.metadata, after, NODES_PER_PAGE).await;
            let page = page.map_err(|error| metadata_failed(&error))?;
            let Some(last) = page.next() else { break };
            after = last;
            let mut damaged = page.damaged.iter().copied().peekable();
            for node in &page.nodes {
                // The table takes them in the order of their ids.
                while let Some(damaged) = damaged.next_if(|damaged| *damaged < node.id) {
                    self.note_damaged(damaged);
                }
                self.nodes.push(node);
                let mut counted = self.counted;
                self.subject.count(node, &mut counted);
                self.counted = counted;
                self.scan_map(node.id, &mut candidates).await?;
            }
            damaged.for_each(|damaged| self.note_damaged(damaged));
            self.progress(CheckPhase::Nodes, self.nodes.len(), of);
            breathe().await;
        }
        if self.nodes.find(NodeId::ROOT).is_none_or(|root| !root.may_be_directory()) {
            self.outcome.find(Finding::NoRoot);
        }
        for (node, used) in candidates {
            self.follow_use(node, used).await?;
        }
        Ok(())
    }

    async fn scan_map(&mut self, node: NodeId, candidates: &mut Vec<(NodeId, Used)>) -> FsResult<()> {
        let Some(mut looked) = self.look_at_map(node).await? else { return Ok(()) };
        if !looked.at_once && !looked.findings.is_empty() && self.subject.locks.is_some() {
            let _lock = self.subject.lock(node).await;
            let Some(again) = self.look_at_map(node).await? else { return Ok(()) };
            looked = again;
        }
        if let Some(facts) = self.nodes.find_mut(node) {
            facts.references = facts.references.wrapping_add(looked.references);
            facts.is_readable = !matches!(looked.findings.as_slice(), [Finding::MapUnreadable { .. }]);
        }
        for used in looked.candidates {
            self.outcome.add_candidate(candidates, (node, used));
        }
        for finding in looked.findings {
            self.outcome.find(finding);
        }
        Ok(())
    }

    /// Reads a map, a part at a time; none if the node is gone.
    async fn look_at_map(&self, id: NodeId) -> FsResult<Option<Looked>> {
        let Some(view) = self
            .subject
            .try_view(&Query { map: Some(map_from(id, 0, &self.subject.record.scale)), ..Query::node(id) })
            .await?
        else {
            return Ok(Some(Looked::unreadable(id)));
        };
        let Ok(node) = view.node(id) else { return Ok(None) };
        let mut fold = MapFold::new(node, &self.subject.record.scale);
        let mut looked = Looked { at_once: view.map.complete, ..Looked::default() };
        let mut of_chunk = ChunkObjects::default();
        let mut map = view.map.clone();
        loop {
            for (page, row) in &map.rows {
                fold.row(*page, row, |used| self.note_use(id, &used, &mut of_chunk, &mut looked));
            }
            let Some((last, row)) = map.rows.last().filter(|_| !map.complete) else { break };
            let next = last.saturating_add(pages_in(row));
            breathe().await;
            let view = self
                .subject
                .try_view(&Query { map: Some(map_from(id, next, &self.subject.record.scale)), ..Query::default() })
                .await?;
            let Some(view) = view else { return Ok(Some(Looked::unreadable(id))) };
            map = view.map;
            // A row that was put meanwhile may begin before.
            map.rows.retain(|(page, _)| *page >= next);
        }
        looked.findings = fold.finish();
        Ok(Some(looked))
    }

    fn note_use(&self, node: NodeId, used: &Used, of_chunk: &mut ChunkObjects, looked: &mut Looked) {
        let object = used.from.object;
        if of_chunk.is_new(used, &self.subject.record.scale) {
            let digest = reference_digest(object, node, self.subject.record.scale.chunk_of(used.page));
            looked.references = looked.references.wrapping_add(digest);
        }
        let facts = self.objects.find(object);
        let fits = facts.is_some_and(|facts| facts.state == ObjectState::Live && is_inside(used, facts.bytes));
        if !fits && looked.candidates.last().is_none_or(|last| last.from.object != object) {
            looked.candidates.push(*used);
        }
    }

    /// Whether a file uses what it may not use, as seen between two looks at the object's row.
    async fn follow_use(&mut self, node: NodeId, used: Used) -> FsResult<()> {
        let object = used.from.object;
        for _ in 0..LOOKS_MAX {
            let before = self.subject.object(object).await?;
            let is_used = self.subject.uses(node, &used).await?;
            let after = self.subject.object(object).await?;
            if !is_used {
                return Ok(());
            }
            if before == after {
                if let Some(finding) = judge_use(node, &used, after) {
                    self.outcome.find(finding);
                }
                return Ok(());
            }
        }
        self.outcome.undecided += 1;
        Ok(())
    }
}

impl Subject<'_> {
    /// Whether the page has an extent there.
    pub(super) async fn uses(&self, node: NodeId, used: &Used) -> FsResult<bool> {
        let mut query = map_from(node, used.page, &self.record.scale);
        (query.last_page, query.rows_max) = (used.page, 2);
        // A page that can't be read uses nothing that could be known.
        let Some(view) = self.try_view(&Query { map: Some(query), ..Query::default() }).await? else {
            return Ok(false);
        };
        let is_used = view.map.rows.iter().any(|(_, row)| match row {
            MapRow::Page { extents, .. } => extents.iter().any(|extent| {
                matches!(extent, dittofs_domain::content::Extent::Stored { from, .. }
                    if from.object == used.from.object && from.block == used.from.block)
            }),
            MapRow::Holes { .. } => false,
        });
        Ok(is_used)
    }
}

fn judge_use(node: NodeId, used: &Used, record: Option<ObjectRecord>) -> Option<Finding> {
    let object = used.from.object;
    match record {
        Some(record) if record.state != ObjectState::Live => {
            Some(Finding::ObjectNotLive { object, state: Some(record.state), node })
        }
        Some(record) if !is_inside(used, record.bytes) => {
            Some(Finding::OutsideObject { node, page: used.page, object })
        }
        Some(_) => None,
        None => Some(Finding::ObjectNotLive { object, state: None, node }),
    }
}

fn is_inside(used: &Used, bytes: u64) -> bool {
    used.from.block.at.saturating_add(u64::from(used.from.block.stored_len)) <= bytes
}
