//! The states that clients may see: everything that was acknowledged, and operations on their way.

mod bytes;
mod file;
mod names;
mod register;

pub(crate) use bytes::written;
pub(crate) use file::{FileModel, Mtime, Unstable};
pub(crate) use names::{Target, Tree};
pub(crate) use register::{Moment, OpNumber, Window};

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use dittofs_domain::{ChangeId, NodeId, NodeKind, Scale, Timestamp};

/// The known state of a node.
pub(crate) struct NodeModel {
    pub(crate) kind: NodeKind,
    pub(crate) handle: [u8; 32],
    pub(crate) file: FileModel,
    /// Symlinks.
    pub(crate) target: Vec<u8>,
    /// The newest count and time of change that were shown.
    pub(crate) seen: (ChangeId, Timestamp),
    /// The newest of a state that survives a crash.
    pub(crate) seen_durably: (ChangeId, Timestamp),
}

/// A clone whose end nobody has seen.
#[derive(Clone, Debug)]
pub(crate) struct CloneOnItsWay {
    pub(crate) window: Window,
    pub(crate) source: NodeId,
    pub(crate) range: Range<u64>,
    pub(crate) destination: NodeId,
    pub(crate) at: u64,
}

impl CloneOnItsWay {
    /// The range that it changes.
    pub(crate) fn written(&self) -> Range<u64> {
        self.at..self.at + (self.range.end - self.range.start)
    }
}

/// The whole share as clients know it.
pub(crate) struct Oracle {
    moment: Moment,
    op: OpNumber,
    windows: BTreeSet<(Moment, OpNumber)>,
    pub(crate) nodes: BTreeMap<NodeId, NodeModel>,
    pub(crate) tree: Tree,
    /// Write verifiers of earlier lives.
    pub(crate) old_verifiers: BTreeSet<u64>,
    /// Those of this life.
    pub(crate) verifiers: BTreeSet<u64>,
    /// The clone on its way: one at a time.
    pub(crate) clone: Option<CloneOnItsWay>,
    /// Losses of the journal that the model has taken into account.
    pub(crate) losses: u64,
    scale: Scale,
}

impl Oracle {
    pub(crate) fn new(root_handle: [u8; 32], scale: Scale) -> Oracle {
        let mut oracle = Oracle {
            moment: 1,
            op: 1,
            windows: BTreeSet::new(),
            nodes: BTreeMap::new(),
            tree: Tree::default(),
            old_verifiers: BTreeSet::new(),
            verifiers: BTreeSet::new(),
            clone: None,
            losses: 0,
            scale,
        };
        oracle.learn(NodeId::ROOT, NodeKind::Directory, root_handle);
        oracle
    }

    /// A new node.
    pub(crate) fn learn(&mut self, node: NodeId, kind: NodeKind, handle: [u8; 32]) {
        let model = NodeModel {
            kind,
            handle,
            file: FileModel::new(&self.scale),
            target: Vec::new(),
            seen: Default::default(),
            seen_durably: Default::default(),
        };
        self.nodes.insert(node, model);
    }

    /// An operation begins: what may be true from now on may be its answer.
    pub(crate) fn begin(&mut self) -> Window {
        self.moment += 1;
        self.op += 1;
        self.windows.insert((self.moment, self.op));
        Window { start: self.moment, op: self.op }
    }

    /// It has ended.
    pub(crate) fn end(&mut self, window: Window) -> Moment {
        self.moment += 1;
        self.windows.remove(&(window.start, window.op));
        self.moment
    }

    /// The time of the model now.
    pub(crate) fn now(&mut self) -> Moment {
        self.moment += 1;
        self.moment
    }

    /// The start of the oldest operation on its way.
    pub(crate) fn oldest(&self) -> Moment {
        self.windows.first().map_or(self.moment, |(start, _)| *start)
    }

    /// The clone on its way has ended: it has given what its source had at some moment since it began.
    pub(crate) fn resolve_clone(&mut self) {
        let Some(clone) = self.clone.take() else { return };
        let Some(source) = self.nodes.get_mut(&clone.source) else { return };
        let in_pieces = source.file.bytes.may_be_in_pieces(&clone.range);
        let sources = source.file.bytes.sources(&clone.range, clone.window.start, clone.at);
        let Some(destination) = self.nodes.get_mut(&clone.destination) else { return };
        if in_pieces {
            // Under a number that no operation has, so that it outlives the clone.
            destination.file.bytes.keep_apart(u64::MAX - clone.window.op, &clone.written());
        }
        for (range, sources) in sources {
            destination.file.bytes.resolve(clone.window.op, &range, &sources);
        }
    }

    /// The server stopped: what was not durable may be gone, what was on its way may have happened.
    pub(crate) fn crash(&mut self) {
        self.resolve_clone();
        let now = self.now();
        self.windows.clear();
        for node in self.nodes.values_mut() {
            node.file.crash(now);
            node.seen = node.seen_durably;
        }
        self.tree.crash(now);
        self.old_verifiers.append(&mut self.verifiers);
    }

    /// The journal lost records while the server ran: what was not durable may be gone.
    pub(crate) fn lose(&mut self) {
        let now = self.now();
        for node in self.nodes.values_mut() {
            node.file.lose(now);
            node.seen = node.seen_durably;
        }
    }
}
