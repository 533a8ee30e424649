//! Punching and cloning: content that changes by a plan and not by a record of the journal.

use std::collections::BTreeSet;

use super::{
    Context, Decision,
    clear_privileges::{needed, without_privileges},
    directory::expect_permission,
    raise_above_shown,
    set_attributes::shown_now,
};
use crate::{
    access::NodeSecurity,
    attributes::Pending,
    content::{ReplayUpdate, map::Edit},
    error::FsResult,
    id::{Epoch, NodeId, ObjectId},
    plan::{Change, Expectation, NodeUpdate, Plan, Reference, TimeChange, View},
};

/// The changes of a file's map, and of the replay of the journal. The rules over content make them from the same view.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ContentEdit {
    /// The changes.
    pub edit: Edit,
    /// The changes to the replay of the journal.
    pub replay: ReplayUpdate,
}

/// Changes a file's content, with its times, as a write by this caller does. Every object that is referred to anew must
/// be alive at that instant. Times that were shown for unflushed bytes no longer determine the node's.
///
/// To be called under the node's lock. The caller checks the right to write.
///
/// # Errors
/// `Stale` if the node is gone.
pub fn decide(
    view: &View,
    node: NodeId,
    pending: Option<&Pending>,
    context: &Context<'_>,
    epoch: Epoch,
    change: ContentEdit,
) -> FsResult<Decision> {
    let node = view.node(node)?;
    // As with a write, both times are one, and later than what was shown.
    let mut plan = Plan::at(node.ctime.advanced(shown_now(pending, context.now)));
    expect_permission(&mut plan, node);
    plan.require(Expectation::ContentVersion { node: node.id, version: node.content_version });
    for object in referred_anew(&change.edit) {
        plan.require(Expectation::ObjectUsable { object, epoch });
    }
    let times = pending.and_then(|pending| pending.times).filter(|(_, sequence)| *sequence > node.times_seq);
    let mut update = NodeUpdate {
        mtime: TimeChange::Set(plan.now),
        times_seq: times.map(|(_, sequence)| sequence),
        replay_exclusions: change.replay.exclusions,
        content_seq: change.replay.content_seq,
        ..NodeUpdate::changed()
    };
    if needed(&NodeSecurity::from(&**node), context.credentials) {
        update.mode = Some(without_privileges(node.mode, node.gid, context.credentials));
        update.raise_permission_version = true;
    }
    change.edit.add_to(&mut plan, node.id, update);
    raise_above_shown(&mut plan, node.id, pending);
    Ok(Decision { plan, node: node.id })
}

fn referred_anew(edit: &Edit) -> BTreeSet<ObjectId> {
    let object = |change: &Change| match change {
        Change::InsertReference(Reference { object, .. }) => Some(*object),
        _ => None,
    };
    edit.changes.iter().filter_map(object).collect()
}
