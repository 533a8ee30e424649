//! Caches of verified frames, in memory and in a folder.
//!
//! This crate does not know: what a frame holds, or where it came from.

mod disk;
mod moka;

pub use disk::{DiskCacheError, DiskCacheOptions, FolderDiskCache};
pub use moka::MokaBlockCache;

use bytes::Bytes;
use dittofs_ports::{BlockCache, CacheUsage, FrameKey};

/// A cache that keeps nothing: for tests of what happens when a frame is not there, and for content that is in memory
/// anyway.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBlockCache;

impl BlockCache for NoBlockCache {
    fn frame(&self, _key: &FrameKey) -> Option<Bytes> {
        None
    }

    fn insert(&self, _key: FrameKey, _frame: Bytes) {}

    fn usage(&self) -> CacheUsage {
        CacheUsage::default()
    }
}
