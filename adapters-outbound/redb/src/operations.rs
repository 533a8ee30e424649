//! The outcomes of operations, in memory: the contents of the table of the same name, by the operations' ids.
//!
//! A transaction's operations are one row, whose key is the transaction's number: a row is added at the end of the table
//! and rows go from its start, which costs next to nothing. Times are not stored: a crash does not make a client forget
//! its calls, so their age begins anew with each opening.
//!
//! Those of before the opening are also known by their calls alone, whichever way they come again ([`OpId`]).

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use dittofs_domain::{
    NodeId, OpId, ShareId,
    plan::{Operations, OperationsKept, Outdated},
};
use foldhash::fast::RandomState;
use parking_lot::RwLock;

use crate::{fault::Fault, tables::Snapshot};

/// An operation, and the node that its plan made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) share: ShareId,
    pub(crate) op: OpId,
    pub(crate) made: Option<NodeId>,
}

/// The operations that are remembered, for readers and the writer.
#[derive(Clone)]
pub(crate) struct Remembered {
    kept: OperationsKept,
    since: Instant,
    known: Arc<RwLock<Known>>,
}

struct Known {
    operations: Operations<(ShareId, OpId), RandomState>,
    /// The nodes that were made for calls before the opening.
    before: HashMap<(ShareId, u128), Option<NodeId>, RandomState>,
}

impl Known {
    fn new(kept: OperationsKept) -> Known {
        Known { operations: Operations::new(kept), before: HashMap::default() }
    }
}

impl Remembered {
    pub(crate) fn new(kept: OperationsKept) -> Remembered {
        Remembered { kept, since: Instant::now(), known: Arc::new(RwLock::new(Known::new(kept))) }
    }

    /// Takes over what a database holds that was opened just now.
    pub(crate) fn load(&self, tables: &Snapshot) -> Result<(), Fault> {
        let (mut known, now) = (Known::new(self.kept), self.now());
        tables.operations(|transaction, operations| {
            for Operation { share, op, made } in operations {
                known.operations.note(transaction, (share, op), made, now);
                known.before.insert((share, op.call()), made);
            }
        })?;
        *self.known.write() = known;
        Ok(())
    }

    /// Returns the node that a transaction up to this one made for an operation, if that is remembered.
    pub(crate) fn find(&self, share: ShareId, op: OpId, up_to: u64) -> Option<Option<NodeId>> {
        let (known, now) = (self.known.read(), self.now());
        match known.operations.find(&(share, op), now) {
            Some(found) => (found.batch <= up_to).then_some(found.made),
            None if now < self.kept.age => known.before.get(&(share, op.call())).copied(),
            None => None,
        }
    }

    /// The transactions whose operations are to be forgotten once so many are added.
    pub(crate) fn outdated(&self, more: usize) -> Outdated {
        self.known.read().operations.outdated(more, self.now())
    }

    /// Takes over the changes of a transaction, once it is durable.
    pub(crate) fn advance(&self, transaction: u64, operations: &[Operation], outdated: &Outdated) {
        if operations.is_empty() && outdated.batches.is_empty() {
            return;
        }
        let now = self.now();
        let mut known = self.known.write();
        if now >= self.kept.age {
            known.before = HashMap::default();
        }
        known.operations.forget(outdated);
        for Operation { share, op, made } in operations {
            known.operations.note(transaction, (*share, *op), *made, now);
        }
    }

    fn now(&self) -> Duration {
        self.since.elapsed()
    }
}
