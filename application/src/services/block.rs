//! [`BlockService`] over the volumes.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::error::FsResult;
use dittofs_ports::{
    AllocatedRanges, BlockService, Caller, Changed, CloneRange, CommitReply, NodeRef, ReadReply, Seek, Stability,
    WriteReply,
};

use super::Services;

#[async_trait]
impl BlockService for Services {
    async fn read(&self, caller: &Caller, node: NodeRef, offset: u64, length: u32) -> FsResult<ReadReply> {
        self.registry.volume(node.share)?.files().read(caller, node.node, offset, length).await
    }

    async fn write(
        &self,
        caller: &Caller,
        node: NodeRef,
        offset: u64,
        data: Bytes,
        stability: Stability,
    ) -> FsResult<WriteReply> {
        let volume = self.registry.volume(node.share)?;
        let _passage = volume.freezer().pass().await?;
        volume.files().write(caller, node.node, offset, data, stability).await
    }

    async fn commit(&self, caller: &Caller, node: NodeRef) -> FsResult<CommitReply> {
        self.registry.volume(node.share)?.files().commit(caller, node.node).await
    }

    async fn punch(&self, caller: &Caller, node: NodeRef, range: Range<u64>) -> FsResult<Changed> {
        let volume = self.registry.volume(node.share)?;
        let _passage = volume.freezer().pass().await?;
        volume.files().punch(caller, node.node, range).await
    }

    async fn allocate(&self, caller: &Caller, node: NodeRef, range: Range<u64>) -> FsResult<Changed> {
        let volume = self.registry.volume(node.share)?;
        let _passage = volume.freezer().pass().await?;
        volume.files().allocate(caller, node.node, range).await
    }

    async fn seek(&self, caller: &Caller, node: NodeRef, offset: u64, what: Seek) -> FsResult<Option<u64>> {
        self.registry.volume(node.share)?.files().seek(caller, node.node, offset, what).await
    }

    async fn allocated_ranges(
        &self,
        caller: &Caller,
        node: NodeRef,
        range: Range<u64>,
        ranges_max: usize,
    ) -> FsResult<AllocatedRanges> {
        self.registry.volume(node.share)?.files().allocated_ranges(caller, node.node, range, ranges_max).await
    }

    async fn clone_range(&self, caller: &Caller, request: &CloneRange) -> FsResult<Changed> {
        let volume = self.registry.volume(request.share)?;
        let _passage = volume.freezer().pass().await?;
        volume.files().clone_range(caller, request).await
    }
}
