//! Removal of a name from a node, and of the node with its last name.

use super::directory;
use crate::{
    credentials::Credentials,
    id::Cookie,
    node::{Node, NodeFlags, NodeKind, Parent},
    plan::{Change, EntryKey, Expectation, Found, LinkChange, NodeUpdate, Plan, UnlinkedReason},
    quota,
};

/// Takes the entry `key`, in `directory`, from the node that was found there. The caller's plan says what that does to
/// the directory itself. `busy`: somebody still needs the node without a name.
pub(super) fn take_name(
    plan: &mut Plan,
    directory: &Node,
    key: EntryKey,
    found: &Found,
    credentials: &Credentials,
    busy: bool,
) {
    let node = &*found.node;
    plan.require(Expectation::EntryIs { key: key.clone(), node: node.id, cookie: found.cookie });
    if directory::node_mattered(directory, credentials) {
        directory::expect_permission(plan, node);
    }
    plan.change(Change::DeleteEntry(key));
    plan.change(quota::name_goes());
    if node.kind == NodeKind::Directory {
        plan.require(Expectation::Empty(node.id));
        // An empty directory has two names: its entry and its ".".
        forget(plan, node, LinkChange::Add(-2), busy);
    } else {
        plan.require(Expectation::LinksAre { node: node.id, links: node.links });
        match node.links.saturating_sub(1) {
            0 => forget(plan, node, LinkChange::Set(0), busy),
            left => keep(plan, node, left, Parent { directory: directory.id, cookie: found.cookie }),
        }
    }
}

/// The node has other names.
fn keep(plan: &mut Plan, node: &Node, left: u32, lost: Parent) {
    let mut update = NodeUpdate { links: LinkChange::Set(left), ..NodeUpdate::changed() };
    if node.parent == lost {
        // Which other entries lead to the node is not recorded: no entry has this cookie.
        update.parent = Some(Parent { cookie: Cookie::START, ..lost });
    }
    plan.change(Change::UpdateNode(node.id, update));
}

/// The node has no other name: it goes at once where nothing else is kept of it, or waits.
pub(super) fn forget(plan: &mut Plan, node: &Node, links: LinkChange, busy: bool) {
    if !busy && !node.has_rows() {
        // Rows that came since the view was made would be orphans.
        plan.require(Expectation::ChangeIs { node: node.id, change: node.change });
        if node.kind.has_content() {
            // A flush is no change, as what it puts there has been shown before.
            plan.require(Expectation::NoRows(node.id));
        }
        plan.change(Change::DeleteNode(node.id));
        plan.change(quota::node_goes(node));
        return;
    }
    let update = NodeUpdate { links, set_flags: NodeFlags::UNLINKED, ..NodeUpdate::changed() };
    plan.change(Change::UpdateNode(node.id, update));
    let reason = if busy { UnlinkedReason::Open } else { UnlinkedReason::Reaping };
    plan.change(Change::PutUnlinked { node: node.id, reason });
}
