//! Times and counts of changes: never still, never back, whatever the clock does.

use std::sync::Arc;

use dittofs_domain::{
    ChangeId, NodeId, NodeKind,
    plan::{Change, NodeUpdate, Plan, TimeChange},
};
use dittofs_ports::MetadataStore;
use tokio::task::JoinSet;

use super::{
    Fixture,
    fixture::{child, time},
};

/// A clock that mostly goes back, jumps far in both directions, and stands still.
const CLOCK: [i64; 14] =
    [5_000, 4_999, 4_000, 4_000, 0, -1, -9_000_000_000, 3, 6_000, 6_000, 5_999, 1 << 40, 7_000, 7_000];

pub async fn ctime_and_change_rise_under_a_clock_that_runs_backwards(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let mut last = fixture.node(file).await.unwrap();
    for now in CLOCK {
        let mut plan = Plan::at(time(now));
        plan.change(Change::UpdateNode(file, NodeUpdate { uid: Some(3), ..NodeUpdate::changed() }));
        let applied = fixture.apply(plan).await;
        let touched = applied.node(file).unwrap().clone();
        let after = touched.after.unwrap();
        assert_eq!(touched.before, Some(last.clone()));
        assert!(after.ctime > last.ctime && after.ctime >= time(now), "{:?} after {:?}", after.ctime, last.ctime);
        assert!(after.change > last.change);
        assert_eq!(after.ctime, last.ctime.advanced(time(now)));
        last = after;
    }
}

pub async fn a_directorys_mtime_rises_under_a_clock_that_runs_backwards(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    let fixture = Fixture::new(&open().await).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let mut last = fixture.node(directory).await.unwrap();
    for (index, now) in CLOCK.into_iter().enumerate() {
        let (mut plan, _) = fixture.addition(directory, &format!("f{index}"), NodeKind::File);
        plan.now = time(now);
        fixture.apply(plan).await;
        let after = fixture.node(directory).await.unwrap();
        assert!(after.mtime > last.mtime && after.ctime > last.ctime && after.change > last.change);
        assert!(after.mtime >= time(now) && after.ctime >= time(now));
        last = after;
    }
}

pub async fn change_rises_with_ctime_and_to_what_is_asked(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let at_least =
        |ctime, least: u64| NodeUpdate { ctime, change_at_least: Some(ChangeId(least)), ..NodeUpdate::default() };
    for (update, least) in [
        (NodeUpdate::changed(), 2),
        (at_least(TimeChange::Advance, 1), 3),
        (at_least(TimeChange::Advance, 100), 100),
        (at_least(TimeChange::AtLeast(time(9_000)), 50), 101),
        (at_least(TimeChange::AtLeast(time(8_000)), 200), 200),
    ] {
        let before = fixture.node(file).await.unwrap();
        fixture.change(Change::UpdateNode(file, update.clone())).await;
        let after = fixture.node(file).await.unwrap();
        assert!(after.change.0 >= least && after.change > before.change, "{:?} after {update:?}", after.change);
        assert!(after.ctime >= before.ctime);
    }
    assert_eq!(fixture.node(file).await.unwrap().ctime, time(9_000));
}

pub async fn what_a_client_does_not_see_leaves_ctime_and_change(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let before = fixture.node(file).await.unwrap();
    fixture.change(Change::UpdateNode(file, NodeUpdate { allocated: 5, ..NodeUpdate::default() })).await;
    let after = fixture.node(file).await.unwrap();
    assert_eq!((after.ctime, after.change, after.allocated), (before.ctime, before.change, 5));
}

pub async fn concurrent_changes_of_a_node_each_get_a_change_and_time_of_their_own(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    const TASKS: i64 = 8;
    const EACH: i64 = 40;
    let fixture = Fixture::new(&open().await).await;
    fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let file = fixture.entry(NodeId::ROOT, "f").await.unwrap().node.id;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let fixture = fixture.clone();
        tasks.spawn(async move {
            let mut seen = Vec::new();
            for round in 0..EACH {
                let mut plan = Plan::at(time(10_000 - task * round));
                plan.change(Change::UpdateNode(file, NodeUpdate::changed()));
                let after = fixture.apply(plan).await.node(file).unwrap().after.clone().unwrap();
                seen.push((after.change, after.ctime));
            }
            assert!(seen.is_sorted());
            seen
        });
    }
    let mut all: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    all.sort_unstable();
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1), "two changes look the same");
    assert_eq!(all.len() as i64, TASKS * EACH);
    assert!(
        fixture
            .view(dittofs_domain::plan::Query::child(NodeId::ROOT, child(NodeId::ROOT, "f")))
            .await
            .entry(0)
            .is_some()
    );
}
