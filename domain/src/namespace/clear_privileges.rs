//! Clearing of SUID and SGID when a caller who is not privileged writes (POSIX write; Linux's file_remove_privs).

use super::{Context, Decision, directory::expect_permission, raise_above_shown};
use crate::{
    access::NodeSecurity,
    attributes::Pending,
    credentials::Credentials,
    error::FsResult,
    id::NodeId,
    node::{NodeKind, mode},
    plan::{Change, NodeUpdate, Plan, Query, View},
};

/// Returns the query for the state that [`decide`] needs.
pub fn query(node: NodeId) -> Query {
    Query::node(node)
}

/// Whether a write by this caller must clear bits: cheap enough to be asked before every write.
pub fn needed(security: &NodeSecurity<'_>, credentials: &Credentials) -> bool {
    let bits = without_privileges(security.mode, security.gid, credentials);
    security.kind == NodeKind::File && !credentials.is_privileged() && bits != security.mode
}

/// Clears the bits that must not survive a write by this caller; `None` if there are none. The plan must be applied
/// before the write is answered.
///
/// # Errors
/// `Stale` if the node is gone.
pub fn decide(
    view: &View,
    node: NodeId,
    pending: Option<&Pending>,
    context: &Context<'_>,
) -> FsResult<Option<Decision>> {
    let node = view.node(node)?;
    if !needed(&NodeSecurity::from(&**node), context.credentials) {
        return Ok(None);
    }
    let mut plan = Plan::at(context.now);
    expect_permission(&mut plan, node);
    let update = NodeUpdate {
        mode: Some(without_privileges(node.mode, node.gid, context.credentials)),
        raise_permission_version: true,
        ..NodeUpdate::changed()
    };
    plan.change(Change::UpdateNode(node.id, update));
    raise_above_shown(&mut plan, node.id, pending);
    Ok(Some(Decision { plan, node: node.id }))
}

/// The permission bits without SUID, and without SGID where it grants something (the group may execute) or was not
/// the caller's to give.
pub(super) fn without_privileges(bits: u16, gid: u32, credentials: &Credentials) -> u16 {
    let may_give = credentials.is_privileged() || credentials.in_group(gid);
    let keep_sgid = may_give && bits & mode::GROUP_EXECUTE == 0;
    bits & !mode::SUID & if keep_sgid { mode::ALL } else { !mode::SGID }
}
