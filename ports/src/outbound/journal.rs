//! A share's log of acknowledged bytes, which is its write-back cache.

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{Epoch, NodeId, Sequence, Timestamp, content::Place, ownership::Start};

use super::{JournalError, Survives};

/// Bytes that were written to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The file.
    pub node: NodeId,
    /// Where in it.
    pub offset: u64,
    /// The bytes; at least one.
    pub data: Bytes,
    /// The file's size afterwards, in bytes.
    pub size: u64,
    /// When.
    pub time: Timestamp,
    /// The epoch of the instance that took it.
    pub epoch: Epoch,
    /// The number of the record that this is a copy of, which is to be given up: the copy has that number instead of
    /// one of its own, so that what was published and excluded up to a number holds for it as well.
    pub copy_of: Option<Sequence>,
}

/// Where a record went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its number: greater than that of every earlier record, but for copies, which have that of the first of them.
    pub sequence: Sequence,
    /// Where its data can be read.
    pub place: Place,
}

/// Which journal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct JournalIdentity {
    /// 128 random bits; 0 for one that keeps nothing.
    pub journal: u128,
    /// Rises at each recovery, so that an older copy is recognized.
    pub incarnation: u64,
    /// The last start of a server that it has noted.
    pub start: Option<Start>,
}

/// How full a journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalUsage {
    /// Bytes that hold records not released.
    pub used: u64,
    /// Bytes that it may use.
    pub limit: u64,
}

/// A journal.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Journal: Send + Sync {
    /// Returns the failures that a record survives once a sync has covered it.
    fn survives(&self) -> Survives;

    /// Which journal it is.
    fn identity(&self) -> JournalIdentity;

    /// Notes durably which start of a server uses it. Called before it is recovered.
    async fn note_start(&self, start: Start) -> Result<(), JournalError>;

    /// Appends a record.
    /// - when it returns, the record can be read, but may be lost in a crash until a sync covers it;
    /// - numbers rise in the order in which appends return for one node, but for those of copies ([`Record::copy_of`]);
    /// - what is kept of `data` does not pin a much larger buffer;
    /// - `Full` changes nothing.
    async fn append(&self, record: Record) -> Result<Appended, JournalError>;

    /// Makes every record up to `up_to` durable; where that is above all numbers, every record, copies included.
    /// - all who wait share one sync;
    /// - `SyncFailed`: a sync failed since the call; records that were not durable before may be lost
    ///   ([`Journal::lost`]), the others are durable. What failed before the call is not reported: see
    ///   [`Journal::failures`].
    async fn sync(&self, up_to: Sequence) -> Result<(), JournalError>;

    /// How often syncs have failed, or losses were found, since the journal was opened; also where nobody waited.
    /// Clients must send again what they have not committed whenever it has risen.
    /// - what is lost by then is in [`Journal::lost`] before it rises;
    /// - it has risen before a later sync succeeds.
    fn failures(&self) -> u64;

    /// Records that failed syncs have lost since the journal was opened: they can no longer be read.
    fn lost(&self) -> Vec<(NodeId, Sequence)>;

    /// Bytes `skip .. skip + len` of a record's data, if they can be had without waiting; none beyond the record's end.
    fn read_now(&self, place: Place, skip: u32, len: u32) -> Option<Bytes>;

    /// The same, waiting for the disk where needed. `NotFound` if the record was released; an error beyond its end.
    async fn read(&self, place: Place, skip: u32, len: u32) -> Result<Bytes, JournalError>;

    /// All records that were not released when the journal was last used, in the order of their numbers, with their
    /// data's places; empty for a new journal. Called once, before the first append; raises the incarnation.
    /// - of a record and a copy of it both may come, after each other;
    /// - a record that was released may come back unless a sync has covered its release;
    /// - numbers that are given afterwards are above `above` and above all that were ever given.
    async fn recover(&self, above: Sequence) -> Result<Vec<(Appended, Record)>, JournalError>;

    /// Gives records up: their bytes are in the content store and published. Idempotent.
    async fn release(&self, records: &[Appended]) -> Result<(), JournalError>;

    /// How full it is.
    fn usage(&self) -> JournalUsage;
}
