//! Taking what is unflushed of a node: what has changed, and what is written again beside it so that pages keep few
//! extents ([`dittofs_domain::flush`]).

use std::ops::Range;

use dittofs_domain::{
    ContentVersion, Node, NodeId, Sequence,
    content::{
        map::{self, Facts, Piece, Source},
        slices::{Region, Slice},
    },
    error::FsResult,
    flush::{Cost, Cutter, Step, rewrite},
    plan::{MapView, Query},
};

use crate::volume::flusher::Flusher;

/// The bytes of one node that are taken for an object.
pub(in crate::volume) struct Gathered {
    pub(in crate::volume) node: NodeId,
    /// The ranges that were taken out of the index: in order, disjoint.
    pub(in crate::volume) ranges: Vec<Range<u64>>,
    /// The newest record at that time.
    pub(in crate::volume) up_to: Sequence,
    /// The record up to which all was in the map already.
    pub(in crate::volume) in_map: Sequence,
    /// The content version at that time. Where it has changed since, bytes that were taken may have been removed.
    pub(in crate::volume) content_version: ContentVersion,
    /// Where the bytes are now; set when the object is built.
    pub(in crate::volume) pieces: Vec<Piece>,
    /// The pieces that the map had for all that is in the blocks.
    pub(in crate::volume) base: Vec<Piece>,
    /// The parts that become a block each.
    pub(super) parts: Vec<BlockParts>,
}

/// The bytes of a block: in the journal, or where the map says.
pub(super) struct BlockParts {
    pub(super) range: Range<u64>,
    pub(super) parts: Vec<BlockPart>,
}

impl BlockParts {
    /// Only what was written, without what was to be written again beside it.
    pub(super) fn written(&self) -> Vec<BlockParts> {
        let mut blocks: Vec<BlockParts> = Vec::new();
        for part in &self.parts {
            let BlockPart::Slice(slice) = part else { continue };
            match blocks.last_mut() {
                Some(block) if block.range.end == slice.offset => {
                    block.range.end = slice.end();
                    block.parts.push(BlockPart::Slice(*slice));
                }
                _ => {
                    blocks.push(BlockParts { range: slice.offset..slice.end(), parts: vec![BlockPart::Slice(*slice)] })
                }
            }
        }
        blocks
    }
}

/// A part of a block.
pub(super) enum BlockPart {
    Slice(Slice),
    /// Of a range that was not written lately.
    Mapped(Piece),
}

impl Gathered {
    /// Bytes of the file that were taken.
    pub(super) fn bytes(&self) -> u64 {
        self.ranges.iter().map(|range| range.end - range.start).sum()
    }

    /// Takes nothing after all: it stays in the index.
    pub(super) fn give_up(&mut self) {
        self.pieces.clear();
        self.base.clear();
        self.ranges.clear();
    }
}

impl Flusher {
    /// Gathers what a node has from an offset on, region by region, as far as there is room; none if nothing.
    pub(super) async fn gather_node(&self, node: NodeId, from: u64, cutter: &mut Cutter) -> FsResult<Option<Gathered>> {
        let lock = self.locks.lock(node).await;
        self.plans.fit(&lock).await?;
        let view = self.nodes.view(&Query::node(node)).await?;
        let Ok(stored) = self.nodes.live(&view, node) else {
            self.write_back.discard_pending(node).await;
            cutter.finished();
            return Ok(None);
        };
        let Some(pending) = self.nodes.pending().find(node) else {
            cutter.finished();
            return Ok(None);
        };
        if pending.lock().slices.is_empty() {
            self.publish_nothing(&lock).await?;
            cutter.finished();
            return Ok(None);
        }
        let (up_to, in_map, size) = {
            let pending = pending.lock();
            (pending.newest().or(pending.slices.newest()).unwrap_or_default(), pending.in_map(), pending.shown.size)
        };
        let mut gathered = Gathered {
            node,
            ranges: Vec::new(),
            up_to,
            in_map,
            content_version: stored.content_version,
            pieces: Vec::new(),
            base: Vec::new(),
            parts: Vec::new(),
        };
        let mut next = from;
        // As long as the room is for this node.
        while cutter.step() == (Step::Take { node, from: next }) {
            let Some(region) = pending.lock().slices.region_from(next, self.share.scale()) else {
                cutter.finished();
                break;
            };
            next = region.end;
            let cost = self.gather_region(stored, &region, size, &mut gathered).await?;
            cutter.took(region.end, cost);
        }
        Ok((!gathered.parts.is_empty()).then_some(gathered))
    }

    async fn gather_region(
        &self,
        stored: &Node,
        region: &Region,
        size: u64,
        gathered: &mut Gathered,
    ) -> FsResult<Cost> {
        let failed = |error| self.share.map_failed(stored.id, &error);
        let facts = self.share.facts(stored);
        let whole = region.start..region.end.min(size.max(region.start + 1));
        let query = Query { map: Some(map::resolve_query(stored.id, &whole, self.share.scale())), ..Query::default() };
        let rows = self.nodes.view(&query).await?.view.map;
        let mut pages = Vec::new();
        for number in self.share.scale().page_of(whole.start)..self.share.scale().pages_of(whole.end) {
            pages.push((number, map::page(&rows, &facts, number).map_err(failed)?));
        }
        let changed = region.changed();
        let mut blocks = Vec::new();
        for range in rewrite(region.start, &changed, &pages, size, self.share.scale()) {
            let base = whole_range(&rows, &facts, range.clone()).map_err(failed)?;
            blocks.push(BlockParts { parts: parts_of(&region.slices, &base, &range), range });
            gathered.base.extend(base);
        }
        let bytes = blocks.iter().map(|block| block.range.end - block.range.start).sum();
        let cost = Cost { bytes, blocks: blocks.len() };
        gathered.parts.extend(blocks);
        gathered.ranges.extend(changed);
        Ok(cost)
    }
}

/// Returns what the map says of a range. Behind the stored end it is a hole.
fn whole_range(rows: &MapView, facts: &Facts, range: Range<u64>) -> Result<Vec<Piece>, map::MapError> {
    let end = range.end.min(facts.size).max(range.start);
    let mut pieces = map::resolve(rows, facts, range.start..end)?;
    if end < range.end {
        pieces.push(Piece { offset: end, len: range.end - end, source: Source::Hole });
    }
    Ok(pieces)
}

/// Where the bytes of a range are: in slices, which are in order and disjoint, and else where the map says.
fn parts_of(slices: &[Slice], base: &[Piece], range: &Range<u64>) -> Vec<BlockPart> {
    let mut parts = Vec::new();
    let mut at = range.start;
    let first = slices.partition_point(|slice| slice.end() <= range.start);
    for slice in slices.iter().skip(first).take_while(|slice| slice.offset < range.end) {
        let Some(slice) = slice.cut(range) else { continue };
        mapped(base, &(at..slice.offset), &mut parts);
        at = slice.end();
        parts.push(BlockPart::Slice(slice));
    }
    mapped(base, &(at..range.end), &mut parts);
    parts
}

fn mapped(base: &[Piece], gap: &Range<u64>, parts: &mut Vec<BlockPart>) {
    let first = base.partition_point(|piece| piece.end() <= gap.start);
    let base = base.iter().skip(first).take_while(|piece| piece.offset < gap.end);
    parts.extend(base.filter_map(|piece| piece.cut(gap)).map(BlockPart::Mapped));
}
