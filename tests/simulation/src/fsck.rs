//! The check that `dittofs check` makes of a share, made of the simulated stores: of one instant, as of a share that
//! nobody uses, and by the server itself.

use std::{
    future::Future,
    ops::Range,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_application::{CheckStores, check_stores};
use dittofs_domain::{ObjectId, ShareId, Timestamp, check::Finding, ownership::Mark};
use dittofs_ports::{
    AdminService, Capacity, CheckOptions, CheckReport, Claim, Clock, ContentError, ContentStore, Marked, ShareMetadata,
    Survives,
};

use crate::{
    content::Objects,
    invariants::When,
    world::{Running, SHARE},
};

const EVERYTHING: CheckOptions = CheckOptions { content: true, repair: false, delete_orphans: false };
/// Checks of a server that is at work, until one is decided.
const CHECKS_MAX: u32 = 5;
/// A check of a few nodes gives way this often at most.
const YIELDS_MAX: u32 = 1_000_000;

/// Checks the stores as they are at this instant.
pub(crate) fn check(metadata: &Arc<dyn ShareMetadata>, objects: &Arc<Objects>, when: When) -> Result<(), String> {
    let stores = CheckStores {
        metadata: Arc::clone(metadata),
        content: Arc::new(StoredContent(Arc::clone(objects))),
        sealer: Arc::new(dittofs_frame_sealer::Sealer::none()),
        clock: Arc::new(StoppedClock),
    };
    let report = at_once(check_stores(stores, EVERYTHING, Arc::new(())))?;
    judge("the check", &report.map_err(|error| format!("the check can't go on: {error}"))?, when)
}

/// Lets the server check itself, while its own tasks go on. Where these come between, it has to be asked again, as a
/// user is advised to.
pub(crate) async fn check_running(running: &Running) -> Result<(), String> {
    for attempt in 1.. {
        let report = running.services.check(SHARE, EVERYTHING, Arc::new(())).await;
        let report = report.map_err(|error| format!("the server can't check itself: {error}"))?;
        if report.undecided == 0 || attempt == CHECKS_MAX {
            return judge("the server's check", &report, When::AfterRecovery);
        }
    }
    Ok(())
}

/// Of all findings a crash may leave one: a live object that nothing uses any more. The plan that takes the last
/// reference and the one that marks the object as pending delete are two, and the reaper makes the second again. It
/// may not leave orphans, though they harm nobody: an object's row is there before the object, and goes after it.
/// Objects that are being written or pending delete, removed nodes and pending truncations are no findings. What only
/// the journal has is not looked at. At rest there is nothing to be found.
fn judge(who: &str, report: &CheckReport, when: When) -> Result<(), String> {
    let may_be = |finding: &Finding| when == When::AfterRecovery && matches!(finding, Finding::Unused { .. });
    if let Some(found) = report.findings.iter().find(|found| !may_be(&found.finding)) {
        return Err(format!("{who} finds {:?} at {:?}: {}", found.finding, found.path, found.finding));
    }
    if report.omitted > 0 || report.undecided > 0 {
        return Err(format!("{who} comes to no end: {report:?}"));
    }
    Ok(())
}

/// Runs something that waits for nobody, without letting anybody else run meanwhile.
fn at_once<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..YIELDS_MAX {
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return Ok(done);
        }
    }
    Err("the check waits for somebody".into())
}

/// The stored content, at once and as it is.
struct StoredContent(Arc<Objects>);

#[async_trait]
impl ContentStore for StoredContent {
    fn survives(&self) -> Survives {
        Survives::PowerLoss
    }

    async fn owner(&self, _share: ShareId) -> Result<Option<Marked>, ContentError> {
        Ok(None)
    }

    async fn claim(&self, _share: ShareId, _mark: &Mark, _over: Option<Marked>) -> Result<Claim, ContentError> {
        Ok(Claim::Refused(None))
    }

    async fn shares(&self) -> Result<Vec<ShareId>, ContentError> {
        Ok(vec![SHARE])
    }

    fn request_max(&self) -> Duration {
        Duration::ZERO
    }

    async fn put(&self, _share: ShareId, _object: ObjectId, _parts: Vec<Bytes>) -> Result<(), ContentError> {
        Err(ContentError::Full)
    }

    async fn put_to_free(&self, _share: ShareId, _object: ObjectId, _parts: Vec<Bytes>) -> Result<(), ContentError> {
        Err(ContentError::Full)
    }

    async fn capacity(&self) -> Result<Option<Capacity>, ContentError> {
        Ok(None)
    }

    async fn discard(&self, _share: ShareId, _object: ObjectId, _dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        Ok(0)
    }

    async fn get(&self, _share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        Ok(vec![self.0.range(object, &range).ok_or(ContentError::NotFound)?])
    }

    async fn delete(&self, _share: ShareId, _object: ObjectId) -> Result<(), ContentError> {
        Err(ContentError::Full)
    }

    async fn list(
        &self,
        _share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        Ok(self.0.after(after, max))
    }
}

/// Time does not pass in an instant.
struct StoppedClock;

#[async_trait]
impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _duration: Duration) {}
}
