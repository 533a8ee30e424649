//! Operations: a plan is applied once under one name, and who asks again hears what came of it.

use std::sync::Arc;

use dittofs_domain::{
    NodeId, NodeKind, OpId,
    plan::{Change, Earlier, OperationsKept, Plan, Query, View},
};
use dittofs_ports::{ApplyError, MetadataStore, Survives};
use tokio::task::JoinSet;

use super::{
    Fixture,
    fixture::{child, time},
};

async fn earlier(fixture: &Fixture, op: OpId) -> Option<Earlier> {
    fixture.view(Query::default().asking(Some(op))).await.earlier
}

/// Creates a file as this operation; answers its id.
async fn create(fixture: &Fixture, text: &str, op: OpId) -> NodeId {
    let (plan, id) = fixture.addition(NodeId::ROOT, text, NodeKind::File);
    fixture.share.apply(plan, Some(op)).await.unwrap();
    id
}

fn removal(text: &str, id: NodeId) -> Plan {
    let mut plan = Plan::at(time(2_000));
    plan.change(Change::DeleteEntry(child(NodeId::ROOT, text))).change(Change::DeleteNode(id));
    plan
}

pub async fn a_plan_with_a_known_operation_is_not_applied_twice(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let (plan, _) = fixture.addition(NodeId::ROOT, "f", NodeKind::File);
    fixture.share.apply(plan.clone(), Some(OpId(1))).await.unwrap();
    let after = fixture.dump().await;
    // Also one whose expectations hold still: nothing but its name speaks against it.
    let mut change = Plan::at(time(2_000));
    change.change(Change::RaiseTopology);
    fixture.share.apply(change.clone(), Some(OpId(2))).await.unwrap();
    let topology = fixture.view(Query::default()).await.topology;
    for (plan, op) in [(plan, OpId(1)), (change, OpId(2))] {
        let answer = fixture.share.apply(plan, Some(op)).await;
        assert!(matches!(answer, Err(ApplyError::Conflict)), "{answer:?}");
    }
    assert_eq!(fixture.view(Query::default()).await.topology, topology);
    assert_eq!(fixture.entries(NodeId::ROOT, 10).await.len(), 1, "{after:?}");
    create(&fixture, "g", OpId(3)).await;
}

pub async fn two_plans_under_one_operation_are_one(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let first = create(&fixture, "f", OpId(1)).await;
    let before = fixture.dump().await;
    let (other, _) = fixture.addition(NodeId::ROOT, "other", NodeKind::Directory);
    let answer = fixture.share.apply(other, Some(OpId(1))).await;
    assert!(matches!(answer, Err(ApplyError::Conflict)), "{answer:?}");
    assert_eq!(fixture.dump().await, before);
    assert_eq!(earlier(&fixture, OpId(1)).await.unwrap().made, Some(first), "what came of the first");
    // At once, which of the two it is shows only afterwards.
    let mut tasks = JoinSet::new();
    let mut ids = Vec::new();
    for number in 0..8 {
        let (plan, id) = fixture.addition(NodeId::ROOT, &format!("n{number}"), NodeKind::File);
        let share = Arc::clone(&fixture.share);
        ids.push(id);
        tasks.spawn(async move { (id, share.apply(plan, Some(OpId(2))).await) });
    }
    let answers = tasks.join_all().await;
    let winners: Vec<NodeId> = answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(id, _)| *id).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert_eq!(earlier(&fixture, OpId(2)).await.unwrap().made, Some(winners[0]));
    for id in ids {
        assert_eq!(fixture.node(id).await.is_some(), id == winners[0]);
    }
}

pub async fn a_view_with_an_operation_brings_what_came_of_it(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    assert_eq!(earlier(&fixture, OpId(1)).await, None);
    let file = create(&fixture, "f", OpId(1)).await;
    let node = fixture.node(file).await;
    assert_eq!(earlier(&fixture, OpId(1)).await, Some(Earlier { made: Some(file), node: node.clone() }));
    let query = Query::child(NodeId::ROOT, child(NodeId::ROOT, "f"));
    let View { entries, earlier: asked, .. } = fixture.view(query.clone().asking(Some(OpId(1)))).await;
    assert_eq!(entries[0].as_ref().map(|found| &found.node), node.as_ref(), "with everything else that is asked for");
    assert_eq!(asked.unwrap().node, node);
    assert_eq!(fixture.view(query).await.earlier, None, "nobody asked");
    assert_eq!(earlier(&fixture, OpId(2)).await, None, "another one");
    // A plan that makes no node, and one whose node is gone again.
    fixture.share.apply(removal("f", file), Some(OpId(3))).await.unwrap();
    assert_eq!(earlier(&fixture, OpId(3)).await, Some(Earlier::default()));
    assert_eq!(earlier(&fixture, OpId(1)).await, Some(Earlier { made: Some(file), node: None }));
}

pub async fn a_plan_that_is_refused_leaves_nothing_of_its_operation(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    create(&fixture, "f", OpId(1)).await;
    let (conflict, _) = fixture.addition(NodeId::ROOT, "f", NodeKind::File);
    let answer = fixture.share.apply(conflict, Some(OpId(2))).await;
    assert!(matches!(answer, Err(ApplyError::Conflict)), "{answer:?}");
    let mut malformed = Plan::at(time(2_000));
    malformed.change(Change::DeleteEntry(child(NodeId::ROOT, "missing")));
    fixture.share.apply(malformed, Some(OpId(3))).await.unwrap_err();
    for op in [OpId(2), OpId(3)] {
        assert_eq!(earlier(&fixture, op).await, None);
    }
    let made = create(&fixture, "g", OpId(2)).await;
    assert_eq!(earlier(&fixture, OpId(2)).await.unwrap().made, Some(made));
}

pub async fn operations_of_shares_do_not_mix(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let (one, two) = (Fixture::new(&store).await, Fixture::new(&store).await);
    create(&one, "f", OpId(1)).await;
    assert_eq!(earlier(&two, OpId(1)).await, None);
    create(&two, "f", OpId(1)).await;
}

pub async fn operations_survive_what_the_store_survives(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    if store.survives() == Survives::Nothing {
        return;
    }
    let fixture = Fixture::new(&store).await;
    let file = create(&fixture, "f", OpId(1)).await;
    let gone = create(&fixture, "gone", OpId(2)).await;
    fixture.share.apply(removal("gone", gone), Some(OpId(3))).await.unwrap();
    let Fixture { share, id, numbers } = fixture;
    drop((share, store));
    for _ in 0..2 {
        let store = open().await;
        let share = store.share(id).await.unwrap().unwrap();
        let fixture = Fixture { share, id, numbers: Arc::clone(&numbers) };
        assert_eq!(
            earlier(&fixture, OpId(1)).await,
            Some(Earlier { made: Some(file), node: fixture.node(file).await })
        );
        assert_eq!(earlier(&fixture, OpId(2)).await, Some(Earlier { made: Some(gone), node: None }));
        assert_eq!(earlier(&fixture, OpId(3)).await, Some(Earlier::default()));
        let (plan, _) = fixture.addition(NodeId::ROOT, "again", NodeKind::File);
        let answer = fixture.share.apply(plan, Some(OpId(3))).await;
        assert!(matches!(answer, Err(ApplyError::Conflict)), "{answer:?}");
    }
}

/// For stores that can be configured how many operations they remember, and for how long.
pub async fn operations_are_bounded_in_number(open: impl AsyncFn(OperationsKept) -> Arc<dyn MetadataStore>) {
    let kept = OperationsKept { count: 10, ..OperationsKept::default() };
    let fixture = Fixture::new(&open(kept).await).await;
    for number in 0..50 {
        create(&fixture, &format!("f{number}"), OpId(number)).await;
    }
    for number in 0..50 {
        let found = earlier(&fixture, OpId(number)).await;
        assert_eq!(found.is_some(), number >= 40, "operation {number}: {found:?}");
    }
    create(&fixture, "again", OpId(0)).await;
}

/// The same: an operation whose time is over is as if it had never been.
pub async fn operations_are_bounded_in_age(open: impl AsyncFn(OperationsKept) -> Arc<dyn MetadataStore>) {
    let kept = OperationsKept { age: std::time::Duration::ZERO, ..OperationsKept::default() };
    let fixture = Fixture::new(&open(kept).await).await;
    for number in 0..3 {
        create(&fixture, &format!("f{number}"), OpId(1)).await;
        assert_eq!(earlier(&fixture, OpId(1)).await, None);
    }
}
