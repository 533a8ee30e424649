//! The lock manager: what its procedures do, by the services.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use dittofs_domain::{
    error::{FsError, FsResult},
    opens::{Lock, LockHolder, LockKind, LockOwner, LockRange},
};
use dittofs_ports::{Entered, EntryService, LockReply, LockRequest, RecoveryService};
use tokio::{runtime::Handle, sync::Semaphore};

use super::{
    claims::{By, Claim, Claims, Held},
    origin::Origin,
    owner,
    waiting::{Blocked, Waiting},
    wire::{netobj, nlm4_cancargs, nlm4_holder, nlm4_lock, nlm4_lockargs, nlm4_stats, nlm4_testargs, nlm4_testrply},
};
use crate::portmap::lookup::ClientPortmap;

/// Clients that are told of their locks at once.
const CALLS_MAX: usize = 64;

/// Everything that clients have locked through NLM.
pub(crate) struct LockManager {
    pub(super) entry: Arc<dyn EntryService>,
    pub(crate) recovery: Arc<dyn RecoveryService>,
    pub(super) claims: Claims,
    pub(super) waiting: Waiting,
    /// Held while clients are remembered or forgotten: one that locks again is not forgotten at the same time.
    pub(super) remembering: tokio::sync::Mutex<()>,
    /// Places for calls of clients that have waited.
    pub(super) calls: Semaphore,
    pub(crate) clients: ClientPortmap,
    /// Where clients are called from, whoever has caused that.
    pub(crate) runtime: Handle,
}

/// A lock that a call is about.
struct Wanted {
    entered: Entered,
    claim: Claim,
    owner: LockOwner,
    range: LockRange,
}

impl Wanted {
    fn lock(&self, exclusive: bool) -> Lock {
        let kind = if exclusive { LockKind::Exclusive } else { LockKind::Shared };
        Lock { range: self.range, kind, holder: LockHolder::Owner(self.owner.clone()) }
    }
}

impl LockManager {
    /// The manager over these services. It calls clients from `runtime`.
    pub(crate) fn new(
        entry: Arc<dyn EntryService>,
        recovery: Arc<dyn RecoveryService>,
        clients: ClientPortmap,
        runtime: Handle,
    ) -> LockManager {
        LockManager {
            entry,
            recovery,
            claims: Claims::default(),
            waiting: Waiting::default(),
            remembering: tokio::sync::Mutex::default(),
            calls: Semaphore::new(CALLS_MAX),
            clients,
            runtime,
        }
    }

    /// Takes in the clients that an earlier life of the server has left.
    pub(crate) fn recall(&self) {
        self.recovery.earlier().into_iter().for_each(|client| self.claims.recall(client, Instant::now()));
    }

    /// NLM_TEST.
    pub(super) async fn test(&self, origin: &Origin, arguments: &nlm4_testargs) -> nlm4_testrply {
        let tested = async {
            let wanted = self.wanted(origin, &arguments.alock)?;
            let Entered { node, caller, share } = &wanted.entered;
            share.test_lock(caller, node.node, &wanted.lock(arguments.exclusive)).await.map_err(status)
        };
        match tested.await {
            Ok(None) => nlm4_testrply::Other(nlm4_stats::NLM4_GRANTED as u32),
            Ok(Some(held)) => nlm4_testrply::NLM4_DENIED(holder(&held)),
            Err(stat) => nlm4_testrply::Other(stat as u32),
        }
    }

    /// NLM_LOCK, and NLM_NM_LOCK for clients that are not `monitored`: nobody tells them of a restart.
    pub(super) async fn lock(&self, origin: &Origin, arguments: &nlm4_lockargs, monitored: bool) -> nlm4_stats {
        self.try_lock(origin, arguments, monitored).await.unwrap_or_else(|refused| refused)
    }

    async fn try_lock(
        &self,
        origin: &Origin,
        arguments: &nlm4_lockargs,
        monitored: bool,
    ) -> Result<nlm4_stats, nlm4_stats> {
        let wanted = self.wanted(origin, &arguments.alock)?;
        let held = self.enter(origin, &wanted.claim)?;
        let turn = held.turn.lock().await;
        let answered = match self.remember(origin, monitored).await {
            Ok(()) => self.ask(origin, arguments, &wanted).await,
            Err(refused) => Err(refused),
        };
        self.settle(origin, &wanted, &held).await;
        drop(turn);
        answered
    }

    /// Asks for a lock, in the claim's turn.
    async fn ask(&self, origin: &Origin, arguments: &nlm4_lockargs, wanted: &Wanted) -> Result<nlm4_stats, nlm4_stats> {
        let Entered { node, caller, share } = &wanted.entered;
        let exclusive = arguments.exclusive;
        let token = arguments.block.then(|| share.wait_token());
        if let Some(token) = token {
            let nlm4_lockargs { cookie, alock, .. } = arguments.clone();
            let granted = nlm4_testargs { cookie, exclusive, alock };
            let blocked = Blocked { origin: origin.clone(), claim: wanted.claim.clone(), granted };
            self.waiting.enter(token, blocked).map_err(|_| nlm4_stats::NLM4_DENIED_NOLOCKS)?;
        }
        let lock = wanted.lock(exclusive);
        let request = LockRequest { lock, wait: token, waits: true, reclaims: arguments.reclaim };
        let answered = share.lock(caller, node.node, &request).await;
        match (&answered, token) {
            (Ok(LockReply::Queued), Some(token)) => {
                self.waiting.replace(token, &wanted.claim, exclusive, &arguments.alock)
            }
            (Ok(LockReply::Granted), _) => self.waiting.learnt(&wanted.claim, exclusive, &arguments.alock),
            (_, Some(token)) => self.waiting.leave(token),
            (_, None) => {}
        }
        match answered.map_err(status)? {
            LockReply::Granted => Ok(nlm4_stats::NLM4_GRANTED),
            LockReply::Queued => Ok(nlm4_stats::NLM4_BLOCKED),
            LockReply::Conflict(_) => Ok(nlm4_stats::NLM4_DENIED),
            LockReply::Grace => Ok(nlm4_stats::NLM4_DENIED_GRACE_PERIOD),
        }
    }

    /// NLM_CANCEL: whether the request was waiting still.
    pub(super) async fn cancel(&self, origin: &Origin, arguments: &nlm4_cancargs) -> nlm4_stats {
        let wanted = match self.wanted(origin, &arguments.alock) {
            Ok(wanted) => wanted,
            Err(refused) => return refused,
        };
        let Some(held) = self.claims.find(&origin.host(), &wanted.claim) else { return nlm4_stats::NLM4_DENIED };
        let turn = held.turn.lock().await;
        let mut stat = nlm4_stats::NLM4_DENIED;
        for token in self.waiting.of(&wanted.claim, arguments.exclusive, &arguments.alock) {
            let Entered { node, caller, share } = &wanted.entered;
            match share.cancel_lock(caller, node.node, token).await {
                Ok(true) => {
                    self.waiting.leave(token);
                    stat = nlm4_stats::NLM4_GRANTED;
                }
                // Granted meanwhile: the client gives it back.
                Ok(false) => {}
                Err(error) => stat = status(error),
            }
        }
        self.settle(origin, &wanted, &held).await;
        drop(turn);
        stat
    }

    /// NLM_UNLOCK: the range is free afterwards, whether or not it was locked.
    pub(super) async fn unlock(&self, origin: &Origin, alock: &nlm4_lock) -> nlm4_stats {
        let wanted = match self.wanted(origin, alock) {
            Ok(wanted) => wanted,
            Err(refused) => return refused,
        };
        let Some(held) = self.claims.find(&origin.host(), &wanted.claim) else { return nlm4_stats::NLM4_GRANTED };
        let turn = held.turn.lock().await;
        let unlocked = self.free(&wanted).await;
        self.waiting.unlocked(&wanted.claim);
        self.settle(origin, &wanted, &held).await;
        drop(turn);
        unlocked.map_or_else(status, |()| nlm4_stats::NLM4_GRANTED)
    }

    async fn free(&self, wanted: &Wanted) -> FsResult<()> {
        let Entered { node, caller, share } = &wanted.entered;
        let holder = LockHolder::Owner(wanted.owner.clone());
        match share.unlock(caller, node.node, &holder, wanted.range).await {
            Err(FsError::NotFound | FsError::Stale) => Ok(()),
            unlocked => unlocked,
        }
    }

    /// Remembers the client for the next start, before it gets its first lock.
    pub(super) async fn remember(&self, origin: &Origin, monitored: bool) -> Result<(), nlm4_stats> {
        let host = origin.host();
        if !monitored || self.claims.is_remembered(&host) {
            return Ok(());
        }
        let _remembering = self.remembering.lock().await;
        let client = origin.lock_client();
        self.recovery.remember(&client).await.map_err(status)?;
        self.claims.remembered(&host, client);
        Ok(())
    }

    pub(super) fn enter(&self, origin: &Origin, claim: &Claim) -> Result<Arc<Held>, nlm4_stats> {
        self.claims.enter(origin, claim, Instant::now()).map_err(|_| {
            tracing::warn!(address = %origin.address(), "a client has as many locks as it may, or all have");
            nlm4_stats::NLM4_DENIED_NOLOCKS
        })
    }

    /// What a call has left of a claim, in its turn.
    async fn settle(&self, origin: &Origin, wanted: &Wanted, held: &Arc<Held>) {
        let Entered { node, caller, share } = &wanted.entered;
        let locks = match share.locks_held(caller, node.node, &wanted.owner).await {
            Ok(locks) => locks,
            // Where it can't be known there may be one.
            Err(_) => 1,
        };
        let waiting = self.waiting.count(&wanted.claim);
        self.claims.settle(&origin.host(), &wanted.claim, held, locks + waiting, Instant::now());
    }

    fn wanted(&self, origin: &Origin, alock: &nlm4_lock) -> Result<Wanted, nlm4_stats> {
        let entered = self.entry.enter(&alock.fh.0, &origin.sender.presented).map_err(status)?;
        let name = owner::name(alock).ok_or(nlm4_stats::NLM4_FAILED)?;
        let owner = owner::owner(entered.caller.client, &name).ok_or(nlm4_stats::NLM4_FAILED)?;
        let claim = Claim { file: alock.fh.0.clone(), by: By::Owner(name) };
        let range = range(alock).ok_or(nlm4_stats::NLM4_FBIG)?;
        Ok(Wanted { entered, claim, owner, range })
    }

    /// Gives back a lock whose client does not want it any more.
    pub(super) async fn give_back(&self, Blocked { origin, granted, .. }: &Blocked) {
        let stat = self.unlock(origin, &granted.alock).await;
        tracing::debug!(address = %origin.address(), ?stat, "a lock was given back: its client does not want it");
    }
}

/// The range of a lock; none beyond the last byte that there can be.
fn range(alock: &nlm4_lock) -> Option<LockRange> {
    match (alock.l_offset, alock.l_len) {
        // All ones, which some clients send for the end, would not fit.
        (offset, 0 | u64::MAX) => Some(LockRange::to_end(offset)),
        (offset, length) => LockRange::exact(offset, length),
    }
}

/// A lock that is in the way. Locks of other protocols belong to no process.
fn holder(held: &Lock) -> nlm4_holder {
    let (svid, oh) = match &held.holder {
        LockHolder::Owner(owner) => owner::process(owner.name()).unwrap_or_default(),
        LockHolder::Open { .. } => (0, Bytes::new()),
    };
    nlm4_holder {
        exclusive: held.kind == LockKind::Exclusive,
        svid,
        oh: netobj(oh),
        l_offset: held.range.offset(),
        l_len: held.range.length().unwrap_or(0),
    }
}

/// The status of an error. Total, so that a new error does not compile before it has one.
pub(super) fn status(error: FsError) -> nlm4_stats {
    match error {
        FsError::Stale | FsError::BadHandle | FsError::NotFound => nlm4_stats::NLM4_STALE_FH,
        FsError::ReadOnly => nlm4_stats::NLM4_ROFS,
        FsError::TooLarge => nlm4_stats::NLM4_FBIG,
        FsError::NoSpace | FsError::Quota | FsError::Io => nlm4_stats::NLM4_DENIED_NOLOCKS,
        FsError::Locked | FsError::ShareDenied | FsError::Busy => nlm4_stats::NLM4_DENIED,
        FsError::Access
        | FsError::NotPermitted
        | FsError::Exists
        | FsError::NotDirectory
        | FsError::IsDirectory
        | FsError::NotEmpty
        | FsError::Invalid
        | FsError::NameTooLong
        | FsError::TooManyLinks
        | FsError::NotSync
        | FsError::BadCookie
        | FsError::TooSmall
        | FsError::BadType
        | FsError::NothingThere
        | FsError::Unanswered
        | FsError::NotSupported => nlm4_stats::NLM4_FAILED,
    }
}
