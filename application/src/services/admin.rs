//! [`AdminService`] over the volumes.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{ShareId, backup::BackupId, error::FsResult};
use dittofs_ports::{
    AdminService, BackupError, BackupObserver, BackupReport, BackupRequest, CheckObserver, CheckOptions, CheckReport,
    PinningBackup, ShareInfo, ShareSpace,
};

use super::Services;
use crate::backup::Job;

#[async_trait]
impl AdminService for Services {
    fn shares(&self) -> Vec<ShareInfo> {
        self.registry
            .volumes()
            .iter()
            .map(|volume| {
                let policy = volume.policy();
                ShareInfo {
                    id: volume.share(),
                    name: volume.name().to_owned(),
                    short_name: policy.short_name.clone(),
                    clients: policy.clients.iter().map(ToString::to_string).collect(),
                    read_only: policy.read_only,
                    requires_encryption: policy.requires_encryption,
                    survives: volume.survives(),
                }
            })
            .collect()
    }

    async fn space(&self, share: ShareId) -> FsResult<ShareSpace> {
        self.registry.share(share)?.volume().monitor().space().await
    }

    async fn flush(&self) -> FsResult<()> {
        for volume in self.registry.volumes() {
            volume.flush_all().await?;
        }
        Ok(())
    }

    async fn check(
        &self,
        share: ShareId,
        options: CheckOptions,
        observer: Arc<dyn CheckObserver>,
    ) -> FsResult<CheckReport> {
        self.registry.share(share)?.volume().check().run(options, observer).await
    }

    async fn back_up(
        &self,
        request: BackupRequest,
        observer: Arc<dyn BackupObserver>,
    ) -> Result<BackupReport, BackupError> {
        let folders = self.backups.clone().ok_or(BackupError::NotSupported)?;
        let running = Arc::clone(&self.backing_up).try_lock_owned().map_err(|_| BackupError::Running)?;
        let mut volumes = Vec::new();
        for volume in self.registry.volumes() {
            if request.shares.is_empty() || request.shares.contains(&volume.share()) {
                volumes.push(volume);
            }
        }
        let is_known = |share: &&ShareId| volumes.iter().any(|volume| volume.share() == **share);
        if let Some(unknown) = request.shares.iter().find(|share| !is_known(share)) {
            return Err(BackupError::UnknownShare(*unknown));
        }
        let machine = volumes.first().ok_or(BackupError::NotSupported)?.machine().clone();
        Job::new(volumes, request, folders, observer).run_to_end(&machine, running).await
    }

    async fn backups(&self) -> Result<Vec<PinningBackup>, BackupError> {
        let mut all = Vec::new();
        for volume in self.registry.volumes() {
            all.extend(volume.freezer().pins().backups().await?);
        }
        Ok(all)
    }

    async fn release_backup(&self, backup: BackupId) -> Result<u64, BackupError> {
        // One that is being written is ended by whoever asked for it.
        let _running = self.backing_up.try_lock().map_err(|_| BackupError::Running)?;
        let (mut bytes, mut is_known) = (0, false);
        for volume in self.registry.volumes() {
            let found = volume.freezer().pins().backups().await?.into_iter().find(|known| known.backup == backup);
            let Some(found) = found else { continue };
            let unpinned = volume.freezer().pins().unpin(backup).await;
            unpinned.map_err(|source| BackupError::Pin { share: volume.name().to_owned(), source })?;
            (bytes, is_known) = (bytes + found.bytes, true);
        }
        if is_known { Ok(bytes) } else { Err(BackupError::UnknownBackup(backup)) }
    }
}
