//! A database that is there, and yet serves nobody: without connections to give, read-only, or where nothing gets
//! through. All goes on by itself within a second of its return.

use std::time::{Duration, Instant};

use dittofs_domain::{Cookie, NodeId, NodeKind, OpId, plan::Query};
use dittofs_ports::ApplyError;
use dittofs_postgres::PostgresOptions;
use dittofs_postgres_test_server::{PostgresServer, Proxy, USER};
use sqlx::Executor;
use tokio::task::JoinHandle;

use crate::{
    fixture::{Fixture, at_port, options},
    migrations::by_hand,
};

/// How soon all goes on.
const SOON: Duration = Duration::from_secs(1);

/// Ends the sessions of the store that may have no lock: those but the keeper's.
const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity a WHERE application_name = 'dittofs' \
    AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')";

/// Adds a file, in a task.
fn adding(fixture: &Fixture, number: u128) -> JoinHandle<Result<NodeId, ApplyError>> {
    let fixture = fixture.clone();
    tokio::spawn(async move {
        let (plan, id) = fixture.addition(NodeId::ROOT, &format!("f{number}"), NodeKind::File);
        fixture.apply(plan, Some(OpId(number))).await.map(|_| id)
    })
}

/// Nothing was sent, and the reason says what to do.
async fn assert_unavailable(adding: JoinHandle<Result<NodeId, ApplyError>>, reason: &str) {
    match adding.await.unwrap() {
        Err(ApplyError::Unavailable(source)) => {
            assert!(source.to_string().contains(reason), "{source}, instead of: {reason}")
        }
        other => panic!("{other:?}"),
    }
}

async fn assert_soon(began: Instant, adding: JoinHandle<Result<NodeId, ApplyError>>) {
    adding.await.unwrap().unwrap();
    assert!(began.elapsed() < SOON, "it does not go on by itself: {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_free_connections_is_waited_for() {
    let server = PostgresServer::with(&["max_connections=5", "superuser_reserved_connections=0"]);
    let options = PostgresOptions { connect_timeout_seconds: 2, max_connections: 2, ..options(&server) };
    let fixture = Fixture::new(&options).await;
    // The keeper's session stays; all others are held by hand.
    let mut held = vec![by_hand(&server).await];
    held[0].execute(END_SESSIONS).await.unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while held.len() < 4 {
        let free = "SELECT 1 / (count(*) - 1)::int FROM pg_stat_activity WHERE application_name = 'dittofs'";
        // By zero, as long as there is the keeper's alone: then they have ended.
        assert!(Instant::now() < until, "its sessions do not end");
        if held[0].execute(free).await.is_err() {
            held.push(by_hand(&server).await);
        }
    }
    // The first call hears that its session has ended, and finds no other.
    fixture.share.view(&Query::node(NodeId::ROOT)).await.unwrap_err();
    assert_unavailable(adding(&fixture, 1), "raise the server's max_connections").await;
    let waiting = adding(&fixture, 2);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!waiting.is_finished());
    let began = Instant::now();
    drop(held);
    assert_soon(began, waiting).await;
    adding(&fixture, 1).await.unwrap().unwrap();
}

/// As after a failover, where a session is still that of the server that was the primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_has_become_read_only_changes_nothing_and_is_left_when_it_is_no_longer() {
    let server = PostgresServer::start();
    let fixture = Fixture::new(&options(&server)).await;
    let mut person = by_hand(&server).await;
    for round in 0..2 {
        let order = format!("ALTER ROLE {USER} SET default_transaction_read_only = on");
        person.execute(order.as_str()).await.unwrap();
        person.execute(END_SESSIONS).await.unwrap();
        // Reading goes on.
        fixture.view(Query::node(NodeId::ROOT)).await;
        for _ in 0..3 {
            assert_unavailable(adding(&fixture, round), "read-only transaction").await;
        }
        let order = format!("ALTER ROLE {USER} RESET default_transaction_read_only");
        person.execute(order.as_str()).await.unwrap();
        assert_soon(Instant::now(), adding(&fixture, round)).await;
    }
}

/// Nothing gets through, and nobody says so: what is under way and what is tried meanwhile is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_at_a_black_hole_goes_on_when_it_ends() {
    let server = PostgresServer::start();
    let proxy = Proxy::start(server.port()).await;
    let options = PostgresOptions { connect_timeout_seconds: 20, timeout_seconds: 1, ..at_port(proxy.port()) };
    let fixture = Fixture::new(&options).await;
    proxy.begin_black_hole();
    let files: Vec<_> = (0..8).map(|number| adding(&fixture, number)).collect();
    let views: Vec<_> = (0..8).map(|_| looking(&fixture)).collect();
    // Longer than an answer may take: each looks for another connection then.
    tokio::time::sleep(Duration::from_millis(3_300)).await;
    assert!(!files.iter().any(JoinHandle::is_finished) && !views.iter().any(JoinHandle::is_finished));
    let began = Instant::now();
    proxy.end_black_hole();
    for view in views {
        view.await.unwrap();
    }
    for file in files {
        assert_soon(began, file).await;
    }
    let entries = fixture.share.list(NodeId::ROOT, Default::default(), Cookie::START, 100, false).await;
    assert_eq!(entries.unwrap().entries.len(), 8);
}

fn looking(fixture: &Fixture) -> JoinHandle<()> {
    let fixture = fixture.clone();
    tokio::spawn(async move { drop(fixture.view(Query::node(NodeId::ROOT)).await) })
}
