//! Changes of a node whose unflushed bytes have shown newer attributes than are stored.

use crate::{
    attributes::Pending,
    id::{ChangeId, NodeId},
    plan::{Change, Plan},
};

/// Makes a plan raise a node's `ctime` and `change` above what was shown for its unflushed records: a client that
/// saw those would else not notice the change. To be called on every plan that changes such a node for a client.
pub fn raise_above_shown(plan: &mut Plan, node: NodeId, pending: Option<&Pending>) {
    let Some((shown, ctime)) = pending.and_then(|pending| pending.shown) else { return };
    let next = ChangeId(shown.0.saturating_add(1));
    let mut found = false;
    for change in &mut plan.changes {
        if let Change::UpdateNode(id, update) = change
            && *id == node
        {
            update.change_at_least = update.change_at_least.max(Some(next));
            found = true;
        }
    }
    if found {
        plan.now = ctime.advanced(plan.now);
    }
}
