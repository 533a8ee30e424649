//! LINK (RFC 1813, 3.3.15; POSIX link).

use super::{
    Context, Decision, Fresh, LINKS_MAX, LinkRequest,
    directory::{expect_permission, may_add, searched},
};
use crate::{
    error::{FsError, FsResult},
    node::{NodeKind, Parent},
    plan::{Change, EntryKey, Expectation, LinkChange, NodeUpdate, Plan, Query, View},
    quota,
};

/// Returns the query for the state that [`decide`] needs.
pub fn query(request: &LinkRequest) -> Query {
    let mut query = Query::child(request.directory, EntryKey::child(request.directory, &request.name));
    query.nodes.push(request.node);
    query
}

/// Gives a node another name.
///
/// # Errors
/// `Stale`, `NotDirectory` and `Access` of the directory; `Stale` if the node is gone or no longer has a name;
/// `Exists`; `NotPermitted` for directories and streams; `TooManyLinks`.
pub fn decide(view: &View, request: &LinkRequest, context: &Context<'_>, fresh: Fresh) -> FsResult<Decision> {
    let directory = searched(view, request.directory, context.credentials)?;
    let node = view.node(request.node)?;
    if !node.is_linked() {
        return Err(FsError::Stale);
    }
    if view.meant(0, &request.name).is_some() {
        return Err(FsError::Exists);
    }
    may_add(directory, node.kind, context.credentials)?;
    if matches!(node.kind, NodeKind::Directory | NodeKind::Stream) {
        return Err(FsError::NotPermitted);
    }
    if node.links >= LINKS_MAX {
        return Err(FsError::TooManyLinks);
    }

    let key = EntryKey::child(directory.id, &request.name);
    let mut plan = Plan::at(context.now);
    plan.require(view.absence(0, key.clone()));
    plan.require(Expectation::Linked(directory.id));
    expect_permission(&mut plan, directory);
    plan.require(Expectation::LinksAre { node: node.id, links: node.links });

    plan.change(Change::InsertEntry { key, node: node.id, cookie: fresh.cookie });
    plan.change(quota::name_comes());
    let update = NodeUpdate {
        links: LinkChange::Set(node.links + 1),
        // The newest name is the likeliest to stay: who links and unlinks means to rename.
        parent: Some(Parent { directory: directory.id, cookie: fresh.cookie }),
        ..NodeUpdate::changed()
    };
    plan.change(Change::UpdateNode(node.id, update));
    plan.change(Change::UpdateNode(directory.id, NodeUpdate::entries_changed()));
    Ok(Decision { plan, node: node.id })
}
