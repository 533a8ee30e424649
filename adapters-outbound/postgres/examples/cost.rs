//! Times calls of the store over a server of its own on this machine, beside the least that a call can cost.
//!
//! `cargo run --release -p dittofs-postgres --example cost [ROUNDS]`
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement ends by panicking, and reads the clock"
)]

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use dittofs_domain::{
    Cookie, Name, Node, NodeId, NodeKind, OpId, ShareId, Timestamp,
    node::Parent,
    plan::{Change, EntryKey, Expectation, NodeUpdate, Plan, Query, Space, Statistics},
};
use dittofs_ports::{Counter, MetadataStore, ShareMetadata, ShareRecord};
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions, Secret};
use dittofs_postgres_test_server::{DATABASE, PASSWORD, PostgresServer, USER};
use sqlx::{Connection, Executor, PgConnection};

const SHARE: ShareId = ShareId(1);
const CLIENTS: u64 = 16;

fn child(directory: NodeId, text: &str) -> EntryKey {
    EntryKey::child(directory, &Name::new(text.as_bytes()).unwrap())
}

fn addition(directory: NodeId, text: &str, kind: NodeKind, number: u64) -> Plan {
    let (id, cookie) = (NodeId(number), Cookie(number + 1));
    let mut plan = Plan::at(Timestamp::EPOCH);
    plan.require(Expectation::EntryAbsent(child(directory, text))).require(Expectation::Linked(directory));
    plan.require(Expectation::PermissionVersion { node: directory, version: 0 });
    let node = Node::bare(id, kind, Parent { directory, cookie }, Timestamp::EPOCH);
    plan.change(Change::InsertNode(Box::new(node)));
    plan.change(Change::InsertEntry { key: child(directory, text), node: id, cookie });
    plan.change(Change::UpdateNode(directory, NodeUpdate::entries_changed()));
    plan.change(Change::Count(Statistics { bytes: 0, nodes: 1 }));
    plan
}

/// Prints what a round of something takes.
async fn time<F: Future<Output = ()>>(server: &PostgresServer, what: &str, rounds: u64, run: impl Fn(u64) -> F) {
    run(u64::MAX).await;
    let (began, before) = (Instant::now(), server.processor_ticks());
    for round in 0..rounds {
        run(round).await;
    }
    report(what, rounds, began.elapsed(), server.processor_ticks() - before);
}

fn report(what: &str, rounds: u64, took: Duration, server: u64) {
    let each = took.as_micros() as f64 / rounds as f64;
    let processor = server as f64 * 10_000.0 / rounds as f64;
    println!("{what:40} {each:8.0} us, {:8.0}/s, server's processor {processor:6.0} us", 1e6 / each);
}

#[tokio::main]
async fn main() {
    let rounds: u64 = env::args().nth(1).map_or(2_000, |text| text.parse().unwrap());
    let server = PostgresServer::start();
    let options = PostgresOptions {
        host: Some("127.0.0.1".to_owned()),
        port: Some(server.port()),
        user: Some(USER.to_owned()),
        database: Some(DATABASE.to_owned()),
        password: Some(Secret::new(PASSWORD)),
        ..PostgresOptions::default()
    };
    let store = PostgresMetadataStore::open(&options).await.unwrap();
    let root = Node::root(0, 0, 0o755, Timestamp::EPOCH);
    store.create_share(&ShareRecord::new(SHARE, "/export"), &root).await.unwrap();
    let share = store.share(SHARE).await.unwrap().unwrap();
    let first = share.allocate(Counter::Ids, 10_000_000).await.unwrap().start;

    let plain = Arc::new(tokio::sync::Mutex::new(PgConnection::connect(&server.url()).await.unwrap()));
    plain.lock().await.execute("CREATE TABLE plain (id int8)").await.unwrap();
    time(&server, "SELECT 1", rounds, |_| async {
        sqlx::query("SELECT 1").fetch_one(&mut *plain.lock().await).await.unwrap();
    })
    .await;
    time(&server, "INSERT of one row", rounds, |_| async {
        sqlx::query("INSERT INTO plain VALUES (1)").execute(&mut *plain.lock().await).await.unwrap();
    })
    .await;

    let directory = NodeId(first);
    share.apply(addition(NodeId::ROOT, "d", NodeKind::Directory, first), None).await.unwrap();
    time(&server, "create (apply)", rounds, |round| {
        let plan = addition(directory, &format!("f{round}"), NodeKind::File, first + 10 + 2 * (round % (1 << 20)));
        let op = OpId(1 << 100 | u128::from(round));
        let share = &share;
        async move { drop(share.apply(plan, Some(op)).await.unwrap()) }
    })
    .await;
    reads(&server, &share, directory, rounds).await;
    together(&server, &share, directory, first + 4_000_000, rounds).await;
}

async fn reads(server: &PostgresServer, share: &Arc<dyn ShareMetadata>, directory: NodeId, rounds: u64) {
    time(server, "node", rounds, |_| async { drop(share.view(&Query::node(directory)).await.unwrap()) }).await;
    let lookup = Query::child(directory, child(directory, "f7"));
    time(server, "directory, entry and node", rounds, |_| async { drop(share.view(&lookup).await.unwrap()) }).await;
    let asking = lookup.clone().asking(Some(OpId(5)));
    time(server, "the same, and an operation", rounds, |_| async { drop(share.view(&asking).await.unwrap()) }).await;
    time(server, "128 entries with nodes", rounds / 4, |_| async {
        drop(share.list(directory, Space::Children, Cookie::START, 128, true).await.unwrap());
    })
    .await;
}

async fn together(server: &PostgresServer, share: &Arc<dyn ShareMetadata>, directory: NodeId, first: u64, rounds: u64) {
    let (began, before) = (Instant::now(), server.processor_ticks());
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let share = Arc::clone(share);
        tasks.spawn(async move {
            for round in 0..rounds / 4 {
                let number = first + 2 * (client * rounds + round);
                let text = format!("c{client}-{round}");
                share.view(&Query::child(directory, child(directory, &text))).await.unwrap();
                let plan = addition(directory, &text, NodeKind::File, number);
                share.apply(plan, Some(OpId(u128::from(number)))).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let what = format!("creates of {CLIENTS} clients (view, apply)");
    report(&what, CLIENTS * (rounds / 4), began.elapsed(), server.processor_ticks() - before);
}
