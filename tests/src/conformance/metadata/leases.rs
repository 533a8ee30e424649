//! Leases of nodes, where several instances serve a share, and their absence where one does.

use std::sync::Arc;

use dittofs_domain::{
    Epoch, NodeId, NodeKind,
    plan::{Change, Expectation, KeptLease, NodeLease, NodeUpdate, Plan, Query},
};
use dittofs_ports::{ApplyError, MetadataStore};

use super::{
    Fixture,
    expectation::assert_conflict,
    fixture::{child, time},
};

const ONE: Epoch = Epoch(11);
const OTHER: Epoch = Epoch(12);

fn grant(node: NodeId, holder: Epoch) -> Plan {
    let mut plan = Plan::at(time(2_000));
    plan.change(Change::GrantLease { node, holder });
    plan
}

async fn lease(fixture: &Fixture, node: NodeId) -> NodeLease {
    fixture.view(Query::node(node)).await.lease(node).unwrap()
}

pub async fn a_view_brings_the_lease_of_each_node(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    assert_eq!(lease(&fixture, file).await, NodeLease::Kept(KeptLease::NONE));
    fixture.apply(grant(file, ONE)).await;
    let held = NodeLease::Kept(KeptLease { holder: Some(ONE), epoch: Epoch(1) });
    let view = fixture.view(Query::child(NodeId::ROOT, child(NodeId::ROOT, "f"))).await;
    assert_eq!((view.lease(file), view.lease(NodeId::ROOT)), (Ok(held), Ok(NodeLease::Kept(KeptLease::NONE))));
}

pub async fn a_lease_comes_with_its_node_in_one_plan_and_goes_with_it(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let (mut plan, file) = fixture.addition(NodeId::ROOT, "f", NodeKind::File);
    plan.change(Change::GrantLease { node: file, holder: ONE });
    fixture.apply(plan).await;
    assert_eq!(lease(&fixture, file).await, NodeLease::Kept(KeptLease { holder: Some(ONE), epoch: Epoch(1) }));
    let mut plan = Plan::at(time(3_000));
    plan.change(Change::DeleteEntry(child(NodeId::ROOT, "f")));
    plan.change(Change::DeleteNode(file));
    fixture.apply(plan).await;
    let answer = fixture.try_apply(grant(file, ONE)).await;
    assert!(matches!(answer, Err(ApplyError::Malformed)), "there is no such node: {answer:?}");
    let mut stale = Plan::at(time(4_000));
    stale.require(Expectation::LeaseIs { node: file, lease: KeptLease { holder: Some(ONE), epoch: Epoch(1) } });
    assert_conflict(&fixture, stale).await;
}

pub async fn a_plan_under_a_lease_that_changed_hands_is_a_conflict(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    fixture.apply(grant(file, ONE)).await;
    let mine = lease(&fixture, file).await;
    let write = |size: u64| {
        let mut plan = Plan::at(time(3_000));
        plan.require_lease(file, mine);
        plan.change(Change::UpdateNode(file, NodeUpdate { size: Some(size), ..NodeUpdate::changed() }));
        plan
    };
    fixture.apply(write(1)).await;
    // Who has it already keeps its epoch.
    fixture.apply(grant(file, ONE)).await;
    fixture.apply(write(2)).await;
    fixture.apply(grant(file, OTHER)).await;
    assert_conflict(&fixture, write(3)).await;
    // Back again it is another one: what was decided before is decided again.
    fixture.apply(grant(file, ONE)).await;
    assert_eq!(lease(&fixture, file).await, NodeLease::Kept(KeptLease { holder: Some(ONE), epoch: Epoch(3) }));
    assert_conflict(&fixture, write(4)).await;
    assert_eq!(fixture.node(file).await.unwrap().size, 2);
}

pub async fn of_concurrent_grants_under_one_lease_one_is_applied(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    for round in 0..50 {
        let seen = lease(&fixture, file).await;
        let take = |holder: u64| {
            let mut plan = grant(file, Epoch(100 + 2 * round + holder));
            plan.require_lease(file, seen);
            let fixture = fixture.clone();
            tokio::spawn(async move { fixture.try_apply(plan).await.is_ok() })
        };
        let (one, other) = (take(0), take(1));
        assert!(one.await.unwrap() != other.await.unwrap(), "round {round}");
    }
}

/// One instance has all leases: none is brought, granted or expected.
pub async fn one_instance_keeps_no_leases(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    assert_eq!(lease(&fixture, file).await, NodeLease::Sole);
    let answer = fixture.try_apply(grant(file, ONE)).await;
    assert!(matches!(answer, Err(ApplyError::Malformed)), "{answer:?}");
    let mut plan = Plan::at(time(3_000));
    plan.require(Expectation::LeaseIs { node: file, lease: KeptLease::NONE });
    assert_conflict(&fixture, plan).await;
    assert!(fixture.share.has_ended(ONE).await.unwrap());
}
