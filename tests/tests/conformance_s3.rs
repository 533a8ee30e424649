#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
//! The suite of content stores, over HTTP: on S3, or on the service that a script in tests/emulators has started.

use std::sync::Arc;

use dittofs_object_store::{ObjectStore, TransferOptions};
use dittofs_ports::ContentStore;
use dittofs_tests::{bucket::store_options, content_conformance, s3::S3Server};

async fn open(server: &S3Server, transfer: TransferOptions) -> Arc<dyn ContentStore> {
    Arc::new(ObjectStore::open(store_options(server.address(), "a/prefix", transfer)).await.unwrap())
}

content_conformance!(s3, {
    let server = S3Server::start();
    async move || open(&server, TransferOptions::default()).await
});

// So small that what the suite puts goes up in parts.
content_conformance!(s3_in_parts, {
    let server = S3Server::start();
    async move || {
        let transfer = TransferOptions { multipart_above: 1, part_size: 5 << 20, ..TransferOptions::default() };
        open(&server, transfer).await
    }
});

// As a store that knows no conditional puts: whoever claims looks and reads again.
content_conformance!(s3_without_conditions, {
    let server = S3Server::without_conditions();
    async move || open(&server, TransferOptions::default()).await
});
