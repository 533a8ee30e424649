#![allow(clippy::unwrap_used)]

use dittofs_domain::{Timestamp, plan::OperationsKept};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, Plain, PostgresServer, USER};

use super::*;
use crate::options::Secret;

const SHARE: ShareId = ShareId(7);
/// Ends the session by which a server has its shares: another one may take them, and the first one lives on.
const END_KEEPER: &str = "SELECT pg_terminate_backend(pid)::text FROM pg_locks WHERE locktype = 'advisory'";
const OPERATIONS: &str = "SELECT encode(id, 'escape') FROM dittofs.op ORDER BY id";

/// No operation counts any longer than it takes.
fn forgetful(server: &PostgresServer) -> PostgresOptions {
    PostgresOptions {
        host: Some("127.0.0.1".to_owned()),
        port: Some(server.port()),
        user: Some(USER.to_owned()),
        database: Some(DATABASE.to_owned()),
        password: Some(Secret::new(PASSWORD)),
        operations: OperationsKept { age: Duration::ZERO, ..OperationsKept::default() },
        ..PostgresOptions::default()
    }
}

async fn forget_now(store: &PostgresMetadataStore) {
    forget(&store.connections, &store.claims, Duration::ZERO).await;
}

/// A server that has lost its share is kept from its rows also where it does not know that yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_server_of_a_share_forgets_its_operations() {
    let server = PostgresServer::start();
    let options = forgetful(&server);
    let first = PostgresMetadataStore::open(&options).await.unwrap();
    let root = Node::root(0, 0, 0o755, Timestamp::EPOCH);
    first.create_share(&ShareRecord::new(SHARE, "/export"), &root).await.unwrap();
    let share = first.share(SHARE).await.unwrap().unwrap();
    let mut person = Plain::connect(&server).await;
    let note = |name: &str| format!("INSERT INTO dittofs.op VALUES ({}, 0, 0, '{name}')", SHARE.0);
    person.carry_out(&note("own")).await;
    forget_now(&first).await;
    assert!(person.texts(OPERATIONS).await.is_empty(), "its own are forgotten");

    let second = PostgresMetadataStore::open(&options).await.unwrap();
    person.texts(END_KEEPER).await;
    let taken = second.share(SHARE).await.unwrap().unwrap();
    person.carry_out(&note("another")).await;
    // At first it may not know; then it has heard so from the database.
    for _ in 0..2 {
        forget_now(&first).await;
        assert_eq!(person.texts(OPERATIONS).await, ["another"], "it has forgotten what is another server's");
    }
    assert!(share.record().await.is_err(), "it knows that it has lost the share");
    forget_now(&second).await;
    assert!(person.texts(OPERATIONS).await.is_empty());
    drop(taken);
}
