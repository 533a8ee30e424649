//! State that every part of a running share needs: who the share is, what the machine gives to it, and how long it
//! runs.

mod failures;
mod ports;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dittofs_domain::{
    Epoch, FoldTable, Node, ObjectId, Scale, ShareId, Timestamp,
    content::map::Facts,
    error::{FsError, FsResult},
};
use dittofs_ports::{Caller, CaseRule, Clock, HandleSigner, Presented, ShareRecord};
use futures_util::{FutureExt, future::BoxFuture, select_biased};
use parking_lot::RwLockReadGuard;
use tokio::sync::Notify;

use crate::{
    owned::OwnedContent,
    policy::SharePolicy,
    replicated::Replicated,
    volume::{Machine, counters::Counters, share::ports::RefusedPorts, tier::Tier},
};

/// Whether an error is about one file, so that others may go on.
pub(super) fn is_of_file(error: FsError) -> bool {
    error == FsError::Io
}

/// Returns the graver of two failures. A failure of a store concerns all files, and is graver than that of one file.
pub(super) fn graver(one: Option<FsError>, other: Option<FsError>) -> Option<FsError> {
    one.filter(|error| !is_of_file(*error)).or(other.filter(|error| !is_of_file(*error))).or(one).or(other)
}

/// A share that runs.
pub(super) struct Share {
    name: String,
    signer: HandleSigner,
    policy: Replicated<SharePolicy>,
    pinned: Pinned,
    epoch: Epoch,
    machine: Machine,
    /// Its objects, with the lease that they are held by.
    owned: Arc<OwnedContent>,
    tier: Tier,
    counters: Counters,
    refused_ports: RefusedPorts,
    is_closing: AtomicBool,
    closed: Notify,
}

/// What the share was made with, for ever.
struct Pinned {
    scale: Scale,
    folding: FoldTable,
}

impl Share {
    /// The share of this row, in the start of this epoch.
    pub(super) fn new(
        record: &ShareRecord,
        epoch: Epoch,
        policy: &SharePolicy,
        machine: Machine,
        (owned, tier): (Arc<OwnedContent>, Tier),
    ) -> Share {
        Share {
            name: record.name.clone(),
            signer: HandleSigner { share: record.id, key: record.handle_key },
            policy: Replicated::new(|| policy.clone()),
            pinned: Pinned { scale: record.scale, folding: record.folding.unwrap_or_default() },
            epoch,
            machine,
            owned,
            tier,
            counters: Counters::default(),
            refused_ports: RefusedPorts::default(),
            is_closing: AtomicBool::new(false),
            closed: Notify::new(),
        }
    }

    /// When written bytes are answered for.
    pub(super) fn tier(&self) -> Tier {
        self.tier
    }

    pub(super) fn id(&self) -> ShareId {
        self.signer.share
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the signer that makes and checks its handles.
    pub(super) fn signer(&self) -> &HandleSigner {
        &self.signer
    }

    /// Not to be held over an await.
    pub(super) fn policy(&self) -> RwLockReadGuard<'_, SharePolicy> {
        self.policy.read()
    }

    pub(super) fn set_policy(&self, policy: &SharePolicy) {
        self.policy.change(|current| current.clone_from(policy));
    }

    /// Returns the sizes by which its files are divided.
    pub(super) fn scale(&self) -> &Scale {
        &self.pinned.scale
    }

    /// Returns the table by which its names are folded.
    pub(super) fn folding(&self) -> FoldTable {
        self.pinned.folding
    }

    /// The epoch of this start of the server.
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Its objects, with the lease that they are held by.
    pub(super) fn owned(&self) -> &OwnedContent {
        &self.owned
    }

    /// Returns its counters.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Returns the facts of a file that the rules of maps need.
    pub(super) fn facts(&self, node: &Node) -> Facts {
        Facts::of(node, &self.pinned.scale)
    }

    /// Admits a client and maps its identity.
    pub(super) fn admit(&self, who: &Presented) -> FsResult<Caller> {
        let policy = self.policy.read();
        if !policy.admits(who.address) {
            return Err(FsError::Access);
        }
        if !policy.takes_port(who.port) {
            self.report_refused_port(who);
            return Err(FsError::Access);
        }
        let credentials = policy.credentials(who.identity.as_ref());
        Ok(Caller { credentials, opener: None, client: who.client, case: CaseRule::Sensitive, parent_lease: None })
    }

    pub(super) fn demand_writable(&self) -> FsResult<()> {
        if self.policy.read().read_only {
            return Err(FsError::ReadOnly);
        }
        // A change now would be lost, or would change a state that is not the share's newest one.
        if self.owned.is_refused() { Err(FsError::Io) } else { Ok(()) }
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.machine.clock
    }

    /// The time of day.
    pub(super) fn now(&self) -> Timestamp {
        self.machine.clock.now()
    }

    /// The monotonic clock.
    pub(super) fn monotonic(&self) -> Duration {
        self.machine.clock.monotonic()
    }

    /// The same in milliseconds.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.monotonic().as_millis()).unwrap_or(u64::MAX / 2)
    }

    pub(super) fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.machine.clock.sleep(time)
    }

    /// Waits a random time that grows with the attempts, so that those who met do not meet again.
    pub(super) async fn jitter(&self, attempt: u32) {
        let span_us = 100u64 << attempt.min(8);
        let wait = Duration::from_micros(self.random() % span_us);
        self.sleep(wait).await;
    }

    /// Any 64 bits.
    pub(super) fn random(&self) -> u64 {
        self.machine.randomness.bits64()
    }

    /// A name for a new object.
    pub(super) fn new_object(&self) -> ObjectId {
        ObjectId(self.machine.randomness.bits128())
    }

    /// Ends whatever goes on in the background.
    pub(super) fn start_closing(&self) {
        self.is_closing.store(true, Ordering::Release);
        self.closed.notify_waiters();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// Waits for something, but not once the share closes.
    pub(super) async fn until_closed_or(&self, event: impl Future<Output = ()>) {
        let (event, closed) = (event.fuse(), self.closed.notified().fuse());
        // Asked for after the notification was: one of the two sees the end.
        if self.is_closing() {
            return;
        }
        futures_util::pin_mut!(event, closed);
        select_biased! { () = closed => {}, () = event => {} }
    }

    /// Waits for something, but not longer than `time`, and not once the share closes.
    pub(super) async fn wait(&self, time: Duration, event: impl Future<Output = ()>) {
        let (event, closed) = (event.fuse(), self.closed.notified().fuse());
        if self.is_closing() {
            return;
        }
        futures_util::pin_mut!(event, closed);
        let mut timeout = self.machine.clock.sleep(time).fuse();
        select_biased! { () = closed => {}, () = event => {}, () = timeout => {} }
    }
}
