//! The choices of a client: a few names, nodes and places, so that much collides.

use std::ops::Range;

use dittofs_domain::{NodeId, NodeKind};

use super::Client;

/// Names in each directory.
const NAMES: u64 = 5;
const DIRECTORIES_MAX: usize = 4;

impl Client {
    pub(super) fn name(&mut self) -> u8 {
        self.random.below(NAMES) as u8
    }

    /// A node of some kind: one that may have a name, or now and then one of old.
    fn node(&mut self, fits: impl Fn(NodeKind) -> bool) -> Option<(NodeId, [u8; 32])> {
        let mut oracle = self.world.oracle.lock();
        let now = oracle.now();
        let old = self.random.percent(4);
        let fitting = oracle.nodes.iter().filter(|(_, node)| fits(node.kind));
        let all: Vec<(NodeId, [u8; 32])> = fitting
            .filter(|(id, _)| old || oracle.tree.may_be_linked(**id, now))
            .map(|(id, node)| (*id, node.handle))
            .collect();
        drop(oracle);
        if all.is_empty() { None } else { Some(self.random.of(&all)) }
    }

    pub(super) fn file(&mut self) -> Option<(NodeId, [u8; 32])> {
        self.node(|kind| kind == NodeKind::File)
    }

    pub(super) fn any(&mut self) -> Option<(NodeId, [u8; 32])> {
        self.node(|_| true)
    }

    pub(super) fn not_directory(&mut self) -> Option<(NodeId, [u8; 32])> {
        self.node(|kind| kind != NodeKind::Directory)
    }

    pub(super) fn directory(&mut self) -> (NodeId, [u8; 32]) {
        let found = self.node(|kind| kind == NodeKind::Directory);
        found.unwrap_or_else(|| (NodeId::ROOT, self.world.oracle.lock().nodes[&NodeId::ROOT].handle))
    }

    /// Chooses the kind of a node to make.
    pub(super) fn kind(&mut self) -> NodeKind {
        let mut oracle = self.world.oracle.lock();
        let now = oracle.now();
        let directories = oracle.nodes.iter().filter(|(_, node)| node.kind == NodeKind::Directory);
        let many = directories.filter(|(id, _)| oracle.tree.may_be_linked(**id, now)).count() >= DIRECTORIES_MAX;
        drop(oracle);
        match self.random.below(10) {
            0 => NodeKind::Symlink,
            1..4 if !many => NodeKind::Directory,
            _ => NodeKind::File,
        }
    }

    /// A place in a file: mostly near its start, sometimes at the edge of a page, a region or a chunk.
    pub(super) fn offset(&mut self) -> u64 {
        let scale = self.world.scale;
        let near = self.random.below(3_000);
        let edge = |of: u64| of.saturating_sub(1_500) + near;
        match self.random.below(26) {
            0..4 => 0,
            4..9 => self.random.below(20_000),
            9..14 => self.random.below(300_000),
            14..16 => self.random.below(64) * 4_096,
            16..18 => edge(scale.page()),
            18 => 3 * scale.page() + near,
            19..21 => edge((1 + self.random.below(4)) * scale.region()),
            21 => edge(scale.object_bytes),
            22 => edge((1 + self.random.below(3)) * scale.chunk_bytes),
            // So far that one plan does not hold it and what is near the start.
            _ => edge((8 + self.random.below(4)) * scale.chunk_bytes),
        }
    }

    pub(super) fn length(&mut self) -> u64 {
        match self.random.below(16) {
            0..2 => 1 + self.random.below(16),
            2..6 => 1 + self.random.below(5_000),
            6..8 => 4_096,
            8..12 => 1 + self.random.below(40_000),
            12..15 => 1 + self.random.below(140_000),
            _ => 1 + self.random.below(400_000),
        }
    }

    pub(super) fn range(&mut self) -> Range<u64> {
        let offset = self.offset();
        offset..offset + self.length()
    }
}
