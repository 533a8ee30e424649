//! The suite of metadata stores, on the redb database.

use std::sync::Arc;

use dittofs_ports::MetadataStore;
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::metadata_conformance;

metadata_conformance!(redb, {
    let folder = tempfile::tempdir().unwrap();
    async move || {
        let options = RedbOptions::new(folder.path().join("metadata"));
        Arc::new(RedbMetadataStore::open(&options).unwrap()) as Arc<dyn MetadataStore>
    }
});
