//! All or nothing: each step of a plan notes how it is undone, and a plan that turns out to be impossible is.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    Cookie, Node, NodeId, ObjectId,
    content::MapRow,
    plan::{Applied, EntryKey, ObjectRecord, PLAN_STEPS_MAX, Plan, Reference, Statistics, Touched, UnlinkedReason},
};
use dittofs_ports::ApplyError;
use smallvec::SmallVec;

use super::{expectation::names_without_proof, state::State};

/// How one step is undone.
#[derive(Debug)]
pub(super) enum Undo {
    /// To what the node was.
    Node(NodeId, Option<Arc<Node>>),
    /// Remove it.
    InsertedEntry(EntryKey, NodeId),
    /// Put it back.
    DeletedEntry(EntryKey, NodeId, Cookie),
    /// To what the row was.
    Row(NodeId, u64, Option<MapRow>),
    /// To what the extended attributes were.
    Xattrs(NodeId, Option<Bytes>),
    /// To what the note was.
    Unlinked(NodeId, Option<UnlinkedReason>),
    /// To what the object was.
    Object(ObjectId, Option<ObjectRecord>),
    /// Remove it (true) or put it back.
    Reference(Reference, bool),
    /// To what the count was.
    Topology(u64),
    /// To what the sums were.
    Statistics(Statistics),
}

/// Steps taken. What a plan replaced is in here too, to be freed after the lock.
pub(super) type Log = SmallVec<[Undo; 6]>;

/// Why a plan cannot be applied.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A node that a change needs is not there.
    Missing(NodeId),
    /// The changes contradict each other or the state.
    Contradiction,
}

impl State {
    /// Applies a plan, or changes nothing.
    pub(super) fn apply(&mut self, plan: Plan, log: &mut Log) -> Result<Applied, ApplyError> {
        if plan.steps() > PLAN_STEPS_MAX {
            return Err(ApplyError::Malformed);
        }
        if !self.meets(&plan) {
            return Err(ApplyError::Conflict);
        }
        let refusal = match self.change_all(plan.changes, plan.now, log) {
            Ok(()) => return Ok(self.applied(log)),
            Err(refusal) => refusal,
        };
        for step in log.drain(..).rev() {
            self.undo(step);
        }
        match refusal {
            Refusal::Missing(id) if self.nodes.slot(id).is_none() && names_without_proof(&plan.expectations, id) => {
                Err(ApplyError::Conflict)
            }
            Refusal::Missing(_) | Refusal::Contradiction => Err(ApplyError::Malformed),
        }
    }

    /// Each node touched, once, in the order of their ids.
    fn applied(&self, log: &Log) -> Applied {
        let mut nodes: SmallVec<[Touched; 4]> = SmallVec::new();
        for step in log {
            if let Undo::Node(id, before) = step {
                nodes.push(Touched { id: *id, before: before.clone(), after: None });
            }
        }
        // A stable sort keeps the oldest state of each node first, and that is the one to keep.
        nodes.sort_by_key(|touched| touched.id);
        nodes.dedup_by_key(|touched| touched.id);
        for touched in &mut nodes {
            touched.after = self.nodes.record(touched.id).cloned();
        }
        Applied { nodes }
    }

    fn undo(&mut self, step: Undo) {
        match step {
            Undo::Node(id, before) => self.put_node(id, before),
            Undo::InsertedEntry(key, _) => self.remove_entry(&key),
            Undo::DeletedEntry(key, node, cookie) => self.restore_entry(key, node, cookie),
            Undo::Row(node, page, before) => {
                self.put_row(node, page, before);
            }
            Undo::Xattrs(node, before) => {
                self.put_xattrs(node, before);
            }
            Undo::Unlinked(id, before) => {
                match before {
                    Some(reason) => self.unlinked.insert(id, reason),
                    None => self.unlinked.remove(&id),
                };
            }
            Undo::Object(id, before) => {
                match before {
                    Some(record) => self.objects.insert(id, record),
                    None => self.objects.remove(&id),
                };
            }
            Undo::Reference(reference, inserted) => {
                if inserted {
                    self.references.remove(&reference);
                } else {
                    self.references.insert(reference);
                }
            }
            Undo::Topology(before) => self.topology = before,
            Undo::Statistics(before) => self.statistics = before,
        }
    }
}
