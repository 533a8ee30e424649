//! A share's objects, as far as this start of the server is their owner.

mod refused;

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{
    ObjectId, ShareId,
    ownership::{Claimant, Holder, Lineage, Mark, Phase, Refusal, Start, Step, Tenure, Terms},
};
use dittofs_ports::{Claim, Clock, ContentError, ContentStore, Marked, Randomness};
use futures_util::{FutureExt, select_biased};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use refused::described;

/// How long a put waits for requests of an earlier owner to end, before it is refused for the time being. A flush that
/// is refused comes again by itself; who waits for it is a client that wants an answer.
const PUT_WAIT_MAX: Duration = Duration::from_secs(10);
/// The longest sleep between two looks at what is to be done, so that a time that was misjudged does no harm.
const SLEEP_MAX: Duration = Duration::from_secs(5);

/// A content store of one share. Objects are read once they are known to be that share's, and changed only under a
/// lease that is surely this start's. Until the store has answered that, it is unavailable; if they are another's, it
/// stays damaged.
pub(crate) struct OwnedContent {
    store: Arc<dyn ContentStore>,
    share: ShareId,
    name: String,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    tenure: Mutex<Tenure>,
    /// Whether the objects were refused: asked for by each change.
    is_refused: AtomicBool,
    /// The mark that was seen last, as the store identifies it. Held over requests: one at a time.
    seen: tokio::sync::Mutex<Option<Marked>>,
    /// The objects are given back, or given up.
    over: Notify,
}

/// The parts of a share's owner.
pub(crate) struct Owner {
    pub(crate) share: ShareId,
    pub(crate) name: String,
    pub(crate) owner: u128,
    pub(crate) start: Start,
    pub(crate) lineage: Lineage,
    pub(crate) holder: Holder,
    pub(crate) must_be_there: bool,
    pub(crate) takes_over: bool,
}

impl OwnedContent {
    pub(crate) fn new(
        store: Arc<dyn ContentStore>,
        owner: Owner,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> OwnedContent {
        let Owner { share, name, owner, start, lineage, holder, must_be_there, takes_over } = owner;
        let terms = Terms::of_requests_within(store.request_max());
        let tenure = Tenure::new(Claimant { owner, start, lineage, holder, terms, must_be_there, takes_over });
        let (tenure, seen) = (Mutex::new(tenure), tokio::sync::Mutex::new(None));
        OwnedContent {
            store,
            share,
            name,
            clock,
            randomness,
            tenure,
            is_refused: AtomicBool::new(false),
            seen,
            over: Notify::new(),
        }
    }

    /// Goes on until the objects are taken, or can't be: a claim that must settle does so afterwards.
    ///
    /// # Errors
    /// The store's, the first one.
    pub(crate) async fn take(&self) -> Result<Result<(), Refusal>, ContentError> {
        loop {
            let step = self.tenure.lock().step(self.now());
            match step {
                Step::Nothing => return Ok(self.tenure.lock().refusal().cloned().map_or(Ok(()), Err)),
                Step::Wait(_) if self.tenure.lock().has_claimed() => return Ok(Ok(())),
                Step::Wait(at) => self.sleep_until(at).await,
                Step::Read | Step::Write => self.go(step).await?,
            }
        }
    }

    /// Does what is due; answers when to come again, none if nothing ever will be.
    pub(crate) async fn tend(&self) -> Option<Duration> {
        let (before, step) = (self.phase(), self.tenure.lock().step(self.now()));
        let result = match step {
            Step::Nothing => return None,
            Step::Wait(at) => return Some(at.saturating_sub(self.now()).min(SLEEP_MAX)),
            Step::Read | Step::Write => self.go(step).await,
        };
        if let Err(error) = result {
            tracing::debug!(share = %self.name, %error, "the owner's mark could not be renewed yet");
        }
        self.report(before);
        Some(Duration::ZERO)
    }

    /// Waits until it is time to [`OwnedContent::tend`] again, or the objects are given back.
    pub(crate) async fn pause(&self, time: Duration) {
        let over = self.over.notified().fuse();
        // Asked after the notification was asked for: one of the two sees the end.
        if self.tenure.lock().step(self.now()) == Step::Nothing {
            return;
        }
        futures_util::pin_mut!(over);
        let mut timeout = self.clock.sleep(time).fuse();
        select_biased! { () = over => {}, () = timeout => {} }
    }

    /// Says what has become of the lease.
    fn report(&self, before: Option<Phase>) {
        let (tenure, share) = (self.tenure.lock(), &self.name);
        let after = tenure.phase(self.now());
        if let Some(refusal) = tenure.refusal() {
            let found = described(refusal, tenure.owner());
            self.is_refused.store(true, Ordering::Release);
            tracing::error!(%share, "the content store can't be used, and the share takes no changes: {found}");
        } else if let (Some(by), false) = (tenure.lost_to(), before == Some(Phase::Lost)) {
            let by = refused::who(by);
            tracing::error!(%share, "the share's objects are held by {by} now: nothing is flushed or deleted any more");
        } else if after == Some(Phase::Held) && before != after {
            tracing::info!(%share, "the share's objects are held");
        }
    }

    async fn go(&self, step: Step) -> Result<(), ContentError> {
        let mut seen = self.seen.lock().await;
        let sent = self.now();
        let answer = match step {
            Step::Write => self.write(sent, &mut seen).await,
            _ => self.read(sent, &mut seen).await,
        };
        if answer.is_err() {
            self.tenure.lock().was_not_answered(self.now());
        }
        answer
    }

    async fn read(&self, sent: Duration, seen: &mut Option<Marked>) -> Result<(), ContentError> {
        *seen = self.store.owner(self.share).await?;
        let mark = seen.as_ref().map(|seen| seen.mark.clone());
        self.tenure.lock().has_read(sent, self.now(), mark);
        Ok(())
    }

    async fn write(&self, sent: Duration, seen: &mut Option<Marked>) -> Result<(), ContentError> {
        let mark = self.tenure.lock().write(self.randomness.bits64(), &self.name, self.clock.now());
        match self.store.claim(self.share, &mark, seen.clone()).await? {
            Claim::Written { marked, is_atomic } => {
                self.tenure.lock().has_written(sent, self.now(), marked.mark.clone(), is_atomic);
                *seen = Some(marked);
            }
            Claim::Refused(found) => {
                let mark = found.as_ref().map(|found| found.mark.clone());
                *seen = found;
                self.tenure.lock().was_not_written(sent, self.now(), mark);
            }
        }
        Ok(())
    }

    /// Gives the objects back, so that the next start need not wait. Nothing is changed in them any more.
    pub(crate) async fn release(&self) {
        let mut seen = self.seen.lock().await;
        let Some(mark) = self.end() else { return };
        match self.store.claim(self.share, &mark, seen.clone()).await {
            Ok(Claim::Written { marked, .. }) => *seen = Some(marked),
            Ok(Claim::Refused(_)) => {
                tracing::warn!(share = %self.name, "somebody else holds the share's objects already");
            }
            Err(error) => {
                tracing::warn!(share = %self.name, %error, "the share's objects are not given back: others wait for them");
            }
        }
    }

    /// Stops using the objects without giving them back: requests for them may still be on their way.
    pub(crate) fn abandon(&self) {
        self.end();
    }

    /// Nothing is changed any more; answers the mark that gives the objects back.
    fn end(&self) -> Option<Mark> {
        let released = self.tenure.lock().release(self.randomness.bits64(), &self.name, self.clock.now());
        self.over.notify_waiters();
        released
    }

    /// Whether the objects are known not to be this share's newest ones, or not its own.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Acquire)
    }

    /// Goes on as a newer start of the same metadata, which know it: the mark says so once it is renewed.
    pub(crate) fn renew_start(&self, start: Start, lineage: Lineage) {
        self.tenure.lock().renew_start(start, lineage);
    }

    /// The start in the mark that was seen last, if the objects are held.
    pub(crate) fn marked_start(&self) -> Option<Start> {
        let tenure = self.tenure.lock();
        tenure.lease().and(tenure.seen()).and_then(|mark| mark.start)
    }

    /// Whether the objects are known to be the share's.
    pub(crate) fn is_own(&self) -> bool {
        self.tenure.lock().is_own()
    }

    /// Returns what the lease allows now; none before there is a lease.
    pub(crate) fn phase(&self) -> Option<Phase> {
        self.tenure.lock().phase(self.clock.monotonic())
    }

    async fn sleep_until(&self, at: Duration) {
        let wait = at.saturating_sub(self.now()).clamp(Duration::from_millis(1), SLEEP_MAX);
        self.clock.sleep(wait).await;
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Whether objects may be read.
    fn demand_own(&self) -> Result<(), ContentError> {
        let tenure = self.tenure.lock();
        match tenure.refusal() {
            Some(refusal) => Err(ContentError::Corrupt(described(refusal, tenure.owner()).into())),
            None if tenure.is_own() => Ok(()),
            None => Err(ContentError::Unavailable("the content store has not said yet whose the objects are".into())),
        }
    }

    fn not_held(&self) -> ContentError {
        let tenure = self.tenure.lock();
        ContentError::Unavailable(match (tenure.phase(self.now()), tenure.lost_to()) {
            (_, Some(by)) => format!("the share's objects are held by {}", refused::who(by)).into(),
            (Some(Phase::Waiting { .. }), _) => "an earlier owner of the share's objects may still use them".into(),
            _ => "the lease of the share's objects could not be renewed".into(),
        })
    }

    /// Whether the objects are held: what is flushed may go there, now or once an earlier owner's requests have ended.
    pub(crate) fn demand_held(&self) -> Result<(), ContentError> {
        match self.phase() {
            None | Some(Phase::Waiting { .. } | Phase::Held) => Ok(()),
            Some(Phase::Expired | Phase::Lost) => Err(self.not_held()),
        }
    }

    /// Waits until objects may be put, for a while.
    async fn demand_put(&self) -> Result<(), ContentError> {
        self.demand_own()?;
        let patience = self.now() + PUT_WAIT_MAX;
        loop {
            let now = self.now();
            match self.phase() {
                Some(Phase::Held) => return Ok(()),
                Some(Phase::Waiting { until }) if now < patience => self.sleep_until(until.min(patience)).await,
                // A store that answers again after an outage is soon asked for the lease.
                None | Some(Phase::Expired) if now < patience => {
                    self.sleep_until(now + Duration::from_millis(100)).await;
                }
                _ => return Err(self.not_held()),
            }
        }
    }

    fn demand_delete(&self) -> Result<(), ContentError> {
        self.demand_own()?;
        let allowed = self.tenure.lock().lease().is_some_and(|lease| lease.allows_delete(self.now()));
        if allowed { Ok(()) } else { Err(self.not_held()) }
    }

    /// Reports an object that is missing as not held, rather than lost, if another owner may have removed it: then
    /// nobody knows whether it is lost. That is so where the objects were taken away. An owner that gave them back
    /// itself has closed the share before, and may still be asked what is in it.
    fn judge(&self, error: ContentError) -> ContentError {
        match error {
            ContentError::NotFound if self.tenure.lock().lost_to().is_some() => self.not_held(),
            error => error,
        }
    }
}

#[async_trait]
impl ContentStore for OwnedContent {
    // These calls need neither a lease nor objects that are the share's own.
    dittofs_ports::forward!(ContentStore of store: survives, owner, claim, shares, request_max, capacity);

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.demand_put().await?;
        self.store.put(share, object, parts).await
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.demand_put().await?;
        self.store.put_to_free(share, object, parts).await
    }

    async fn discard(&self, share: ShareId, object: ObjectId, dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        self.demand_delete()?;
        self.store.discard(share, object, dead).await
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        self.demand_own()?;
        self.store.get(share, object, range).await.map_err(|error| self.judge(error))
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        self.demand_delete()?;
        self.store.delete(share, object).await
    }

    async fn list(
        &self,
        share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        self.demand_own()?;
        self.store.list(share, after, max).await
    }
}

#[cfg(test)]
mod tests;
