//! [`WatchService`] of a share that is served.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{NodeId, error::FsResult};
use dittofs_ports::{Caller, ChangeListener, Watch, WatchRequest, WatchService};

use super::ServedShare;
use crate::lock_order::strand;

#[async_trait]
impl WatchService for ServedShare {
    async fn watch(
        &self,
        caller: &Caller,
        directory: NodeId,
        request: &WatchRequest,
        listener: Arc<dyn ChangeListener>,
    ) -> FsResult<Arc<dyn Watch>> {
        strand(self.volume.names().watch(caller, directory, request, listener)).await
    }
}
