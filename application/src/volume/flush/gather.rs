//! Taking what is unflushed of a node: what has changed, and what is written again beside it so that pages keep few
//! extents ([`dittofs_domain::flush`]).

use std::ops::Range;

use dittofs_domain::{
    ContentVersion, Node, NodeId, Sequence,
    content::{
        PAGE_BYTES,
        map::{self, Facts, Piece},
        slices::Slice,
    },
    error::FsResult,
    flush::{REGION_BYTES, Region, regions, rewrite},
    plan::{MapView, Query},
};

use crate::volume::Volume;

/// What is taken of one node for an object.
pub(in crate::volume) struct Gathered {
    pub(in crate::volume) node: NodeId,
    /// What was taken out of the index: in order, disjoint.
    pub(in crate::volume) ranges: Vec<Range<u64>>,
    /// The newest record then.
    pub(in crate::volume) up_to: Sequence,
    /// The content version then: where it has changed, what was taken may have been cut meanwhile.
    pub(in crate::volume) content_version: ContentVersion,
    /// Where the bytes are now; made when the object is built.
    pub(in crate::volume) pieces: Vec<Piece>,
    /// What becomes a block each.
    pub(super) parts: Vec<BlockParts>,
    /// Where to go on, if that was not all.
    pub(super) next: Option<u64>,
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
    /// Behind the stored end.
    Zeros(u64),
}

impl Gathered {
    /// Bytes that it takes in the object, without heads.
    pub(super) fn bytes(&self) -> u64 {
        self.parts.iter().map(|block| block.range.end - block.range.start).sum()
    }

    /// Takes nothing after all: it stays in the index.
    pub(super) fn give_up(&mut self) {
        self.pieces.clear();
        self.ranges.clear();
    }

    pub(super) fn blocks(&self) -> usize {
        self.parts.len()
    }
}

impl Volume {
    /// What a node has from an offset on, as far as there is room; none if nothing.
    pub(super) async fn gather_node(
        &self,
        node: NodeId,
        from: u64,
        bytes_max: u64,
        blocks_max: usize,
    ) -> FsResult<Option<Gathered>> {
        let _turn = self.turns.lock(node).await;
        let view = self.view(&Query::node(node)).await?;
        let Ok(stored) = self.live(&view, node) else {
            self.discard_pending(node).await;
            return Ok(None);
        };
        let Some(pending) = self.pending.find(node) else { return Ok(None) };
        let (taken, up_to, size) = {
            let pending = pending.lock();
            (pending.slices.runs(from, bytes_max), pending.newest(), pending.shown.size)
        };
        if taken.runs.is_empty() {
            return Ok(None);
        }
        let mut gathered = Gathered {
            node,
            ranges: Vec::new(),
            up_to: up_to.unwrap_or(taken.up_to),
            content_version: stored.content_version,
            pieces: Vec::new(),
            parts: Vec::new(),
            next: taken.next,
        };
        let slices: Vec<Slice> = taken.runs.iter().flat_map(|run| run.slices.iter().copied()).collect();
        for region in regions(&taken.runs) {
            // A region that is written again as a whole may need more room than what has changed of it.
            if gathered.bytes() + REGION_BYTES > bytes_max.max(REGION_BYTES) || gathered.blocks() >= blocks_max {
                gathered.next = region.changed.first().map(|range| range.start);
                break;
            }
            self.gather_region(stored, &slices, &region, size, &mut gathered).await?;
        }
        Ok(Some(gathered))
    }

    async fn gather_region(
        &self,
        stored: &Node,
        slices: &[Slice],
        region: &Region,
        size: u64,
        gathered: &mut Gathered,
    ) -> FsResult<()> {
        let failed = |error| self.map_failed(stored.id, &error);
        let facts = Facts::of(stored);
        let whole = region.start..region.start.saturating_add(REGION_BYTES).min(size.max(region.start + 1));
        let query = Query { map: Some(map::resolve_query(stored.id, &whole)), ..Query::default() };
        let rows = self.view(&query).await?.view.map;
        let mut pages = Vec::new();
        for number in whole.start / PAGE_BYTES..whole.end.div_ceil(PAGE_BYTES) {
            pages.push((number, map::page(&rows, &facts, number).map_err(failed)?));
        }
        for range in rewrite(region, &pages, size) {
            let parts = parts_of(slices, &rows, stored, range.clone()).map_err(failed)?;
            gathered.parts.push(BlockParts { range, parts });
        }
        gathered.ranges.extend(region.changed.iter().cloned());
        Ok(())
    }
}

/// Where the bytes of a range are: the newest of them in slices, which are in order and disjoint.
fn parts_of(
    slices: &[Slice],
    rows: &MapView,
    stored: &Node,
    range: Range<u64>,
) -> Result<Vec<BlockPart>, map::MapError> {
    let mut parts = Vec::new();
    let mut at = range.start;
    let first = slices.partition_point(|slice| slice.end() <= range.start);
    for slice in slices.iter().skip(first).take_while(|slice| slice.offset < range.end) {
        let Some(slice) = slice.cut(&range) else { continue };
        mapped(rows, stored, at..slice.offset, &mut parts)?;
        at = slice.end();
        parts.push(BlockPart::Slice(slice));
    }
    mapped(rows, stored, at..range.end, &mut parts)?;
    Ok(parts)
}

fn mapped(rows: &MapView, stored: &Node, range: Range<u64>, parts: &mut Vec<BlockPart>) -> Result<(), map::MapError> {
    if range.is_empty() {
        return Ok(());
    }
    let end = range.end.min(stored.size).max(range.start);
    let pieces = map::resolve(rows, stored.clip, stored.size, range.start..end)?;
    parts.extend(pieces.into_iter().map(BlockPart::Mapped));
    if end < range.end {
        parts.push(BlockPart::Zeros(range.end - end));
    }
    Ok(())
}
