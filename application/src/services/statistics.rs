//! [`StatisticsService`] over the volumes.

use std::time::Duration;

use async_trait::async_trait;
use dittofs_domain::ShareId;
use dittofs_ports::statistics::{Ailing, ShareCounts, StatisticsService};

use super::Services;

#[async_trait]
impl StatisticsService for Services {
    fn counts(&self) -> Vec<ShareCounts> {
        self.registry.volumes().iter().map(|volume| volume.monitor().counts()).collect()
    }

    async fn ailing(&self, share: ShareId, patience: Duration) -> Option<Vec<Ailing>> {
        let share = self.registry.share(share).ok()?;
        Some(share.volume().monitor().ailing(patience).await)
    }
}
