//! The lock manager: what its procedures do, by the services.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use dittofs_domain::{
    LockClient,
    error::{FsError, FsResult},
    opens::{Lock, LockHolder, LockKind, LockOwner, LockRange},
};
use dittofs_ports::{Entered, EntryService, LockReply, LockRequest, RecoveryService};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{
    claims::{By, Claim, Claims, Held},
    ends::Unreleased,
    origin::Origin,
    owner,
    places::Places,
    waiting::{Asked, Blocked, Waiting},
    wire::{netobj, nlm4_cancargs, nlm4_holder, nlm4_lock, nlm4_lockargs, nlm4_stats, nlm4_testargs, nlm4_testrply},
};
use crate::portmap::lookup::ClientPortmap;

/// Clients that are told of their locks at once, in all and of one network.
const CALLS_MAX: (usize, usize) = (64, 8);

/// Everything that clients have locked through NLM.
pub(crate) struct LockManager {
    pub(super) entry: Arc<dyn EntryService>,
    pub(crate) recovery: Arc<dyn RecoveryService>,
    pub(super) claims: Claims,
    pub(super) waiting: Waiting,
    /// Held while clients are remembered or forgotten: one that locks again is not forgotten at the same time.
    pub(super) remembering: tokio::sync::Mutex<()>,
    /// Claims of clients that have ended which could not be released yet.
    pub(super) unreleased: Mutex<Vec<Unreleased>>,
    /// Places for calls of clients that have waited.
    pub(super) calls: Places,
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
            unreleased: Mutex::default(),
            calls: Places::new(CALLS_MAX.0, CALLS_MAX.1),
            clients,
            runtime,
        }
    }

    /// Takes in the clients that an earlier life of the server has left.
    pub(crate) fn recall(&self) {
        self.recovery.earlier().into_iter().for_each(|client| self.claims.recall(client, Instant::now()));
    }

    /// Whether a client that an earlier life has left has locks of this one.
    pub(crate) fn has_locks(&self, client: &LockClient) -> bool {
        self.claims.has_locks(&Origin::of_earlier(client).host())
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
        let serial = held.serial.lock().await;
        let answered = match self.remember(origin, monitored).await {
            Ok(()) => self.ask(origin, arguments, &wanted).await,
            Err(refused) => Err(refused),
        };
        let locks = self.locks_of(origin, &wanted.claim).await;
        self.claims.leave(&origin.host(), &wanted.claim, locks, Instant::now());
        drop(serial);
        match answered {
            // A client that waits asks again, but takes any other answer for the end of its wait.
            Err(FsError::Busy | FsError::NoSpace) if arguments.block => Ok(nlm4_stats::NLM4_BLOCKED),
            answered => answered.map_err(status),
        }
    }

    /// Asks for a lock, while no other request of the owner for the file is carried out.
    async fn ask(&self, origin: &Origin, arguments: &nlm4_lockargs, wanted: &Wanted) -> FsResult<nlm4_stats> {
        let Entered { node, caller, share } = &wanted.entered;
        let nlm4_lockargs { cookie, exclusive, alock, .. } = arguments.clone();
        let asked = Asked { claim: &wanted.claim, range: wanted.range, exclusive };
        let token = arguments.block.then(|| share.wait_token());
        if let Some(token) = token {
            let granted = nlm4_testargs { cookie, exclusive, alock };
            let (origin, claim) = (origin.clone(), wanted.claim.clone());
            let blocked = Blocked { origin, claim, range: wanted.range, granted };
            self.waiting.enter(token, blocked).map_err(|_| FsError::Busy)?;
        }
        let request =
            LockRequest { lock: wanted.lock(exclusive), wait: token, waits: true, reclaims: arguments.reclaim };
        let answered = share.lock(caller, node.node, &request).await;
        match (&answered, token) {
            (Ok(LockReply::Queued), Some(token)) => self.waiting.replace(token, asked),
            (Ok(LockReply::Granted), _) => self.waiting.learnt(asked),
            (Err(FsError::Stale), _) => self.waiting.forget(&wanted.claim),
            (_, Some(token)) => self.waiting.leave(token),
            (_, None) => {}
        }
        Ok(match answered? {
            LockReply::Granted => nlm4_stats::NLM4_GRANTED,
            LockReply::Queued => nlm4_stats::NLM4_BLOCKED,
            LockReply::Conflict(_) => nlm4_stats::NLM4_DENIED,
            LockReply::Grace => nlm4_stats::NLM4_DENIED_GRACE_PERIOD,
        })
    }

    /// NLM_CANCEL: whether the request was waiting still. One that was granted meanwhile the client gives back.
    pub(super) async fn cancel(&self, origin: &Origin, arguments: &nlm4_cancargs) -> nlm4_stats {
        let wanted = match self.wanted(origin, &arguments.alock) {
            Ok(wanted) => wanted,
            Err(refused) => return refused,
        };
        let host = origin.host();
        let Some(held) = self.claims.find(&host, &wanted.claim) else { return nlm4_stats::NLM4_DENIED };
        let serial = held.serial.lock().await;
        let mut stat = nlm4_stats::NLM4_DENIED;
        let asked = Asked { claim: &wanted.claim, range: wanted.range, exclusive: arguments.exclusive };
        for token in self.waiting.of(asked) {
            let Entered { node, caller, share } = &wanted.entered;
            match share.cancel_lock(caller, node.node, token).await {
                Ok(is_cancelled) => {
                    self.waiting.leave(token);
                    stat = if is_cancelled { nlm4_stats::NLM4_GRANTED } else { stat };
                }
                Err(error) => stat = status(error),
            }
        }
        let locks = self.locks_of(origin, &wanted.claim).await;
        self.claims.leave(&host, &wanted.claim, locks, Instant::now());
        drop(serial);
        stat
    }

    /// NLM_UNLOCK: the range is free afterwards, whether or not it was locked.
    pub(super) async fn unlock(&self, origin: &Origin, alock: &nlm4_lock) -> nlm4_stats {
        let wanted = match self.wanted(origin, alock) {
            Ok(wanted) => wanted,
            Err(refused) => {
                self.forget_gone(origin, alock, refused);
                return refused;
            }
        };
        let host = origin.host();
        let is_whole = wanted.range == LockRange::to_end(0);
        if !is_whole && self.claims.is_full(&host) {
            // It might split a lock in two.
            return nlm4_stats::NLM4_DENIED_NOLOCKS;
        }
        let Some(held) = self.claims.find(&host, &wanted.claim) else {
            // Nothing is known of it, but to be sure.
            return self.free(&wanted).await.map_or_else(status, |()| nlm4_stats::NLM4_GRANTED);
        };
        let serial = held.serial.lock().await;
        let unlocked = self.free(&wanted).await;
        self.waiting.unlocked(&wanted.claim, wanted.range);
        let locks = self.locks_of(origin, &wanted.claim).await;
        self.claims.leave(&host, &wanted.claim, locks, Instant::now());
        drop(serial);
        unlocked.map_or_else(status, |()| nlm4_stats::NLM4_GRANTED)
    }

    /// The share of a claim is served no more: its locks are gone with it.
    fn forget_gone(&self, origin: &Origin, alock: &nlm4_lock, refused: nlm4_stats) {
        let Some(name) = owner::name(alock).filter(|_| refused == nlm4_stats::NLM4_STALE_FH) else { return };
        let (host, claim) = (origin.host(), Claim { file: alock.fh.0.clone(), by: By::Owner(name) });
        if self.claims.find(&host, &claim).is_some() {
            self.waiting.forget(&claim);
            self.claims.leave(&host, &claim, Some(0), Instant::now());
        }
    }

    async fn free(&self, wanted: &Wanted) -> FsResult<()> {
        let Entered { node, caller, share } = &wanted.entered;
        let holder = LockHolder::Owner(wanted.owner.clone());
        match share.unlock(caller, node.node, &holder, wanted.range).await {
            Err(FsError::NotFound | FsError::Stale) => Ok(()),
            unlocked => unlocked,
        }
    }

    /// Gives up the lock of a request that has waited for it.
    pub(super) async fn free_blocked(&self, blocked: &Blocked) -> Result<(), nlm4_stats> {
        let wanted = self.wanted(&blocked.origin, &blocked.granted.alock)?;
        self.free(&wanted).await.map_err(status)
    }

    /// Remembers the client for the next start, before it gets its first lock.
    pub(super) async fn remember(&self, origin: &Origin, monitored: bool) -> FsResult<()> {
        let (host, server) = (origin.host(), origin.sender.local);
        if !monitored || self.claims.is_remembered(&host, server) {
            return Ok(());
        }
        let _remembering = self.remembering.lock().await;
        let client = origin.lock_client();
        self.recovery.remember(&client).await?;
        if !self.claims.is_remembered(&host, server) {
            self.claims.remembered(&host, client);
        }
        Ok(())
    }

    pub(super) fn enter(&self, origin: &Origin, claim: &Claim) -> Result<Arc<Held>, nlm4_stats> {
        self.claims.enter(origin, claim, Instant::now()).map_err(|_| {
            tracing::warn!(address = %origin.address(), "a client has as many locks as it may, or all have");
            nlm4_stats::NLM4_DENIED_NOLOCKS
        })
    }

    /// How many locks an owner has on a file, and waits for; none where that can't be known.
    pub(super) async fn locks_of(&self, origin: &Origin, claim: &Claim) -> Option<usize> {
        let By::Owner(name) = &claim.by else { return None };
        // Before the locks: one that is granted in between is counted twice, not never.
        let waiting = self.waiting.count(claim);
        let Entered { node, caller, share } = self.entry.enter(&claim.file, &origin.sender.presented).ok()?;
        let owner = owner::owner(caller.client, name)?;
        let locks = share.locks_held(&caller, node.node, &owner).await.ok()?;
        Some(locks + waiting)
    }

    fn wanted(&self, origin: &Origin, alock: &nlm4_lock) -> Result<Wanted, nlm4_stats> {
        let entered = self.entry.enter(&alock.fh.0, &origin.sender.presented).map_err(status)?;
        let name = owner::name(alock).ok_or(nlm4_stats::NLM4_FAILED)?;
        let owner = owner::owner(entered.caller.client, &name).ok_or(nlm4_stats::NLM4_FAILED)?;
        let claim = Claim { file: alock.fh.0.clone(), by: By::Owner(name) };
        let range = range(alock).ok_or(nlm4_stats::NLM4_FBIG)?;
        Ok(Wanted { entered, claim, owner, range })
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
        | FsError::NoAttribute
        | FsError::AttributeTooLarge
        | FsError::Unanswered
        | FsError::NotSupported => nlm4_stats::NLM4_FAILED,
    }
}
