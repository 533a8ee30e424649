#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
//! The suite of content stores, on S3 over HTTP.

use std::sync::Arc;

use dittofs_object_store::{ObjectStore, ObjectStoreOptions, S3Options, TransferOptions};
use dittofs_ports::ContentStore;
use dittofs_tests::{
    content_conformance,
    s3::{S3Server, store_options},
};

async fn open(options: S3Options) -> Arc<dyn ContentStore> {
    Arc::new(ObjectStore::open(ObjectStoreOptions::S3(options)).await.unwrap())
}

content_conformance!(s3, {
    let server = S3Server::start();
    async move || open(store_options(server.address())).await
});

// So small that what the suite puts goes up in parts.
content_conformance!(s3_in_parts, {
    let server = S3Server::start();
    async move || {
        let transfer = TransferOptions { multipart_above: 1, part_size: 5 << 20, ..TransferOptions::default() };
        open(S3Options { transfer, ..store_options(server.address()) }).await
    }
});

// As a store that knows no conditional puts: whoever claims looks and reads again.
content_conformance!(s3_without_conditions, {
    let server = S3Server::without_conditions();
    async move || open(store_options(server.address())).await
});
