//! What a volume does by itself: flushing by age and pressure, reaping, deleting garbage.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dittofs_domain::{
    NodeId, Sequence,
    error::FsError,
    flush::{NodeFacts, ShareFacts, Usage},
};
use dittofs_ports::Survives;
use futures_util::{FutureExt, select_biased};
use parking_lot::Mutex;

use super::{Volume, pending::NodePending};

/// How often the flusher looks what is due.
const TICK: Duration = Duration::from_millis(500);
/// How soon it looks again where something was due: there may be more already, or what was due could not be taken.
const AGAIN: Duration = Duration::from_millis(10);
/// Acknowledged bytes are durable after so long, whether or not a client commits; a tick less than what is promised.
const VOLATILE_MAX: Duration = Duration::from_millis(4_500);
/// How long a task waits after a failure.
const BACK_OFF: Duration = Duration::from_secs(1);
/// How long the flusher waits where there was no space.
const BACK_OFF_FULL: Duration = Duration::from_secs(3);
/// How often what is left is flushed at the end.
const LAST_TRIES: u32 = 4;
/// No try begins later than so long after the first: who stops a server in an outage doesn't wait for the store.
const LAST_WITHIN: Duration = Duration::from_secs(60);

impl Volume {
    pub(super) fn start_background(self: &Arc<Self>) {
        let volume = Arc::clone(self);
        self.machine.spawner.spawn("flush", Box::pin(async move { volume.flush_loop().await }));
        for _ in 0..self.readahead.pace.fetchers {
            let volume = Arc::clone(self);
            self.machine.spawner.spawn("readahead", Box::pin(async move { volume.read_ahead_loop().await }));
        }
        let volume = Arc::clone(self);
        self.machine.spawner.spawn("owner", Box::pin(async move { volume.own_loop().await }));
        let volume = Arc::clone(self);
        self.machine.spawner.spawn("reap", Box::pin(async move { volume.reap_loop().await }));
    }

    /// Looks through a share that was written before its row named the keys in use.
    pub(super) fn start_finding_keys(self: &Arc<Self>) {
        let volume = Arc::clone(self);
        let find = async move {
            while !volume.closing.load(Ordering::Acquire)
                && let Err(error) = volume.find_keys().await
            {
                tracing::warn!(share = %volume.name, %error, "can't find out yet which keys are in use");
                volume.wait(BACK_OFF, std::future::pending()).await;
            }
        };
        self.machine.spawner.spawn("keys in use", Box::pin(find));
    }

    /// Stops the background tasks, after a last flush, and notes that the journal holds nothing that the stores don't,
    /// unless something is set aside in it.
    /// Nothing may be written any more.
    ///
    /// # Errors
    /// Those of the stores: then the next start replays what is left.
    pub async fn close(&self) -> Result<(), FsError> {
        self.closing.store(true, Ordering::Release);
        self.closed.notify_waiters();
        let closed = self.close_stores().await;
        match closed {
            Ok(()) => self.owned.release().await,
            Err(_) => self.owned.abandon(),
        }
        closed
    }

    async fn close_stores(&self) -> Result<(), FsError> {
        self.flush_last().await?;
        if let Err(error) = self.write_access_times().await {
            tracing::warn!(share = %self.name, %error, "access times are not written");
        }
        let is_left = self.aside_bytes() > 0;
        if is_left {
            self.tell_left().await;
        }
        self.mark_clean(is_left).await
    }

    async fn mark_clean(&self, is_left: bool) -> Result<(), FsError> {
        if self.stores.journal.survives() == Survives::Nothing {
            return if is_left { Err(FsError::Io) } else { Ok(()) };
        }
        // Covers the releases as well, so that no record comes back.
        let synced = self.stores.journal.sync(Sequence(u64::MAX >> 1)).await;
        synced.map_err(|error| self.journal_failed(&error))?;
        // What is left makes the next start read the journal, and refuse to go on without it.
        self.mark(is_left).await.map_err(|error| self.metadata_failed(&error))
    }

    /// Flushes everything. A store that answers badly is asked again: what is left in the journal is not lost, but the next
    /// start has to read it.
    async fn flush_last(&self) -> Result<(), FsError> {
        let until = self.machine.clock.monotonic() + LAST_WITHIN;
        for _ in 1..LAST_TRIES {
            match self.flush_all().await {
                Err(FsError::Busy | FsError::Io | FsError::NoSpace) if self.machine.clock.monotonic() < until => {
                    self.machine.clock.sleep(BACK_OFF).await;
                }
                answer => return answer,
            }
        }
        self.flush_all().await
    }

    async fn flush_loop(&self) {
        while !self.closing.load(Ordering::Acquire) {
            let wait = match self.flush_due().await {
                Ok(true) => AGAIN,
                Ok(false) => TICK,
                Err(FsError::NoSpace) => BACK_OFF_FULL,
                Err(_) => BACK_OFF,
            };
            self.wait(wait, self.admission.short()).await;
        }
    }

    /// Flushes what the policy finds due; answers whether there was anything.
    async fn flush_due(&self) -> Result<bool, FsError> {
        let now = self.machine.clock.monotonic();
        if let Err(error) = self.renew_start().await {
            tracing::debug!(share = %self.name, %error, "the server's start is not renewed yet");
        }
        let age = |at: Duration| now.saturating_sub(at).as_millis().try_into().unwrap_or(u64::MAX);
        if self.pending.bytes() == 0 {
            self.note_full(&Ok(()));
        }
        let waited_for = self.full.is_journal() | self.ledger.take_wanted();
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
        let tried = self.pending.nodes().into_iter().filter(|(node, _)| !self.aside.waits(*node, now));
        let nodes: Vec<NodeFacts> = tried.map(facts).collect();
        let journal = self.stores.journal.usage();
        let share =
            ShareFacts { journal: Usage { used: journal.used, limit: journal.limit }, memory: self.admission.usage() };
        let due = self.flush_policy.candidates(&nodes, &share);
        let is_old = nodes.iter().any(|node| u128::from(node.age_ms) >= VOLATILE_MAX.as_millis());
        let synced = if is_old { self.sync_journal(Sequence(u64::MAX >> 1)).await } else { Ok(false) };
        let any = !due.is_empty();
        // Also where the journal can't be synced any more: what it holds is safe once it is flushed.
        let flushed = self.flush(due.into_iter().map(|candidate| candidate.node).collect()).await;
        self.move_aside().await;
        if let Err(error) = flushed
            && !Volume::is_of_file(error)
        {
            return Err(error);
        }
        synced?;
        self.write_old_access_times().await?;
        self.space().await?;
        flushed.map(|()| any)
    }

    /// Keeps the share's objects this server's, until they are given back: the last flush needs them, and may take longer
    /// than a lease.
    async fn own_loop(&self) {
        while let Some(wait) = self.owned.tend().await {
            self.owned.pause(wait).await;
        }
    }

    async fn reap_loop(&self) {
        while !self.closing.load(Ordering::Acquire) && self.unpin_unfinished().await.is_err() {
            self.wait(BACK_OFF, self.reaping.notified()).await;
        }
        while !self.closing.load(Ordering::Acquire) && self.survey().await.is_err() {
            self.wait(BACK_OFF, self.reaping.notified()).await;
        }
        while !self.closing.load(Ordering::Acquire) {
            let result = async {
                let left = self.ledger.left();
                self.reap().await?;
                self.ledger.reaped(left);
                self.room.notify_waiters();
                let _collecting = self.collecting.lock().await;
                self.condemn_suspects().await?;
                let left = self.delete_condemned().await?;
                // Last: it needs room, which the garbage before it gives.
                let more = self.repack().await?;
                self.condemn_suspects().await?;
                Ok::<bool, FsError>(left || more || !self.condemned.lock().is_empty())
            };
            match result.await {
                Ok(false) => self.until_closed_or(self.reaping.notified()).await,
                Ok(true) | Err(_) => self.wait(BACK_OFF, self.reaping.notified()).await,
            }
        }
    }

    /// Waits for something, but not once the volume closes.
    pub(super) async fn until_closed_or(&self, event: impl Future<Output = ()>) {
        let (event, closed) = (event.fuse(), self.closed.notified().fuse());
        // Asked for after the notification was: one of the two sees the end.
        if self.closing.load(Ordering::Acquire) {
            return;
        }
        futures_util::pin_mut!(event, closed);
        select_biased! { () = closed => {}, () = event => {} }
    }

    /// Waits for something, but not longer than `time`, and not once the volume closes.
    async fn wait(&self, time: Duration, event: impl Future<Output = ()>) {
        let (event, closed) = (event.fuse(), self.closed.notified().fuse());
        if self.closing.load(Ordering::Acquire) {
            return;
        }
        futures_util::pin_mut!(event, closed);
        let mut timeout = self.machine.clock.sleep(time).fuse();
        select_biased! { () = closed => {}, () = event => {}, () = timeout => {} }
    }
}
