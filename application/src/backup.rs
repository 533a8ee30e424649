//! A backup of some shares: each is taken as of one instant, its objects are pinned, and then its rows and objects are
//! written, while the shares are used.

mod objects;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use dittofs_domain::{
    Timestamp,
    backup::BackupId,
    plan::{ObjectRecord, Statistics},
};
use dittofs_ports::{
    BackupError, BackupFolders, BackupObserver, BackupPhase, BackupProgress, BackupReport, BackupRequest, BackupWriter,
    Manifest, ObjectInBackup, ShareInBackup, ShareSnapshot, SnapshotRow,
};
use tokio::sync::OwnedMutexGuard;

pub(crate) use objects::{ObjectError, whole_object};

use crate::{
    to_end::run_to_end,
    volume::{Frozen, Machine, Volume},
};

/// Bytes of rows that are held at a time. Few turns of the store for many rows, and little memory.
const ROWS_BYTES: usize = 1 << 20;

/// A backup that is to be written.
pub(crate) struct Job {
    volumes: Vec<Arc<Volume>>,
    request: BackupRequest,
    folders: Arc<dyn BackupFolders>,
    observer: Arc<dyn BackupObserver>,
    is_over: Arc<AtomicBool>,
}

/// Whoever waits for a backup: once it has gone the backup is given up.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Which backup it is.
#[derive(Clone, Copy)]
struct Identity {
    backup: BackupId,
    at: Timestamp,
}

impl Job {
    pub(crate) fn new(
        volumes: Vec<Arc<Volume>>,
        request: BackupRequest,
        folders: Arc<dyn BackupFolders>,
        observer: Arc<dyn BackupObserver>,
    ) -> Job {
        Job { volumes, request, folders, observer, is_over: Arc::default() }
    }

    /// Writes it in a task of its own: if whoever waits goes away, it still takes its pins away.
    pub(crate) async fn run_to_end(
        self,
        machine: &Machine,
        running: OwnedMutexGuard<()>,
    ) -> Result<BackupReport, BackupError> {
        let identity = Identity { backup: BackupId::of_bits(machine.randomness.bits64()), at: machine.clock.now() };
        let _waiting = Waiting(Arc::clone(&self.is_over));
        let work = async move {
            let result = self.run(identity).await;
            drop(running);
            result
        };
        run_to_end(&*machine.spawner, "backup", work).await.unwrap_or(Err(BackupError::Cancelled))
    }

    async fn run(&self, identity: Identity) -> Result<BackupReport, BackupError> {
        let writer = self.folders.make(&self.request.folder).await?;
        let result = self.write(identity, &*writer).await;
        let backup = identity.backup;
        if result.is_err() || !self.request.pin {
            for volume in &self.volumes {
                if let Err(error) = volume.freezer().pins().unpin(backup).await {
                    let share = volume.name();
                    tracing::warn!(%share, %backup, %error, "what a backup has pinned stays so until the next start");
                }
            }
        }
        match &result {
            Ok(report) => {
                let BackupReport { objects, bytes, incomplete, .. } = report;
                tracing::info!(%backup, objects, bytes, "a backup is written");
                for file in incomplete {
                    tracing::warn!(%backup, %file, "the newest bytes of this file are not in the backup");
                }
            }
            Err(error) => tracing::warn!(%backup, %error, "a backup was not written"),
        }
        result
    }

    async fn write(&self, identity: Identity, writer: &dyn BackupWriter) -> Result<BackupReport, BackupError> {
        let mut shares = Vec::with_capacity(self.volumes.len());
        for volume in &self.volumes {
            shares.push(self.write_share(volume, identity, writer).await?);
        }
        if self.request.pin {
            for volume in &self.volumes {
                volume.freezer().pins().keep_pins(identity.backup).await?;
            }
        } else {
            let of = shares.iter().flat_map(|share| &share.objects).map(|object| object.bytes).sum();
            let mut done = 0;
            for (volume, share) in self.volumes.iter().zip(&mut shares) {
                self.copy_objects(volume, share, writer, (&mut done, of)).await?;
            }
        }
        self.volumes.iter().try_for_each(|volume| self.go_on(volume))?;
        let objects = shares.iter().flat_map(|share| &share.objects);
        let of_share = |share: &ShareInBackup| {
            share.incomplete.iter().map(|file| format!("{file} of {}", share.name)).collect::<Vec<_>>()
        };
        let report = BackupReport {
            backup: identity.backup,
            shares: shares.iter().map(|share| share.name.clone()).collect(),
            nodes: shares.iter().map(|share| share.nodes).sum(),
            objects: objects.clone().count() as u64,
            bytes: objects.map(|object| object.bytes).sum(),
            incomplete: shares.iter().flat_map(of_share).collect(),
        };
        let Identity { backup, at } = identity;
        let program = env!("CARGO_PKG_VERSION").to_owned();
        writer.finish(&Manifest { backup, at, program, holds_objects: !self.request.pin, shares }).await?;
        Ok(report)
    }

    /// Takes a share as of now, pins its objects, and writes its rows.
    async fn write_share(
        &self,
        volume: &Volume,
        Identity { backup, at }: Identity,
        writer: &dyn BackupWriter,
    ) -> Result<ShareInBackup, BackupError> {
        self.go_on(volume)?;
        self.report_progress(BackupPhase::Flush, 0, 0);
        let mut frozen = volume.freezer().freeze(self.request.allow_damaged).await?;
        let progress = |done| self.report_progress(BackupPhase::Pins, done, 0);
        let objects = volume.freezer().pins().pin_all(&*frozen.snapshot, (backup, at), &progress).await?;
        frozen.let_collector_go();
        let Frozen { snapshot, at, incomplete, .. } = frozen;
        let rows = self.write_rows(volume, &*snapshot, writer).await?;
        let record = snapshot.record().await.map_err(|source| volume.not_read(source))?;
        let sums = snapshot.statistics().await.map_err(|source| volume.not_read(source))?;
        let Statistics { bytes, nodes } = sums;
        let listed = |object: &ObjectRecord| ObjectInBackup { id: object.id, bytes: object.bytes, checksum: None };
        Ok(ShareInBackup {
            id: record.id,
            name: record.name,
            scale: record.scale,
            counts_names: record.counts_names,
            keys: record.keys,
            epoch: record.lineage.last().map(|start| start.epoch).unwrap_or_default(),
            at,
            nodes: nodes.max(0).cast_unsigned(),
            bytes: bytes.max(0).cast_unsigned(),
            format: snapshot.format(),
            rows,
            objects: objects.iter().map(listed).collect(),
            incomplete,
        })
    }

    async fn write_rows(
        &self,
        volume: &Volume,
        snapshot: &dyn ShareSnapshot,
        writer: &dyn BackupWriter,
    ) -> Result<dittofs_ports::RowsInBackup, BackupError> {
        let (mut last, mut done): (Option<SnapshotRow>, u64) = (None, 0);
        loop {
            self.go_on(volume)?;
            let rows = snapshot.rows(last, ROWS_BYTES).await.map_err(|source| volume.not_read(source))?;
            // Only its place counts.
            last = rows.last().map(|row| SnapshotRow { value: Vec::new(), ..row.clone() });
            if rows.is_empty() {
                return Ok(writer.end_rows(volume.share()).await?);
            }
            done += rows.len() as u64;
            writer.rows(volume.share(), rows).await?;
            self.report_progress(BackupPhase::Rows, done, 0);
        }
    }

    async fn copy_objects(
        &self,
        volume: &Volume,
        share: &mut ShareInBackup,
        writer: &dyn BackupWriter,
        (done, of): (&mut u64, u64),
    ) -> Result<(), BackupError> {
        for object in &mut share.objects {
            self.go_on(volume)?;
            self.report_progress(BackupPhase::Objects, *done, of);
            let parts =
                whole_object(volume.freezer().content(), share.id, (object.id, object.bytes), volume.machine()).await;
            let parts = parts.map_err(|ObjectError(source)| {
                let share = volume.name().to_owned();
                BackupError::Content { share, object: object.id, source }
            })?;
            object.checksum = Some(writer.object(share.id, object.id, parts).await?);
            *done += object.bytes;
        }
        Ok(())
    }

    fn report_progress(&self, phase: BackupPhase, done: u64, of: u64) {
        self.observer.progress(BackupProgress { phase, done, of });
    }

    /// Whether somebody still wants it.
    fn go_on(&self, volume: &Volume) -> Result<(), BackupError> {
        match self.is_over.load(Ordering::Acquire) || volume.is_closing() {
            true => Err(BackupError::Cancelled),
            false => Ok(()),
        }
    }
}
