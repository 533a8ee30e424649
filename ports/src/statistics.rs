//! The numbers for operators. Adapters and services keep them, and they are read on request.
//!
//! Nothing here knows how they are shown. Numbers only rise from the start of the process on, except for those that are
//! said to be as of now.

use std::time::Duration;

use async_trait::async_trait;
use dittofs_domain::{ShareId, counters::LatencyCounts};

use crate::outbound::JournalUsage;

/// Calls of one procedure of a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationCounts {
    /// The protocol with its version, such as `nfs3`.
    pub protocol: &'static str,
    /// The procedure as the standard calls it.
    pub procedure: &'static str,
    /// Replies by their result, as the standard calls it; that of success comes first.
    pub results: Vec<(&'static str, u64)>,
    /// From the receipt of a call to its reply.
    pub latencies: LatencyCounts,
}

/// Connections of a protocol's clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Those that are open now.
    pub open: u64,
    /// Those that were accepted.
    pub accepted: u64,
    /// Those that were closed at once because there were too many.
    pub refused: u64,
    /// Bytes that clients have sent.
    pub bytes_received: u64,
    /// Bytes that they were sent.
    pub bytes_sent: u64,
}

/// The kind of a [`Measure`]'s value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasureKind {
    /// A number that only rises.
    Counter,
    /// A number as of now.
    Gauge,
}

/// Numbers that one protocol has and others lack, such as those of a cache of replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name, in lower case with underscores; that of a counter ends in `total`.
    pub name: &'static str,
    /// Its description, for people.
    pub help: &'static str,
    /// The kind of its value.
    pub kind: MeasureKind,
    /// The label by which its samples differ; none where there is one sample.
    pub label: Option<&'static str>,
    /// For each value of the label, empty where there is none, the number.
    pub samples: Vec<(&'static str, u64)>,
}

/// The counts of a protocol's adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolCounts {
    /// The family of protocols on one address, such as `nfs`.
    pub adapter: &'static str,
    /// Calls.
    pub operations: Vec<OperationCounts>,
    /// Connections.
    pub connections: ConnectionCounts,
    /// The numbers that only this protocol has.
    pub own: Vec<Measure>,
}

/// An inbound adapter that counts.
pub trait ProtocolStatistics: Send + Sync {
    /// Returns its counts.
    fn protocol(&self) -> ProtocolCounts;
}

/// Calls of one method of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreCalls {
    /// The method that was called.
    pub operation: &'static str,
    /// How often, by result; `ok` comes first.
    pub results: Vec<(&'static str, u64)>,
    /// How long it took, whatever the result.
    pub latencies: LatencyCounts,
}

/// The counts of the traffic between a share and its stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreCounts {
    /// Calls of the metadata store that change something.
    pub metadata: Vec<StoreCalls>,
    /// Calls of the content store.
    pub content: Vec<StoreCalls>,
    /// Bytes that the content store has taken.
    pub content_bytes_written: u64,
    /// Bytes that it has given.
    pub content_bytes_read: u64,
    /// Syncs of the journal, as seen by those who wait for them.
    pub journal_syncs: StoreCalls,
    /// Records that the journal was given.
    pub journal_records: u64,
    /// Their bytes: what clients wrote.
    pub journal_bytes: u64,
    /// How full the journal is now.
    pub journal_usage: JournalUsage,
    /// Records that failed syncs have lost.
    pub journal_lost: u64,
    /// Frames that were in the cache.
    pub cache_hits: u64,
    /// Frames that were not.
    pub cache_misses: u64,
}

/// Counts the traffic between a share and its stores.
pub trait StoreStatistics: Send + Sync {
    /// Returns the counts.
    fn stores(&self) -> StoreCounts;
}

/// The counts of a share's services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareCounts {
    /// The share.
    pub id: ShareId,
    /// Its name.
    pub name: String,
    /// Unflushed bytes, and how many there may be, as the admission counts them.
    pub unflushed: JournalUsage,
    /// Files that have unflushed bytes now.
    pub unflushed_files: u64,
    /// The age of the oldest unflushed bytes now.
    pub unflushed_age: Duration,
    /// How long the content store has not answered readers; 0 if it answered when it was last asked.
    pub content_outage: Duration,
    /// Writes that had to wait for room.
    pub writes_delayed: u64,
    /// Writes that waited too long, so that clients had to retry.
    pub writes_refused: u64,
    /// Objects that flushes have put.
    pub flushed_objects: u64,
    /// Unflushed bytes in these objects, without the stored bytes that were written again next to them.
    pub flushed_bytes: u64,
    /// Flushes that failed; what they had taken is flushed again.
    pub flush_failures: u64,
    /// Garbage candidates: objects that lost a reference, and are to be looked at.
    pub garbage_candidates: u64,
    /// Objects that are to be deleted, and are not deleted yet.
    pub pending_deletes: u64,
    /// Objects that nothing referred to any longer.
    pub objects_unreferenced: u64,
    /// Objects that were deleted.
    pub objects_deleted: u64,
    /// Bytes of files that were taken out of objects that are mostly garbage.
    pub repacked_bytes: u64,
    /// Reads that met damage in an object. The log names each file.
    pub damaged_reads: u64,
    /// Reads of sealed bytes whose key is not there. Nothing of them is lost.
    pub keyless_reads: u64,
    /// Reads of bytes that are neither in the journal nor in the content store. The log names each file.
    pub lost_reads: u64,
    /// Records that were replayed when the share was opened.
    pub recovered_records: u64,
    /// Bytes that files hold, as last read from the metadata store.
    pub stored_bytes: u64,
    /// Bytes that they may hold.
    pub stored_bytes_max: u64,
}

/// Which store of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StorePart {
    /// That of metadata.
    Metadata,
    /// That of content.
    Content,
}

/// A store that does not answer as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ailing {
    /// Which one.
    pub part: StorePart,
    /// Why, for people.
    pub reason: String,
}

/// Information about running shares, for those who watch them.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait StatisticsService: Send + Sync {
    /// Returns the counts of each share, by name. Asks no store.
    fn counts(&self) -> Vec<ShareCounts>;

    /// Asks the stores of a share for something small; those that fail, or take longer than `patience`. Empty where
    /// all is well. `None` if there is no such share.
    async fn ailing(&self, share: ShareId, patience: Duration) -> Option<Vec<Ailing>>;
}
