//! The cache of frames on a disk, behind the one in memory.

use async_trait::async_trait;
use bytes::Bytes;

use super::FrameKey;

/// The usage of a disk cache and the counts of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct DiskCacheUsage {
    /// Bytes that its files take.
    pub used: u64,
    /// Bytes that they may take.
    pub limit: u64,
    /// Frames that were asked for and were there.
    pub hits: u64,
    /// Frames that were asked for and were not.
    pub misses: u64,
    /// Frames that were not kept because the disk was too slow for them.
    pub dropped: u64,
    /// Frames that were found damaged, and forgotten.
    pub damaged: u64,
    /// Whether it gave up: its disk failed, or is full.
    pub is_off: bool,
}

/// A bounded cache of verified frames that is there again after a restart.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait DiskCache: Send + Sync {
    /// The frames of these keys, in their order.
    /// - what is answered was inserted under its key, whatever became of the files since: it is checked;
    /// - never fails: what can't be read is not there.
    async fn frames(&self, keys: &[FrameKey]) -> Vec<Option<Bytes>>;

    /// Keeps a frame, sooner or later.
    /// - never blocks: a frame is dropped where the disk is too slow, broken or full.
    fn insert(&self, key: FrameKey, frame: Bytes);

    /// Reports its usage and the counts of its work.
    fn usage(&self) -> DiskCacheUsage;
}
