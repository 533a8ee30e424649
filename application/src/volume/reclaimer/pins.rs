//! Objects that backups pin: nothing marks, deletes or punches them, whatever becomes of the files.

use std::sync::Arc;

use dittofs_domain::{
    ObjectId, Timestamp,
    backup::{BACKUPS_MAX, BackupId, BackupRecord, PINS, pin, unpin as unpin_object},
    error::FsResult,
    plan::{ObjectRecord, Plan, Reference},
};
use dittofs_ports::{ApplyError, BackupError, MetadataError, PinningBackup, ShareMetadata, ShareRecord, ShareSnapshot};
use parking_lot::Mutex;

use crate::volume::{breathe::breathe, garbage::Garbage, row::ShareRow, share::Share};

/// Objects of one plan. An eighth of what a plan may hold, so that others get their turn.
const OBJECTS_PER_PLAN: usize = 512;

/// The error of a store while pins are removed.
#[derive(Debug, thiserror::Error)]
pub enum UnpinError {
    /// It can't be read or its row not be written.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// It does not apply a plan.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// The backups that pin objects of a share.
pub(crate) struct Pins {
    share: Arc<Share>,
    metadata: Arc<dyn ShareMetadata>,
    row: Arc<ShareRow>,
    garbage: Arc<Garbage>,
    /// Backups that an earlier start did not end.
    unfinished: Mutex<Vec<BackupId>>,
}

impl Pins {
    pub(in crate::volume) fn new(
        share: Arc<Share>,
        (metadata, row): (Arc<dyn ShareMetadata>, Arc<ShareRow>),
        garbage: Arc<Garbage>,
        record: &ShareRecord,
    ) -> Pins {
        Pins { share, metadata, row, garbage, unfinished: Mutex::new(unfinished(record)) }
    }

    /// Pins all objects of a snapshot, and answers them. The collector is held off meanwhile.
    pub(crate) async fn pin_all(
        &self,
        snapshot: &dyn ShareSnapshot,
        (backup, at): (BackupId, Timestamp),
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<ObjectRecord>, BackupError> {
        self.note_backup(backup, BackupRecord { at, is_kept: false, objects: 0, bytes: 0 }).await?;
        let mut objects: Vec<ObjectRecord> = Vec::new();
        loop {
            let after = objects.last().map(|last| last.id);
            let page = snapshot.objects(after, OBJECTS_PER_PLAN).await.map_err(|source| self.share.not_read(source))?;
            if page.is_empty() {
                break;
            }
            let mut plan = Plan::at(self.share.now());
            page.iter().for_each(|object| pin(&mut plan, object.id, backup));
            if let Err(error) = self.metadata.apply(plan, None).await {
                let source = self.share.apply_failed(&error);
                return Err(BackupError::Pin { share: self.share.name().to_owned(), source });
            }
            objects.extend(page);
            progress(objects.len() as u64);
        }
        let bytes = objects.iter().map(|object| object.bytes).sum();
        self.note_backup(backup, BackupRecord { at, is_kept: false, objects: objects.len() as u64, bytes }).await?;
        Ok(objects)
    }

    /// Puts into the share's row what is known of a backup.
    async fn note_backup(&self, backup: BackupId, backup_record: BackupRecord) -> Result<(), BackupError> {
        let mut is_full = false;
        let note = |record: &mut ShareRecord| {
            is_full = record.backups.len() >= BACKUPS_MAX && !record.backups.contains_key(&backup);
            if !is_full {
                record.backups.insert(backup, backup_record);
            }
        };
        self.row.change(note).await.map_err(|source| self.share.not_read(source))?;
        if is_full { Err(BackupError::TooMany(self.share.name().to_owned())) } else { Ok(()) }
    }

    /// Lets a backup's pins stay until it is released.
    pub(crate) async fn keep_pins(&self, backup: BackupId) -> Result<(), BackupError> {
        let keep = |record: &mut ShareRecord| {
            record.backups.entry(backup).and_modify(|backup| backup.is_kept = true);
        };
        self.row.change(keep).await.map_err(|source| self.share.not_read(source))
    }

    /// Takes a backup's pins away, and forgets it. Done again, it changes nothing.
    pub(crate) async fn unpin(&self, backup: BackupId) -> FsResult<()> {
        let lost = |objects: &[ObjectRecord]| {
            self.garbage.released(objects.iter().map(|object| object.id));
            // Nobody saw how much of them has died.
            self.garbage.note_dead(objects.iter().map(|object| (object.id, object.bytes)));
        };
        let unpinned = unpin_all(&*self.metadata, backup, self.share.now(), lost).await;
        // Also of what was done only in part.
        self.garbage.wake();
        unpinned.map_err(|error| match error {
            UnpinError::Metadata(error) => self.share.metadata_failed(&error),
            UnpinError::Apply(error) => self.share.apply_failed(&error),
        })?;
        let forget = |record: &mut ShareRecord| {
            record.backups.remove(&backup);
        };
        self.row.change(forget).await.map_err(|error| self.share.metadata_failed(&error))
    }

    /// Takes away what backups have pinned that an earlier start did not end.
    pub(super) async fn unpin_unfinished(&self) -> FsResult<()> {
        loop {
            let next = self.unfinished.lock().last().copied();
            let Some(backup) = next else { return Ok(()) };
            self.unpin(backup).await?;
            tracing::warn!(share = %self.share.name(), %backup, "a backup was not ended: nothing is pinned for it any more");
            self.unfinished.lock().pop();
        }
    }

    /// The backups that pin objects of the share.
    pub(crate) async fn backups(&self) -> Result<Vec<PinningBackup>, BackupError> {
        let record = self.metadata.record().await.map_err(|source| self.share.not_read(source))?;
        Ok(pinning(&record))
    }
}

/// The backups in a share's row that no start has ended: who wrote them has ended.
fn unfinished(record: &ShareRecord) -> Vec<BackupId> {
    record.backups.iter().filter(|(_, backup)| !backup.is_kept).map(|(id, _)| *id).collect()
}

/// Takes a backup's pins away, page by page, and reports of each page which objects lost one. Its record in the
/// share's row stays, so that this can be done again where it is interrupted.
///
/// # Errors
/// The store's.
pub async fn unpin_all(
    metadata: &dyn ShareMetadata,
    backup: BackupId,
    now: Timestamp,
    mut lost: impl FnMut(&[ObjectRecord]) + Send,
) -> Result<(), UnpinError> {
    let mut after = None;
    loop {
        let page = metadata.objects(after, OBJECTS_PER_PLAN).await?;
        let mut pinned = Vec::new();
        for object in &page {
            if is_pinned_by(metadata, object.id, backup).await? {
                pinned.push(*object);
            }
        }
        if !pinned.is_empty() {
            let mut plan = Plan::at(now);
            pinned.iter().for_each(|object| unpin_object(&mut plan, object.id, backup));
            metadata.apply(plan, None).await?;
            lost(&pinned);
        }
        match page.last() {
            Some(last) if page.len() == OBJECTS_PER_PLAN => after = Some(last.id),
            _ => return Ok(()),
        }
        breathe().await;
    }
}

async fn is_pinned_by(metadata: &dyn ShareMetadata, object: ObjectId, backup: BackupId) -> Result<bool, MetadataError> {
    let wanted = Reference::live(object, PINS, backup.number());
    Ok(metadata.references_after(wanted.predecessor(), 1).await?.first() == Some(&wanted))
}

/// Returns the pins of backups in a share's row.
pub fn pinning(record: &ShareRecord) -> Vec<PinningBackup> {
    let backups = record.backups.iter().map(|(backup, kept)| {
        let BackupRecord { at, is_kept, objects, bytes } = *kept;
        PinningBackup { backup: *backup, share: record.name.clone(), at, is_kept, objects, bytes }
    });
    backups.collect()
}
