//! The database goes away in every way there is, while clients create, rename and remove: each call takes effect once, and
//! what was answered is there.

mod away;
mod calls;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dittofs_domain::{
    NodeId, NodeKind, OpId,
    plan::{Expectation, Query},
};
use dittofs_ports::ApplyError;
use dittofs_postgres::{PostgresOptions, SslMode};
use dittofs_postgres_test_server::{Cut, PostgresServer, Proxy};
use sqlx::Executor;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    fixture::{Fixture, at_port, child, options},
    migrations::by_hand,
};
use calls::{Counts, work};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_takes_effect_once_however_the_database_ends() {
    let mut server = PostgresServer::start();
    let options = PostgresOptions { connect_timeout_seconds: 3, timeout_seconds: 1, ..options(&server) };
    let fixture = Fixture::new(&options).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let before = Counts::of(&fixture, directory).await;
    let until = Instant::now() + Duration::from_secs(12);
    let clients = tokio::spawn(work(fixture.clone(), directory, 6, until));
    let server = tokio::task::spawn_blocking(move || {
        for round in 0..3 {
            std::thread::sleep(Duration::from_millis(700));
            server.crash();
            std::thread::sleep(Duration::from_millis(100));
            server.start_again();
            std::thread::sleep(Duration::from_millis(700));
            // Longer than a call may take: what was sent may be carried out when nobody waits for it.
            server.pause();
            std::thread::sleep(Duration::from_millis(1_300));
            server.resume();
            if round == 1 {
                server.stop();
                server.start_again();
            }
        }
        server
    });
    let server = server.await.unwrap();
    for _ in 0..10 {
        let mut person = by_hand(&server).await;
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dittofs'";
        person.execute(end).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let done = clients.await.unwrap();
    // Some rounds of each client, however busy the machine is.
    assert!(done.calls > 30, "{}", done.calls);
    before.check(&fixture, &done).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_takes_effect_once_wherever_the_way_is_cut_off() {
    let server = PostgresServer::start();
    let proxy = Arc::new(Proxy::start(server.port()).await);
    let options = PostgresOptions { connect_timeout_seconds: 3, timeout_seconds: 1, ..at_port(proxy.port()) };
    let fixture = Fixture::new(&options).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let before = Counts::of(&fixture, directory).await;
    let until = Instant::now() + Duration::from_secs(8);
    let clients = tokio::spawn(work(fixture.clone(), directory, 4, until));
    let mut cuts = 0;
    while !clients.is_finished() && Instant::now() < until {
        let how = [Cut::Request, Cut::Answer, Cut::Silence][cuts % 3];
        proxy.cut(how, 1 + cuts % 4);
        cuts += 1;
        tokio::time::sleep(Duration::from_millis(if how == Cut::Silence { 1_500 } else { 300 })).await;
    }
    proxy.cut(Cut::Request, 0);
    let done = clients.await.unwrap();
    assert!(done.calls > 40 && cuts >= 9, "{} calls, {cuts} cuts", done.calls);
    before.check(&fixture, &done).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_asked_for_again() {
    let server = PostgresServer::start();
    let proxy = Proxy::start(server.port()).await;
    let fixture = Fixture::new(&at_port(proxy.port())).await;
    for (number, cut) in [Cut::Request, Cut::Answer].into_iter().enumerate() {
        let (text, op) = (format!("f{number}"), OpId(5 + number as u128));
        let (plan, id) = fixture.addition(NodeId::ROOT, &text, NodeKind::File);
        proxy.cut(cut, 1);
        let answer = fixture.apply(plan, Some(op)).await;
        assert_eq!(proxy.cuts_left(), 0);
        // Of what was applied the name says so; what came of it a view brings.
        match cut {
            Cut::Request => assert!(answer.unwrap().node(id).is_some()),
            _ => assert!(matches!(answer, Err(ApplyError::Conflict)), "{answer:?}"),
        }
        let view = fixture.view(Query::child(NodeId::ROOT, child(NodeId::ROOT, &text)).asking(Some(op))).await;
        assert_eq!(view.earlier.unwrap().made, Some(id));
        assert_eq!(view.entries[0].as_ref().unwrap().node.id, id);
        // A plan without a name is not sent again.
        let (plan, id) = fixture.addition(NodeId::ROOT, &format!("nameless{number}"), NodeKind::File);
        proxy.cut(cut, 1);
        let answer = fixture.apply(plan, None).await;
        assert!(matches!(answer, Err(ApplyError::Unknown(_))), "{answer:?}");
        assert_eq!(fixture.view(Query::node(id)).await.nodes.is_empty(), cut == Cut::Request);
    }
    // Views are repeated, and nobody notices.
    for cut in [Cut::Request, Cut::Answer] {
        proxy.cut(cut, 2);
        assert_eq!(fixture.view(Query::node(NodeId::ROOT)).await.nodes.len(), 1);
        assert_eq!(proxy.cuts_left(), 0);
    }
}

/// The first answer is lost, and the second call is refused, as somebody has locked the row meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_was_applied_is_never_said_to_be_refused_when_it_is_sent_again() {
    let server = PostgresServer::start();
    let proxy = Proxy::start(server.port()).await;
    let options = PostgresOptions { connect_timeout_seconds: 5, timeout_seconds: 1, ..at_port(proxy.port()) };
    let fixture = Fixture::new(&options).await;
    let (mut first, mut second) = (by_hand(&server).await, by_hand(&server).await);
    let lock = "BEGIN; SELECT 1 FROM dittofs.node WHERE id = 3 FOR UPDATE";
    first.execute(lock).await.unwrap();
    proxy.cut(Cut::Answer, 1);
    let (plan, id) = fixture.addition(NodeId::ROOT, "f", NodeKind::File);
    let applying = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.share.apply(plan, Some(OpId(1))).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let locked = tokio::spawn(async move {
        second.execute(lock).await.unwrap();
        second
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    first.execute("ROLLBACK").await.unwrap();
    let mut second = locked.await.unwrap();
    let answer = applying.await.unwrap();
    second.execute("ROLLBACK").await.unwrap();
    assert_eq!(proxy.cuts_left(), 0);
    assert!(matches!(answer, Err(ApplyError::Unknown(_))), "{answer:?}");
    let view = fixture.view(Query::node(id).asking(Some(OpId(1)))).await;
    assert_eq!(view.earlier.unwrap().made, Some(id));
}

/// A plan that ended as `Unknown`, and that a view with its operation does not show, is never applied: not even when
/// the database, which had got it and stood still, goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_view_does_not_show_is_never_applied() {
    let server = PostgresServer::start();
    let options = PostgresOptions { connect_timeout_seconds: 1, timeout_seconds: 1, ..options(&server) };
    let fixture = Fixture::new(&options).await;
    let mut person = by_hand(&server).await;
    for round in 0..3 {
        // The plan waits for a lock that somebody holds, and is given up.
        person.execute("BEGIN; SELECT 1 FROM dittofs.node WHERE id = 3 FOR UPDATE").await.unwrap();
        let (text, op) = (format!("late{round}"), OpId(70 + round));
        let (plan, id) = fixture.addition(NodeId::ROOT, &text, NodeKind::File);
        let answer = fixture.apply(plan, Some(op)).await;
        assert!(matches!(answer, Err(ApplyError::Unknown(_) | ApplyError::Unavailable(_))), "{answer:?}");
        let asked = Query::default().asking(Some(op));
        let view = fixture.view(asked.clone()).await;
        person.execute("ROLLBACK").await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(view.earlier, None);
        assert_eq!(fixture.view(asked).await.earlier, None, "it was applied late");
        assert!(fixture.view(Query::node(id)).await.nodes.is_empty());
        let (plan, _) = fixture.addition(NodeId::ROOT, &text, NodeKind::File);
        fixture.apply(plan, Some(op)).await.unwrap();
    }
}

/// The same of a plan without a name: it is sent once, and may be carried out when the database goes on. Whoever looks
/// afterwards sees what came of it for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_without_a_name_is_decided_before_anything_else_is_asked() {
    let server = PostgresServer::start();
    let options = PostgresOptions { connect_timeout_seconds: 3, timeout_seconds: 1, ..options(&server) };
    let fixture = Fixture::new(&options).await;
    let mut person = by_hand(&server).await;
    for round in 0..3 {
        // It waits for a lock that somebody holds when the database goes on.
        person.execute("BEGIN; SELECT 1 FROM dittofs.node WHERE id = 3 FOR UPDATE").await.unwrap();
        let (plan, id) = fixture.addition(NodeId::ROOT, &format!("late{round}"), NodeKind::File);
        server.pause();
        let answer = fixture.apply(plan, None).await;
        assert!(matches!(answer, Err(ApplyError::Unknown(_))), "{answer:?}");
        server.resume();
        let was_applied = !fixture.view(Query::node(id)).await.nodes.is_empty();
        person.execute("ROLLBACK").await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(!fixture.view(Query::node(id)).await.nodes.is_empty(), was_applied, "it was applied late");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_unavailable_and_nothing_was_sent() {
    let mut server = PostgresServer::start();
    let options = PostgresOptions { connect_timeout_seconds: 1, ..options(&server) };
    let fixture = Fixture::new(&options).await;
    server.stop();
    // The connection that was cut off does not know whether anything arrived; the next call finds no other.
    fixture.share.view(&Query::node(NodeId::ROOT)).await.unwrap_err();
    let (plan, _) = fixture.addition(NodeId::ROOT, "f", NodeKind::File);
    for op in [None, Some(OpId(1))] {
        let began = Instant::now();
        let answer = fixture.apply(plan.clone(), op).await;
        assert!(matches!(answer, Err(ApplyError::Unavailable(_))), "{answer:?}");
        assert!((Duration::from_millis(800)..Duration::from_secs(3)).contains(&began.elapsed()));
    }
    server.start_again();
    let began = Instant::now();
    fixture.apply(plan, Some(OpId(1))).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "it goes on by itself: {:?}", began.elapsed());
}

/// Applies plans of one directory, of which each takes a call of its own. All are refused, and none waits for the
/// time-outs of all the calls before it.
async fn refused_in_time(fixture: &Fixture) {
    let began = Instant::now();
    let mut plans = JoinSet::new();
    for number in 0..20 {
        let (mut plan, _) = fixture.addition(NodeId::ROOT, &format!("f{number}"), NodeKind::File);
        for _ in 0..40 {
            plan.require(Expectation::Linked(NodeId::ROOT));
        }
        let fixture = fixture.clone();
        plans.spawn(async move { fixture.share.apply(plan, Some(OpId(number))).await });
    }
    let answers = plans.join_all().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let is_refused = |answer: &Result<_, _>| matches!(answer, Err(ApplyError::Unavailable(_) | ApplyError::Unknown(_)));
    assert!(answers.iter().all(is_refused), "{answers:?}");
    let unavailable = answers.iter().filter(|answer| matches!(answer, Err(ApplyError::Unavailable(_)))).count();
    assert!(unavailable > 10, "most were not sent: {answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_do_not_wait_for_every_time_out_of_a_silent_database() {
    let server = PostgresServer::start();
    let options = PostgresOptions { connect_timeout_seconds: 1, timeout_seconds: 1, ..options(&server) };
    let fixture = Fixture::new(&options).await;
    server.pause();
    refused_in_time(&fixture).await;
    server.resume();
    let until = Instant::now() + Duration::from_secs(5);
    let (plan, _) = fixture.addition(NodeId::ROOT, "later", NodeKind::File);
    while fixture.share.apply(plan.clone(), Some(OpId(99))).await.is_err() {
        assert!(Instant::now() < until, "it does not go on by itself");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_do_not_wait_for_every_time_out_of_a_row_that_somebody_holds() {
    let server = PostgresServer::start();
    let options = PostgresOptions { connect_timeout_seconds: 1, timeout_seconds: 1, ..options(&server) };
    let fixture = Fixture::new(&options).await;
    let mut person = by_hand(&server).await;
    person.execute("BEGIN; SELECT 1 FROM dittofs.node WHERE id = 3 FOR UPDATE").await.unwrap();
    refused_in_time(&fixture).await;
    person.execute("ROLLBACK").await.unwrap();
    let (plan, _) = fixture.addition(NodeId::ROOT, "later", NodeKind::File);
    fixture.share.apply(plan, Some(OpId(99))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_caller_is_gone_is_carried_out() {
    let server = PostgresServer::start();
    let fixture = Fixture::new(&options(&server)).await;
    let mut person = by_hand(&server).await;
    person.execute("BEGIN; SELECT 1 FROM dittofs.node WHERE id = 3 FOR UPDATE").await.unwrap();
    let (plan, id) = fixture.addition(NodeId::ROOT, "f", NodeKind::File);
    let waiting = tokio::time::timeout(Duration::from_millis(200), fixture.apply(plan, Some(OpId(1))));
    assert!(waiting.await.is_err(), "the row is locked");
    person.execute("ROLLBACK").await.unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    while fixture.view(Query::node(id)).await.nodes.is_empty() {
        assert!(Instant::now() < until, "it was given up");
    }
}

/// Answers a connection as a database does that starts, or is going down.
async fn turn_away(listener: &TcpListener, code: &str) {
    let (mut client, _) = listener.accept().await.unwrap();
    let mut startup = [0; 512];
    assert_ne!(client.read(&mut startup).await.unwrap(), 0);
    let fields = format!("SFATAL\0VFATAL\0C{code}\0Mnot now\0\0");
    let length = u32::try_from(4 + fields.len()).unwrap();
    client.write_all(&[&b"E"[..], &length.to_be_bytes(), fields.as_bytes()].concat()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_starts_or_stops_is_waited_for() {
    let server = PostgresServer::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = PostgresOptions { sslmode: Some(SslMode::Disable), ..at_port(listener.local_addr().unwrap().port()) };
    let to = server.port();
    tokio::spawn(async move {
        for code in ["57P01", "57P02", "57P03"] {
            turn_away(&listener, code).await;
        }
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut database = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut database).await });
        }
    });
    let fixture = Fixture::new(&options).await;
    fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
}
