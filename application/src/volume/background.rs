//! What a volume does by itself: flushing by age and pressure, reaping, deleting garbage.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dittofs_domain::{NodeId, error::FsError};
use futures_util::{FutureExt, select_biased};

use super::Volume;

/// How often the flusher looks what is due.
const TICK: Duration = Duration::from_millis(500);
/// How long a task waits after a failure.
const BACK_OFF: Duration = Duration::from_secs(1);
/// The use of the unflushed bytes' bound, in percent, from which they are flushed whatever their age.
const PRESSURE_PERCENT: u64 = 50;

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
            let pressure = self.admission.used_percent() >= PRESSURE_PERCENT && wait == TICK;
            if !pressure {
                self.wait(wait, self.admission.dry()).await;
            }
        }
    }

    /// Flushes the nodes whose oldest record is of age, or all if there is pressure.
    async fn flush_due(&self) -> Result<(), FsError> {
        let pressure = self.admission.used_percent() >= PRESSURE_PERCENT;
        let now = self.machine.clock.monotonic();
        let age_max = Duration::from_millis(self.flush_policy.age_ms_max);
        let due = |since: Duration| pressure || now.saturating_sub(since) >= age_max;
        let nodes: Vec<NodeId> = {
            let nodes = self.pending.nodes();
            nodes.into_iter().filter(|(_, pending)| due(pending.lock().since)).map(|(node, _)| node).collect()
        };
        self.flush(nodes).await?;
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
