//! The cache of frames.

use bytes::Bytes;
use dittofs_domain::ObjectId;

/// The key of a frame. Objects are immutable, so the frame that it names never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameKey {
    /// The object.
    pub object: ObjectId,
    /// Offset of the frame's block in the object, in bytes.
    pub block: u64,
    /// Which frame of the block.
    pub frame: u32,
}

/// How full a cache is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CacheUsage {
    /// Bytes that its frames take.
    pub used: u64,
    /// Bytes that they may take.
    pub limit: u64,
    /// Frames that were given up for want of room.
    pub evicted: u64,
}

/// A bounded cache of frames whose checksums were verified.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait BlockCache: Send + Sync {
    /// A frame, if it is there. Never blocks.
    fn frame(&self, key: &FrameKey) -> Option<Bytes>;
    /// Keeps a frame. It may be dropped at any time; its weight is the memory that it pins, not its length.
    fn insert(&self, key: FrameKey, frame: Bytes);
    /// Reports how full the cache is and what it has evicted; nothing where it does not count.
    fn usage(&self) -> CacheUsage;
}
