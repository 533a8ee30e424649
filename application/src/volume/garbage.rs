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
pub(super) const GRACE: Duration = Duration::from_secs(30);

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
                        match self.references(record.id).await {
                            // Nobody saw how much of it has died.
                            Ok(true) => self.note_dead([(record.id, record.bytes)]),
                            Ok(false) => drop(self.suspects.lock().insert(record.id)),
                            // Only of this one it can't be told.
                            Err(error) if Volume::is_of_file(error) => {}
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

    /// Condemns the objects that lost their last reference.
    pub(super) async fn condemn_suspects(&self) -> FsResult<()> {
        let mut damaged = Vec::new();
        let mut result = Ok(());
        while result.is_ok() {
            let Some(object) = self.suspects.lock().pop_first() else { break };
            if let Err(error) = self.condemn_suspect(object).await {
                damaged.push(object);
                // One object whose references can't be read keeps no other from being deleted.
                result = if Volume::is_of_file(error) { Ok(()) } else { Err(error) };
            }
        }
        self.suspects.lock().extend(damaged);
        result
    }

    async fn condemn_suspect(&self, object: ObjectId) -> FsResult<()> {
        if !self.references(object).await? {
            self.condemn(object).await?;
            self.counters.objects_condemned.count();
            let since = self.machine.clock.monotonic();
            self.condemned.lock().push(Condemned { object, since });
        }
        Ok(())
    }

    /// Deletes the objects whose grace is over; answers whether some are left.
    pub(super) async fn delete_condemned(&self) -> FsResult<bool> {
        let now = self.machine.clock.monotonic();
        let condemned = self.condemned.lock().clone();
        for one in condemned.iter().filter(|one| now.saturating_sub(one.since) >= GRACE) {
            let deleted = match self.delete_object(one.object).await {
                Err(error) if Volume::is_of_file(error) => false,
                deleted => deleted?,
            };
            if deleted {
                self.condemned.lock().retain(|other| other.object != one.object);
                self.discards.lock().forget(one.object);
                self.counters.objects_deleted.count();
            }
        }
        Ok(!self.condemned.lock().is_empty())
    }

    /// Deletes an object and its row; answers whether both are gone.
    async fn delete_object(&self, object: ObjectId) -> FsResult<bool> {
        if let Err(error) = self.stores.content.delete(self.share(), object).await {
            tracing::warn!(share = %self.name, %object, %error, "an object could not be deleted yet");
            return Ok(false);
        }
        let mut plan = Plan::at(self.now());
        plan.expect(Expectation::ObjectState { object, state: ObjectState::Condemned });
        plan.change(Change::DeleteObject(object));
        match self.stores.metadata.apply(plan, None).await {
            Ok(_) => Ok(true),
            Err(ApplyError::Conflict) => Ok(!self.is_condemned(object).await?),
            Err(error) => Err(self.apply_failed(&error)),
        }
    }

    async fn references(&self, object: ObjectId) -> FsResult<bool> {
        let references = self.stores.metadata.references(object, 1).await;
        Ok(!references.map_err(|error| self.metadata_failed(&error))?.is_empty())
    }

    async fn is_condemned(&self, object: ObjectId) -> FsResult<bool> {
        let before = object.0.checked_sub(1).map(ObjectId);
        let found = self.stores.metadata.objects(before, 1).await.map_err(|error| self.metadata_failed(&error))?;
        Ok(found.iter().any(|record| record.id == object && record.state == ObjectState::Condemned))
    }

    /// Condemns an object; `Busy` if somebody refers to it again, or another plan came between.
    async fn condemn(&self, object: ObjectId) -> FsResult<()> {
        let mut plan = Plan::at(self.now());
        plan.expect(Expectation::Unreferenced(object));
        let state = ObjectState::Condemned;
        plan.change(Change::PutObject(ObjectRecord { id: object, state, owner: self.epoch, bytes: 0 }));
        match self.stores.metadata.apply(plan, None).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.apply_failed(&error)),
        }
    }
}
