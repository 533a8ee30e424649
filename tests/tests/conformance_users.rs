//! The suite of users, on every metadata store.

use std::sync::Arc;

use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::MetadataStore;
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions, Secret};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::users_conformance;

users_conformance!(memory, {
    let store: Arc<dyn MetadataStore> = Arc::new(MemoryMetadataStore::new());
    async move || Arc::clone(&store)
});

users_conformance!(redb, {
    let folder = tempfile::tempdir().unwrap();
    async move || {
        let options = RedbOptions::new(folder.path().join("metadata"));
        Arc::new(RedbMetadataStore::open(&options).unwrap()) as Arc<dyn MetadataStore>
    }
});

users_conformance!(postgres, {
    let server = PostgresServer::start();
    async move || {
        let options = PostgresOptions {
            host: Some("127.0.0.1".to_owned()),
            port: Some(server.port()),
            user: Some(USER.to_owned()),
            database: Some(DATABASE.to_owned()),
            password: Some(Secret::new(PASSWORD)),
            ..PostgresOptions::default()
        };
        let store = PostgresMetadataStore::open(&options).await.unwrap_or_else(|error| panic!("{error}"));
        Arc::new(store) as Arc<dyn MetadataStore>
    }
});
