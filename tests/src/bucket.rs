//! Content behind a network, for suites that run against several services: S3 in this process, or the service that
//! `CONTENT_SERVER` names as `KIND:ADDRESS:PORT`, with KIND `azblob` or `gcs`, as the scripts in tests/emulators start it.

use std::net::SocketAddr;

use dittofs_object_store::{
    AzblobCredentials, AzblobOptions, GcsCredentials, GcsOptions, ObjectStoreOptions, S3Options, Secret,
    TransferOptions,
};

use crate::s3;

/// The account that the emulator of Azure has.
pub const ACCOUNT: &str = "dittofs";
/// Its key.
pub const ACCOUNT_KEY: &str = "ZGl0dG9mcyBmaWxlcyBhcmUgc2VhbGVkIGJ5IHRoaXMga2V5IG9mIHRlc3Rz";

/// The protocol of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// S3.
    S3,
    /// Azure Blob Storage.
    Azblob,
    /// Google Cloud Storage.
    Gcs,
}

/// The service that runs outside of the tests, if there is one, and where.
pub fn external() -> Option<(Service, SocketAddr)> {
    let read = |text: &str| text.parse().unwrap_or_else(|_| panic!("{text}: ADDRESS:PORT is expected"));
    if let Ok(address) = std::env::var("S3_SERVER") {
        return Some((Service::S3, read(&address)));
    }
    let named = std::env::var("CONTENT_SERVER").ok()?;
    match named.split_once(':') {
        Some(("azblob", address)) => Some((Service::Azblob, read(address))),
        Some(("gcs", address)) => Some((Service::Gcs, read(address))),
        _ => panic!("CONTENT_SERVER={named}: azblob:ADDRESS:PORT or gcs:ADDRESS:PORT is expected"),
    }
}

fn service() -> Service {
    external().map_or(Service::S3, |(service, _)| service)
}

/// A content store there, or at a proxy before it, as the configuration names one.
pub fn content(address: SocketAddr, under: &str) -> String {
    let (bucket, prefix) = (s3::BUCKET, s3::prefix(under));
    let transfer = "transfer: { timeout_seconds: 3, retries: 3, retry_delay_seconds_max: 1 }";
    match service() {
        Service::S3 => format!("{{ type: s3, s3: {} }}", s3::options(address, under)),
        Service::Azblob => format!(
            "{{ type: azblob, azblob: {{ container: {bucket}, account: {ACCOUNT}, prefix: {prefix}, \
             endpoint: \"http://{address}/{ACCOUNT}\", \
             credentials: {{ from: key, account_key: \"{ACCOUNT_KEY}\" }}, {transfer} }} }}"
        ),
        Service::Gcs => format!(
            "{{ type: gcs, gcs: {{ bucket: {bucket}, endpoint: \"http://{address}\", prefix: {prefix}, \
             credentials: {{ from: none }}, {transfer} }} }}"
        ),
    }
}

/// The same as the adapter takes it.
pub fn store_options(address: SocketAddr, under: &str, transfer: TransferOptions) -> ObjectStoreOptions {
    let (bucket, prefix) = (s3::BUCKET.to_owned(), s3::prefix(under));
    match service() {
        Service::S3 => ObjectStoreOptions::S3(S3Options { prefix, transfer, ..s3::store_options(address) }),
        Service::Azblob => ObjectStoreOptions::Azblob(AzblobOptions {
            container: bucket,
            account: ACCOUNT.into(),
            endpoint: Some(format!("http://{address}/{ACCOUNT}")),
            prefix,
            credentials: AzblobCredentials::Key { account_key: Secret::new(ACCOUNT_KEY) },
            transfer,
        }),
        Service::Gcs => ObjectStoreOptions::Gcs(GcsOptions {
            bucket,
            endpoint: Some(format!("http://{address}")),
            prefix,
            credentials: GcsCredentials::None {},
            transfer,
        }),
    }
}
