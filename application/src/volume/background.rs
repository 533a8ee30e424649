//! What a volume does by itself: flushing by age and pressure, reaping, deleting garbage.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dittofs_domain::{
    NodeId,
    error::FsError,
    flush::{NodeFacts, ShareFacts, Usage},
};
use futures_util::{FutureExt, select_biased};
use parking_lot::Mutex;

use super::{Volume, pending::NodePending};

/// How often the flusher looks what is due.
const TICK: Duration = Duration::from_millis(500);
/// How long a task waits after a failure.
const BACK_OFF: Duration = Duration::from_secs(1);

impl Volume {
    pub(super) fn start_background(self: &Arc<Self>) {
        let volume = Arc::clone(self);
        self.machine.spawner.spawn("flush", Box::pin(async move { volume.flush_loop().await }));
        let volume = Arc::clone(self);
        self.machine.spawner.spawn("reap", Box::pin(async move { volume.reap_loop().await }));
    }

    /// Stops the background tasks, after a last flush. Nothing may be written any more.
    pub async fn close(&self) -> Result<(), FsError> {
        self.closing.store(true, Ordering::Release);
        self.closed.notify_waiters();
        self.flush_all().await
    }

    async fn flush_loop(&self) {
        while !self.closing.load(Ordering::Acquire) {
            let wait = match self.flush_due().await {
                Ok(()) => TICK,
                Err(_) => BACK_OFF,
            };
            self.wait(wait, self.admission.short()).await;
        }
    }

    /// Flushes what the policy finds due.
    async fn flush_due(&self) -> Result<(), FsError> {
        let now = self.machine.clock.monotonic();
        let facts = |(node, pending): (NodeId, Arc<Mutex<NodePending>>)| {
            let pending = pending.lock();
            NodeFacts {
                node,
                bytes: pending.slices.bytes(),
                slices: pending.slices.len(),
                age_ms: now.saturating_sub(pending.since).as_millis().try_into().unwrap_or(u64::MAX),
                waited_for: false,
            }
        };
        let nodes: Vec<NodeFacts> = self.pending.nodes().into_iter().map(facts).collect();
        let journal = self.stores.journal.usage();
        let share =
            ShareFacts { journal: Usage { used: journal.used, limit: journal.limit }, memory: self.admission.usage() };
        let due = self.flush_policy.candidates(&nodes, &share);
        self.flush(due.into_iter().map(|candidate| candidate.node).collect()).await?;
        self.space().await?;
        Ok(())
    }

    async fn reap_loop(&self) {
        while !self.closing.load(Ordering::Acquire) {
            let result = async {
                self.reap().await?;
                self.condemn_suspects().await?;
                self.delete_condemned().await
            };
            match result.await {
                Ok(false) => {
                    let closed = self.closed.notified().fuse();
                    let woken = self.reaping.notified().fuse();
                    futures_util::pin_mut!(closed, woken);
                    select_biased! { () = closed => {}, () = woken => {} }
                }
                Ok(true) | Err(_) => self.wait(BACK_OFF, self.reaping.notified()).await,
            }
        }
    }

    /// Waits for something, but not longer than `time`, and not once the volume closes.
    async fn wait(&self, time: Duration, event: impl Future<Output = ()>) {
        let (event, closed) = (event.fuse(), self.closed.notified().fuse());
        futures_util::pin_mut!(event, closed);
        let mut timeout = self.machine.clock.sleep(time).fuse();
        select_biased! { () = closed => {}, () = event => {}, () = timeout => {} }
    }
}
