//! A reference model: a file system in memory that is obviously right, written from POSIX and RFC 1813 and not from the
//! domain's rules, and a machine that runs random sequences of operations against it and against the services.
//!
//! The model shares with the system only the words of requests and answers. It counts names by looking for them, keeps
//! contents as bytes, and says of times only whether they must move.

mod attributes;
mod check;
mod content;
mod names;
mod permission;
mod random;
mod run;
mod shrink;
mod sparse;
mod steps;

pub use content::Content;
pub use random::Random;
pub use run::{Outcomes, Past, end, live, run};
pub use shrink::shrink;
pub use steps::{Op, Step, sequence};

use std::collections::BTreeMap;

use dittofs_domain::{
    Credentials, Name, NodeId, NodeKind, Timestamp,
    error::{FsError, FsResult},
    node::Device,
};

/// The value that a time must have after a change, or its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// This.
    At(Timestamp),
    /// The clock's time, or later where the clock went back: at most the time of change.
    Clock(Timestamp),
    /// Later than it was, and not before the clock's time.
    Later(Timestamp),
}

/// A time, and how often it was changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub(crate) to: Moment,
    pub(crate) times: u64,
}

/// A node of the model.
#[derive(Clone, Debug)]
pub(crate) struct ModelNode {
    pub(crate) kind: NodeKind,
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) entries: BTreeMap<Name, NodeId>,
    pub(crate) target: Vec<u8>,
    pub(crate) device: Device,
    pub(crate) verifier: Option<[u8; 8]>,
    pub(crate) content: Content,
    pub(crate) atime: Moved,
    pub(crate) mtime: Moved,
    /// How often anything of it was changed: its time of change has moved as often.
    pub(crate) changes: u64,
}

/// The file system.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// All nodes that have a name; the numbers are the system's.
    pub(crate) nodes: BTreeMap<NodeId, ModelNode>,
    /// The time of the clock.
    pub(crate) now: Timestamp,
}

impl Moved {
    fn to(&mut self, to: Moment) {
        *self = Moved { to, times: self.times + 1 };
    }
}

impl Model {
    /// An empty one, whose root everybody may write to.
    pub(crate) fn new(now: Timestamp) -> Model {
        let mut model = Model { nodes: BTreeMap::new(), now };
        let root = model.blank(NodeKind::Directory, 0o777, 0, 0);
        model.nodes.insert(NodeId::ROOT, root);
        model
    }

    fn blank(&self, kind: NodeKind, mode: u16, uid: u32, gid: u32) -> ModelNode {
        let now = Moved { to: Moment::At(self.now), times: 0 };
        ModelNode {
            kind,
            mode,
            uid,
            gid,
            entries: BTreeMap::new(),
            target: Vec::new(),
            device: Device::default(),
            verifier: None,
            content: Content::default(),
            atime: now,
            mtime: now,
            changes: 0,
        }
    }

    /// A node that has a name.
    pub(crate) fn node(&self, id: NodeId) -> FsResult<&ModelNode> {
        self.nodes.get(&id).ok_or(FsError::Stale)
    }

    fn node_mut(&mut self, id: NodeId) -> &mut ModelNode {
        self.nodes.get_mut(&id).expect("the node was looked at before")
    }

    /// The directory that a directory is in; the root is in itself.
    pub(crate) fn parent(&self, id: NodeId) -> NodeId {
        let holds = |node: &ModelNode| node.entries.values().any(|child| *child == id);
        self.nodes.iter().find(|(_, node)| holds(node)).map_or(NodeId::ROOT, |(parent, _)| *parent)
    }

    /// Names of a node; of a directory: its own, its `.`, and the `..` of each directory in it.
    pub(crate) fn links(&self, id: NodeId) -> u32 {
        let node = &self.nodes[&id];
        if node.kind == NodeKind::Directory {
            let inside = node.entries.values().filter(|child| self.nodes[*child].kind == NodeKind::Directory);
            return 2 + inside.count() as u32;
        }
        let names = self.nodes.values().flat_map(|node| node.entries.values()).filter(|child| **child == id);
        names.count() as u32
    }

    /// The size that is shown.
    pub(crate) fn size(&self, id: NodeId) -> u64 {
        let node = &self.nodes[&id];
        if node.kind == NodeKind::Symlink { node.target.len() as u64 } else { node.content.size() }
    }

    /// Whether a directory is another one or somewhere in it.
    fn is_within(&self, mut inner: NodeId, outer: NodeId) -> bool {
        while inner != outer {
            if inner == NodeId::ROOT {
                return false;
            }
            inner = self.parent(inner);
        }
        true
    }

    /// Notes that a directory's entries changed.
    fn entries_changed(&mut self, directory: NodeId) {
        let now = self.now;
        let node = self.node_mut(directory);
        node.mtime.to(Moment::Later(now));
        node.changes += 1;
    }

    /// A directory in which the caller may look names up.
    pub(crate) fn searched(&self, id: NodeId, who: &Credentials) -> FsResult<&ModelNode> {
        let directory = self.node(id)?;
        if directory.kind != NodeKind::Directory {
            return Err(FsError::NotDirectory);
        }
        if !directory.lets(who, permission::EXECUTE) {
            return Err(FsError::Access);
        }
        Ok(directory)
    }
}
