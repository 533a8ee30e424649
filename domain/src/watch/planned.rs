//! The changes of a plan, for those who watch.

use smallvec::SmallVec;

use super::{ChangeAction, ChangeKinds};
use crate::{
    id::NodeId,
    name::Name,
    node::{Node, NodeFlags, NodeKind, Parent},
    plan::{Applied, Change, EntryKey, Expectation, NodeUpdate, Plan, Space, TimeChange},
};

/// The names and attributes that a plan changes for clients. Whether it was applied is not known yet.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PlannedChanges {
    pub(super) removed: SmallVec<[(EntryKey, NodeId); 2]>,
    pub(super) added: SmallVec<[(EntryKey, NodeId); 1]>,
    pub(super) modified: SmallVec<[(NodeId, ChangeKinds); 1]>,
    /// Names of streams that go and come.
    streams: SmallVec<[(EntryKey, ChangeAction); 1]>,
}

/// Where something has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A name in a directory.
    Name {
        /// The directory.
        directory: NodeId,
        /// The name.
        name: Name,
    },
    /// A node, by the entry that leads to it.
    Node(Parent),
    /// A stream, by its entry in its file.
    Stream(Parent),
    /// A name of a stream.
    StreamName {
        /// The entry that leads to its file.
        file: Parent,
        /// The name.
        name: Name,
    },
}

/// A change, before it is known who watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryChange {
    /// Where.
    pub subject: Subject,
    /// The node that has the name, or had it.
    pub node: NodeId,
    /// The fate of the name.
    pub action: ChangeAction,
    /// The kinds of changes.
    pub kinds: ChangeKinds,
}

impl EntryChange {
    /// A node was modified.
    pub fn modified(node: &Node, kinds: ChangeKinds) -> EntryChange {
        if node.kind == NodeKind::Stream {
            let (subject, kinds) = (Subject::Stream(node.parent), of_stream(kinds));
            return EntryChange { subject, node: node.id, action: ChangeAction::ModifiedStream, kinds };
        }
        EntryChange { subject: Subject::Node(node.parent), node: node.id, action: ChangeAction::Modified, kinds }
    }
}

impl PlannedChanges {
    /// Those of a plan. Flushes, repairs and other work behind the scenes change nothing that clients were not shown
    /// already: such updates do not advance the time of change.
    pub fn of(plan: &Plan) -> PlannedChanges {
        let mut planned = PlannedChanges::default();
        for change in &plan.changes {
            match change {
                Change::InsertEntry { key, node, .. } if key.space == Space::Children => {
                    planned.added.push((key.clone(), *node));
                }
                Change::DeleteEntry(key) if key.space == Space::Children => {
                    planned.removed.extend(leads_to(plan, key).map(|node| (key.clone(), node)));
                }
                Change::InsertEntry { key, .. } => planned.streams.push((key.clone(), ChangeAction::AddedStream)),
                Change::DeleteEntry(key) if key.space == Space::Streams => {
                    planned.streams.push((key.clone(), ChangeAction::RemovedStream));
                }
                Change::UpdateNode(node, update) => {
                    planned.modified.extend(Some((*node, kinds(update))).filter(|(_, kinds)| !kinds.is_empty()));
                }
                _ => {}
            }
        }
        planned
    }

    /// Whether clients see no change.
    pub fn is_empty(&self) -> bool {
        let names = self.removed.is_empty() && self.added.is_empty() && self.streams.is_empty();
        names && self.modified.is_empty()
    }

    /// All that may have changed, whatever kind of nodes the names lead to.
    pub fn kinds(&self) -> ChangeKinds {
        let names = match self.removed.is_empty() && self.added.is_empty() {
            true => ChangeKinds::empty(),
            // A rename tells of more than the name.
            false => NAMES.union(RENAMED),
        };
        let streams = if self.streams.is_empty() { ChangeKinds::empty() } else { ChangeKinds::STREAM_NAME };
        // Whether a node is a stream is not known yet.
        self.modified.iter().fold(names | streams, |all, (_, kinds)| all | *kinds | of_stream(*kinds))
    }

    /// The changes, in the order in which watchers are told, once the plan was applied.
    pub fn applied(&self, applied: &Applied) -> Vec<EntryChange> {
        let mut changes = Vec::new();
        // A name that a rename takes from something else goes first. The last one of a node is what it is renamed from.
        let renamed_from = |node: NodeId| self.removed.iter().rposition(|(_, of)| *of == node);
        let is_added = |node: NodeId| self.added.iter().any(|(_, of)| *of == node);
        for (at, (key, node)) in self.removed.iter().enumerate() {
            if !(is_added(*node) && renamed_from(*node) == Some(at)) {
                changes.push(named(key, *node, ChangeAction::Removed, name_kind(applied, *node)));
            }
        }
        for (key, node) in &self.added {
            let kind = name_kind(applied, *node);
            let Some((old, _)) = renamed_from(*node).and_then(|at| self.removed.get(at)) else {
                changes.push(named(key, *node, ChangeAction::Added, kind));
                continue;
            };
            let (from, to) = match old.directory == key.directory {
                true => (ChangeAction::RenamedFrom, ChangeAction::RenamedTo),
                false => (ChangeAction::Removed, ChangeAction::Added),
            };
            changes.extend([named(old, *node, from, kind), named(key, *node, to, kind)]);
            if kind == ChangeKinds::FILE_NAME {
                changes.push(named(key, *node, ChangeAction::Modified, RENAMED));
            }
        }
        for (node, kinds) in &self.modified {
            let after = applied.node(*node).and_then(|touched| touched.after.as_ref());
            changes.extend(after.map(|node| EntryChange::modified(node, *kinds)));
        }
        for (key, action) in &self.streams {
            let touched = applied.node(key.directory);
            let Some(file) = touched.and_then(|touched| touched.after.as_ref()) else { continue };
            let subject = Subject::StreamName { file: file.parent, name: key.name.clone() };
            changes.push(EntryChange { subject, node: file.id, action: *action, kinds: ChangeKinds::STREAM_NAME });
        }
        changes
    }

    /// The directories that have lost their name: who watches them is not told of anything any more.
    pub fn removed_directories<'p>(&'p self, applied: &'p Applied) -> impl Iterator<Item = NodeId> + 'p {
        let is_added = |node: NodeId| self.added.iter().any(|(_, of)| *of == node);
        let removed = self.removed.iter().map(|(_, node)| *node);
        removed.filter(move |node| !is_added(*node) && name_kind(applied, *node).contains(ChangeKinds::DIRECTORY_NAME))
    }
}

const NAMES: ChangeKinds = ChangeKinds::FILE_NAME.union(ChangeKinds::DIRECTORY_NAME);
/// Windows tells of these, besides the names, where what is no directory is renamed. There are clients that look at
/// them only.
const RENAMED: ChangeKinds = ChangeKinds::ATTRIBUTES.union(ChangeKinds::CREATION);

/// The kinds of changes of a node that is a stream: it has nothing else of its own.
fn of_stream(kinds: ChangeKinds) -> ChangeKinds {
    let pairs = [(ChangeKinds::SIZE, ChangeKinds::STREAM_SIZE), (ChangeKinds::LAST_WRITE, ChangeKinds::STREAM_WRITE)];
    pairs.into_iter().filter(|(own, _)| kinds.contains(*own)).map(|(_, stream)| stream).collect()
}

fn named(key: &EntryKey, node: NodeId, action: ChangeAction, kinds: ChangeKinds) -> EntryChange {
    let subject = Subject::Name { directory: key.directory, name: key.name.clone() };
    EntryChange { subject, node, action, kinds }
}

/// Where an entry leads that a plan removes: each such plan demands it.
fn leads_to(plan: &Plan, removed: &EntryKey) -> Option<NodeId> {
    plan.expectations.iter().find_map(|expectation| match expectation {
        Expectation::EntryIs { key, node, .. } if key == removed => Some(*node),
        _ => None,
    })
}

fn name_kind(applied: &Applied, node: NodeId) -> ChangeKinds {
    let touched = applied.node(node);
    let found = touched.and_then(|touched| touched.before.as_ref().or(touched.after.as_ref()));
    match found.map(|node| node.kind) {
        Some(NodeKind::Directory) => ChangeKinds::DIRECTORY_NAME,
        Some(_) => ChangeKinds::FILE_NAME,
        // It is gone, and nobody knows what it was.
        None => NAMES,
    }
}

/// The changes of an update that clients see. The times that a directory gets with its entries are not told of: the
/// entries are.
fn kinds(update: &NodeUpdate) -> ChangeKinds {
    if update.ctime != TimeChange::Advance {
        return ChangeKinds::empty();
    }
    let flags = update.set_flags | update.clear_flags;
    let owner = update.uid.is_some() || update.gid.is_some() || update.raise_permission_version;
    let all = [
        (update.mode.is_some() || update.dos_attributes.is_some(), ChangeKinds::ATTRIBUTES),
        (update.size.is_some(), ChangeKinds::SIZE),
        (matches!(update.mtime, TimeChange::Set(_)), ChangeKinds::LAST_WRITE),
        (matches!(update.atime, TimeChange::Set(_)), ChangeKinds::LAST_ACCESS),
        (update.birth.is_some(), ChangeKinds::CREATION),
        (flags.contains(NodeFlags::XATTRS), ChangeKinds::EXTENDED_ATTRIBUTES),
        (owner || update.mode.is_some() || flags.contains(NodeFlags::ACL), ChangeKinds::SECURITY),
    ];
    all.into_iter().filter(|(has, _)| *has).map(|(_, kinds)| kinds).collect()
}
