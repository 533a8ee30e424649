//! [`BlockService`] over the volumes.

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::error::FsResult;
use dittofs_ports::{BlockService, Caller, CommitReply, NodeRef, ReadReply, Stability, WriteReply};

use super::Services;

#[async_trait]
impl BlockService for Services {
    async fn read(&self, caller: &Caller, node: NodeRef, offset: u64, length: u32) -> FsResult<ReadReply> {
        self.registry.volume(node.share)?.read(caller, node.node, offset, length).await
    }

    async fn write(
        &self,
        caller: &Caller,
        node: NodeRef,
        offset: u64,
        data: Bytes,
        stability: Stability,
    ) -> FsResult<WriteReply> {
        self.registry.volume(node.share)?.write(caller, node.node, offset, data, stability).await
    }

    async fn commit(&self, caller: &Caller, node: NodeRef) -> FsResult<CommitReply> {
        self.registry.volume(node.share)?.commit(caller, node.node).await
    }
}
