//! The suite of disk caches, on every disk cache.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use dittofs_block_cache::{DiskCacheOptions, FolderDiskCache};
use dittofs_ports::DiskCache;
use dittofs_tests::disk_cache_conformance;

disk_cache_conformance!(folder, {
    let folder = tempfile::tempdir().unwrap();
    async move |bytes: u64| {
        let options = DiskCacheOptions::new(folder.path(), bytes);
        Arc::new(FolderDiskCache::open(&options).unwrap()) as Arc<dyn DiskCache>
    }
});
