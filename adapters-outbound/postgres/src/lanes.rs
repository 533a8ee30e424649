//! Plans that wait for each other: those whose entries are in one directory, and those that put bytes of one object
//! into files, as a flush of many small files does.
//!
//! The row of a directory, or of an object, is locked until the transaction that changes it is on the disk. So there
//! is one call at a time for it, and the plans that come meanwhile go in the next one, together. No time is waited for
//! others: a lone plan goes at once. Without that, a flush of many files would take a commit for each, one after
//! another, and most connections would wait for its object's row meanwhile.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    time::Instant,
};

use dittofs_domain::{
    NodeId, ObjectId,
    content::{Extent, MapRow},
    plan::{Change, Expectation, Plan},
};
use parking_lot::Mutex;

use crate::apply::Pending;

/// A plan of more steps goes in a call of its own, when it is its turn: it would keep the small ones of its call
/// waiting.
const STEPS_MAX: usize = 32;
/// Bytes of files that a call takes into maps, unless one plan alone has more. They are written with the commit: a MiB
/// takes about as long as the other work of a full call.
const BYTES_MAX: usize = 1 << 20;

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
        let mut bytes = 0;
        while taken.len() < self.plans_max {
            let Some(next) = waiting.pop_front_if(|next| goes_with(next, &taken, bytes)) else { break };
            bytes += bytes_of(&next.plan);
            taken.push(next);
        }
        if taken.is_empty() {
            lanes.remove(&lane);
        }
        taken
    }

    /// Takes the plans whose time is over.
    fn overdue(&self, lane: Lane, now: Instant) -> Vec<Pending> {
        let mut lanes = self.waiting.lock();
        let waiting = lanes.get_mut(&lane).into_iter();
        waiting.flat_map(|waiting| std::iter::from_fn(|| waiting.pop_front_if(|next| next.deadline <= now))).collect()
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

    /// The plans that have waited for so long that they are refused, where the database serves no calls.
    pub(crate) fn overdue(&self) -> Vec<Pending> {
        self.lanes.overdue(self.lane, Instant::now())
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

/// Whether a plan goes in the call of those before it, which put so many bytes into maps.
fn goes_with(next: &Pending, before: &[Pending], bytes: usize) -> bool {
    let Some(last) = before.last() else { return true };
    // Of two plans under one name the second must see what the first one left.
    let is_known = next.op.is_some() && before.iter().any(|pending| pending.op == next.op);
    let is_great = [&next.plan, &last.plan].into_iter().any(|plan| plan.steps() > STEPS_MAX);
    !is_known && !is_great && bytes + bytes_of(&next.plan) <= BYTES_MAX
}

/// The bytes of files that a plan puts into maps. The places of others take little.
fn bytes_of(plan: &Plan) -> usize {
    let rows = plan.changes.iter().filter_map(|change| match change {
        Change::PutRow { row: MapRow::Page { extents, .. }, .. } => Some(extents),
        _ => None,
    });
    let inline = rows.flatten().map(|extent| match extent {
        Extent::Inline(bytes) => bytes.len(),
        Extent::Hole { .. } | Extent::Stored { .. } => 0,
    });
    inline.sum()
}

/// The lane of a plan; none for one that goes at once, as no other plan waits for the same row.
pub(crate) fn lane_of(plan: &Plan) -> Option<Lane> {
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
        | Expectation::XattrsAre { .. }
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
        | Change::PutXattrs { .. }
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
