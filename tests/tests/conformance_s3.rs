#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
//! The suite of content stores, over HTTP: on S3, or on the service that a script in tests/emulators has started.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{
    ObjectId, ShareId, Timestamp,
    ownership::{Holder, Mark},
};
use dittofs_object_store::{ObjectStore, TransferOptions};
use dittofs_ports::{Claim, ContentError, ContentStore};
use dittofs_tests::{
    bucket::{self, store_options},
    content_conformance,
    fault_proxy::{Fate, FaultProxy},
    s3::S3Server,
};

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

fn mark(tag: u64) -> Mark {
    Mark {
        owner: 1,
        start: None,
        tag,
        lease: Duration::from_secs(20),
        request_max: Duration::from_secs(10),
        share: "/export".into(),
        holder: Holder { host: "host".into(), process: 7, folder: "/folder".into(), seat: 3 },
        at: Timestamp::from_unix_nanos(0),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_is_refused_is_not_found_whatever_the_service_calls_that() {
    let server = S3Server::start();
    let proxy = FaultProxy::start(server.address());
    let options = store_options(proxy.address(), "refused", TransferOptions::default());
    let store = ObjectStore::open(options).await.unwrap();
    store.put(ShareId(7), ObjectId(1), vec![vec![7_u8; 100].into()]).await.unwrap();
    proxy.rule(|seen| match seen.is_of_object() && seen.method == "GET" {
        true => Fate::Refuse(416, "Unheard"),
        false => Fate::Pass,
    });
    let read = store.get(ShareId(7), ObjectId(1), 100..101).await;
    assert!(matches!(read, Err(ContentError::NotFound)), "{read:?}");
}

/// Without a type, the emulator of Google answers from then on what OpenDAL can't read.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_put_says_the_type_of_its_content() {
    if bucket::external().is_some() {
        return;
    }
    for server in [S3Server::start(), S3Server::without_conditions()] {
        let transfer = TransferOptions { multipart_above: 1, part_size: 5 << 20, ..TransferOptions::default() };
        let store = open(&server, transfer).await;
        let share = ShareId(7);
        let mut seen = None;
        for tag in 1..4 {
            // Made, renewed, and taken over by what was read.
            let claim = store.claim(share, &mark(tag), seen).await.unwrap();
            assert!(matches!(claim, Claim::Written { .. }), "{claim:?}");
            seen = store.owner(share).await.unwrap();
        }
        for (object, length) in [(1, 100), (2, 6 << 20)] {
            store.put(share, ObjectId(object), vec![vec![7_u8; length].into()]).await.unwrap();
        }
        let puts = server.puts();
        let of = |part: &str| puts.iter().filter(|(what, _)| what.contains(part)).count();
        assert!(of("dittofs-probe-") >= 2 && of("/owner") == 3 && of("POST ") == 1 && puts.len() >= 8, "{puts:#?}");
        let without: Vec<_> =
            puts.iter().filter(|(_, named)| named.as_deref() != Some("application/octet-stream")).collect();
        assert!(without.is_empty(), "{without:#?}");
    }
}
