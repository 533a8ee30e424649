//! Objects that nothing refers to: condemned, kept for a while, deleted, forgotten.

use std::time::Duration;

use dittofs_domain::{
    ObjectId,
    error::FsResult,
    plan::{Change, Expectation, ObjectRecord, ObjectState, Plan},
};
use dittofs_ports::ApplyError;

use super::Volume;

/// How long a condemned object is kept: longer than any read that resolved its extents before may take.
const GRACE: Duration = Duration::from_secs(30);

/// Objects that are looked at, at a time.
const OBJECTS_PER_PAGE: usize = 256;

/// An object that is to be deleted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condemned {
    pub(super) object: ObjectId,
    pub(super) since: Duration,
}

impl Volume {
    /// Finds what the last instance left: objects that it condemned, began to write, or lost the last reference to.
    /// Nothing is found by listing the content store.
    pub(super) async fn survey(&self) -> FsResult<()> {
        let since = self.machine.clock.monotonic();
        let mut after = None;
        loop {
            let page = self.stores.metadata.objects(after, OBJECTS_PER_PAGE).await;
            let page = page.map_err(|error| self.metadata_failed(&error))?;
            for record in &page {
                match record.state {
                    ObjectState::Condemned => self.condemned.lock().push(Condemned { object: record.id, since }),
                    // Those of this instance are looked at when their flush has ended.
                    ObjectState::Writing | ObjectState::Live if record.owner == self.epoch => {}
                    ObjectState::Writing | ObjectState::Live => {
                        match self.references(record.id).await? {
                            // Nobody saw how much of it has died.
                            true => self.note_dead([(record.id, record.bytes)]),
                            false => drop(self.suspects.lock().insert(record.id)),
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

    /// Condemns the objects that lost their last reference.
    pub(super) async fn condemn_suspects(&self) -> FsResult<()> {
        let suspects: Vec<ObjectId> = self.suspects.lock().drain().collect();
        for object in suspects {
            if !self.references(object).await? && self.condemn(object).await? {
                let since = self.machine.clock.monotonic();
                self.condemned.lock().push(Condemned { object, since });
            }
        }
        Ok(())
    }

    /// Deletes the objects whose grace is over; answers whether some are left.
    pub(super) async fn delete_condemned(&self) -> FsResult<bool> {
        let now = self.machine.clock.monotonic();
        let due: Vec<Condemned> = {
            let mut condemned = self.condemned.lock();
            let (due, rest) = condemned.drain(..).partition(|one| now.saturating_sub(one.since) >= GRACE);
            *condemned = rest;
            due
        };
        for one in due {
            if let Err(error) = self.stores.content.delete(self.share(), one.object).await {
                tracing::warn!(share = %self.name, object = %one.object, %error, "an object could not be deleted yet");
                self.condemned.lock().push(one);
                continue;
            }
            let mut plan = Plan::at(self.now());
            plan.expect(Expectation::ObjectState { object: one.object, state: ObjectState::Condemned });
            plan.change(Change::DeleteObject(one.object));
            match self.stores.metadata.apply(plan, None).await {
                Ok(_) | Err(ApplyError::Conflict) => {}
                Err(error) => return Err(self.apply_failed(&error)),
            }
        }
        Ok(!self.condemned.lock().is_empty())
    }

    async fn references(&self, object: ObjectId) -> FsResult<bool> {
        let references = self.stores.metadata.references(object, 1).await;
        Ok(!references.map_err(|error| self.metadata_failed(&error))?.is_empty())
    }

    /// Condemns an object, unless somebody refers to it again; answers whether it is condemned.
    async fn condemn(&self, object: ObjectId) -> FsResult<bool> {
        let mut plan = Plan::at(self.now());
        plan.expect(Expectation::Unreferenced(object));
        let state = ObjectState::Condemned;
        plan.change(Change::PutObject(ObjectRecord { id: object, state, owner: self.epoch, bytes: 0 }));
        match self.stores.metadata.apply(plan, None).await {
            Ok(_) => Ok(true),
            Err(ApplyError::Conflict) => Ok(false),
            Err(error) => Err(self.apply_failed(&error)),
        }
    }
}
