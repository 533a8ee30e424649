//! Shares of releases before the index of folded names.

use std::sync::Arc;

use dittofs_domain::{
    FoldTable, NodeId, NodeKind,
    plan::{Expectation, Plan, Query},
};
use dittofs_ports::{ApplyError, MetadataStore, ShareMetadata};
use dittofs_postgres::PostgresMetadataStore;
use dittofs_postgres_test_server::PostgresServer;
use sqlx::Executor;

use crate::{
    fixture::{Fixture, SHARE, child, options, time},
    migrations::by_hand,
};

/// More than one page of those that are written at once.
const FILES: usize = 5_000;

async fn share_of(server: &PostgresServer) -> (PostgresMetadataStore, Arc<dyn ShareMetadata>) {
    let store = PostgresMetadataStore::open(&options(server)).await.unwrap();
    let share = store.share(SHARE).await.unwrap().unwrap();
    (store, share)
}

/// The real names of what a name in any case means.
async fn alike(share: &dyn ShareMetadata, text: &str) -> Vec<String> {
    let query = Query::child(NodeId::ROOT, child(NodeId::ROOT, text)).in_any_case();
    let view = share.view(&query).await.unwrap();
    view.folded[0].entries.iter().map(|alike| alike.name.to_string()).collect()
}

async fn by_sql(server: &PostgresServer, statements: &[String]) {
    let mut person = by_hand(server).await;
    for text in statements {
        person.execute(text.as_str()).await.unwrap();
    }
}

/// Files by hand, with folded names or without.
fn files(columns: &str, values: &str) -> Vec<String> {
    vec![
        "SET search_path = dittofs".into(),
        format!(
            "INSERT INTO entry (share, directory, cookie, node, since, space, name{columns})
            SELECT (SELECT id FROM share), 3, 1000000000 + i, 3, 1, 0, ('File' || i)::bytea{values}
            FROM generate_series(1, {FILES}) i"
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_of_the_release_before_is_completed_before_anybody_gets_it() {
    let server = PostgresServer::start();
    let fixture = Fixture::new(&options(&server)).await;
    fixture.add(NodeId::ROOT, "Own", NodeKind::File).await;
    fixture.add(NodeId::ROOT, "lower", NodeKind::File).await;
    drop(fixture);
    let mut before = files(", folded", ", NULL");
    before.extend(["UPDATE entry SET folded = NULL".into(), "UPDATE share SET folding = NULL".into()]);
    by_sql(&server, &before).await;
    let store = PostgresMetadataStore::open(&options(&server)).await.unwrap();
    assert_eq!(store.shares().await.unwrap()[0].folding, None);
    drop(store);
    let (_store, share) = share_of(&server).await;
    assert_eq!(share.record().await.unwrap().folding, Some(FoldTable::NEWEST));
    assert_eq!(alike(&*share, "OWN").await, ["Own"]);
    assert_eq!(alike(&*share, "LOWER").await, ["lower"]);
    for text in ["file1", "FILE4096", "FiLe5000"] {
        assert_eq!(alike(&*share, text).await.len(), 1, "{text}");
    }
}

/// It calls a function that knows nothing of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_a_server_of_the_release_before_made_meanwhile_are_found() {
    let server = PostgresServer::start();
    drop(Fixture::new(&options(&server)).await);
    by_sql(&server, &files("", "")).await;
    let (_store, share) = share_of(&server).await;
    for text in ["file1", "FILE4096", "FiLe5000"] {
        assert_eq!(alike(&*share, text).await.len(), 1, "{text}");
    }
    let mut plan = Plan::at(time(9));
    plan.require(Expectation::FoldedAbsent(child(NodeId::ROOT, "FILE77")));
    assert!(matches!(share.apply(plan, None).await, Err(ApplyError::Conflict)));
    let mut person = by_hand(&server).await;
    let left = "SELECT 1 FROM dittofs.entry WHERE folded = '\\x00' OR (folded IS NULL) <> (name = lower(encode(name, \
                'escape'))::bytea)";
    assert!(person.fetch_all(left).await.unwrap().is_empty(), "an entry is without its folded name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_a_newer_release_is_refused() {
    let server = PostgresServer::start();
    drop(Fixture::new(&options(&server)).await);
    by_sql(&server, &["UPDATE dittofs.share SET folding = 2".into()]).await;
    let store = PostgresMetadataStore::open(&options(&server)).await.unwrap();
    let refused = store.share(SHARE).await.err().unwrap().to_string();
    assert!(refused.contains("only a newer release knows"), "{refused}");
}
