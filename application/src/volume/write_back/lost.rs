//! Failed syncs, whether or not anybody waited for them, and what they have lost.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use dittofs_domain::{NodeId, Sequence, error::FsResult, plan::Query};
use dittofs_ports::{Appended, Journal, WriteVerifier};

use crate::volume::{
    nodes::Nodes,
    share::{Share, is_of_file},
    write_back::WriteBack,
};

/// Failures of the journal, and which of them have been handled.
pub(super) struct Failures {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    journal: Arc<dyn Journal>,
    /// The write verifier as long as nothing has failed.
    verifier: u64,
    /// Failures besides those that the journal counts.
    others: AtomicU64,
    /// How many failures there had been when lost records were last taken out of the index.
    handled: AtomicU64,
}

impl Failures {
    pub(super) fn new(share: Arc<Share>, nodes: Arc<Nodes>, journal: Arc<dyn Journal>) -> Failures {
        let verifier = share.random();
        Failures { share, nodes, journal, verifier, others: AtomicU64::new(0), handled: AtomicU64::new(0) }
    }

    fn count(&self) -> u64 {
        self.journal.failures() + self.others.load(Ordering::Acquire)
    }

    /// Something has failed that the journal does not count: clients must send again what was not committed, and lost
    /// records are looked for again.
    pub(super) fn note(&self) {
        self.others.fetch_add(1, Ordering::AcqRel);
    }

    /// Takes lost records out of the index, if something has failed since that was last done: what they covered counts
    /// again. Adds the records that are to be given up, also where it fails; then whoever asks next goes on.
    async fn handle(&self, gone: &mut Vec<Appended>) -> FsResult<()> {
        let failures = self.count();
        if self.handled.load(Ordering::Acquire) >= failures {
            return Ok(());
        }
        let mut lost: BTreeMap<NodeId, Vec<Sequence>> = BTreeMap::new();
        for (node, sequence) in self.journal.lost() {
            lost.entry(node).or_default().push(sequence);
        }
        let mut is_handled = true;
        for (node, sequences) in lost {
            match self.forget(node, &sequences).await {
                Ok(records) => gone.extend(records),
                // A file that is damaged keeps no other from forgetting.
                Err(error) if is_of_file(error) => {
                    self.nodes.report_unreadable(node).await;
                    is_handled = false;
                }
                Err(error) => return Err(error),
            }
        }
        if is_handled {
            self.handled.fetch_max(failures, Ordering::AcqRel);
        }
        Ok(())
    }

    async fn forget(&self, node: NodeId, lost: &[Sequence]) -> FsResult<Vec<Appended>> {
        for attempt in 1.. {
            let seen = self.nodes.view(&Query::node(node)).await?;
            let Ok(stored) = seen.node(node) else { break };
            if let Some(records) = self.nodes.pending().lose(stored, lost, seen.version) {
                return Ok(records);
            }
            self.share.jitter(attempt).await;
        }
        Ok(Vec::new())
    }
}

impl WriteBack {
    /// The verifier that writes and commits are answered with. It follows from the count of failures: whoever's sync
    /// succeeds after a failed one is answered with a new one.
    pub(in crate::volume) fn write_verifier(&self) -> WriteVerifier {
        WriteVerifier(self.failures.verifier.wrapping_add(self.failures.count()))
    }

    /// Has the index forget what failed syncs have lost.
    ///
    /// # Errors
    /// Those of the metadata store; then it is to be tried again.
    pub(in crate::volume) async fn handle_failures(&self) -> FsResult<()> {
        let mut gone = Vec::new();
        let handled = self.failures.handle(&mut gone).await;
        self.release(gone).await;
        handled
    }
}
