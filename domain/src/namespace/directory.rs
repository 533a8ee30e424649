//! The demands of rules over entries on a directory, in the order in which Linux's VFS refuses.

use std::sync::Arc;

use crate::{
    access::{AccessMask, NodeSecurity, demand, demand_removable, granted},
    credentials::Credentials,
    error::{FsError, FsResult},
    id::NodeId,
    node::{Node, NodeKind, mode},
    plan::{Expectation, Plan, View},
};

/// Returns a directory in which the caller may look names up.
///
/// # Errors
/// `Stale` if it is gone or no longer has a name, `NotDirectory`, or `Access` without the right to search.
pub(super) fn searched<'a>(view: &'a View, id: NodeId, credentials: &Credentials) -> FsResult<&'a Arc<Node>> {
    let directory = view.node(id)?;
    // This comes first: nobody must see when a node without a name is removed for good.
    if !directory.is_linked() {
        return Err(FsError::Stale);
    }
    if directory.kind != NodeKind::Directory {
        return Err(FsError::NotDirectory);
    }
    demand(&security(directory), credentials, AccessMask::EXECUTE)?;
    Ok(directory)
}

/// Demands the right to add an entry that leads to a node of this kind.
///
/// # Errors
/// `Access`.
pub(super) fn may_add(directory: &Node, kind: NodeKind, credentials: &Credentials) -> FsResult<()> {
    let right = if kind == NodeKind::Directory { AccessMask::ADD_SUBDIRECTORY } else { AccessMask::ADD_FILE };
    demand(&security(directory), credentials, right)
}

/// Demands the right to take away an entry that leads to `node`.
///
/// # Errors
/// `Access` without the right to the directory or the node, `NotPermitted` where the directory's sticky bit forbids.
pub(super) fn may_remove(directory: &Node, node: &Node, credentials: &Credentials) -> FsResult<()> {
    demand_removable(&security(directory), &security(node), credentials)
}

/// Whether [`may_remove`] looked at the owner or the list of the node.
pub(super) fn node_mattered(directory: &Node, credentials: &Credentials) -> bool {
    let by_directory = || granted(&security(directory), credentials).contains(AccessMask::DELETE_CHILD);
    !credentials.is_privileged() && (directory.mode & mode::STICKY != 0 || !by_directory())
}

/// Expects that the attributes that decide permission to the node have not changed.
pub(super) fn expect_permission(plan: &mut Plan, node: &Node) {
    plan.require(Expectation::PermissionVersion { node: node.id, version: node.permission_version });
}

/// Returns the attributes that decide permission to the node.
pub(super) fn security(node: &Node) -> NodeSecurity<'_> {
    NodeSecurity::from(node)
}
