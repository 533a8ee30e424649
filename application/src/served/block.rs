//! [`BlockService`] of a share that is served.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{NodeId, error::FsResult};
use dittofs_ports::{
    AllocatedRanges, BlockService, Caller, Changed, CloneRange, CommitReply, ReadReply, Seek, Stability, WriteReply,
};

use super::ServedShare;
use crate::lock_order::strand;

#[async_trait]
impl BlockService for ServedShare {
    async fn read(&self, caller: &Caller, node: NodeId, offset: u64, length: u32) -> FsResult<ReadReply> {
        strand(self.volume.files().read(caller, node, offset, length)).await
    }

    async fn write(
        &self,
        caller: &Caller,
        node: NodeId,
        offset: u64,
        data: Bytes,
        stability: Stability,
    ) -> FsResult<WriteReply> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.files().write(caller, node, offset, data, stability).await
        })
        .await
    }

    async fn commit(&self, caller: &Caller, node: NodeId) -> FsResult<CommitReply> {
        strand(self.volume.files().commit(caller, node)).await
    }

    async fn punch(&self, caller: &Caller, node: NodeId, range: Range<u64>) -> FsResult<Changed> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.files().punch(caller, node, range).await
        })
        .await
    }

    async fn allocate(&self, caller: &Caller, node: NodeId, range: Range<u64>) -> FsResult<Changed> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.files().allocate(caller, node, range).await
        })
        .await
    }

    async fn seek(&self, caller: &Caller, node: NodeId, offset: u64, what: Seek) -> FsResult<Option<u64>> {
        strand(self.volume.files().seek(caller, node, offset, what)).await
    }

    async fn allocated_ranges(
        &self,
        caller: &Caller,
        node: NodeId,
        range: Range<u64>,
        ranges_max: usize,
    ) -> FsResult<AllocatedRanges> {
        strand(self.volume.files().allocated_ranges(caller, node, range, ranges_max)).await
    }

    async fn clone_range(&self, caller: &Caller, request: &CloneRange) -> FsResult<Changed> {
        strand(async {
            let _passage = self.volume.freezer().pass().await?;
            self.volume.files().clone_range(caller, request).await
        })
        .await
    }
}
