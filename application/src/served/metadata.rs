//! [`MetadataService`] of a share that is served.

use std::sync::Arc;

use async_trait::async_trait;
use dittofs_domain::{
    Attributes, Name, NodeId, OpId,
    access::AccessMask,
    error::FsResult,
    namespace::{CreateRequest, LinkRequest, RemoveRequest, RenameRequest, SetAttributes, SetXattrs, StreamRename},
    xattr::Xattrs,
};
use dittofs_ports::{
    Caller, Changed, Created, Linked, ListReply, ListRequest, Lookup, LookupName, MetadataService, NamedStream, Renamed,
};

use super::ServedShare;
use crate::lock_order::strand;

#[async_trait]
impl MetadataService for ServedShare {
    async fn attributes(&self, _caller: &Caller, node: NodeId) -> FsResult<Attributes> {
        strand(self.volume.names().attributes(node)).await
    }

    async fn access(&self, caller: &Caller, node: NodeId) -> FsResult<(AccessMask, Attributes)> {
        strand(self.volume.names().access(caller, node)).await
    }

    async fn lookup(&self, caller: &Caller, directory: NodeId, name: &LookupName) -> FsResult<Lookup> {
        strand(self.volume.names().lookup(caller, directory, name)).await
    }

    async fn read_link(&self, caller: &Caller, node: NodeId) -> FsResult<(Arc<[u8]>, Attributes)> {
        strand(self.volume.names().read_link(caller, node)).await
    }

    async fn create(&self, caller: &Caller, request: &CreateRequest, op: Option<OpId>) -> FsResult<Created> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.names().create(caller, request, op).await
        })
        .await
    }

    async fn link(&self, caller: &Caller, request: &LinkRequest, op: Option<OpId>) -> FsResult<Linked> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.names().link(caller, request, op).await
        })
        .await
    }

    async fn remove(&self, caller: &Caller, request: &RemoveRequest, op: Option<OpId>) -> FsResult<Changed> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.names().remove(caller, request, op).await
        })
        .await
    }

    async fn rename(&self, caller: &Caller, request: &RenameRequest, op: Option<OpId>) -> FsResult<Renamed> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.names().rename(caller, request, op).await
        })
        .await
    }

    async fn set_attributes(
        &self,
        caller: &Caller,
        node: NodeId,
        request: &SetAttributes,
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.names().set_attributes(caller, node, request, op).await
        })
        .await
    }

    async fn xattrs(&self, caller: &Caller, node: NodeId, held: AccessMask) -> FsResult<Option<Arc<Xattrs>>> {
        strand(self.volume.names().xattrs(caller, node, held)).await
    }

    async fn set_xattrs(
        &self,
        caller: &Caller,
        node: NodeId,
        request: &SetXattrs,
        op: Option<OpId>,
    ) -> FsResult<Changed> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.names().set_xattrs(caller, node, request, op).await
        })
        .await
    }

    async fn lookup_stream(&self, _caller: &Caller, file: NodeId, name: &Name) -> FsResult<Attributes> {
        strand(self.volume.names().streams().lookup(file, name)).await
    }

    async fn streams(&self, _caller: &Caller, file: NodeId) -> FsResult<Vec<NamedStream>> {
        strand(self.volume.names().streams().list(file)).await
    }

    async fn rename_stream(&self, caller: &Caller, request: &StreamRename) -> FsResult<()> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.names().streams().rename(caller, request).await
        })
        .await
    }

    async fn list(&self, caller: &Caller, request: &ListRequest) -> FsResult<ListReply> {
        let ListRequest { directory, after, entries_max, with_attributes } = *request;
        strand(self.volume.names().list(caller, directory, after, entries_max, with_attributes)).await
    }
}
