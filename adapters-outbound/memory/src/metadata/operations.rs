//! The operations that a share remembers, with a clock.

use std::{
    hash::RandomState,
    time::{Duration, Instant},
};

use dittofs_domain::{
    NodeId, OpId,
    plan::{Operations, OperationsKept},
};

/// The outcomes of operations, each a batch of its own.
#[derive(Debug)]
pub(super) struct Remembered {
    since: Instant,
    next: u64,
    known: Operations<OpId, RandomState>,
}

impl Remembered {
    pub(super) fn new(kept: OperationsKept) -> Remembered {
        Remembered { since: Instant::now(), next: 0, known: Operations::new(kept) }
    }

    /// Returns the node that the operation made, if the operation is remembered.
    pub(super) fn find(&self, op: OpId) -> Option<Option<NodeId>> {
        self.known.find(&op, self.now()).map(|found| found.made)
    }

    /// Notes an operation, and forgets those that are over.
    pub(super) fn note(&mut self, op: OpId, made: Option<NodeId>) {
        let now = self.now();
        let outdated = self.known.outdated(1, now);
        self.known.forget(&outdated);
        self.known.note(self.next, op, made, now);
        self.next += 1;
    }

    fn now(&self) -> Duration {
        self.since.elapsed()
    }
}
