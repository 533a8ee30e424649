//! Plans that wait for each other: those whose entries are in one directory.
//!
//! The row of a directory is locked until the transaction that changes it is on the disk. So there is one call at a
//! time for a directory, and the plans that come meanwhile go in the next one, together. No time is waited for
//! others: a lone plan goes at once.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use dittofs_domain::{
    NodeId, OpId,
    plan::{Change, Expectation, Plan},
};
use parking_lot::Mutex;

use crate::apply::Pending;

/// Greater plans go alone: they would keep the small ones of their call waiting.
const STEPS_MAX: usize = 32;

/// The directories of a share for which there is a call, with the plans that wait for it.
#[derive(Debug)]
pub(crate) struct Lanes {
    plans_max: usize,
    waiting: Mutex<HashMap<NodeId, VecDeque<Pending>>>,
}

impl Lanes {
    pub(crate) fn new(plans_max: usize) -> Lanes {
        Lanes { plans_max, waiting: Mutex::default() }
    }

    /// Lets a plan wait for the call of its directory; returns it if there is no call, and the caller has to make it.
    pub(crate) fn enter(&self, directory: NodeId, pending: Pending) -> Option<Pending> {
        match self.waiting.lock().entry(directory) {
            Entry::Occupied(mut waiting) => {
                waiting.get_mut().push_back(pending);
                None
            }
            Entry::Vacant(lane) => {
                lane.insert(VecDeque::new());
                Some(pending)
            }
        }
    }

    fn take(&self, directory: NodeId) -> Vec<Pending> {
        let mut lanes = self.waiting.lock();
        let Some(waiting) = lanes.get_mut(&directory) else { return Vec::new() };
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
            lanes.remove(&directory);
        }
        taken
    }
}

/// Whoever makes the calls of a directory. If that ends half-way, as at the end of the runtime, those who wait hear
/// that nobody answers them.
pub(crate) struct Caller<'a> {
    lanes: &'a Lanes,
    directory: NodeId,
    is_done: bool,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(lanes: &'a Lanes, directory: NodeId) -> Caller<'a> {
        Caller { lanes, directory, is_done: false }
    }

    /// The plans of the next call; with none the directory is free again.
    pub(crate) fn next(&mut self) -> Vec<Pending> {
        let plans = self.lanes.take(self.directory);
        self.is_done = plans.is_empty();
        plans
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            let waiting = self.lanes.waiting.lock().remove(&self.directory);
            drop(waiting);
        }
    }
}

/// The directory that a small plan's entries are in; none where they are in several, or where it has to do with more
/// than entries and nodes.
pub(crate) fn directory_of(plan: &Plan) -> Option<NodeId> {
    if plan.steps() > STEPS_MAX {
        return None;
    }
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

#[cfg(test)]
mod tests;
