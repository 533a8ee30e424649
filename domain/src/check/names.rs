//! Judges a node by the entries that lead to it.

use super::Finding;
use crate::{
    id::{Cookie, NodeId},
    node::{Node, NodeKind, Parent},
    plan::{EntryKey, FOLDED_MAX, Folded, Found},
};

/// An entry that leads to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntrySeen {
    /// The entry.
    pub key: EntryKey,
    /// Its cookie.
    pub cookie: Cookie,
}

impl EntrySeen {
    /// Its place.
    pub fn place(&self) -> Parent {
        Parent { directory: self.key.directory, cookie: self.cookie }
    }
}

/// All entries that lead to a node.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// How many there are.
    pub count: u32,
    /// Some of them.
    pub entries: Vec<EntrySeen>,
}

/// Returns what is wrong with a node to which exactly these entries lead.
pub fn judge_names(node: &Node, counted: &Counted) -> Vec<Finding> {
    let id = node.id;
    let one_too_many = |entry: &EntrySeen| Finding::SecondName { node: id, entry: entry.clone() };
    if id == NodeId::ROOT {
        return counted.entries.iter().map(one_too_many).collect();
    }
    let first = counted.entries.first();
    match (first, node.is_linked()) {
        (None, true) => vec![Finding::NoName { node: id }],
        (None, false) => Vec::new(),
        (Some(first), false) => {
            let found = counted.entries.iter().map(EntrySeen::place).find(|place| *place == node.parent);
            let found = found.unwrap_or(first.place());
            vec![Finding::NamedThoughRemoved { node: id, counted: counted.count, found }]
        }
        (Some(first), true) if has_one_name(node.kind) => {
            // The one that the node names stays; if it names none, the first one.
            let is_kept = counted.entries.iter().any(|entry| entry.place() == node.parent);
            let kept = if is_kept { node.parent } else { first.place() };
            counted.entries.iter().filter(|entry| entry.place() != kept).map(one_too_many).collect()
        }
        (Some(first), true) if counted.count != node.links => {
            let only = (counted.count == 1).then(|| first.place());
            vec![Finding::LinkCount { node: id, stored: node.links, counted: counted.count, only }]
        }
        _ => Vec::new(),
    }
}

/// Whether a node to which an entry leads, seen at the same instant, names another one.
pub fn judge_parent(node: &Node, found: Parent) -> Option<Finding> {
    let exact = match node.kind {
        NodeKind::Directory => true,
        _ => node.links == 1 && node.parent.cookie != Cookie::START,
    };
    // Other findings report a node that is removed, or that has several names though it must not.
    let is_wrong = exact && node.id != NodeId::ROOT && node.is_linked() && node.parent != found;
    is_wrong.then_some(Finding::WrongParent { node: node.id, stored: node.parent, found })
}

/// Whether callers that ignore case miss an entry of this key: found by its name, but not among those that fold
/// alike, seen at the same instant.
pub fn judge_folded(key: &EntryKey, found: &Found, folded: &Folded) -> Option<Finding> {
    let cookies = || folded.entries.iter().map(|alike| alike.found.cookie);
    // Of many that fold alike only the oldest are brought.
    let is_beyond = folded.entries.len() >= FOLDED_MAX && cookies().all(|cookie| cookie < found.cookie);
    let is_there = is_beyond || cookies().any(|cookie| cookie == found.cookie);
    let entry = || EntrySeen { key: key.clone(), cookie: found.cookie };
    (!is_there).then(|| Finding::NotFolded { entry: entry(), node: found.node.id })
}

fn has_one_name(kind: NodeKind) -> bool {
    matches!(kind, NodeKind::Directory | NodeKind::Stream)
}
