//! The suite of metadata stores, on the redb database.

use std::sync::Arc;

use dittofs_domain::plan::OperationsKept;
use dittofs_ports::MetadataStore;
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::{metadata_conformance, remembering_conformance, snapshot_conformance, sole_conformance};

metadata_conformance!(redb, {
    let folder = tempfile::tempdir().unwrap();
    async move || {
        let options = RedbOptions::new(folder.path().join("metadata"));
        Arc::new(RedbMetadataStore::open(&options).unwrap()) as Arc<dyn MetadataStore>
    }
});

sole_conformance!(redb_alone, {
    let folder = tempfile::tempdir().unwrap();
    async move || {
        let options = RedbOptions::new(folder.path().join("metadata"));
        Arc::new(RedbMetadataStore::open(&options).unwrap()) as Arc<dyn MetadataStore>
    }
});

remembering_conformance!(redb_remembers, {
    let folder = tempfile::tempdir().unwrap();
    async move |operations: OperationsKept| {
        let options = RedbOptions { operations, ..RedbOptions::new(folder.path().join("metadata")) };
        Arc::new(RedbMetadataStore::open(&options).unwrap()) as Arc<dyn MetadataStore>
    }
});

snapshot_conformance!(redb_snapshots, {
    let folder = tempfile::tempdir().unwrap();
    async move || {
        let options = RedbOptions::new(folder.path().join("metadata"));
        Arc::new(RedbMetadataStore::open(&options).unwrap()) as Arc<dyn MetadataStore>
    }
});
