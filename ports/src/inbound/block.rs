//! Content of files.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{Attributes, NodeId, error::FsResult, opens::OpenToken};
use smallvec::SmallVec;

use super::{Caller, Changed};

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

/// The reply to a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadReply {
    /// The bytes, in order. Only shorter than asked for at the end of the file.
    pub data: SmallVec<[Bytes; 4]>,
    /// Whether the end of the file is at or before the last byte.
    pub end_of_file: bool,
    /// The file's attributes.
    pub attributes: Attributes,
}

/// The reply to a write.
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

/// The reply to a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitReply {
    /// The verifier after the sync: if it is that of the writes, they are durable.
    pub verifier: WriteVerifier,
    /// The file.
    pub file: Changed,
}

/// The target of a search in a sparse file (`data_content4` of RFC 7862, 11.11; SEEK_DATA and SEEK_HOLE of lseek).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// Bytes that are kept somewhere.
    Data,
    /// Bytes that are zeros because nothing is kept of them; the end of the file is one.
    Hole,
}

/// Where a file has data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocatedRanges {
    /// In order; neither touching nor empty; limited to the range that was asked about.
    pub ranges: Vec<Range<u64>>,
    /// Where to ask on, if that was not all.
    pub next: Option<u64>,
}

/// A range of a file, and where it goes. Both files are of the service's share: a clone from one share to another can't
/// be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloneRange {
    /// The file that is read.
    pub source: NodeId,
    /// The open through which it is read; none for protocols without opens. The caller's own is that of the
    /// destination.
    pub source_opener: Option<OpenToken>,
    /// Where the range starts in the source, in bytes.
    pub offset: u64,
    /// Its length in bytes; 0 is to the end of the source.
    pub length: u64,
    /// The file that is changed: another one, or the same one.
    pub destination: NodeId,
    /// Where the range goes in the destination, in bytes.
    pub at: u64,
}

/// The content of the files of one share: bytes of files, not blocks of a device or of an object. It has its name from the
/// system that this one was modelled on.
///
/// Of every method: permission is checked by the caller's credentials, locks and share modes of others are honoured;
/// directories are refused with `IsDirectory`, other nodes without content with `Invalid`; `Busy` means that trying
/// again later can help.
#[async_trait]
pub trait BlockService: Send + Sync {
    /// Reads bytes.
    /// - beyond the end of the file there are none;
    /// - a file without read permission is readable for who may execute it.
    async fn read(&self, caller: &Caller, node: NodeId, offset: u64, length: u32) -> FsResult<ReadReply>;

    /// Writes bytes; `length` 0 changes nothing.
    /// - `TooLarge` where the end is beyond [`dittofs_domain::content::FILE_BYTES_MAX`];
    /// - `data` may be a slice of a larger buffer: what is kept of it is copied where that would pin much more;
    /// - clears SUID and SGID as a write by this caller must, before it is answered.
    async fn write(
        &self,
        caller: &Caller,
        node: NodeId,
        offset: u64,
        data: Bytes,
        stability: Stability,
    ) -> FsResult<WriteReply>;

    /// Makes everything that was written to the file durable at the share's tier.
    async fn commit(&self, caller: &Caller, node: NodeId) -> FsResult<CommitReply>;

    /// Makes a range zeros, and gives back what it took (DEALLOCATE of RFC 7862, 15.4; FSCTL_SET_ZERO_DATA).
    /// - to the byte: no bound has to be aligned; the size stays, what is behind the end stays as it is;
    /// - durable at the share's tier when it is answered;
    /// - changes times and clears SUID and SGID as a write does; a range without a byte of the file changes nothing;
    /// - where a page would get more than 40 extents, zeros are written into it instead;
    /// - up to 1,900 pages of 1 MiB that are not all hole: all or nothing. A larger range is done in pieces from its
    ///   start on, and a failure leaves it done up to some byte. It can be requested again.
    async fn punch(&self, caller: &Caller, node: NodeId, range: Range<u64>) -> FsResult<Changed>;

    /// Makes sure that the file reaches to the end of a range (ALLOCATE of RFC 7862, 15.1; posix_fallocate).
    /// - never changes a byte; what the file gains is zeros;
    /// - refused with `NoSpace` where the range no longer fits into the share. That is all: an object store can't
    ///   reserve anything, so a later write may still be refused;
    /// - a file that is long enough stays as it is.
    async fn allocate(&self, caller: &Caller, node: NodeId, range: Range<u64>) -> FsResult<Changed>;

    /// Looks for data or for a hole from an offset on (SEEK of RFC 7862, 15.11).
    /// - answers the offset itself if it is there; none if there is no data up to the end; the end if there is no hole;
    /// - zeros that were written are data, and a small hole next to them may count as data, too;
    /// - `NothingThere` where the offset is not before the end of the file.
    async fn seek(&self, caller: &Caller, node: NodeId, offset: u64, what: Seek) -> FsResult<Option<u64>>;

    /// Where a range of the file has data (FSCTL_QUERY_ALLOCATED_RANGES): at most `ranges_max` runs, and at most as
    /// many as are found in a bounded time.
    async fn allocated_ranges(
        &self,
        caller: &Caller,
        node: NodeId,
        range: Range<u64>,
        ranges_max: usize,
    ) -> FsResult<AllocatedRanges>;

    /// Gives the destination a range of the source, without moving its bytes (CLONE of RFC 7862, 15.13; FICLONERANGE;
    /// FSCTL_DUPLICATE_EXTENTS_TO_FILE). A whole file is copied so.
    /// - to the byte: no bound has to be aligned;
    /// - the destination grows where it is too short; what it has at other places stays;
    /// - durable at the share's tier when it is answered; the bytes of the source that are only in the journal are
    ///   flushed first;
    /// - changes times and clears SUID and SGID of the destination as a write does; no byte changes nothing;
    /// - `Invalid` where the range is not all in the source, or both ranges are of one file and overlap;
    /// - `TooLarge`, `NoSpace` as for a write of the source's data; `Busy` where the source is written to all the time;
    /// - up to 1,900 pages of 1 MiB with data on either side, and holes of any length: all or nothing. A larger range
    ///   is done in pieces from its start on, and a failure leaves it done up to some byte. It can be requested again;
    /// - where a page of the destination would get more than 40 extents, the bytes that go into it are copied instead:
    ///   never where whole pages go to whole pages.
    async fn clone_range(&self, caller: &Caller, request: &CloneRange) -> FsResult<Changed>;
}
