//! A share is one server's at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dittofs_domain::{
    Node, NodeId, NodeKind, OpId, ShareId,
    plan::{OperationsKept, Query},
};
use dittofs_ports::{ApplyError, Counter, MetadataError, MetadataStore, ShareRecord};
use dittofs_postgres::{PostgresMetadataStore, PostgresOptions};
use dittofs_postgres_test_server::PostgresServer;
use sqlx::{Executor, Row};

use crate::{
    fixture::{Fixture, SHARE, options, time},
    migrations::by_hand,
};

/// The options of a server that does not wait long for another one.
fn impatient(server: &PostgresServer) -> PostgresOptions {
    PostgresOptions { connect_timeout_seconds: 1, ..options(server) }
}

/// Ends the sessions of all stores that have a lock: their servers live on.
async fn end_keepers(server: &PostgresServer) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'";
    by_hand(server).await.execute(end).await.unwrap();
}

async fn is_refused(fixture: &Fixture) {
    let (plan, _) = fixture.addition(NodeId::ROOT, "late", NodeKind::File);
    let refused = fixture.apply(plan, Some(OpId(7))).await;
    assert!(matches!(refused, Err(ApplyError::Unavailable(_))), "{refused:?}");
    let record = fixture.share.record().await;
    let refused = match record {
        Ok(record) => fixture.share.put_record(&record).await,
        Err(error) => Err(error),
    };
    assert!(refused.unwrap_err().to_string().contains("another server"));
    let view = fixture.share.view(&Query::node(NodeId::ROOT)).await;
    assert!(matches!(view, Err(MetadataError::Unavailable(_))), "nothing is read once that is known");
    assert!(fixture.share.allocate(Counter::Ids, 1).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_is_refused_and_told_who_has_the_share() {
    let server = PostgresServer::start();
    let first = Fixture::new(&options(&server)).await;
    let again = first.store.share(SHARE).await.unwrap().unwrap();
    again.record().await.unwrap();
    let second = PostgresMetadataStore::open(&impatient(&server)).await.unwrap();
    for refused in [second.share(SHARE).await.map(drop), second.remove_share(SHARE).await] {
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(&format!("process {} on ", std::process::id())), "{text}");
        assert!(text.contains("pg_terminate_backend("), "{text}");
    }
    assert!(second.share(ShareId(1)).await.unwrap().is_none(), "there is none to be waited for");
    assert_eq!(second.shares().await.unwrap().len(), 1, "everybody may know of it");
    // Another share is nobody's.
    second.create_share(&ShareRecord::new(ShareId(2), "/other"), &Node::root(0, 0, 0o755, time(1))).await.unwrap();
    second.share(ShareId(2)).await.unwrap().unwrap().record().await.unwrap();
    first.add(NodeId::ROOT, "f", NodeKind::File).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_is_let_go_is_free_at_once() {
    let server = PostgresServer::start();
    let first = Fixture::new(&options(&server)).await;
    let second = PostgresMetadataStore::open(&options(&server)).await.unwrap();
    let began = Instant::now();
    // The share alone, and then the whole store, as when a server ends.
    let Fixture { store, share, .. } = first;
    drop(share);
    let taken = second.share(SHARE).await.unwrap().unwrap();
    drop((taken, second));
    store.share(SHARE).await.unwrap().unwrap().record().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_session_has_ended_keeps_the_share() {
    let server = PostgresServer::start();
    let first = Fixture::new(&options(&server)).await;
    end_keepers(&server).await;
    first.add(NodeId::ROOT, "f", NodeKind::File).await;
    // Its keeper looks every two seconds.
    let mut person = by_hand(&server).await;
    let begin = Instant::now();
    loop {
        let locks = person.fetch_one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted");
        if locks.await.unwrap().get::<i64, _>(0) == 1 {
            break;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "the lock is not taken again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let second = PostgresMetadataStore::open(&impatient(&server)).await.unwrap();
    assert!(second.share(SHARE).await.is_err());
    first.add(NodeId::ROOT, "g", NodeKind::File).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_lost_a_share_changes_nothing_any_more() {
    let server = PostgresServer::start();
    for notices_itself in [false, true] {
        let first = Fixture::new(&options(&server)).await;
        end_keepers(&server).await;
        let second = PostgresMetadataStore::open(&options(&server)).await.unwrap();
        let taken = second.share(SHARE).await.unwrap().unwrap();
        let before = taken.record().await.unwrap();
        if notices_itself {
            let begin = Instant::now();
            while first.share.view(&Query::node(NodeId::ROOT)).await.is_ok() {
                assert!(begin.elapsed() < Duration::from_secs(20), "it is not noticed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        is_refused(&first).await;
        assert_eq!(taken.record().await.unwrap(), before);
        let entries = taken.list(NodeId::ROOT, Default::default(), dittofs_domain::Cookie::START, 10, false).await;
        assert!(entries.unwrap().entries.is_empty());
        let again = first.store.share(SHARE).await.map(drop);
        assert!(again.is_err(), "it is another server's as long as its old claim is in use");
    }
}

/// Also where it does not know yet that it has lost the share: it looks every two seconds, and forgets every second here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_server_of_a_share_forgets_its_operations() {
    let server = PostgresServer::start();
    let operations = OperationsKept { age: Duration::ZERO, ..OperationsKept::default() };
    let first = Fixture::new(&PostgresOptions { operations, ..options(&server) }).await;
    let second = PostgresMetadataStore::open(&options(&server)).await.unwrap();
    let mut person = by_hand(&server).await;
    let note = "INSERT INTO dittofs.op SELECT id, 0, 0, 'old' FROM dittofs.share";
    person.execute(note).await.unwrap();
    let begin = Instant::now();
    while operations_of(&server).await > 0 {
        assert!(begin.elapsed() < Duration::from_secs(20), "its own are not forgotten");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    end_keepers(&server).await;
    let taken = second.share(SHARE).await.unwrap().unwrap();
    person.execute(note).await.unwrap();
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    assert_eq!(operations_of(&server).await, 1, "it has forgotten what is another server's");
    is_refused(&first).await;
    drop(taken);
}

async fn operations_of(server: &PostgresServer) -> i64 {
    by_hand(server).await.fetch_one("SELECT count(*) FROM dittofs.op").await.unwrap().get(0)
}

/// What is under way when a share is taken is done first, or never.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_under_way_is_waited_for() {
    let server = PostgresServer::start();
    let first = Fixture::new(&options(&server)).await;
    let (plan, _) = first.addition(NodeId::ROOT, "f", NodeKind::File);
    let mut person = by_hand(&server).await;
    person.execute("BEGIN; SELECT 1 FROM dittofs.node WHERE id = 3 FOR UPDATE").await.unwrap();
    let applying = tokio::spawn({
        let first = first.clone();
        async move { first.apply(plan, Some(OpId(1))).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    end_keepers_but(&server, "Lock").await;
    let second = PostgresMetadataStore::open(&options(&server)).await.unwrap();
    let taking = tokio::spawn(async move { (second.share(SHARE).await.unwrap().unwrap(), second) });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!taking.is_finished());
    person.execute("COMMIT").await.unwrap();
    applying.await.unwrap().unwrap();
    let (taken, _second) = taking.await.unwrap();
    let found = taken.list(NodeId::ROOT, Default::default(), dittofs_domain::Cookie::START, 10, false).await.unwrap();
    assert_eq!(found.entries.len(), 1);
    is_refused(&first).await;
}

/// Ends the keepers, but no session that waits for something.
async fn end_keepers_but(server: &PostgresServer, waiting_for: &str) {
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity a USING (pid)
         WHERE locktype = 'advisory' AND a.wait_event_type IS DISTINCT FROM '{waiting_for}'"
    );
    by_hand(server).await.execute(end.as_str()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_servers_that_make_a_share_at_once_one_does() {
    let server = PostgresServer::start();
    let mut tasks = tokio::task::JoinSet::new();
    for id in 1..=6 {
        let options = options(&server);
        tasks.spawn(async move {
            let store = PostgresMetadataStore::open(&options).await.unwrap();
            let record = ShareRecord::new(ShareId(id), "/export");
            store.create_share(&record, &Node::root(0, 0, 0o755, time(1))).await.map_err(|error| error.to_string())
        });
    }
    let made = tasks.join_all().await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
    assert!(made.iter().flat_map(|made| made.as_ref().err()).all(|error| error.contains("this name")), "{made:?}");
}

/// Also while somebody has the removed one still.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_is_made_again_after_its_removal_can_be_changed() {
    let server = PostgresServer::start();
    let removed = Fixture::new(&options(&server)).await;
    removed.store.remove_share(SHARE).await.unwrap();
    let record = ShareRecord::new(SHARE, "/export");
    removed.store.create_share(&record, &Node::root(0, 0, 0o755, time(1))).await.unwrap();
    let mut made = removed.clone();
    made.share = removed.store.share(SHARE).await.unwrap().unwrap();
    made.add(NodeId::ROOT, "f", NodeKind::File).await;
    let (plan, _) = removed.addition(NodeId::ROOT, "g", NodeKind::File);
    assert!(removed.share.apply(plan, None).await.is_err(), "the removed share changes the new one");
    drop(removed);
    tokio::time::sleep(Duration::from_millis(100)).await;
    made.add(NodeId::ROOT, "h", NodeKind::File).await;
}

/// A call whose answer was lost is sent again beside itself. That its name is there as well as its id, and that the
/// database may come upon either first, is not what the caller hears of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_made_many_times_at_once_is_there_for_each() {
    let server = PostgresServer::start();
    let store = Arc::new(PostgresMetadataStore::open(&options(&server)).await.unwrap());
    for id in 1..=30 {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (store, record) = (Arc::clone(&store), ShareRecord::new(ShareId(id), format!("/{id}")));
            tasks.spawn(async move { store.create_share(&record, &Node::root(0, 0, 0o755, time(1))).await });
        }
        for made in tasks.join_all().await {
            made.unwrap();
        }
    }
    assert_eq!(store.shares().await.unwrap().len(), 30);
}
