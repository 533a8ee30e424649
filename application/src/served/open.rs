//! [`OpenService`] of a share that is served.

use async_trait::async_trait;
use dittofs_domain::{
    ClientId, Name, NodeId,
    error::{FsError, FsResult},
    opens::{LeaseGrant, LeaseKey, Lock, LockHolder, LockOwner, LockRange, OpenToken, Requester, Rights, WaitToken},
};
use dittofs_ports::{
    AcknowledgeFailure, Caller, LockReply, LockRequest, OpenFailure, OpenNameRequest, OpenRequest, OpenService, Opened,
    OpenedName, ShareChange,
};

use super::ServedShare;
use crate::{
    lock_order::strand,
    volume::{DirectoryLeases, OpenTarget, Part},
};

impl ServedShare {
    /// Drops all that a client has, and removes what was to go with its opens.
    pub(crate) async fn release_client(&self, client: ClientId) -> FsResult<()> {
        let mut deletions = Vec::new();
        // Before its leases go: with the last one of all, nobody has to be told of what was written.
        let leases = DirectoryLeases::of(self.volume.opens());
        let (telling, written) = (leases.begin_telling(), leases.take_all_written(client));
        let released = self.volume.opens().closing().release_client(client, &mut deletions).await;
        for (node, deletion) in deletions {
            let _passage = self.volume.freezer().pass().await;
            self.volume.names().delete(node, deletion.ended_by(client, None)).await;
        }
        for file in written {
            self.volume.watches().tell_changed(file, &Requester { client, lease: None }).await;
        }
        telling.done();
        released
    }
}

#[async_trait]
impl OpenService for ServedShare {
    fn wait_token(&self) -> WaitToken {
        self.volume.opens().wait_token()
    }

    async fn open(&self, caller: &Caller, node: NodeId, request: &OpenRequest) -> FsResult<Opened> {
        let target = OpenTarget { node, directory: None, part: Part::Whole };
        strand(self.volume.opens().open_found(caller, target, request)).await.map_err(|failure| match failure {
            OpenFailure::Deleting => FsError::ShareDenied,
            OpenFailure::Failed(error) => error,
        })
    }

    async fn open_name(&self, caller: &Caller, request: &OpenNameRequest) -> Result<OpenedName, OpenFailure> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.names().open_name(caller, request).await
        })
        .await
    }

    async fn set_deletion(
        &self,
        caller: &Caller,
        node: NodeId,
        open: OpenToken,
        name: Option<(NodeId, Name)>,
    ) -> FsResult<()> {
        strand(self.volume.names().set_deletion(caller, node, open, name)).await
    }

    async fn is_deleting(&self, node: NodeId) -> FsResult<bool> {
        strand(self.volume.opens().closing().is_deleting(node)).await
    }

    async fn close(&self, caller: &Caller, node: NodeId, open: OpenToken) -> FsResult<()> {
        strand(async {
            let closed = self.volume.opens().closing().close(caller, node, open).await?;
            if closed.leaves_something() {
                let leases = DirectoryLeases::of(self.volume.opens());
                let telling = closed.has_written.then(|| leases.begin_telling());
                let _passage = self.volume.freezer().pass().await;
                self.volume.names().streams().finish_close(caller, (node, open), closed).await?;
                if let Some(telling) = telling {
                    telling.done();
                }
            }
            Ok(())
        })
        .await
    }

    async fn change_share(&self, caller: &Caller, node: NodeId, open: OpenToken, change: &ShareChange) -> FsResult<()> {
        strand(self.volume.opens().change_share(caller, node, open, change)).await
    }

    async fn test_lock(&self, caller: &Caller, node: NodeId, wanted: &Lock) -> FsResult<Option<Lock>> {
        strand(self.volume.opens().test_lock(caller, node, wanted)).await
    }

    async fn lock(&self, caller: &Caller, node: NodeId, request: &LockRequest) -> FsResult<LockReply> {
        strand(self.volume.opens().lock(caller, node, request)).await
    }

    async fn unlock(&self, caller: &Caller, node: NodeId, holder: &LockHolder, range: LockRange) -> FsResult<()> {
        strand(self.volume.opens().unlock(caller, node, holder, range)).await
    }

    async fn cancel_lock(&self, caller: &Caller, node: NodeId, wait: WaitToken) -> FsResult<bool> {
        strand(self.volume.opens().cancel_lock(caller, node, wait)).await
    }

    async fn locks_held(&self, caller: &Caller, node: NodeId, owner: &LockOwner) -> FsResult<usize> {
        strand(self.volume.opens().locks_held(caller, node, owner)).await
    }

    async fn release_owner(&self, caller: &Caller, node: NodeId, owner: &LockOwner) -> FsResult<()> {
        strand(self.volume.opens().release_owner(caller, node, owner)).await
    }

    async fn request_lease(
        &self,
        caller: &Caller,
        node: NodeId,
        key: LeaseKey,
        rights: Rights,
    ) -> FsResult<LeaseGrant> {
        strand(self.volume.opens().request_lease(caller, node, key, rights)).await
    }

    async fn acknowledge(
        &self,
        caller: &Caller,
        node: NodeId,
        key: LeaseKey,
        rights: Rights,
    ) -> Result<(), AcknowledgeFailure> {
        strand(self.volume.opens().acknowledge(caller, node, key, rights)).await
    }

    async fn return_lease(&self, caller: &Caller, node: NodeId, key: LeaseKey) -> FsResult<bool> {
        strand(self.volume.opens().return_lease(caller, node, key)).await
    }
}
