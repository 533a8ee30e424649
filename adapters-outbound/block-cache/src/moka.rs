//! The cache in production.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::counters::Counter;
use dittofs_ports::{BlockCache, CacheUsage, FrameKey};
use foldhash::fast::RandomState;
use moka::{notification::RemovalCause, sync::Cache};

/// The memory that a frame takes besides its bytes: key, reference counts, places in the cache's queues.
const FRAME_OVERHEAD_BYTES: usize = 256;

/// A concurrent cache that prefers to keep what is asked for often (TinyLFU).
///
/// A frame's weight is its length and the cache's own overhead: frames must own their memory, since one that is a
/// small piece of a large buffer keeps all of it, which this cache cannot see.
pub struct MokaBlockCache {
    frames: Cache<FrameKey, Bytes, RandomState>,
    limit: u64,
    evicted: Arc<Counter>,
}

impl MokaBlockCache {
    /// A cache for about so many bytes.
    pub fn new(bytes: u64) -> MokaBlockCache {
        let evicted = Arc::new(Counter::default());
        let counted = Arc::clone(&evicted);
        let frames = Cache::builder()
            .name("frames")
            .max_capacity(bytes)
            .weigher(|_, frame: &Bytes| u32::try_from(frame.len() + FRAME_OVERHEAD_BYTES).unwrap_or(u32::MAX))
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    counted.count();
                }
            })
            .build_with_hasher(RandomState::default());
        MokaBlockCache { frames, limit: bytes, evicted }
    }

    /// Bytes that the cached frames take, as far as the cache has counted.
    pub fn used(&self) -> u64 {
        self.frames.weighted_size()
    }
}

impl BlockCache for MokaBlockCache {
    fn frame(&self, key: &FrameKey) -> Option<Bytes> {
        self.frames.get(key)
    }

    fn insert(&self, key: FrameKey, frame: Bytes) {
        self.frames.insert(key, frame);
    }

    fn usage(&self) -> CacheUsage {
        // Inserts are counted in batches: what is shown should have the last ones.
        self.frames.run_pending_tasks();
        CacheUsage { used: self.used(), limit: self.limit, evicted: self.evicted.read() }
    }
}

#[cfg(test)]
mod tests;
