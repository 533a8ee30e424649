//! [`AdminService`] over the volumes.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{ShareId, error::FsResult};
use dittofs_ports::{AdminService, CheckObserver, CheckOptions, CheckReport, ShareInfo, ShareSpace};

use super::Services;

#[async_trait]
impl AdminService for Services {
    fn shares(&self) -> Vec<ShareInfo> {
        self.registry
            .volumes()
            .iter()
            .map(|volume| ShareInfo {
                id: volume.share(),
                name: volume.name().to_owned(),
                clients: volume.policy().clients.iter().map(ToString::to_string).collect(),
                read_only: volume.policy().read_only,
                survives: volume.survives(),
            })
            .collect()
    }

    async fn space(&self, share: ShareId) -> FsResult<ShareSpace> {
        self.registry.volume(share)?.space().await
    }

    async fn flush(&self) -> FsResult<()> {
        for volume in self.registry.volumes() {
            volume.flush_all().await?;
            volume.demand_none_aside()?;
        }
        Ok(())
    }

    async fn check(
        &self,
        share: ShareId,
        options: CheckOptions,
        observer: Arc<dyn CheckObserver>,
    ) -> FsResult<CheckReport> {
        self.registry.volume(share)?.check(options, observer).await
    }
}
