//! SETXATTR and REMOVEXATTR (RFC 8276, 8.4.3 and 8.4.5), and setting FileFullEaInformation (MS-FSA, 2.1.5.15.8).

use std::sync::Arc;

use super::{
    Context, Decision, SetXattrs,
    directory::{expect_permission, security},
    raise_above_shown,
    set_attributes::shown_now,
};
use crate::{
    access::{AccessMask, granted},
    attributes::Pending,
    error::{FsError, FsResult},
    id::{ChangeId, NodeId},
    node::{Node, NodeFlags, NodeKind},
    plan::{Change, Expectation, NodeUpdate, Plan, Query, View},
    quota,
    xattr::{XattrChange, Xattrs},
};

/// Returns the query for the state that [`decide`] needs.
pub fn query(node: NodeId) -> Query {
    Query::xattrs(node)
}

/// Refuses what [`decide`] would refuse whatever the attributes are.
///
/// # Errors
/// `BadType` for what is neither a file nor a directory, as in RFC 8276, 8.4.3; `Access`.
pub fn check(node: &Node, request: &SetXattrs, context: &Context<'_>) -> FsResult<()> {
    if !matches!(node.kind, NodeKind::File | NodeKind::Directory) {
        return Err(FsError::BadType);
    }
    let rights = granted(&security(node), context.credentials) | request.held;
    if rights.contains(AccessMask::WRITE_NAMED_ATTRS) { Ok(()) } else { Err(FsError::Access) }
}

/// Changes the extended attributes of a node, which is a change of the node.
///
/// # Errors
/// Those of [`check`]; `Stale` if the node is gone; `Exists`, `NoAttribute` and `AttributeTooLarge` of the changes.
pub fn decide(
    view: &View,
    node: NodeId,
    request: &SetXattrs,
    pending: Option<&Pending>,
    context: &Context<'_>,
) -> FsResult<Decision> {
    let node = view.node(node)?;
    check(node, request, context)?;
    let before = view.xattrs.as_deref();
    // The node's count rises with each change of its attributes.
    let version = ChangeId(node.change.0.saturating_add(1));
    let after = Xattrs::changed(before, &request.changes, version)?;
    let mut plan = Plan::at(shown_now(pending, context.now));
    let sets = request.changes.iter().any(|change| matches!(change, XattrChange::Set { .. }));
    if !sets && after.as_ref().map(Xattrs::all) == before.map(Xattrs::all) {
        // What was to be removed is not there.
        return Ok(Decision { plan, node: node.id });
    }
    expect_permission(&mut plan, node);
    plan.require(Expectation::XattrsAre { node: node.id, version: before.map(Xattrs::version) });
    if before.is_none() {
        // Others may have come and gone, one of them with this version.
        plan.require(Expectation::ChangeIs { node: node.id, change: node.change });
    }
    let bytes = after.as_ref().map_or(0, Xattrs::bytes);
    let (set_flags, clear_flags) = match after {
        Some(_) => (NodeFlags::XATTRS, NodeFlags::empty()),
        None => (NodeFlags::empty(), NodeFlags::XATTRS),
    };
    plan.change(Change::PutXattrs { node: node.id, xattrs: after.map(Arc::new) });
    let update = NodeUpdate { xattr_bytes: Some(bytes), set_flags, clear_flags, ..NodeUpdate::changed() };
    plan.change(Change::UpdateNode(node.id, update));
    plan.changes.extend(quota::xattrs_change(node, bytes));
    raise_above_shown(&mut plan, node.id, pending);
    Ok(Decision { plan, node: node.id })
}
