//! The split of a flush into batches. Each batch becomes an object.
//!
//! Several batches are on their way to the store at once, and they arrive in any order. A flush writes a region
//! together with the stored bytes next to the new ones ([`super::rewrite`]). Two batches with parts of one region would
//! each carry old bytes of the other's part, and the later one would put them over the new ones. Therefore a region is
//! taken whole or not at all: it is in one batch, and a batch ends where less than a region's room is left.

use std::collections::VecDeque;

use super::Policy;
use crate::{id::NodeId, scale::Scale};

/// The room that something takes in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cost {
    /// Bytes, without heads.
    pub bytes: u64,
    /// Blocks.
    pub blocks: usize,
}

/// The next step of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Takes the first region of a node at or behind an offset, and says so with [`Cutter::took`]; or, where there is
    /// none, with [`Cutter::finished`].
    Take {
        /// The node.
        node: NodeId,
        /// The offset: the start of the file, or the end of the last region.
        from: u64,
    },
    /// Puts what was taken since the last time: a batch is full. It is not empty.
    Put,
    /// Puts what was taken since the last time, which may be nothing: nothing is left to take.
    Done,
}

/// Decides what a flush of some nodes takes, in which order, and where an object ends. Each region of each node is
/// taken at most once.
#[derive(Clone, Debug)]
pub struct Cutter {
    nodes: VecDeque<NodeId>,
    /// Where to go on in the first of them.
    from: u64,
    batch_max: Cost,
    region_bytes: u64,
    /// The cost of the current batch.
    batch: Cost,
}

impl Cutter {
    /// For these nodes, none of them twice.
    pub fn new(nodes: impl IntoIterator<Item = NodeId>, policy: &Policy, scale: &Scale) -> Cutter {
        let batch_max = Cost { bytes: policy.object_bytes_max, blocks: policy.object_blocks_max };
        Cutter {
            nodes: nodes.into_iter().collect(),
            from: 0,
            batch_max,
            region_bytes: scale.region(),
            batch: Cost::default(),
        }
    }

    /// Returns the next step.
    pub fn step(&self) -> Step {
        match self.nodes.front() {
            None => Step::Done,
            Some(_) if self.is_full() => Step::Put,
            Some(node) => Step::Take { node: *node, from: self.from },
        }
    }

    /// The region of the first node that ends at `end` was taken whole, at this cost.
    pub fn took(&mut self, end: u64, cost: Cost) {
        self.batch.bytes = self.batch.bytes.saturating_add(cost.bytes);
        self.batch.blocks = self.batch.blocks.saturating_add(cost.blocks);
        self.from = end;
    }

    /// The first node has no more, or can't be taken from.
    pub fn finished(&mut self) {
        self.nodes.pop_front();
        self.from = 0;
    }

    /// The batch is put: the next one begins.
    pub fn put(&mut self) {
        self.batch = Cost::default();
    }

    /// Checks whether a region might no longer fit. A region that is written whole takes all of its bytes. How many
    /// they are shows only after its map was read, and by then the region is taken. The number of blocks may exceed its
    /// limit by the blocks of one region.
    fn is_full(&self) -> bool {
        let is_begun = self.batch != Cost::default();
        let room = self.batch_max.bytes.saturating_sub(self.batch.bytes);
        is_begun && (room < self.region_bytes || self.batch.blocks >= self.batch_max.blocks)
    }
}

#[cfg(test)]
mod tests;
