//! Objects that nothing refers to: they are marked as pending delete, kept for a while, deleted, forgotten.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dittofs_domain::{
    Epoch, NodeId, ObjectId, PlaceId,
    error::FsResult,
    plan::{Change, Expectation, ObjectRecord, ObjectState, Plan},
};
use dittofs_ports::{ApplyError, ContentError, ContentStore, ShareMetadata};
use parking_lot::{Mutex, MutexGuard};

use super::{GRACE, waiting::Discards};
use crate::{
    lock_order::may_wait_outside,
    volume::{
        garbage::Garbage,
        share::{Share, is_of_file},
    },
};

/// Objects that are looked at, at a time. A turn of the store, with little memory.
const OBJECTS_PER_PAGE: usize = 256;

/// An object that is to be deleted.
#[derive(Clone, Copy, Debug)]
struct PendingDelete {
    object: ObjectId,
    since: Duration,
    /// It was said that it could not be deleted.
    is_reported: bool,
}

/// Deletes objects that nothing refers to.
pub(super) struct Collector {
    share: Arc<Share>,
    metadata: Arc<dyn ShareMetadata>,
    content: Arc<dyn ContentStore>,
    garbage: Arc<Garbage>,
    pending_deletes: Mutex<Vec<PendingDelete>>,
    discards: Mutex<Discards>,
    /// It was said that the content store takes no deletions.
    outage_is_reported: AtomicBool,
}

impl Collector {
    pub(super) fn new(
        share: Arc<Share>,
        (metadata, content): (Arc<dyn ShareMetadata>, Arc<dyn ContentStore>),
        garbage: Arc<Garbage>,
    ) -> Collector {
        let (pending_deletes, discards) = (Mutex::default(), Mutex::default());
        Collector {
            share,
            metadata,
            content,
            garbage,
            pending_deletes,
            discards,
            outage_is_reported: AtomicBool::new(false),
        }
    }

    /// Objects that are to be deleted.
    pub(super) fn pending_deletes(&self) -> usize {
        self.pending_deletes.lock().len()
    }

    /// Returns the ranges of objects that are to be given back.
    pub(super) fn discards(&self) -> MutexGuard<'_, Discards> {
        self.discards.lock()
    }

    /// Returns an object that is live.
    pub(super) async fn live_object(&self, object: ObjectId) -> FsResult<Option<ObjectRecord>> {
        let before = object.0.checked_sub(1).map(ObjectId);
        let found = self.metadata.objects(before, 1).await.map_err(|error| self.share.metadata_failed(&error))?;
        Ok(found.into_iter().find(|record| record.id == object && record.state == ObjectState::Live))
    }

    /// Finds what the last instance left: objects that are pending delete, that it began to write, or that lost the
    /// last reference to. Nothing is found by listing the content store.
    pub(super) async fn survey(&self) -> FsResult<()> {
        let since = self.share.monotonic();
        let mut after = None;
        loop {
            let page = self.metadata.objects(after, OBJECTS_PER_PAGE).await;
            let page = page.map_err(|error| self.share.metadata_failed(&error))?;
            for record in &page {
                match record.state {
                    ObjectState::PendingDelete => {
                        self.pending_deletes.lock().push(PendingDelete { object: record.id, since, is_reported: false })
                    }
                    // Those of this instance are looked at when their flush has ended.
                    ObjectState::Writing | ObjectState::Live if record.owner == self.share.epoch() => {}
                    // Its instance still means to refer to it.
                    ObjectState::Writing if !self.has_ended(record.owner).await? => {}
                    ObjectState::Writing | ObjectState::Live => {
                        match self.is_referred_to(record.id).await {
                            // Nobody saw how much of it has died.
                            Ok(true) => self.garbage.note_dead([(record.id, record.bytes)]),
                            Ok(false) => self.garbage.released([record.id]),
                            // Only of this one it is not known.
                            Err(error) if is_of_file(error) => {}
                            Err(error) => return Err(error),
                        }
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == OBJECTS_PER_PAGE => after = Some(last.id),
                _ => return Ok(()),
            }
        }
    }

    async fn has_ended(&self, epoch: Epoch) -> FsResult<bool> {
        self.metadata.has_ended(epoch).await.map_err(|error| self.share.metadata_failed(&error))
    }

    /// Marks the garbage candidates that nothing refers to as pending delete.
    pub(super) async fn mark_candidates(&self) -> FsResult<()> {
        let mut damaged = Vec::new();
        let mut result = Ok(());
        while result.is_ok() {
            let Some(object) = self.garbage.next_candidate() else { break };
            if let Err(error) = self.mark_candidate(object).await {
                damaged.push(object);
                // One object whose references can't be read keeps no other from being deleted.
                result = if is_of_file(error) { Ok(()) } else { Err(error) };
            }
        }
        self.garbage.released(damaged);
        result
    }

    async fn mark_candidate(&self, object: ObjectId) -> FsResult<()> {
        if !self.is_referred_to(object).await? {
            self.mark_pending_delete(object).await?;
            self.share.counters().objects_unreferenced.count();
            let since = self.share.monotonic();
            self.pending_deletes.lock().push(PendingDelete { object, since, is_reported: false });
        }
        Ok(())
    }

    /// Says, once until something is deleted again, that the content store does not answer.
    pub(super) fn report_outage(&self, error: &ContentError) {
        if !self.outage_is_reported.swap(true, Ordering::Relaxed) {
            tracing::warn!(share = %self.share.name(), %error, "content store does not answer: what is to be deleted waits");
        }
    }

    /// Deletes the objects whose grace is over, as long as the store answers; answers whether some are left.
    pub(super) async fn delete_pending(&self) -> FsResult<bool> {
        let now = self.share.monotonic();
        let pending_deletes = self.pending_deletes.lock().clone();
        for one in pending_deletes.iter().filter(|one| now.saturating_sub(one.since) >= GRACE) {
            may_wait_outside();
            match self.content.delete(self.share.id(), one.object).await {
                Ok(()) => self.outage_is_reported.store(false, Ordering::Relaxed),
                Err(error @ ContentError::Unavailable(_)) => {
                    self.report_outage(&error);
                    break;
                }
                Err(error) => {
                    self.report_undeleted(one.object, &error);
                    continue;
                }
            }
            let is_forgotten = match self.delete_row(one.object).await {
                Err(error) if is_of_file(error) => false,
                forgotten => forgotten?,
            };
            if is_forgotten {
                self.pending_deletes.lock().retain(|other| other.object != one.object);
                self.discards.lock().forget(one.object);
                self.share.counters().objects_deleted.count();
            }
        }
        Ok(!self.pending_deletes.lock().is_empty())
    }

    /// Says, once of each object, that it is not deleted.
    fn report_undeleted(&self, object: ObjectId, error: &ContentError) {
        let mut pending_deletes = self.pending_deletes.lock();
        let one = pending_deletes.iter_mut().find(|one| one.object == object);
        if one.is_some_and(|one| !std::mem::replace(&mut one.is_reported, true)) {
            tracing::warn!(share = %self.share.name(), %object, %error, "an object could not be deleted yet");
        }
    }

    /// Deletes the row of an object that is gone; answers whether there is none any more.
    async fn delete_row(&self, object: ObjectId) -> FsResult<bool> {
        let mut plan = Plan::at(self.share.now());
        plan.require(Expectation::ObjectState { object, state: ObjectState::PendingDelete });
        plan.change(Change::DeleteObject(object));
        match self.metadata.apply(plan, None).await {
            Ok(_) => Ok(true),
            Err(ApplyError::Conflict) => Ok(!self.is_pending_delete(object).await?),
            Err(error) => Err(self.share.apply_failed(&error)),
        }
    }

    /// Where files, or backups, refer to an object.
    pub(super) async fn references(&self, object: ObjectId, max: usize) -> FsResult<Vec<(NodeId, u64)>> {
        let references = self.metadata.references(object, max).await;
        references.map_err(|error| self.share.metadata_failed(&error))
    }

    async fn is_referred_to(&self, object: ObjectId) -> FsResult<bool> {
        Ok(!self.references(object, 1).await?.is_empty())
    }

    async fn is_pending_delete(&self, object: ObjectId) -> FsResult<bool> {
        Ok(self.row(object).await?.is_some_and(|record| record.state == ObjectState::PendingDelete))
    }

    async fn row(&self, object: ObjectId) -> FsResult<Option<ObjectRecord>> {
        let before = object.0.checked_sub(1).map(ObjectId);
        let found = self.metadata.objects(before, 1).await.map_err(|error| self.share.metadata_failed(&error))?;
        Ok(found.into_iter().find(|record| record.id == object))
    }

    /// Marks an object as pending delete; `Busy` if somebody refers to it again, or another plan came between.
    async fn mark_pending_delete(&self, object: ObjectId) -> FsResult<()> {
        let mut plan = Plan::at(self.share.now());
        plan.require(Expectation::Unreferenced(object));
        let state = ObjectState::PendingDelete;
        let place = self.row(object).await?.map_or(PlaceId::HOME, |record| record.place);
        plan.change(Change::PutObject(ObjectRecord { id: object, state, owner: self.share.epoch(), bytes: 0, place }));
        match self.metadata.apply(plan, None).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.share.apply_failed(&error)),
        }
    }
}
