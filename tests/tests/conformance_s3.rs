#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
//! The suite of content stores, on S3 over HTTP.

use std::sync::Arc;

use dittofs_object_store::{ObjectStore, ObjectStoreOptions, S3Credentials, S3Options, Secret, TransferOptions};
use dittofs_ports::ContentStore;
use dittofs_tests::{
    content_conformance,
    s3::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY},
};

fn options(server: &S3Server) -> S3Options {
    S3Options {
        bucket: BUCKET.into(),
        region: "us-east-1".into(),
        endpoint: Some(format!("http://{}", server.address())),
        prefix: "a/prefix".into(),
        addressing: None,
        credentials: S3Credentials::Keys {
            access_key_id: ACCESS_KEY.into(),
            secret_access_key: Secret::new(SECRET_KEY),
        },
        checksum: Default::default(),
        transfer: TransferOptions::default(),
    }
}

async fn open(options: S3Options) -> Arc<dyn ContentStore> {
    Arc::new(ObjectStore::open(ObjectStoreOptions::S3(options)).await.unwrap())
}

content_conformance!(s3, {
    let server = S3Server::start();
    async move || open(options(&server)).await
});

// So small that what the suite puts goes up in parts.
content_conformance!(s3_in_parts, {
    let server = S3Server::start();
    async move || {
        let transfer = TransferOptions { multipart_above: 1, part_size: 5 << 20, ..TransferOptions::default() };
        open(S3Options { transfer, ..options(&server) }).await
    }
});
