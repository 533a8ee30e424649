//! The opens of the share's nodes: who has what open, locked and cached, whatever the protocol.
//!
//! Whatever gives somebody something on a node is done under the node's lock, as writes and the reaper's steps are: a
//! write that has been admitted is done before a lock or a caching right that it would conflict with is given.

mod admit;
mod closing;
mod directories;
mod events;
mod grace;
mod known;
mod leases;
mod locks;
mod open;

use std::{collections::HashSet, sync::Arc, time::Duration};

use directories::LeasedDirectories;
use dittofs_domain::{
    NodeId,
    error::{FsError, FsResult},
    opens::{Break, Denied, LockOutcome, NodeOpens, Outcome, WaitToken, Waiter},
};
use dittofs_ports::{Caller, LockReply, OpenEvents, OpenHint, OpenState};
use events::Subscribers;
use futures_util::{FutureExt, pin_mut, select_biased};
use grace::Grace;
use parking_lot::Mutex;
use tokio::sync::{Notify, futures::Notified};

use crate::{
    lock_order::may_wait_outside,
    volume::{
        garbage::Garbage,
        node_locks::NodeLocks,
        nodes::{Nodes, known_open},
        share::Share,
    },
};
pub(super) use admit::{Admitted, CloneLocks, Wanted, readable, writable};
pub(super) use closing::Ended;
pub(crate) use directories::DirectoryLeases;
pub(crate) use open::{OpenTarget, Part};

/// Places to wait at, which nodes share: who is woken for another one looks and waits again.
const SHARDS: u64 = 64;
/// How long the holder of a caching right has to acknowledge a break, in milliseconds (MS-SMB2, 3.3.2.5).
const BREAK_MS: u64 = 35_000;
/// How long a call waits for such holders at most: they may get rights again meanwhile, and lose them again.
const WAIT_MS_MAX: u64 = 2 * BREAK_MS;
/// How long a call without an open waits: its protocol can tell the client to come again.
const STATELESS_WAIT_MS_MAX: u64 = 1_000;
/// How often who waits asks again, to see what another instance did.
const RECHECK_MS: u64 = 1_000;

/// Who has what open, locked and cached.
pub(crate) struct OpenTable {
    share: Arc<Share>,
    nodes: Arc<Nodes>,
    locks: Arc<NodeLocks>,
    /// The opens, locks and rights of each node.
    state: Arc<dyn OpenState>,
    garbage: Arc<Garbage>,
    subscribers: Subscribers,
    /// The directories that somebody has a lease of.
    directories: LeasedDirectories,
    /// Rights or opens of one of these nodes have gone.
    freed: Vec<Notify>,
    /// Nodes without a name that the reaper found open.
    nameless: Mutex<HashSet<NodeId>>,
    /// Who gets locks after a start.
    pub(crate) grace: Grace,
}

/// How long a call waits for those who cache.
pub(super) fn patience_ms(waits: bool) -> u64 {
    if waits { WAIT_MS_MAX } else { 0 }
}

/// The same for reads, writes and changes of names: who comes through an open can wait.
fn patience_of_ms(caller: &Caller) -> u64 {
    if caller.opener.is_some() { WAIT_MS_MAX } else { STATELESS_WAIT_MS_MAX }
}

/// The result of a question to a node's opens.
enum Verdict<T> {
    /// The answer.
    Done(T),
    /// To be asked again when rights of the node have gone, or at this time of the monotonic clock.
    Wait { until_ms: u64 },
}

/// A verdict, and what others have to be notified of.
struct Answer<T> {
    verdict: Verdict<T>,
    breaks: Vec<Break>,
    woken: Vec<Waiter>,
}

impl<T> Answer<T> {
    fn done(value: T) -> Answer<T> {
        Answer { verdict: Verdict::Done(value), breaks: Vec::new(), woken: Vec::new() }
    }

    fn wait(breaks: Vec<Break>, until_ms: u64) -> Answer<T> {
        Answer { verdict: Verdict::Wait { until_ms }, breaks, woken: Vec::new() }
    }

    fn map<U>(self, map: impl FnOnce(T) -> U) -> Answer<U> {
        let verdict = match self.verdict {
            Verdict::Done(value) => Verdict::Done(map(value)),
            Verdict::Wait { until_ms } => Verdict::Wait { until_ms },
        };
        Answer { verdict, breaks: self.breaks, woken: self.woken }
    }

    fn of(outcome: Outcome, deadline_ms: u64) -> Answer<Result<(), Denied>> {
        match outcome {
            Outcome::Granted(breaks) => Answer { breaks, ..Answer::done(Ok(())) },
            Outcome::Denied(denied) => Answer::done(Err(denied)),
            Outcome::MustBreak(breaks) => Answer::wait(breaks, deadline_ms),
            Outcome::Wait { until_ms } => Answer::wait(Vec::new(), until_ms),
        }
    }

    fn of_lock(outcome: LockOutcome, deadline_ms: u64) -> Answer<FsResult<LockReply>> {
        match outcome {
            LockOutcome::Granted { breaks, woken } => {
                Answer { breaks, woken, verdict: Verdict::Done(Ok(LockReply::Granted)) }
            }
            LockOutcome::Queued { breaks } => Answer { breaks, ..Answer::done(Ok(LockReply::Queued)) },
            LockOutcome::Denied(Denied::Locked(lock)) => Answer::done(Ok(LockReply::Conflict(lock))),
            LockOutcome::Denied(denied) => Answer::done(Err(FsError::from(&denied))),
            LockOutcome::MustBreak(breaks) => Answer::wait(breaks, deadline_ms),
            LockOutcome::Wait { until_ms } => Answer::wait(Vec::new(), until_ms),
        }
    }
}

impl OpenTable {
    pub(super) fn new(
        share: Arc<Share>,
        nodes: Arc<Nodes>,
        locks: Arc<NodeLocks>,
        state: Arc<dyn OpenState>,
        garbage: Arc<Garbage>,
    ) -> OpenTable {
        let freed = (0..SHARDS).map(|_| Notify::new()).collect();
        let (subscribers, nameless) = (Subscribers::new(Arc::clone(&share)), Mutex::default());
        let grace = Grace::new(Arc::clone(&share));
        let directories = LeasedDirectories::default();
        OpenTable { share, nodes, locks, state, garbage, subscribers, directories, freed, nameless, grace }
    }

    /// Notifies an adapter from now on of what becomes of its clients' state.
    pub(crate) fn subscribe(&self, events: Arc<dyn OpenEvents>) {
        self.subscribers.add(events);
    }

    /// A name for a lock that is waited for.
    pub(crate) fn wait_token(&self) -> WaitToken {
        WaitToken(self.share.random())
    }

    fn freed(&self, node: NodeId) -> &Notify {
        &self.freed[(node.0 % SHARDS) as usize]
    }

    /// Whether nobody has anything on any node. One atomic load.
    pub(super) fn is_idle(&self) -> bool {
        self.state.is_idle()
    }

    /// Whether anybody may have anything on the node. One atomic load while nobody has anything on any.
    fn has_opens(&self, node: NodeId) -> bool {
        !self.state.is_idle() && self.state.hint(node, &mut |_: &NodeOpens| {}) != OpenHint::Nothing
    }

    /// Whether anybody has a node without a name open; the last close wakes the reaper then. Under the node's lock.
    pub(super) async fn is_kept_open(&self, node: NodeId) -> FsResult<bool> {
        if known_open(&*self.state, node) == Some(false) {
            return Ok(false);
        }
        let open = self.state.is_open(node).await.map_err(|error| self.share.opens_failed(&error))?;
        if open {
            self.nameless.lock().insert(node);
        }
        Ok(open)
    }

    /// Drops what is left of a node that is gone for good: locks of owners without an open, caching rights.
    pub(super) async fn forget(&self, node: NodeId) {
        self.nameless.lock().remove(&node);
        if !self.has_opens(node) {
            return;
        }
        let mut forget = |opens: &mut NodeOpens| {
            *opens = NodeOpens::default();
            self.directories.changed(node, opens);
        };
        let forgotten = self.state.update(node, &mut forget).await;
        if let Err(error) = forgotten {
            self.share.opens_failed(&error);
        }
        self.freed(node).notify_waiters();
    }

    /// Puts a question to a node's opens, after what is overdue was revoked, and notifies others of what follows. The
    /// question gets the deadline of new breaks.
    async fn ask<T: Send>(
        &self,
        node: NodeId,
        mut question: impl FnMut(&mut NodeOpens, u64) -> Answer<T> + Send,
    ) -> FsResult<Verdict<T>> {
        let now_ms = self.share.now_ms();
        let mut answered = None;
        let mut change = |opens: &mut NodeOpens| {
            let revoked = opens.expire(now_ms);
            answered = Some((revoked, question(opens, now_ms + BREAK_MS)));
            self.directories.changed(node, opens);
        };
        self.state.update(node, &mut change).await.map_err(|error| self.share.opens_failed(&error))?;
        let Some((revoked, answer)) = answered else {
            tracing::error!(share = %self.share.name(), %node, "store of opens does not run updates");
            return Err(FsError::Io);
        };
        if !revoked.is_empty() {
            self.freed(node).notify_waiters();
        }
        self.subscribers.notify(node, &revoked, &answer.breaks, &answer.woken);
        Ok(answer.verdict)
    }

    /// Changes a node's opens where nothing is ever waited for; answers what the change says, and notifies who waited.
    async fn change_opens<T: Send>(
        &self,
        node: NodeId,
        mut change: impl FnMut(&mut NodeOpens) -> (T, Vec<Waiter>) + Send,
    ) -> FsResult<T> {
        let verdict = self
            .ask(node, |opens, _| {
                let (value, woken) = change(opens);
                Answer { woken, ..Answer::done(value) }
            })
            .await?;
        match verdict {
            Verdict::Done(value) => Ok(value),
            Verdict::Wait { .. } => Err(FsError::Busy),
        }
    }

    /// Waits until it makes sense to ask again. Nothing may be held meanwhile; `freed` was made before the question.
    ///
    /// # Errors
    /// `Busy` when patience has run out.
    async fn wait_freed(&self, freed: Notified<'_>, until_ms: u64, patience_ms: u64) -> FsResult<()> {
        let now_ms = self.share.now_ms();
        if now_ms >= patience_ms {
            return Err(FsError::Busy);
        }
        let at = until_ms.min(patience_ms).min(now_ms + RECHECK_MS);
        let mut timeout = self.share.sleep(Duration::from_millis(at.saturating_sub(now_ms).max(1))).fuse();
        let freed = freed.fuse();
        pin_mut!(freed);
        may_wait_outside();
        select_biased! { () = freed => {}, () = timeout => {} }
        Ok(())
    }
}
