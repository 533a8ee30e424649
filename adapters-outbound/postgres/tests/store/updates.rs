//! The function in the database does what the domain's own `update` does, and rows come back as they were written.
//! `UPDATES_SEED` repeats a run, whose seed it prints.

use std::sync::Arc;

use dittofs_domain::{
    Node, NodeId,
    plan::{Change, MapQuery, NodeUpdate, Plan, Query, update},
};
use dittofs_ports::{ApplyError, Counter};
use dittofs_postgres_test_server::PostgresServer;
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use crate::{
    fixture::{Fixture, SHARE, options, time},
    random,
};

const ROUNDS: usize = 400;

/// Chooses the same again with the same seed. It is another one in each run, and shown where a test fails.
fn runner() -> TestRunner {
    let given = std::env::var("UPDATES_SEED").ok().map(|text| text.parse::<u64>().expect("a number"));
    let seed = given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64);
    println!("UPDATES_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

fn any<T>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

async fn insert(fixture: &Fixture, node: Node) -> Node {
    let node = Node { id: NodeId(fixture.number()), ..node };
    let mut plan = Plan::at(time(2));
    plan.change(Change::InsertNode(Box::new(node.clone())));
    let applied = fixture.apply(plan, None).await.unwrap();
    applied.nodes[0].after.as_deref().unwrap().clone()
}

async fn stored(fixture: &Fixture, id: NodeId) -> Option<Arc<Node>> {
    fixture.view(Query::node(id)).await.nodes.first().cloned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stored_is_what_the_domain_computes() {
    let server = PostgresServer::start();
    let fixture = Fixture::new(&options(&server)).await;
    let mut runner = runner();
    let (nodes, updates, times) = (random::node(), vec(random::update(), 1..4), random::now());
    let (mut changed, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        if round % 50 == 49 {
            fixture.share.allocate(Counter::Trees, 1).await.unwrap();
        }
        let before = insert(&fixture, any(&mut runner, &nodes)).await;
        assert_eq!(stored(&fixture, before.id).await.as_deref(), Some(&before));
        let updates: Vec<NodeUpdate> = any(&mut runner, &updates);
        let now = any(&mut runner, &times);
        let tree = fixture.share.allocate(Counter::Trees, 0).await.unwrap().start;
        let tree = dittofs_domain::Tree(u32::try_from(tree).unwrap());
        let mut expected = before.clone();
        let is_possible = updates.iter().all(|one| update(&mut expected, one, now, tree).is_ok());
        let mut plan = Plan::at(now);
        for update in &updates {
            plan.change(Change::UpdateNode(before.id, update.clone()));
        }
        match fixture.apply(plan, None).await {
            Ok(applied) => {
                assert!(is_possible, "{updates:?} on {before:?}");
                let touched = applied.node(before.id).unwrap();
                assert_eq!(touched.before.as_deref(), Some(&before));
                assert_eq!(touched.after.as_deref(), Some(&expected), "{updates:?}");
                let stored = stored(&fixture, before.id).await;
                assert_eq!(stored.as_deref(), Some(&expected), "{updates:?} at {now:?} on {before:?}");
                changed += 1;
            }
            Err(ApplyError::Malformed) => {
                assert!(!is_possible, "{updates:?} on {before:?}");
                assert_eq!(stored(&fixture, before.id).await.as_deref(), Some(&before));
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(changed > ROUNDS / 4 && refused > 5, "{changed} changed, {refused} refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_maps_and_of_shares_come_back_as_they_were() {
    let server = PostgresServer::start();
    let fixture = Fixture::new(&options(&server)).await;
    let mut runner = runner();
    let (rows, records) = (random::row(), random::share_record(SHARE));
    let file = insert(&fixture, any(&mut runner, &random::node())).await.id;
    for page in 0..200 {
        let row = any(&mut runner, &rows);
        let mut plan = Plan::at(time(2));
        plan.change(Change::PutRow { node: file, page, row: row.clone() });
        fixture.apply(plan, None).await.unwrap();
        let map = Some(MapQuery { node: file, first_page: page, last_page: page, rows_max: 1 });
        let found = fixture.view(Query { map, ..Query::default() }).await.map;
        assert_eq!((found.rows, found.complete), (vec![(page, row)], true));
        let record = any(&mut runner, &records);
        fixture.share.put_record(&record).await.unwrap();
        assert_eq!(fixture.share.record().await.unwrap(), record);
    }
}
