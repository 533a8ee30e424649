//! [`OpenService`] over the volumes.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{
    ClientId, ShareId,
    error::FsResult,
    opens::{LeaseGrant, LeaseKey, Lock, LockHolder, LockOwner, LockRange, OpenToken, Rights, WaitToken},
};
use dittofs_ports::{
    AcknowledgeFailure, Caller, LockReply, LockRequest, NodeRef, OpenEvents, OpenRequest, OpenService, Opened,
    ShareChange,
};

use super::Services;

#[async_trait]
impl OpenService for Services {
    fn subscribe(&self, events: Arc<dyn OpenEvents>) {
        self.registry.subscribe(events);
    }

    fn wait_token(&self, share: ShareId) -> FsResult<WaitToken> {
        Ok(self.registry.volume(share)?.opens().wait_token())
    }

    async fn open(&self, caller: &Caller, node: NodeRef, request: &OpenRequest) -> FsResult<Opened> {
        self.registry.volume(node.share)?.opens().open_node(caller, node.node, request).await
    }

    async fn close(&self, caller: &Caller, node: NodeRef, open: OpenToken) -> FsResult<()> {
        self.registry.volume(node.share)?.opens().close_open(caller, node.node, open).await
    }

    async fn change_share(
        &self,
        caller: &Caller,
        node: NodeRef,
        open: OpenToken,
        change: &ShareChange,
    ) -> FsResult<()> {
        self.registry.volume(node.share)?.opens().change_share(caller, node.node, open, change).await
    }

    async fn test_lock(&self, caller: &Caller, node: NodeRef, wanted: &Lock) -> FsResult<Option<Lock>> {
        self.registry.volume(node.share)?.opens().test_lock(caller, node.node, wanted).await
    }

    async fn lock(&self, caller: &Caller, node: NodeRef, request: &LockRequest) -> FsResult<LockReply> {
        self.registry.volume(node.share)?.opens().lock(caller, node.node, request).await
    }

    async fn unlock(&self, caller: &Caller, node: NodeRef, holder: &LockHolder, range: LockRange) -> FsResult<()> {
        self.registry.volume(node.share)?.opens().unlock(caller, node.node, holder, range).await
    }

    async fn cancel_lock(&self, caller: &Caller, node: NodeRef, wait: WaitToken) -> FsResult<bool> {
        self.registry.volume(node.share)?.opens().cancel_lock(caller, node.node, wait).await
    }

    async fn holds_locks(&self, caller: &Caller, node: NodeRef, owner: &LockOwner) -> FsResult<bool> {
        self.registry.volume(node.share)?.opens().holds_locks(caller, node.node, owner).await
    }

    async fn release_owner(&self, caller: &Caller, node: NodeRef, owner: &LockOwner) -> FsResult<()> {
        self.registry.volume(node.share)?.opens().release_owner(caller, node.node, owner).await
    }

    async fn release_client(&self, client: ClientId) -> FsResult<()> {
        let mut result = Ok(());
        for volume in self.registry.volumes() {
            result = volume.opens().release_client(client).await.and(result);
        }
        result
    }

    async fn request_lease(
        &self,
        caller: &Caller,
        node: NodeRef,
        key: LeaseKey,
        rights: Rights,
    ) -> FsResult<LeaseGrant> {
        self.registry.volume(node.share)?.opens().request_lease(caller, node.node, key, rights).await
    }

    async fn acknowledge(
        &self,
        caller: &Caller,
        node: NodeRef,
        key: LeaseKey,
        rights: Rights,
    ) -> Result<(), AcknowledgeFailure> {
        self.registry.volume(node.share)?.opens().acknowledge(caller, node.node, key, rights).await
    }

    async fn return_lease(&self, caller: &Caller, node: NodeRef, key: LeaseKey) -> FsResult<bool> {
        self.registry.volume(node.share)?.opens().return_lease(caller, node.node, key).await
    }
}
