//! [`MetadataService`] over the volumes.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{
    Attributes, OpId, ShareId,
    access::AccessMask,
    error::{FsError, FsResult},
    namespace::{CreateRequest, LinkRequest, RemoveRequest, RenameRequest, SetAttributes},
};
use dittofs_ports::{
    Caller, Changed, Created, HandleSigner, Linked, ListReply, ListRequest, Lookup, LookupName, MetadataService,
    NodeRef, Presented, Renamed,
};

use super::Services;

#[async_trait]
impl MetadataService for Services {
    fn enter(&self, handle: &[u8], who: &Presented) -> FsResult<(NodeRef, Caller)> {
        self.registry.enter(handle, who)
    }

    fn handle_signer(&self, share: ShareId) -> FsResult<HandleSigner> {
        Ok(*self.registry.volume(share)?.handle_signer())
    }

    fn is_read_only(&self, share: ShareId) -> bool {
        self.registry.volume(share).is_ok_and(|volume| volume.policy().read_only)
    }

    async fn mount(&self, path: &[u8], who: &Presented) -> FsResult<NodeRef> {
        let (volume, rest) = self.registry.by_path(path).ok_or(FsError::NotFound)?;
        let caller = volume.admit(who)?;
        Ok(NodeRef::live(volume.share(), volume.names().walk(&caller, rest).await?))
    }

    async fn attributes(&self, _caller: &Caller, node: NodeRef) -> FsResult<Attributes> {
        self.registry.volume(node.share)?.names().attributes(node.node).await
    }

    async fn access(&self, caller: &Caller, node: NodeRef) -> FsResult<(AccessMask, Attributes)> {
        self.registry.volume(node.share)?.names().access(caller, node.node).await
    }

    async fn lookup(&self, caller: &Caller, directory: NodeRef, name: &LookupName) -> FsResult<Lookup> {
        self.registry.volume(directory.share)?.names().lookup(caller, directory.node, name).await
    }

    async fn read_link(&self, caller: &Caller, node: NodeRef) -> FsResult<(Arc<[u8]>, Attributes)> {
        self.registry.volume(node.share)?.names().read_link(caller, node.node).await
    }

    async fn create(
        &self,
        caller: &Caller,
        share: ShareId,
        request: &CreateRequest,
        op: Option<OpId>,
    ) -> FsResult<Created> {
        let volume = self.registry.volume(share)?;
        let _passage = volume.freezer().pass().await?;
        volume.names().create(caller, request, op).await
    }

    async fn link(&self, caller: &Caller, share: ShareId, request: &LinkRequest, op: Option<OpId>) -> FsResult<Linked> {
        let volume = self.registry.volume(share)?;
        let _passage = volume.freezer().pass().await?;
        volume.names().link(caller, request, op).await
    }

    async fn remove(
        &self,
        caller: &Caller,
        share: ShareId,
        request: &RemoveRequest,
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        let volume = self.registry.volume(share)?;
        let _passage = volume.freezer().pass().await?;
        volume.names().remove(caller, request, op).await
    }

    async fn rename(
        &self,
        caller: &Caller,
        share: ShareId,
        request: &RenameRequest,
        op: Option<OpId>,
    ) -> FsResult<Renamed> {
        let volume = self.registry.volume(share)?;
        let _passage = volume.freezer().pass().await?;
        volume.names().rename(caller, request, op).await
    }

    async fn set_attributes(
        &self,
        caller: &Caller,
        node: NodeRef,
        request: &SetAttributes,
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        let volume = self.registry.volume(node.share)?;
        let _passage = volume.freezer().pass().await?;
        volume.names().set_attributes(caller, node.node, request, op).await
    }

    async fn list(&self, caller: &Caller, request: &ListRequest) -> FsResult<ListReply> {
        let volume = self.registry.volume(request.directory.share)?;
        let directory = request.directory.node;
        volume.names().list(caller, directory, request.after, request.entries_max, request.with_attributes).await
    }
}
