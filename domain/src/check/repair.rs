//! Plans that repair what records say of each other. None of them takes away anything that can be read, and none
//! invents content.

use std::sync::Arc;

use crate::{
    content::ReplayExclusions,
    error::FsResult,
    id::{ChangeId, ContentVersion, Cookie, NodeId, ObjectId, Sequence, Tree},
    name::Name,
    namespace::Fresh,
    node::{Device, Node, NodeFlags, NodeKind, Parent},
    plan::{
        Change, EntryKey, Expectation, LinkChange, NodeUpdate, ObjectRecord, ObjectState, Plan, Reference, Statistics,
        UnlinkedReason,
    },
    quota,
    time::Timestamp,
};

use super::EntrySeen;

/// Where nodes without a name get one, in the root directory.
pub const LOST_AND_FOUND: &str = "lost+found";
/// The mode of the folder. Data that was private must not become public.
const LOST_AND_FOUND_MODE: u16 = 0o700;

/// Sets a link count, and the entry that leads to the node if there is only one.
pub fn correct_links(node: &Node, links: u32, only: Option<Parent>, now: Timestamp) -> Plan {
    let update = NodeUpdate { links: LinkChange::Set(links), parent: only, ..NodeUpdate::changed() };
    update_unchanged(node, update, now)
}

/// Sets the entry that leads to a node.
pub fn correct_parent(node: &Node, found: Parent, now: Timestamp) -> Plan {
    let mut plan = update_unchanged(node, NodeUpdate { parent: Some(found), ..NodeUpdate::changed() }, now);
    if node.kind == NodeKind::Directory {
        plan.change(Change::RaiseTopology);
    }
    plan
}

/// Sets the count of a file's allocated bytes, in the share's sums as well.
pub fn correct_allocated(node: &Node, counted: u64, now: Timestamp) -> Plan {
    let allocated = i64::try_from(i128::from(counted) - i128::from(node.allocated)).unwrap_or(0);
    let mut plan = update_unchanged(node, NodeUpdate { allocated, ..NodeUpdate::default() }, now);
    plan.change(Change::Count(Statistics { bytes: allocated, nodes: 0 }));
    plan
}

/// Has a node say what its extended attributes count for, and the share's sums as well.
pub fn correct_xattrs(node: &Node, counted: u32, now: Timestamp) -> Plan {
    let (set_flags, clear_flags) = match counted {
        0 => (NodeFlags::empty(), NodeFlags::XATTRS),
        1.. => (NodeFlags::XATTRS, NodeFlags::empty()),
    };
    let update = NodeUpdate { xattr_bytes: Some(counted), set_flags, clear_flags, ..NodeUpdate::changed() };
    let mut plan = update_unchanged(node, update, now);
    plan.changes.extend(quota::xattrs_change(node, counted));
    plan
}

/// Removes extended attributes that can't be read, or whose node does not exist.
pub fn remove_xattrs(id: NodeId, node: Option<&Node>, now: Timestamp) -> Plan {
    let mut plan = node.map_or_else(|| Plan::at(now), |node| correct_xattrs(node, 0, now));
    plan.change(Change::PutXattrs { node: id, xattrs: None });
    plan
}

/// Removes an entry that leads to no node.
pub fn remove_dangling(entry: &EntrySeen, node: NodeId, now: Timestamp) -> Plan {
    remove_entry(entry, node, LinkChange::Keep, now)
}

/// Puts an entry into the index of folded names, by making it again just as it is.
pub fn refold(entry: &EntrySeen, node: NodeId, now: Timestamp) -> Plan {
    let EntrySeen { key, cookie } = entry.clone();
    let mut plan = Plan::at(now);
    plan.require(Expectation::EntryIs { key: key.clone(), node, cookie });
    plan.change(Change::DeleteEntry(key.clone())).change(Change::InsertEntry { key, node, cookie });
    plan
}

/// Removes a name of a node that has another one and may have only that.
pub fn break_second_name(entry: &EntrySeen, node: &Node, now: Timestamp) -> Plan {
    remove_entry(entry, node.id, subdirectories(node, -1), now)
}

/// Makes the folder for nodes without a name.
pub fn make_lost_and_found(root: &Node, name: &Name, fresh: Fresh, now: Timestamp) -> Plan {
    let key = EntryKey::child(root.id, name);
    let node = Node {
        id: fresh.node,
        kind: NodeKind::Directory,
        mode: LOST_AND_FOUND_MODE,
        change: ChangeId(1),
        content_version: ContentVersion(0),
        content_seq: Sequence(0),
        times_seq: Sequence(0),
        since: Tree::FIRST,
        parent: Parent { directory: root.id, cookie: fresh.cookie },
        device: Device::default(),
        replay_exclusions: ReplayExclusions::default(),
        ..Node::root(root.uid, root.gid, LOST_AND_FOUND_MODE, now)
    };
    let mut plan = Plan::at(now);
    plan.require(Expectation::EntryAbsent(key.clone())).require(Expectation::Linked(root.id));
    let comes = quota::node_comes(&node);
    plan.change(Change::InsertNode(Box::new(node)));
    plan.change(Change::InsertEntry { key, node: fresh.node, cookie: fresh.cookie });
    let update = NodeUpdate { links: LinkChange::Add(1), ..NodeUpdate::entries_changed() };
    plan.change(Change::UpdateNode(root.id, update));
    plan.change(comes);
    plan
}

/// The name that a node gets there.
///
/// # Errors
/// None that an id could cause.
pub fn adopted_name(node: NodeId) -> FsResult<Name> {
    Name::new(format!("#{node}").as_bytes())
}

/// A node that gets a name.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// The node.
    pub node: Arc<Node>,
    /// The entry that leads to it from its own subtree, if one does.
    pub circle: Option<EntrySeen>,
    /// Its new name.
    pub key: EntryKey,
    /// The place of that.
    pub cookie: Cookie,
}

/// Gives a name to a node that the root does not lead to.
pub fn adopt(adoption: Adoption, now: Timestamp) -> Plan {
    let Adoption { node, circle, key, cookie } = adoption;
    let mut plan = match &circle {
        Some(entry) => remove_entry(entry, node.id, subdirectories(&node, -1), now),
        None => Plan::at(now),
    };
    plan.require(Expectation::EntryAbsent(key.clone())).require(Expectation::Linked(key.directory));
    plan.require(Expectation::Exists(node.id));
    let directory = key.directory;
    plan.change(Change::InsertEntry { key, node: node.id, cookie });
    let is_directory = node.kind == NodeKind::Directory;
    let links = if is_directory { LinkChange::Keep } else { LinkChange::Set(1) };
    let parent = Some(Parent { directory, cookie });
    plan.change(Change::UpdateNode(node.id, NodeUpdate { links, parent, ..NodeUpdate::changed() }));
    let links = subdirectories(&node, 1);
    plan.change(Change::UpdateNode(directory, NodeUpdate { links, ..NodeUpdate::entries_changed() }));
    plan.change(Change::DeleteUnlinked(node.id));
    if is_directory {
        plan.change(Change::RaiseTopology);
    }
    plan
}

/// Takes back that a node with names was removed.
pub fn clear_unlinked(node: &Node, links: u32, found: Parent, now: Timestamp) -> Plan {
    let update = NodeUpdate {
        links: LinkChange::Set(links),
        parent: Some(found),
        clear_flags: NodeFlags::UNLINKED,
        ..NodeUpdate::changed()
    };
    let mut plan = update_unchanged(node, update, now);
    plan.change(Change::DeleteUnlinked(node.id));
    plan
}

/// Notes that a removed node is to be deleted.
pub fn put_note(node: NodeId, now: Timestamp) -> Plan {
    let mut plan = Plan::at(now);
    plan.require(Expectation::Exists(node));
    plan.change(Change::PutUnlinked { node, reason: UnlinkedReason::Reaping });
    plan
}

/// Removes such a note.
pub fn drop_note(node: NodeId, now: Timestamp) -> Plan {
    let mut plan = Plan::at(now);
    plan.change(Change::DeleteUnlinked(node));
    plan
}

/// Adds a reference that extents are reason for.
pub fn insert_reference(object: ObjectId, node: NodeId, chunk: u64, now: Timestamp) -> Plan {
    let mut plan = Plan::at(now);
    plan.require(Expectation::Exists(node));
    plan.require(Expectation::ObjectState { object, state: ObjectState::Live });
    plan.change(Change::InsertReference(Reference::live(object, node, chunk)));
    plan
}

/// Removes a reference that no extent is reason for.
pub fn remove_reference(object: ObjectId, node: NodeId, chunk: u64, now: Timestamp) -> Plan {
    let mut plan = Plan::at(now);
    plan.change(Change::DeleteReference(Reference::live(object, node, chunk)));
    plan
}

/// Makes an object live that files use and that is whole in the content store, so that nobody deletes it.
pub fn revive(object: ObjectRecord, now: Timestamp) -> Plan {
    let mut plan = Plan::at(now);
    plan.change(Change::PutObject(ObjectRecord { state: ObjectState::Live, ..object }));
    plan
}

/// Marks an object that nothing uses as pending delete.
pub fn mark_pending_delete(object: ObjectRecord, now: Timestamp) -> Plan {
    let mut plan = Plan::at(now);
    plan.require(Expectation::Unreferenced(object.id));
    plan.change(Change::PutObject(ObjectRecord { state: ObjectState::PendingDelete, bytes: 0, ..object }));
    plan
}

/// Sets the share's sums right by their difference.
pub fn correct_statistics(stored: Statistics, counted: Statistics, now: Timestamp) -> Plan {
    let mut plan = Plan::at(now);
    plan.change(Change::Count(Statistics {
        bytes: counted.bytes.saturating_sub(stored.bytes),
        nodes: counted.nodes.saturating_sub(stored.nodes),
    }));
    plan
}

/// Changes a node, if it is still as it was seen.
fn update_unchanged(node: &Node, update: NodeUpdate, now: Timestamp) -> Plan {
    let mut plan = Plan::at(now);
    plan.require(Expectation::ChangeIs { node: node.id, change: node.change });
    plan.change(Change::UpdateNode(node.id, update));
    plan
}

fn remove_entry(entry: &EntrySeen, node: NodeId, links: LinkChange, now: Timestamp) -> Plan {
    let EntrySeen { key, cookie } = entry.clone();
    let mut plan = Plan::at(now);
    plan.require(Expectation::EntryIs { key: key.clone(), node, cookie });
    let directory = key.directory;
    plan.change(Change::DeleteEntry(key));
    plan.change(Change::UpdateNode(directory, NodeUpdate { links, ..NodeUpdate::entries_changed() }));
    plan
}

fn subdirectories(node: &Node, difference: i32) -> LinkChange {
    if node.kind == NodeKind::Directory { LinkChange::Add(difference) } else { LinkChange::Keep }
}
