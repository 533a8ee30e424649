//! Plans that wait for each other: those whose entries are in one directory, and those that put bytes of one object
//! into files, as a flush of many small files does.
//!
//! The row of a directory, or of an object, is locked until the transaction that changes it is on the disk. So there
//! is one call at a time for it, and the plans that come meanwhile go in the next one, together. No time is waited for
//! others: a lone plan goes at once. Without that, a flush of many files would take a commit for each, one after
//! another, and most connections would wait for its object's row meanwhile.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use dittofs_domain::{
    NodeId, ObjectId, OpId,
    plan::{Change, Expectation, Plan},
};
use parking_lot::Mutex;

use crate::apply::Pending;

/// Greater plans go alone: they would keep the small ones of their call waiting.
const STEPS_MAX: usize = 32;

/// The row that the plans of a call have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    Directory(NodeId),
    Object(ObjectId),
}

/// The rows of a share for which there is a call, with the plans that wait for it.
#[derive(Debug)]
pub(crate) struct Lanes {
    plans_max: usize,
    waiting: Mutex<HashMap<Lane, VecDeque<Pending>>>,
}

impl Lanes {
    pub(crate) fn new(plans_max: usize) -> Lanes {
        Lanes { plans_max, waiting: Mutex::default() }
    }

    /// Lets a plan wait for the call of its lane; returns it if there is no call, and the caller has to make it.
    pub(crate) fn enter(&self, lane: Lane, pending: Pending) -> Option<Pending> {
        match self.waiting.lock().entry(lane) {
            Entry::Occupied(mut waiting) => {
                waiting.get_mut().push_back(pending);
                None
            }
            Entry::Vacant(free) => {
                free.insert(VecDeque::new());
                Some(pending)
            }
        }
    }

    fn take(&self, lane: Lane) -> Vec<Pending> {
        let mut lanes = self.waiting.lock();
        let Some(waiting) = lanes.get_mut(&lane) else { return Vec::new() };
        let mut taken: Vec<Pending> = Vec::new();
        let mut ops: Vec<OpId> = Vec::new();
        while taken.len() < self.plans_max {
            // Of two plans under one name the second must see what the first one left.
            let is_known = |pending: &Pending| pending.op.is_some_and(|op| ops.contains(&op));
            let Some(next) = waiting.pop_front_if(|pending| !is_known(pending)) else { break };
            ops.extend(next.op);
            taken.push(next);
        }
        if taken.is_empty() {
            lanes.remove(&lane);
        }
        taken
    }
}

/// Whoever makes the calls of a lane. If that ends half-way, as at the end of the runtime, those who wait hear
/// that nobody answers them.
pub(crate) struct Caller<'a> {
    lanes: &'a Lanes,
    lane: Lane,
    is_done: bool,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(lanes: &'a Lanes, lane: Lane) -> Caller<'a> {
        Caller { lanes, lane, is_done: false }
    }

    /// The plans of the next call; with none the lane is free again.
    pub(crate) fn next(&mut self) -> Vec<Pending> {
        let plans = self.lanes.take(self.lane);
        self.is_done = plans.is_empty();
        plans
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            let waiting = self.lanes.waiting.lock().remove(&self.lane);
            drop(waiting);
        }
    }
}

/// The lane of a small plan; none for one that goes alone.
pub(crate) fn lane_of(plan: &Plan) -> Option<Lane> {
    if plan.steps() > STEPS_MAX {
        return None;
    }
    directory_of(plan).map(Lane::Directory).or_else(|| object_of(plan).map(Lane::Object))
}

/// The directory that a plan's entries are in; none where they are in several, or where it has to do with more
/// than entries and nodes.
fn directory_of(plan: &Plan) -> Option<NodeId> {
    let mut directory = None;
    let mut is_of = |other: NodeId| *directory.get_or_insert(other) == other;
    let expectations = plan.expectations.iter().all(|expectation| match expectation {
        Expectation::EntryAbsent(key) | Expectation::FoldedAbsent(key) | Expectation::EntryIs { key, .. } => {
            is_of(key.directory)
        }
        Expectation::Topology(_)
        | Expectation::ObjectUsable { .. }
        | Expectation::ObjectState { .. }
        | Expectation::Unreferenced(_)
        | Expectation::LeaseIs { .. } => false,
        Expectation::Linked(_)
        | Expectation::Exists(_)
        | Expectation::LinksAre { .. }
        | Expectation::Empty(_)
        | Expectation::ParentIs { .. }
        | Expectation::PermissionVersion { .. }
        | Expectation::ChangeIs { .. }
        | Expectation::NoRows(_)
        | Expectation::ContentVersion { .. } => true,
    });
    let changes = plan.changes.iter().all(|change| match change {
        Change::InsertEntry { key, .. } | Change::DeleteEntry(key) => is_of(key.directory),
        Change::InsertNode(_)
        | Change::UpdateNode(..)
        | Change::DeleteNode(_)
        | Change::PutRow { .. }
        | Change::DeleteRow { .. }
        | Change::PutUnlinked { .. }
        | Change::DeleteUnlinked(_)
        | Change::Count(_) => true,
        Change::PutObject(_)
        | Change::DeleteObject(_)
        | Change::InsertReference(_)
        | Change::DeleteReference(_)
        | Change::GrantLease { .. }
        | Change::RaiseTopology => false,
    });
    directory.filter(|_| expectations && changes)
}

/// The object whose bytes a plan puts into maps; none where it locks several, or has to do with more than nodes and
/// maps. The objects of references are only named.
fn object_of(plan: &Plan) -> Option<ObjectId> {
    let mut object = None;
    let mut is_of = |other: ObjectId| *object.get_or_insert(other) == other;
    let expectations = plan.expectations.iter().all(|expectation| match expectation {
        Expectation::ObjectUsable { object, .. } => is_of(*object),
        Expectation::Exists(_) | Expectation::ContentVersion { .. } => true,
        _ => false,
    });
    let changes = plan.changes.iter().all(|change| match change {
        Change::PutObject(record) => is_of(record.id),
        Change::UpdateNode(..)
        | Change::PutRow { .. }
        | Change::DeleteRow { .. }
        | Change::InsertReference(_)
        | Change::DeleteReference(_)
        | Change::Count(_) => true,
        _ => false,
    });
    object.filter(|_| expectations && changes)
}

#[cfg(test)]
mod tests;
