//! A content store that is slow, loses answers, and now and then gives wrong bytes.

use std::{
    collections::BTreeMap,
    ops::{Bound, Range},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use dittofs_domain::{ObjectId, ShareId, ownership::Mark};
use dittofs_ports::{Capacity, Claim, ContentError, ContentStore, Marked, ShareMetadata, Survives};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    fault_schedule::FaultSchedule,
    faults::Fault,
    life::{Life, Simulation},
    world::SHARE,
};

/// The longest delay of a late request: shorter than the grace of the object that it concerns.
const LATE_MS_MAX: u64 = 25_000;

/// How long a small request may take.
const TIME_OUT: Duration = Duration::from_secs(20);

/// Everything that was put and not deleted, which outlives all crashes.
pub(crate) struct Objects {
    simulation: Arc<Simulation>,
    state: Mutex<State>,
    pub(crate) schedule: FaultSchedule,
}

#[derive(Default)]
struct State {
    owner: Option<Mark>,
    objects: BTreeMap<ObjectId, Bytes>,
    full_until: Option<Instant>,
    /// Wrong answers given.
    lies: u64,
}

impl Objects {
    pub(crate) fn new(simulation: &Arc<Simulation>) -> Arc<Objects> {
        let schedule = FaultSchedule::new(simulation);
        Arc::new(Objects { simulation: Arc::clone(simulation), state: Mutex::default(), schedule })
    }

    pub(crate) fn all(&self) -> Vec<(ObjectId, u64)> {
        self.state.lock().objects.iter().map(|(id, bytes)| (*id, bytes.len() as u64)).collect()
    }

    /// The next ones in the order of ids, with their lengths.
    pub(crate) fn after(&self, after: Option<ObjectId>, max: usize) -> Vec<(ObjectId, u64)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state.lock();
        let rest = state.objects.range((start, Bound::Unbounded));
        rest.take(max).map(|(id, bytes)| (*id, bytes.len() as u64)).collect()
    }

    /// How many wrong answers were given.
    pub(crate) fn lies(&self) -> u64 {
        self.state.lock().lies
    }

    /// Takes an object away behind everybody's back.
    pub(crate) fn remove(&self, object: ObjectId) {
        self.state.lock().objects.remove(&object);
    }

    /// Puts a mark in the place of the one that was seen.
    fn claim(&self, mark: Mark, over: Option<&Mark>) -> Claim {
        let mut state = self.state.lock();
        if state.owner.as_ref() != over {
            return Claim::Refused(state.owner.clone().map(|mark| Marked { mark, version: None }));
        }
        self.simulation.note("claimed", mark.tag, u64::from(mark.is_released()));
        state.owner = Some(mark.clone());
        Claim::Written { marked: Marked { mark, version: None }, is_atomic: true }
    }

    fn insert(&self, object: ObjectId, bytes: Bytes) -> Result<(), ContentError> {
        let mut state = self.state.lock();
        match state.objects.get(&object) {
            Some(there) if *there != bytes => Err(ContentError::Exists),
            Some(_) => Ok(()),
            None => {
                self.simulation.note("stored", object.0 as u64, bytes.len() as u64);
                state.objects.insert(object, bytes);
                Ok(())
            }
        }
    }

    pub(crate) fn range(&self, object: ObjectId, range: &Range<u64>) -> Option<Bytes> {
        let state = self.state.lock();
        let bytes = state.objects.get(&object).filter(|bytes| range.end <= bytes.len() as u64)?;
        Some(bytes.slice(range.start as usize..range.end as usize))
    }

    /// Puts something else in the place of what nobody needs.
    fn discard(&self, object: ObjectId, dead: &[Range<u64>]) -> u64 {
        let mut state = self.state.lock();
        let Some(bytes) = state.objects.get_mut(&object) else { return 0 };
        let mut changed = BytesMut::from(&bytes[..]);
        let mut given_back = 0;
        for range in dead {
            changed[range.start as usize..range.end as usize].fill(0xdd);
            given_back += range.end - range.start;
        }
        *bytes = changed.freeze();
        self.simulation.note("discarded", object.0 as u64, given_back);
        given_back
    }

    fn is_full(&self) -> bool {
        if !self.simulation.faults.lock().enabled() {
            return false;
        }
        if self.simulation.happens(Fault::ContentFull) {
            let wait = Duration::from_millis(self.simulation.choose(|random| random.below(4_000)));
            self.state.lock().full_until = Some(Instant::now() + wait);
        }
        self.state.lock().full_until.is_some_and(|until| Instant::now() < until)
    }

    /// Bytes as they come over a bad line: perhaps not those that were asked for.
    fn answer(&self, object: ObjectId, range: &Range<u64>, right: Bytes) -> Bytes {
        if self.simulation.happens(Fault::GetFlippedBit) {
            let mut wrong = BytesMut::from(&right[..]);
            let at = self.simulation.choose(|random| random.below(wrong.len() as u64 * 8)) as usize;
            wrong[at / 8] ^= 1 << (at % 8);
            self.state.lock().lies += 1;
            return wrong.freeze();
        }
        if self.simulation.happens(Fault::GetOtherBytes) {
            let others: Vec<ObjectId> =
                self.state.lock().objects.keys().filter(|other| **other != object).copied().collect();
            let other = others.get(self.simulation.choose(|random| random.below(others.len().max(1) as u64)) as usize);
            if let Some(wrong) = other.and_then(|other| self.range(*other, range)) {
                self.state.lock().lies += 1;
                return wrong;
            }
        }
        right
    }
}

/// The store as one life sees it.
pub(crate) struct SimulatedContent {
    pub(crate) objects: Arc<Objects>,
    /// Whether it is on another machine.
    pub(crate) is_remote: bool,
    /// To see whether what is deleted is garbage.
    pub(crate) metadata: Arc<dyn ShareMetadata>,
    pub(crate) life: Arc<Life>,
}

pub(crate) fn unavailable() -> ContentError {
    ContentError::Unavailable("the simulated store does not answer".into())
}

impl SimulatedContent {
    /// Every call begins so: it takes its time, and perhaps the store answers nobody.
    async fn arrive(&self, usual_ms: u64) -> Result<(), ContentError> {
        self.life.pass(usual_ms).await;
        self.objects.schedule.pass(&self.life).await
    }

    /// The same for a small request, which is given up after a while, as stores do it.
    async fn arrive_in_time(&self, usual_ms: u64) -> Result<(), ContentError> {
        let arrived = tokio::time::timeout(TIME_OUT, self.arrive(usual_ms)).await;
        arrived.unwrap_or_else(|_| Err(unavailable()))
    }

    /// Does something later, whatever becomes of who asked for it.
    fn later(&self, work: impl FnOnce(&Objects) + Send + 'static) {
        let objects = Arc::clone(&self.objects);
        let wait = Duration::from_millis(self.objects.simulation.choose(|random| random.below(LATE_MS_MAX)));
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            work(&objects);
        });
    }

    fn insert_later(&self, object: ObjectId, bytes: Bytes) {
        self.later(move |objects| {
            if let Err(error) = objects.insert(object, bytes) {
                objects.simulation.fail(format!("object {object} was put with other bytes: {error}"));
            }
        });
    }

    async fn put_now(&self, object: ObjectId, bytes: Bytes) -> Result<(), ContentError> {
        let simulation = &self.objects.simulation;
        if simulation.happens(Fault::PutLate) {
            self.insert_later(object, bytes);
            return Err(unavailable());
        }
        if simulation.happens(Fault::PutTwice) {
            self.insert_later(object, bytes.clone());
        }
        // Each takes its own time: they arrive in any order.
        self.life.pass(5).await;
        self.objects.insert(object, bytes)?;
        self.life.pass(5).await;
        if simulation.happens(Fault::PutAnswerLost) { Err(unavailable()) } else { Ok(()) }
    }

    /// Nothing that a reference names may be deleted.
    async fn check_garbage(&self, object: ObjectId) {
        let references = self.metadata.references(object, 1).await.unwrap_or_default();
        if let Some((node, _)) = references.first() {
            self.life.simulation.fail(format!("object {object} is deleted, and {node} refers to it"));
        }
    }
}

#[async_trait]
impl ContentStore for SimulatedContent {
    fn survives(&self) -> Survives {
        if self.is_remote { Survives::MachineLoss } else { Survives::PowerLoss }
    }

    async fn owner(&self, _share: ShareId) -> Result<Option<Marked>, ContentError> {
        self.arrive_in_time(2).await?;
        let mark = self.objects.state.lock().owner.clone();
        Ok(mark.map(|mark| Marked { mark, version: None }))
    }

    async fn claim(&self, _share: ShareId, mark: &Mark, over: Option<Marked>) -> Result<Claim, ContentError> {
        self.arrive_in_time(2).await?;
        let simulation = &self.objects.simulation;
        if simulation.happens(Fault::PutNotDone) {
            return Err(unavailable());
        }
        let (mark, over) = (mark.clone(), over.map(|over| over.mark));
        if simulation.happens(Fault::PutLate) {
            self.later(move |objects| drop(objects.claim(mark, over.as_ref())));
            return Err(unavailable());
        }
        let claim = self.objects.claim(mark, over.as_ref());
        self.life.pass(2).await;
        if simulation.happens(Fault::PutAnswerLost) { Err(unavailable()) } else { Ok(claim) }
    }

    async fn shares(&self) -> Result<Vec<ShareId>, ContentError> {
        self.arrive(2).await?;
        Ok(vec![SHARE])
    }

    /// Returns the time within which late requests come.
    fn request_max(&self) -> Duration {
        Duration::from_millis(LATE_MS_MAX + 5_000)
    }

    async fn put(&self, _share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.arrive(20).await?;
        let simulation = &self.objects.simulation;
        if self.objects.is_full() {
            return Err(ContentError::Full);
        }
        if simulation.happens(Fault::PutNotDone) {
            return Err(unavailable());
        }
        let mut bytes = BytesMut::new();
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        let bytes = bytes.freeze();
        simulation.watch.lock().upload(object, bytes.len() as u64);
        let done = self.put_now(object, bytes).await;
        simulation.watch.lock().uploaded(object);
        done
    }

    async fn put_to_free(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        self.put(share, object, parts).await
    }

    async fn capacity(&self) -> Result<Option<Capacity>, ContentError> {
        Ok(None)
    }

    async fn discard(&self, _share: ShareId, object: ObjectId, dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        self.arrive(5).await?;
        if self.is_remote {
            return Ok(0);
        }
        let given_back = self.objects.discard(object, &dead);
        self.life.pass(2).await;
        Ok(given_back)
    }

    async fn get(&self, _share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        self.arrive(5).await?;
        if self.objects.simulation.happens(Fault::GetUnavailable) {
            return Err(unavailable());
        }
        let right = self.objects.range(object, &range).ok_or(ContentError::NotFound)?;
        let mut answer = self.objects.answer(object, &range, right);
        self.objects.simulation.note("got", object.0 as u64, range.start);
        self.life.pass(2).await;
        let split = self.objects.simulation.choose(|random| random.below(answer.len() as u64 + 1)) as usize;
        let rest = answer.split_off(split);
        Ok(vec![answer, rest])
    }

    async fn delete(&self, _share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        self.arrive(10).await?;
        if self.objects.simulation.happens(Fault::DeleteNotDone) {
            return Err(unavailable());
        }
        self.check_garbage(object).await;
        if self.objects.simulation.happens(Fault::DeleteLate) {
            self.later(move |objects| objects.remove(object));
            return Err(unavailable());
        }
        self.objects.remove(object);
        self.objects.simulation.note("deleted", object.0 as u64, 0);
        self.life.pass(2).await;
        if self.objects.simulation.happens(Fault::DeleteAnswerLost) { Err(unavailable()) } else { Ok(()) }
    }

    async fn list(
        &self,
        _share: ShareId,
        after: Option<ObjectId>,
        max: usize,
    ) -> Result<Vec<(ObjectId, u64)>, ContentError> {
        self.arrive(10).await?;
        Ok(self.objects.after(after, max))
    }
}
