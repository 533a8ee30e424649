//! REMOVE and RMDIR (RFC 1813, 3.3.12 and 3.3.13; POSIX unlink, rmdir).

use super::{
    Context, Decision, RemoveKind, RemoveRequest,
    directory::{expect_permission, may_remove, searched},
    unlink::take_name,
};
use crate::{
    error::{FsError, FsResult},
    node::NodeKind,
    plan::{Change, EntryKey, LinkChange, NodeUpdate, Plan, Query, View},
};

/// Returns the query for the state that [`decide`] needs.
pub fn query(request: &RemoveRequest) -> Query {
    Query::child(request.directory, EntryKey::child(request.directory, &request.name))
}

/// Removes a name, and the node with its last name. A node that is `busy` (open, or with unflushed bytes) stays without
/// a name, and so does a node whose rows are left to the reaper. The one that deletes it later subtracts it from the
/// share's statistics.
///
/// # Errors
/// `Stale`, `NotDirectory` and `Access` of the directory; `NotFound`; `Access` without the right to remove the node,
/// and `NotPermitted` where the sticky bit forbids; `IsDirectory` or `NotDirectory` where the kind does not match;
/// `NotEmpty`.
pub fn decide(view: &View, request: &RemoveRequest, context: &Context<'_>, busy: bool) -> FsResult<Decision> {
    let directory = searched(view, request.directory, context.credentials)?;
    let (name, found) = view.meant(0, &request.name).ok_or(FsError::NotFound)?;
    if matches!(request.kind, RemoveKind::Just(node) | RemoveKind::Held(node) if node != found.node.id) {
        return Err(FsError::NotFound);
    }
    if !matches!(request.kind, RemoveKind::Held(_)) {
        may_remove(directory, &found.node, context.credentials)?;
    }
    let is_directory = found.node.kind == NodeKind::Directory;
    match request.kind {
        RemoveKind::NotDirectory if is_directory => return Err(FsError::IsDirectory),
        RemoveKind::Directory if !is_directory => return Err(FsError::NotDirectory),
        RemoveKind::Directory | RemoveKind::Just(_) | RemoveKind::Held(_) if is_directory && !found.empty => {
            return Err(FsError::NotEmpty);
        }
        RemoveKind::NotDirectory | RemoveKind::Directory | RemoveKind::Just(_) | RemoveKind::Held(_) => {}
    }

    let mut plan = Plan::at(context.now);
    expect_permission(&mut plan, directory);
    let key = EntryKey::child(directory.id, name);
    take_name(&mut plan, directory, key, found, context.credentials, busy);
    let links = if is_directory { LinkChange::Add(-1) } else { LinkChange::Keep };
    plan.change(Change::UpdateNode(directory.id, NodeUpdate { links, ..NodeUpdate::entries_changed() }));
    Ok(Decision { plan, node: found.node.id })
}
