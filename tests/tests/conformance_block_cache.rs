//! The suite of block caches, on every block cache.

use std::sync::Arc;

use dittofs_block_cache::{MokaBlockCache, NoBlockCache};
use dittofs_ports::BlockCache;
use dittofs_tests::block_cache_conformance;

block_cache_conformance!(moka, async |bytes: u64| Arc::new(MokaBlockCache::new(bytes)) as Arc<dyn BlockCache>);
block_cache_conformance!(none, async |_bytes: u64| Arc::new(NoBlockCache) as Arc<dyn BlockCache>);
