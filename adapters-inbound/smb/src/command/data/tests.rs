use std::{
    ops::Range,
    sync::atomic::{AtomicBool, AtomicU64},
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{
    Attributes, ChangeId, ClientId, Credentials, NodeId, NodeKind, Timestamp,
    access::AccessMask,
    error::{FsError, FsResult},
    node::Device,
    opens::OpenToken,
};
use dittofs_ports::{
    AllocatedRanges, BlockService, Caller, CaseRule, Changed, CloneRange, CommitReply, ReadReply, Seek, Stability,
    WriteReply,
};
use parking_lot::Mutex;

use super::{READ_BYTES_MAX, read_all};
use crate::{
    listing::Listing,
    open::{InUse, OpenNode, Place},
};

/// A file of so many bytes, of which no call reads more than the services do.
struct File(u64);

#[async_trait]
impl BlockService for File {
    async fn read(&self, _: &Caller, node: NodeId, offset: u64, length: u32) -> FsResult<ReadReply> {
        let end = (offset + u64::from(length.min(READ_BYTES_MAX))).min(self.0);
        let data = vec![3; end.saturating_sub(offset) as usize];
        let attributes = Attributes {
            node,
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

fn open() -> OpenNode {
    OpenNode {
        node: NodeId(1),
        token: OpenToken(1),
        access: AccessMask::all(),
        is_directory: false,
        is_write_through: false,
        mode: 0,
        cache: None,
        durable: None,
        keeps: None,
        made_by: Mutex::default(),
        caller: Caller {
            credentials: Credentials::root(),
            opener: None,
            client: ClientId::Smb(1),
            case: CaseRule::Sensitive,
        },
        place: Mutex::new(Place { entry: None, path: String::new(), below: Default::default() }),
        position: AtomicU64::new(0),
        delete_on_close: AtomicBool::new(false),
        listing: tokio::sync::Mutex::new(Listing::default()),
        in_use: InUse::default(),
        channel_sequence: Default::default(),
        lock_sequences: Default::default(),
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
        let data = read_all(&File(size), &open(), offset, length).await.unwrap();
        let count: usize = data.iter().map(Bytes::len).sum();
        assert_eq!(count, expected, "{length} bytes at {offset} of {size}");
    }
}
