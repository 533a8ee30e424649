//! The facts that a check keeps of every node of a share: 40 bytes each.

use xxhash_rust::xxh3::xxh3_64;

use crate::{
    id::{NodeId, ObjectId},
    node::{Node, NodeFlags, NodeKind},
};

/// Nodes of one piece of the table, so that it grows without being copied.
const CHUNK: usize = 4_096;

/// Bits of [`NodeFacts::marks`].
const UNLINKED: u8 = 1;
const TRUNCATION_PENDING: u8 = 2;
const NOTED: u8 = 4;
const ON_PATH: u8 = 8;
const DONE: u8 = 16;
const STREAMS: u8 = 32;
const DAMAGED: u8 = 64;
const XATTRS_IN_DOUBT: u8 = 128;

/// The facts that a check keeps of a node.
#[derive(Clone, Copy, Debug)]
pub struct NodeFacts {
    /// The node.
    pub id: NodeId,
    /// A directory in which an entry leads to it; 0 without one.
    pub found_in: NodeId,
    /// 0 if its references are those of its rows: the sum of the ones' digests less that of the others'.
    pub references: u64,
    /// Entries that lead to it.
    pub entries: u32,
    /// Its link count as stored.
    pub links: u32,
    /// What its extended attributes count for, as stored.
    pub xattr_bytes: u32,
    /// The kind of the node.
    pub kind: NodeKind,
    /// Whether its map can be read, so that its references are known.
    pub is_readable: bool,
    marks: u8,
}

impl NodeFacts {
    /// Whether it has been removed.
    pub fn is_unlinked(&self) -> bool {
        self.marks & UNLINKED != 0
    }

    /// Whether it is noted as removed.
    pub fn is_noted(&self) -> bool {
        self.marks & NOTED != 0
    }

    /// Whether a truncation is pending.
    pub fn has_pending_truncation(&self) -> bool {
        self.marks & TRUNCATION_PENDING != 0
    }

    /// Whether it may have named streams.
    pub fn has_streams(&self) -> bool {
        self.marks & STREAMS != 0
    }

    /// Whether what it says of its extended attributes is in doubt, after the attributes themselves were listed.
    pub fn are_xattrs_in_doubt(&self) -> bool {
        self.marks & XATTRS_IN_DOUBT != 0 || self.xattr_bytes != 0
    }

    /// Notes that extended attributes are there that count for so much: whether that is what it says.
    pub fn xattrs_are_listed(&mut self, bytes: Option<u32>) -> bool {
        let is_right = bytes == Some(self.xattr_bytes) && self.marks & XATTRS_IN_DOUBT == 0;
        if is_right {
            self.xattr_bytes = 0;
        }
        is_right
    }

    /// Whether its row is damaged: no more than its id is known of it then.
    pub fn is_damaged(&self) -> bool {
        self.marks & DAMAGED != 0
    }

    /// Whether it may have entries.
    pub fn may_be_directory(&self) -> bool {
        self.kind == NodeKind::Directory || self.is_damaged()
    }

    /// Notes that it is in the list of removed nodes.
    pub fn note(&mut self) {
        self.marks |= NOTED;
    }

    /// Notes that it is in the list of pending truncations, which is then done with.
    pub fn pending_truncation_is_listed(&mut self) {
        self.marks &= !TRUNCATION_PENDING;
    }

    /// Whether the entries that were counted are not those that it should have.
    pub fn is_suspicious(&self) -> bool {
        if self.is_damaged() {
            return false;
        }
        let expected = match self.kind {
            _ if self.id == NodeId::ROOT || self.is_unlinked() => 0,
            NodeKind::Directory | NodeKind::Stream => 1,
            _ => self.links,
        };
        self.entries != expected || (self.entries == 0 && !self.is_unlinked() && self.id != NodeId::ROOT)
    }
}

/// All nodes of a share.
#[derive(Debug, Default)]
pub struct NodeTable {
    /// In the order of their ids. Pieces, so that growing never copies all of it.
    chunks: Vec<Vec<NodeFacts>>,
    len: u64,
    damaged: u64,
}

impl NodeTable {
    /// Adds a node, whose id is above all others'.
    pub fn push(&mut self, node: &Node) {
        let mark = |flag: bool, bit: u8| if flag { bit } else { 0 };
        self.add(NodeFacts {
            id: node.id,
            found_in: NodeId(0),
            references: 0,
            entries: 0,
            links: node.links,
            xattr_bytes: node.xattr_bytes,
            kind: node.kind,
            is_readable: true,
            marks: mark(node.flags.contains(NodeFlags::UNLINKED), UNLINKED)
                | mark(node.flags.contains(NodeFlags::STREAMS), STREAMS)
                | mark(node.pending_truncation.is_some(), TRUNCATION_PENDING)
                | mark(node.flags.contains(NodeFlags::XATTRS) != (node.xattr_bytes > 0), XATTRS_IN_DOUBT),
        });
    }

    /// Adds a node whose row is damaged, and whose id is above all others'. It may be a directory and have streams.
    pub fn push_damaged(&mut self, id: NodeId) {
        self.damaged += 1;
        self.add(NodeFacts {
            id,
            found_in: NodeId(0),
            references: 0,
            entries: 0,
            links: 0,
            xattr_bytes: 0,
            kind: NodeKind::File,
            is_readable: false,
            marks: DAMAGED | STREAMS,
        });
    }

    fn add(&mut self, facts: NodeFacts) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(facts),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(facts);
                self.chunks.push(chunk);
            }
        }
        self.len += 1;
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// How many of them are damaged.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A node.
    pub fn find(&self, id: NodeId) -> Option<&NodeFacts> {
        let (chunk, index) = self.position(id)?;
        self.chunks.get(chunk)?.get(index)
    }

    /// A node, to be changed.
    pub fn find_mut(&mut self, id: NodeId) -> Option<&mut NodeFacts> {
        let (chunk, index) = self.position(id)?;
        self.chunks.get_mut(chunk)?.get_mut(index)
    }

    /// All nodes in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &NodeFacts> {
        self.chunks.iter().flatten()
    }

    /// About how many nodes have lower ids.
    pub fn rank(&self, id: NodeId) -> u64 {
        let before = self.chunks.partition_point(|chunk| chunk.last().is_some_and(|last| last.id < id));
        (before * CHUNK) as u64
    }

    /// The first node after one that may have entries.
    pub fn with_entries_after(&self, after: NodeId) -> Option<NodeFacts> {
        let chunk = self.chunks.partition_point(|chunk| chunk.last().is_some_and(|last| last.id <= after));
        let nodes = self.chunks.iter().skip(chunk).flatten();
        let has_entries = |facts: &&NodeFacts| facts.may_be_directory() || facts.has_streams();
        nodes.filter(|facts| facts.id > after).find(has_entries).copied()
    }

    /// Counts an entry that leads to a node; one that the table does not know came later, and is left out.
    pub fn count_entry(&mut self, directory: NodeId, node: NodeId) {
        if let Some(facts) = self.find_mut(node) {
            facts.entries = facts.entries.saturating_add(1);
            facts.found_in = directory;
        }
    }

    /// Directories that lead to each other in a circle: for each circle its members, each in the one after it.
    pub fn circles(&mut self) -> Vec<Vec<NodeId>> {
        let mut circles = Vec::new();
        let mut path = Vec::new();
        for chunk in 0..self.chunks.len() {
            for index in 0..self.chunks.get(chunk).map_or(0, Vec::len) {
                self.follow((chunk, index), &mut path, &mut circles);
            }
        }
        circles
    }

    /// Goes from a directory towards the root, until it reaches a directory that it has met before.
    fn follow(&mut self, start: (usize, usize), path: &mut Vec<(usize, usize)>, circles: &mut Vec<Vec<NodeId>>) {
        path.clear();
        let mut next = Some(start);
        while let Some((chunk, index)) = next {
            let Some(facts) = self.chunks.get_mut(chunk).and_then(|chunk| chunk.get_mut(index)) else { break };
            if facts.kind != NodeKind::Directory || facts.marks & DONE != 0 {
                break;
            }
            if facts.marks & ON_PATH != 0 {
                let from = path.iter().position(|place| *place == (chunk, index)).unwrap_or(0);
                let members = path.iter().skip(from).filter_map(|(c, i)| Some(self.chunks.get(*c)?.get(*i)?.id));
                circles.push(members.collect());
                break;
            }
            facts.marks |= ON_PATH;
            path.push((chunk, index));
            let above = (facts.id != NodeId::ROOT).then_some(facts.found_in);
            next = above.and_then(|above| self.position(above));
        }
        for (chunk, index) in path.drain(..) {
            if let Some(facts) = self.chunks.get_mut(chunk).and_then(|chunk| chunk.get_mut(index)) {
                facts.marks = facts.marks & !ON_PATH | DONE;
            }
        }
    }

    fn position(&self, id: NodeId) -> Option<(usize, usize)> {
        let after = self.chunks.partition_point(|chunk| chunk.first().is_some_and(|first| first.id <= id));
        let chunk = after.checked_sub(1)?;
        let index = self.chunks.get(chunk)?.binary_search_by_key(&id, |facts| facts.id).ok()?;
        Some((chunk, index))
    }
}

/// A number that stands for a reference in a sum over many.
pub fn reference_digest(object: ObjectId, node: NodeId, chunk: u64) -> u64 {
    let mut bytes = [0; 32];
    let (of_object, rest) = bytes.split_at_mut(16);
    let (of_node, of_chunk) = rest.split_at_mut(8);
    of_object.copy_from_slice(&object.0.to_le_bytes());
    of_node.copy_from_slice(&node.0.to_le_bytes());
    of_chunk.copy_from_slice(&chunk.to_le_bytes());
    xxh3_64(&bytes)
}
