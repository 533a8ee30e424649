//! Content of files.

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{Attributes, error::FsResult};
use smallvec::SmallVec;

use super::{Caller, Changed, NodeRef};

/// How durable a write is when it is answered (`stable_how` of RFC 1813, 3.3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stability {
    /// Acknowledged; durable after a commit, or by itself within the share's bounded age.
    Unstable,
    /// The bytes are durable.
    Data,
    /// Bytes and attributes are durable.
    File,
}

/// 64 random bits that are new at every start and after every failed sync: a client that sees another value sends
/// what was not committed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteVerifier(pub u64);

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadReply {
    /// The bytes, in order. Only shorter than asked for at the end of the file.
    pub data: SmallVec<[Bytes; 4]>,
    /// Whether the end of the file is at or before the last byte.
    pub end_of_file: bool,
    /// The file's attributes.
    pub attributes: Attributes,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteReply {
    /// Bytes written: all of them.
    pub count: u32,
    /// How durable they are now: at least as asked for.
    pub stability: Stability,
    /// Valid for these bytes.
    pub verifier: WriteVerifier,
    /// The file.
    pub file: Changed,
}

/// What was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitReply {
    /// The verifier after the sync: if it is that of the writes, they are durable.
    pub verifier: WriteVerifier,
    /// The file.
    pub file: Changed,
}

/// Content of all shares.
///
/// Of every method: permission is checked by the caller's credentials, locks and share modes of others are honoured;
/// directories are refused with `IsDirectory`, other nodes without content with `Invalid`; `Busy` means that trying again
/// later can help.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait BlockService: Send + Sync {
    /// Reads bytes.
    /// - beyond the end of the file there are none;
    /// - a file without read permission is readable for who may execute it.
    async fn read(&self, caller: &Caller, node: NodeRef, offset: u64, length: u32) -> FsResult<ReadReply>;

    /// Writes bytes; `length` 0 changes nothing.
    /// - `TooLarge` where the end is beyond [`dittofs_domain::content::FILE_BYTES_MAX`];
    /// - `data` may be a slice of a larger buffer: what is kept of it is copied where that would pin much more;
    /// - clears SUID and SGID as a write by this caller must, before it is answered.
    async fn write(
        &self,
        caller: &Caller,
        node: NodeRef,
        offset: u64,
        data: Bytes,
        stability: Stability,
    ) -> FsResult<WriteReply>;

    /// Makes everything that was written to the file durable at the share's tier.
    async fn commit(&self, caller: &Caller, node: NodeRef) -> FsResult<CommitReply>;
}
