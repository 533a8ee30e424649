//! Named streams of files and directories (MS-FSA, 2.1.1.4 and 2.1.5.1; MS-FSCC, 2.1.5).
//!
//! A stream is a node of its own, with content and opens of its own, and an entry of its file. All other attributes are
//! the file's, which decides who may do what. Its names are taken in any case, whatever the caller does with others.
//!
//! Plans that depend on which streams there are expect that nothing about the file has changed: each change of its
//! streams changes it.

use super::{Context, Decision, Fresh, StreamRename, directory::expect_permission, unlink};
use crate::{
    access::{AccessMask, NodeSecurity, granted},
    error::{FsError, FsResult},
    id::{Cookie, NodeId},
    name::Name,
    node::{Node, NodeFlags, NodeKind, Parent},
    plan::{
        Change, EntryKey, Expectation, Found, LinkChange, NodeUpdate, PLAN_STEPS_MAX, Plan, Query, Space,
        UnlinkedReason, View,
    },
    quota,
    time::Timestamp,
};

/// The greatest number of streams of a node. All of them go in one plan where a file is overwritten.
pub const STREAMS_MAX: usize = 256;
/// Expectations and changes by which a stream goes.
const STEPS: usize = 6;
const _: () = assert!(STREAMS_MAX * STEPS + 8 <= PLAN_STEPS_MAX);

/// Returns the key of a stream's entry.
pub fn key(file: NodeId, name: &Name) -> EntryKey {
    EntryKey { directory: file, space: Space::Streams, name: name.clone() }
}

/// Returns the query for a stream by its name.
pub fn query(file: NodeId, name: &Name) -> Query {
    Query::child(file, key(file, name)).in_any_case()
}

/// Returns the query for the state that [`rename`] needs.
pub fn rename_query(request: &StreamRename) -> Query {
    let mut query = Query::child(request.file, key(request.file, &request.from));
    query.entries.push(key(request.file, &request.to));
    query.in_any_case()
}

/// Returns a node that can have streams, and has a name.
///
/// # Errors
/// `Stale` if it is gone, or has lost its name; `Invalid` for what can have none: streams, symlinks and special files.
pub fn owner(view: &View, file: NodeId) -> FsResult<&Node> {
    let file = view.node(file)?;
    match file.kind {
        _ if !file.is_linked() => Err(FsError::Stale),
        NodeKind::File | NodeKind::Directory => Ok(file),
        _ => Err(FsError::Invalid),
    }
}

/// Makes a stream of a file that has `count` others. `held` are the rights to the file that the caller has by an open.
///
/// # Errors
/// Those of [`owner`]; `Access` without the right to write to the file; `Exists`; `NoSpace` where the file has
/// [`STREAMS_MAX`] others.
pub fn create(
    view: &View,
    (file, name): (NodeId, &Name),
    (held, count): (AccessMask, usize),
    context: &Context<'_>,
    fresh: Fresh,
) -> FsResult<Decision> {
    let file = owner(view, file)?;
    let rights = granted(&NodeSecurity::from(file), context.credentials) | held;
    if !rights.contains(AccessMask::WRITE_DATA) {
        return Err(FsError::Access);
    }
    if view.meant(0, name).is_some() {
        return Err(FsError::Exists);
    }
    if count >= STREAMS_MAX {
        return Err(FsError::NoSpace);
    }
    let mut plan = Plan::at(context.now);
    let key = key(file.id, name);
    plan.require(view.absence(0, key.clone()));
    plan.require(Expectation::Linked(file.id));
    plan.require(unchanged(file));
    expect_permission(&mut plan, file);
    let parent = Parent { directory: file.id, cookie: fresh.cookie };
    let node = Node::bare(fresh.node, NodeKind::Stream, parent, context.now);
    let comes = quota::node_comes(&node);
    plan.change(Change::InsertNode(Box::new(node)));
    if let Some(holder) = fresh.holder {
        plan.change(Change::GrantLease { node: fresh.node, holder });
    }
    plan.change(Change::InsertEntry { key, node: fresh.node, cookie: fresh.cookie });
    plan.change(Change::UpdateNode(file.id, NodeUpdate { set_flags: NodeFlags::STREAMS, ..NodeUpdate::changed() }));
    plan.change(comes);
    Ok(Decision { plan, node: fresh.node })
}

/// Removes a stream, which the name must lead to. `last`: the file has no other. `busy` is about the stream, as in
/// [`super::remove::decide`]. Whether the caller may do it was decided when it opened the stream.
///
/// # Errors
/// `Stale` if the file is gone, `NotFound`.
pub fn remove(
    view: &View,
    (file, name, stream): (NodeId, &Name, NodeId),
    context: &Context<'_>,
    (last, busy): (bool, bool),
) -> FsResult<Decision> {
    let file = view.node(file)?;
    let found = view.meant(0, name).filter(|(_, found)| found.node.id == stream);
    let (name, found) = found.ok_or(FsError::NotFound)?;
    let mut plan = Plan::at(context.now);
    plan.require(unchanged(file));
    take(&mut plan, key(file.id, name), found, busy);
    let clear_flags = if last { NodeFlags::STREAMS } else { NodeFlags::empty() };
    plan.change(Change::UpdateNode(file.id, NodeUpdate { clear_flags, ..NodeUpdate::changed() }));
    Ok(Decision { plan, node: stream })
}

/// Gives a stream another name. `busy` is about the stream that loses it: whether it is open, or has unflushed bytes.
///
/// # Errors
/// Those of [`owner`]; `Access` without the right to delete; `NotFound`; `Exists` where another stream has the name and
/// may not lose it; `Invalid` where that has content, or is `busy` (MS-FSA 2.1.5.15.11).
pub fn rename(view: &View, request: &StreamRename, context: &Context<'_>, busy: bool) -> FsResult<Decision> {
    let file = owner(view, request.file)?;
    let rights = granted(&NodeSecurity::from(file), context.credentials) | request.held;
    if !rights.contains(AccessMask::DELETE) {
        return Err(FsError::Access);
    }
    let found = view.meant(0, &request.from).filter(|(_, found)| found.node.id == request.stream);
    let (from, source) = found.ok_or(FsError::NotFound)?;
    let mut plan = Plan::at(context.now);
    let replaced = view.meant(1, &request.to).filter(|(_, found)| found.node.id != request.stream);
    if from == &request.to {
        return Ok(Decision { plan, node: request.stream });
    }
    plan.require(unchanged(file));
    if let Some((name, target)) = replaced {
        match &target.node {
            _ if !request.replace => return Err(FsError::Exists),
            node if busy || node.size > 0 => return Err(FsError::Invalid),
            _ => take(&mut plan, key(file.id, name), target, false),
        }
    }
    let (node, cookie) = (request.stream, source.cookie);
    plan.require(Expectation::EntryIs { key: key(file.id, from), node, cookie });
    plan.change(Change::DeleteEntry(key(file.id, from)));
    plan.change(Change::InsertEntry { key: key(file.id, &request.to), node, cookie });
    plan.change(Change::UpdateNode(file.id, NodeUpdate::changed()));
    Ok(Decision { plan, node })
}

/// The stream that a rename takes the new name from.
pub fn replaced(view: &View, request: &StreamRename) -> Option<NodeId> {
    view.meant(1, &request.to).map(|(_, found)| found.node.id).filter(|node| *node != request.stream)
}

/// An entry of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEntry {
    /// Its name.
    pub name: Name,
    /// Its cookie.
    pub cookie: Cookie,
    /// The stream.
    pub node: NodeId,
    /// Whether there is such a node.
    pub is_there: bool,
}

/// Takes all streams from a file: it is overwritten (MS-FSA 2.1.5.1.2.1), or goes itself. `entries` are all that it has
/// where `all` says so. The reaper removes what is left of them, unless somebody has it open.
///
/// # Errors
/// `Stale` if the file is gone.
pub fn clear(view: &View, file: NodeId, (entries, all): (&[StreamEntry], bool), now: Timestamp) -> FsResult<Plan> {
    let file = view.node(file)?;
    let mut plan = Plan::at(now);
    plan.require(unchanged(file));
    for entry in entries {
        let (key, node) = (key(file.id, &entry.name), entry.node);
        plan.require(Expectation::EntryIs { key: key.clone(), node, cookie: entry.cookie });
        plan.change(Change::DeleteEntry(key));
        plan.change(quota::name_goes());
        if entry.is_there {
            let links = LinkChange::Set(0);
            let update = NodeUpdate { links, set_flags: NodeFlags::UNLINKED, ..NodeUpdate::changed() };
            plan.change(Change::UpdateNode(node, update));
            plan.change(Change::PutUnlinked { node, reason: UnlinkedReason::Reaping });
        }
    }
    let clear_flags = if all { NodeFlags::STREAMS } else { NodeFlags::empty() };
    plan.change(Change::UpdateNode(file.id, NodeUpdate { clear_flags, ..NodeUpdate::changed() }));
    Ok(plan)
}

fn unchanged(file: &Node) -> Expectation {
    Expectation::ChangeIs { node: file.id, change: file.change }
}

/// Takes an entry from the stream that was found there, and the stream with it.
fn take(plan: &mut Plan, key: EntryKey, found: &Found, busy: bool) {
    let node = &*found.node;
    plan.require(Expectation::EntryIs { key: key.clone(), node: node.id, cookie: found.cookie });
    plan.require(Expectation::LinksAre { node: node.id, links: node.links });
    plan.change(Change::DeleteEntry(key));
    plan.change(quota::name_goes());
    unlink::forget(plan, node, LinkChange::Set(0), busy);
}
