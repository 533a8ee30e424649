use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{
    Attributes, ChangeId, NodeId, NodeKind, Timestamp,
    error::{FsError, FsResult},
    node::Device,
};
use dittofs_ports::{
    AllocatedRanges, BlockService, Caller, Changed, CloneRange, CommitReply, ReadReply, Seek, Stability, WriteReply,
};

use super::{READ_BYTES_MAX, read_all};
use crate::open::tests::node;

/// A file of so many bytes, of which no call reads more than the services do.
struct File(u64);

#[async_trait]
impl BlockService for File {
    async fn read(&self, _: &Caller, node: NodeId, offset: u64, length: u32) -> FsResult<ReadReply> {
        let end = (offset + u64::from(length.min(READ_BYTES_MAX))).min(self.0);
        let data = vec![3; end.saturating_sub(offset) as usize];
        let attributes = Attributes {
            node,
            file: node,
            kind: NodeKind::File,
            mode: 0o644,
            uid: 1,
            gid: 1,
            links: 1,
            size: self.0,
            used: self.0,
            atime: Timestamp::EPOCH,
            mtime: Timestamp::EPOCH,
            ctime: Timestamp::EPOCH,
            birth: Timestamp::EPOCH,
            change: ChangeId(1),
            device: Device::default(),
            dos_attributes: 0,
            xattr_bytes: 0,
            acl: None,
        };
        Ok(ReadReply { data: [Bytes::from(data)].into_iter().collect(), end_of_file: end == self.0, attributes })
    }

    async fn write(&self, _: &Caller, _: NodeId, _: u64, _: Bytes, _: Stability) -> FsResult<WriteReply> {
        Err(FsError::NotSupported)
    }

    async fn commit(&self, _: &Caller, _: NodeId) -> FsResult<CommitReply> {
        Err(FsError::NotSupported)
    }

    async fn punch(&self, _: &Caller, _: NodeId, _: Range<u64>) -> FsResult<Changed> {
        Err(FsError::NotSupported)
    }

    async fn allocate(&self, _: &Caller, _: NodeId, _: Range<u64>) -> FsResult<Changed> {
        Err(FsError::NotSupported)
    }

    async fn seek(&self, _: &Caller, _: NodeId, _: u64, _: Seek) -> FsResult<Option<u64>> {
        Err(FsError::NotSupported)
    }

    async fn allocated_ranges(&self, _: &Caller, _: NodeId, _: Range<u64>, _: usize) -> FsResult<AllocatedRanges> {
        Err(FsError::NotSupported)
    }

    async fn clone_range(&self, _: &Caller, _: &CloneRange) -> FsResult<Changed> {
        Err(FsError::NotSupported)
    }
}

#[tokio::test]
async fn a_read_is_shorter_than_asked_for_only_at_the_end() {
    for (size, offset, length, expected) in [
        (20 << 20, 0, 8 << 20, 8 << 20),
        (20 << 20, 5, (8 << 20) - 7, (8 << 20) - 7),
        ((4 << 20) + 1, 0, 8 << 20, (4 << 20) + 1),
        (4 << 20, 0, 8 << 20, 4 << 20),
        (10, 10, 8 << 20, 0),
        (10, 0, 0, 0),
    ] {
        let data = read_all(&File(size), &node(NodeId(1), false), offset, length).await.unwrap();
        let count: usize = data.iter().map(Bytes::len).sum();
        assert_eq!(count, expected, "{length} bytes at {offset} of {size}");
    }
}
