//! The nodes that are due to be flushed, and the last flush.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{
    NodeId,
    error::FsError,
    flush::{Candidate, NodeFacts, ShareFacts, Usage},
};
use parking_lot::Mutex;

use crate::volume::{flusher::Flusher, pending::NodePending, share::is_of_file};

/// How long the last flush waits after a failure.
const BACK_OFF: Duration = Duration::from_secs(1);
/// How often what is left is flushed at the end. They bridge a store that is restarted; what is left stays in the
/// journal.
const LAST_TRIES: u32 = 4;
/// No try begins later than so long after the first: who stops a server in an outage doesn't wait for the store.
const LAST_WITHIN: Duration = Duration::from_secs(60);

impl Flusher {
    /// Flushes everything. A store that answers badly is asked again: what is left in the journal is not lost, but the next
    /// start has to read it.
    pub(in crate::volume) async fn flush_last(&self) -> Result<(), FsError> {
        let until = self.share.monotonic() + LAST_WITHIN;
        for _ in 1..LAST_TRIES {
            match self.flush_all().await {
                Err(FsError::Busy | FsError::Io | FsError::NoSpace) if self.share.monotonic() < until => {
                    self.share.sleep(BACK_OFF).await;
                }
                answer => return answer,
            }
        }
        self.flush_all().await
    }

    /// Returns the nodes of a flush. Where commits wait for flushes, it does not take long: the rest is due again at once.
    fn some(&self, due: Vec<Candidate>) -> Vec<NodeId> {
        let most = if self.share.tier().is_of_stores() { self.policy.object_bytes_max } else { u64::MAX };
        let mut bytes = 0_u64;
        let few = due.into_iter().take_while(|candidate| {
            let before = bytes;
            bytes = bytes.saturating_add(candidate.bytes);
            before < most
        });
        few.map(|candidate| candidate.node).collect()
    }

    /// Flushes what the policy finds due; answers whether there was anything.
    pub(in crate::volume) async fn flush_due(&self) -> Result<bool, FsError> {
        let now = self.share.monotonic();
        let age = |at: Duration| now.saturating_sub(at).as_millis().try_into().unwrap_or(u64::MAX);
        let waited_for = self.write_back.full().is_journal() | self.plans.ledger().take_wanted();
        let facts = |(node, pending): (NodeId, Arc<Mutex<NodePending>>)| {
            let pending = pending.lock();
            NodeFacts {
                node,
                bytes: pending.slices.bytes(),
                slices: pending.slices.len(),
                age_ms: age(pending.since),
                idle_ms: age(pending.latest()),
                waited_for,
            }
        };
        let tried =
            self.nodes.pending().nodes().into_iter().filter(|(node, _)| !self.write_back.set_aside().waits(*node, now));
        let nodes: Vec<NodeFacts> = tried.map(facts).collect();
        // Nothing would find out that there is space: what is set aside is not tried.
        if nodes.iter().all(|node| node.slices == 0) {
            self.write_back.note_full(&Ok(()));
        }
        let journal = self.write_back.journal_usage();
        let share = ShareFacts {
            journal: Usage { used: journal.used, limit: journal.limit },
            memory: self.write_back.admission().usage(),
        };
        let due = self.policy.candidates(&nodes, &share);
        let any = !due.is_empty();
        let flushed = self.flush(self.some(due)).await;
        if self.write_back.set_aside().is_any() {
            let _flushing = self.stop_flushing().await;
            self.write_back.move_aside(&self.locks).await;
        }
        if let Err(error) = flushed
            && !is_of_file(error)
        {
            return Err(error);
        }
        self.write_old_access_times().await?;
        if waited_for {
            self.plans.count_again().await?;
        }
        self.plans.space().await?;
        flushed.map(|()| any)
    }
}
