#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
//! The suite of content stores, on every scheme of the object store.

use std::sync::Arc;

use dittofs_object_store::{FsOptions, MemoryOptions, ObjectStore, ObjectStoreOptions};
use dittofs_ports::ContentStore;
use dittofs_tests::content_conformance;

async fn open(options: ObjectStoreOptions) -> Arc<dyn ContentStore> {
    Arc::new(ObjectStore::open(options).await.unwrap())
}

content_conformance!(folder, {
    let folder = tempfile::tempdir().unwrap();
    async move || open(ObjectStoreOptions::Fs(FsOptions::new(folder.path()))).await
});

// So few open files that reads evict each other's.
content_conformance!(folder_with_two_open_files, {
    let folder = tempfile::tempdir().unwrap();
    async move || {
        let options = FsOptions { open_files: 2, ..FsOptions::new(folder.path()) };
        open(ObjectStoreOptions::Fs(options)).await
    }
});

content_conformance!(memory, async || open(ObjectStoreOptions::Memory(MemoryOptions::default())).await);
