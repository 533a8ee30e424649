//! One transaction: plans are checked and applied in order, and a plan that is refused leaves no trace in it.
//!
//! Nodes stay decoded until the end of the transaction, so that the directory of a hundred creates is written once.

mod change;
mod expectation;
mod number;
mod removal;
mod restoration;
mod undo;
mod users;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use dittofs_domain::{
    Cookie, FoldTable, Node, NodeId, OpId, ShareId, Tree,
    plan::{Applied, EntryKey, Outdated, PLAN_STEPS_MAX, Plan},
};
use foldhash::fast::RandomState;

use crate::{
    codec,
    fault::Fault,
    keys::{self, Count, Key},
    operations::{Operation, Remembered},
    redo::Redo,
    tables::{Kind, Writable, unsigned},
};

use expectation::names_without_proof;
use undo::Log;

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum Refused {
    /// An expectation does not hold.
    Conflict,
    /// The plan contradicts itself or the state.
    Malformed,
    /// A record makes no sense, or the database failed; then nothing of the transaction holds.
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Refused {
        Refused::Fault(fault)
    }
}

impl From<redb::StorageError> for Refused {
    fn from(error: redb::StorageError) -> Refused {
        Refused::Fault(error.into())
    }
}

/// Why a change cannot be made.
enum Refusal {
    /// A node that it needs is not there.
    Missing(NodeId),
    /// It contradicts the state.
    Contradiction,
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::Fault(fault)
    }
}

/// A transaction under way.
pub(crate) struct Batch<'txn> {
    tables: Writable<'txn>,
    remembered: &'txn Remembered,
    operations: Vec<Operation>,
    named: HashSet<(ShareId, OpId), RandomState>,
    nodes: HashMap<(ShareId, NodeId), Held<Option<Arc<Node>>>>,
    counts: HashMap<(ShareId, u8), Held<i64>>,
    foldings: HashMap<ShareId, FoldTable, RandomState>,
    is_changed: bool,
}

/// The changes of a transaction.
pub(crate) struct Changed {
    pub(crate) redo: Redo,
    /// The nodes among it that are still there.
    pub(crate) nodes: Vec<(ShareId, Arc<Node>)>,
    /// The operations that it carried out.
    pub(crate) operations: Vec<Operation>,
    /// The operations that it forgot.
    pub(crate) outdated: Outdated,
}

/// A value that was read, and whether it must be written.
struct Held<T> {
    value: T,
    is_dirty: bool,
}

impl<'txn> Batch<'txn> {
    pub(crate) fn new(tables: Writable<'txn>, remembered: &'txn Remembered) -> Batch<'txn> {
        let (operations, named) = (Vec::new(), HashSet::default());
        let (nodes, counts, foldings) = (HashMap::new(), HashMap::new(), HashMap::default());
        Batch { tables, remembered, operations, named, nodes, counts, foldings, is_changed: false }
    }

    /// Applies a plan, or changes nothing.
    pub(crate) fn apply(&mut self, share: ShareId, plan: Plan, op: Option<OpId>) -> Result<Applied, Refused> {
        if plan.steps() > PLAN_STEPS_MAX {
            return Err(Refused::Malformed);
        }
        if op.is_some_and(|op| self.is_carried_out(share, op)) || !self.meets(share, &plan)? {
            return Err(Refused::Conflict);
        }
        let made = plan.made();
        let mut log = Log::default();
        let refusal = match self.change_all(share, plan.changes, plan.now, &mut log) {
            Ok(()) => {
                self.is_changed = true;
                if let Some(op) = op {
                    self.named.insert((share, op));
                    self.operations.push(Operation { share, op, made });
                }
                return Ok(self.applied(share, log)?);
            }
            Err(refusal) => refusal,
        };
        self.undo(share, log)?;
        match refusal {
            Refusal::Missing(id) if self.node(share, id)?.is_none() && names_without_proof(&plan.expectations, id) => {
                Err(Refused::Conflict)
            }
            Refusal::Missing(_) | Refusal::Contradiction => Err(Refused::Malformed),
            Refusal::Fault(fault) => Err(Refused::Fault(fault)),
        }
    }

    fn is_carried_out(&self, share: ShareId, op: OpId) -> bool {
        self.named.contains(&(share, op)) || self.remembered.find(share, op, u64::MAX).is_some()
    }

    /// Notes which operations the transaction carries out, and forgets those that are over.
    fn note_operations(&mut self, transaction: i64) -> Result<Outdated, Fault> {
        let outdated = self.remembered.outdated(self.operations.len());
        for over in &outdated.batches {
            self.tables.put(Kind::Operations, &keys::operations(*over), None)?;
        }
        if !self.operations.is_empty() {
            let value = codec::encode_operations(&self.operations);
            self.tables.put(Kind::Operations, &keys::operations(transaction.cast_unsigned()), Some(&value))?;
        }
        Ok(outdated)
    }

    /// Writes what is still held; answers what has changed, if anything has at all.
    pub(crate) fn finish(mut self, transaction: i64) -> Result<Option<Changed>, Fault> {
        if !self.is_changed {
            return Ok(None);
        }
        let outdated = self.note_operations(transaction)?;
        let mut nodes: Vec<_> = self.nodes.into_iter().filter(|(_, held)| held.is_dirty).collect();
        nodes.sort_unstable_by_key(|(key, _)| *key);
        let mut changed = Vec::with_capacity(nodes.len());
        for ((share, id), held) in nodes {
            let value = held.value.as_ref().map(|node| codec::encode_node(node));
            self.tables.put(Kind::Node, &keys::node(share, id), value.as_deref())?;
            changed.extend(held.value.map(|node| (share, node)));
        }
        for ((share, what), held) in self.counts.into_iter().filter(|(_, held)| held.is_dirty) {
            let value = codec::encode_count(held.value);
            self.tables.put(Kind::Count, &keys::count_at(share, what), Some(&value))?;
        }
        let key = keys::count(ShareId(0), Count::Transactions);
        self.tables.put(Kind::Count, &key, Some(&codec::encode_count(transaction)))?;
        let (redo, operations) = (self.tables.into_redo(), self.operations);
        Ok(Some(Changed { redo, nodes: changed, operations, outdated }))
    }

    fn node(&mut self, share: ShareId, id: NodeId) -> Result<Option<Arc<Node>>, Fault> {
        if let Some(held) = self.nodes.get(&(share, id)) {
            return Ok(held.value.clone());
        }
        let value = self.tables.node(share, id)?;
        self.nodes.insert((share, id), Held { value: value.clone(), is_dirty: false });
        Ok(value)
    }

    fn is_there(&mut self, share: ShareId, id: NodeId) -> Result<bool, Fault> {
        Ok(self.node(share, id)?.is_some())
    }

    /// Puts a node's record in place, or removes it.
    fn put_node(&mut self, share: ShareId, id: NodeId, record: Option<Arc<Node>>) -> Result<(), Fault> {
        let is_pending = |node: &Option<Arc<Node>>| node.as_ref().is_some_and(|node| node.pending_truncation.is_some());
        let (before, after) = (is_pending(&self.node(share, id)?), is_pending(&record));
        if before != after {
            let row: Option<&[u8]> = if after { Some(&[]) } else { None };
            self.tables.put(Kind::PendingTruncation, &keys::node(share, id), row)?;
        }
        self.nodes.insert((share, id), Held { value: record, is_dirty: true });
        Ok(())
    }

    fn count(&mut self, share: ShareId, what: Count) -> Result<i64, Fault> {
        if let Some(held) = self.counts.get(&(share, what as u8)) {
            return Ok(held.value);
        }
        let value = self.tables.count(share, what)?;
        self.counts.insert((share, what as u8), Held { value, is_dirty: false });
        Ok(value)
    }

    /// The table by which a share folds names.
    fn folding(&mut self, share: ShareId) -> Result<FoldTable, Fault> {
        if let Some(folding) = self.foldings.get(&share) {
            return Ok(*folding);
        }
        let folding = self.tables.folding(share)?;
        self.foldings.insert(share, folding);
        Ok(folding)
    }

    /// The key of an entry in the index of folded names; none for one that is not in it.
    fn folded_key(&mut self, share: ShareId, key: &EntryKey, cookie: Cookie) -> Result<Option<Key>, Fault> {
        // As most are: the share's row need not be read.
        if key.name.is_plain() {
            return Ok(None);
        }
        let folded = self.folding(share)?.fold(&key.name);
        Ok(folded.map(|name| keys::folded(share, &EntryKey { name, ..*key }, cookie)))
    }

    /// The number of the living tree.
    fn tree(&mut self, share: ShareId) -> Result<Tree, Fault> {
        let stored = unsigned(self.count(share, Count::Trees)?)?.max(Tree::FIRST.0.into());
        let tree = u32::try_from(stored).ok().map(Tree).filter(|tree| *tree <= Tree::MAX);
        tree.ok_or_else(|| Fault::damaged(format!("a tree of number {stored}")))
    }

    fn put_count(&mut self, share: ShareId, what: Count, value: i64) {
        self.counts.insert((share, what as u8), Held { value, is_dirty: true });
    }
}
