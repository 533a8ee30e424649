//! How the ranges that are written become blocks, and blocks objects.

use std::ops::Range;

use super::{Policy, REGION_BYTES};
use crate::{
    content::block::head_len,
    content::object::{BLOCK_ALIGNMENT, OBJECT_HEAD_LEN},
    id::NodeId,
};

/// A block to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPlan {
    /// The file.
    pub node: NodeId,
    /// Where it starts in the file.
    pub offset: u64,
    /// Its bytes.
    pub len: u32,
}

/// An object to be made.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ObjectPlan {
    /// Its blocks, in order.
    pub blocks: Vec<BlockPlan>,
}

impl ObjectPlan {
    /// The most bytes that it takes.
    pub fn bytes(&self) -> u64 {
        self.blocks.iter().map(stored_bytes).sum::<u64>() + OBJECT_HEAD_LEN
    }
}

/// Cuts a file's ranges, in order and disjoint, into blocks. Blocks end where a 4 MiB region ends, so none reaches into
/// another chunk, and a region that is written whole is one block.
pub fn blocks(node: NodeId, ranges: &[Range<u64>]) -> Vec<BlockPlan> {
    let mut out = Vec::new();
    for range in ranges {
        let mut offset = range.start;
        while offset < range.end {
            let region_end = (offset / REGION_BYTES + 1).saturating_mul(REGION_BYTES);
            let end = range.end.min(region_end);
            out.push(BlockPlan { node, offset, len: (end - offset) as u32 });
            offset = end;
        }
    }
    out
}

/// Packs blocks, in their order, into as few objects as the policy's limits allow, of about equal length: so that
/// where there is enough for several, none is small.
pub fn pack(blocks: &[BlockPlan], policy: &Policy) -> Vec<ObjectPlan> {
    let total: u64 = blocks.iter().map(stored_bytes).sum();
    let room = policy.object_bytes_max.saturating_sub(OBJECT_HEAD_LEN).max(1);
    let target = total.div_ceil(total.div_ceil(room).max(1));
    let mut out: Vec<ObjectPlan> = Vec::new();
    let mut filled = 0;
    for block in blocks {
        let bytes = stored_bytes(block);
        match out.last_mut() {
            Some(object)
                if filled < target && filled + bytes <= room && object.blocks.len() < policy.object_blocks_max =>
            {
                object.blocks.push(*block);
                filled += bytes;
            }
            _ => {
                out.push(ObjectPlan { blocks: vec![*block] });
                filled = bytes;
            }
        }
    }
    out
}

fn stored_bytes(block: &BlockPlan) -> u64 {
    (u64::from(block.len) + u64::from(head_len(block.len))).next_multiple_of(BLOCK_ALIGNMENT)
}

#[cfg(test)]
mod tests;
