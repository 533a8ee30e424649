//! How often the way to the database is gone.

use dittofs_domain::{
    Cookie, Epoch, NodeId, NodeKind, ObjectId, OpId, PlaceId,
    plan::{Change, Expectation, MapQuery, NodeUpdate, ObjectRecord, ObjectState, Plan, Query, Reference, Space},
};
use dittofs_postgres_test_server::{PostgresServer, Proxy};

use crate::fixture::{Fixture, at_port, child, time};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_is_one_round_trip() {
    let server = PostgresServer::start();
    let proxy = Proxy::start(server.port()).await;
    let fixture = Fixture::new(&at_port(proxy.port())).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let file = fixture.add(directory, "f", NodeKind::File).await;
    let map = Some(MapQuery { node: file, first_page: 0, last_page: 9, rows_max: 10 });
    let op = Some(OpId(7));
    let queries = [
        Query::node(file),
        Query::child(directory, child(directory, "f")),
        Query { ancestors_of: Some(directory), ..Query::child(directory, child(directory, "g")) },
        Query { map, ..Query::node(file) },
        Query::child(directory, child(directory, "g")).asking(op),
        Query::child(directory, child(directory, "F")).in_any_case(),
        // That of a renaming from one directory into another.
        Query {
            nodes: [directory, NodeId::ROOT].into_iter().collect(),
            entries: [child(directory, "f"), child(NodeId::ROOT, "f")].into_iter().collect(),
            ancestors_of: Some(directory),
            ..Query::default()
        }
        .asking(op),
    ];
    for round in 0..3 {
        for query in &queries {
            let before = proxy.trips();
            fixture.view(query.clone()).await;
            // The first time that a connection sees a statement it learns it, in one more.
            assert_eq!(proxy.trips() - before, if round == 0 { 2 } else { 1 }, "{query:?}");
        }
        let before = proxy.trips();
        fixture.share.list(directory, Space::Children, Cookie::START, 128, true).await.unwrap();
        assert_eq!(proxy.trips() - before, if round == 0 { 2 } else { 1 });

        let text = format!("file-{round}");
        let (creation, id) = fixture.addition(directory, &text, NodeKind::File);
        let (making, made) = fixture.addition(directory, &format!("folder-{round}"), NodeKind::Directory);
        let renamed = format!("renamed-{round}");
        let cookie = Cookie(id.0 + 1);
        let renaming = Fixture::renaming(directory, (&text, &renamed), id, cookie);
        let moving = Fixture::moving((directory, &format!("folder-{round}")), (NodeId::ROOT, &renamed), made);
        let mut change = Plan::at(time(5));
        change.change(Change::UpdateNode(file, NodeUpdate { uid: Some(1), ..NodeUpdate::changed() }));
        for (plan, op) in [
            (creation, Some(OpId(100 + round))),
            (making, Some(OpId(200 + round))),
            (renaming, Some(OpId(300 + round))),
            (moving, Some(OpId(400 + round))),
            (change, None),
            (Fixture::removal(directory, &renamed, id), None),
        ] {
            let before = proxy.trips();
            fixture.apply(plan, op).await.unwrap();
            assert_eq!(proxy.trips() - before, 1, "a connection knows the statement of plans from its start");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_that_wait_for_one_directory_go_together() {
    const PLANS: u64 = 200;
    let server = PostgresServer::start();
    let proxy = Proxy::start(server.port()).await;
    let fixture = Fixture::new(&at_port(proxy.port())).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let before = proxy.trips();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..PLANS {
        let (plan, _) = fixture.addition(directory, &format!("f{number}"), NodeKind::File);
        let share = std::sync::Arc::clone(&fixture.share);
        tasks.spawn(async move { share.apply(plan, Some(OpId(1_000 + u128::from(number)))).await.unwrap() });
    }
    let all = tasks.join_all().await;
    let trips = proxy.trips() - before;
    assert!((PLANS / 64..PLANS / 4).contains(&trips), "{trips} calls of {PLANS} plans");
    let mut changes: Vec<u64> =
        all.iter().map(|applied| applied.node(directory).unwrap().after.as_ref().unwrap().change.0).collect();
    changes.sort_unstable();
    changes.dedup();
    assert_eq!(changes.len() as u64, PLANS, "each has seen a count of changes of its own");
    let stored = fixture.view(Query::node(directory)).await.nodes[0].change.0;
    assert_eq!(changes.last(), Some(&stored));
}

/// A flush of many small files: its object's row is locked until each commit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_whose_bytes_are_in_one_object_are_published_together() {
    const FILES: u64 = 200;
    let server = PostgresServer::start();
    let proxy = Proxy::start(server.port()).await;
    let fixture = Fixture::new(&at_port(proxy.port())).await;
    let mut files = Vec::new();
    for number in 0..FILES {
        files.push(fixture.add(NodeId::ROOT, &format!("f{number}"), NodeKind::File).await);
    }
    let (id, owner) = (ObjectId(7), Epoch(1));
    let record = |state| ObjectRecord { id, state, owner, bytes: 1, place: PlaceId::HOME };
    let mut plan = Plan::at(time(3));
    plan.change(Change::PutObject(record(ObjectState::Writing)));
    fixture.apply(plan, None).await.unwrap();
    let before = proxy.trips();
    let mut tasks = tokio::task::JoinSet::new();
    for file in files {
        let mut plan = Plan::at(time(4));
        plan.require(Expectation::Exists(file)).require(Expectation::ObjectUsable { object: id, epoch: owner });
        plan.change(Change::PutObject(record(ObjectState::Live)));
        plan.change(Change::InsertReference(Reference::live(id, file, 0)));
        plan.change(Change::UpdateNode(file, NodeUpdate::changed()));
        let share = std::sync::Arc::clone(&fixture.share);
        tasks.spawn(async move { share.apply(plan, None).await.unwrap() });
    }
    tasks.join_all().await;
    let trips = proxy.trips() - before;
    assert!((FILES / 64..FILES / 4).contains(&trips), "{trips} calls of {FILES} plans");
    assert_eq!(fixture.share.references(id, 1_000).await.unwrap().len() as u64, FILES);
}
