//! [`EntryService`] over the shares.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{
    ClientId,
    error::{FsError, FsResult},
};
use dittofs_ports::{Entered, EntryService, NodeRef, OpenEvents, Presented};

use super::Services;
use crate::lock_order::strand;

#[async_trait]
impl EntryService for Services {
    fn enter(&self, handle: &[u8], who: &Presented) -> FsResult<Entered> {
        self.registry.enter(handle, who)
    }

    async fn mount(&self, path: &[u8], who: &Presented) -> FsResult<Entered> {
        let (share, rest) = self.registry.by_path(path).ok_or(FsError::NotFound)?;
        let volume = share.volume();
        let caller = volume.admit(who)?;
        let node = NodeRef::live(volume.share(), volume.names().walk(&caller, rest).await?);
        Ok(Entered { node, caller, share })
    }

    fn subscribe(&self, events: Arc<dyn OpenEvents>) {
        self.registry.subscribe(events);
    }

    async fn release_client(&self, client: ClientId) -> FsResult<()> {
        let mut result = Ok(());
        for share in self.registry.shares() {
            result = strand(share.release_client(client)).await.and(result);
        }
        result
    }
}
