//! Shares of a store, their numbers, notes and sums.

use std::{ops::Range, sync::Arc};

use dittofs_domain::{
    ContentVersion, Cookie, Node, NodeId, NodeKind, ShareId,
    content::PendingTruncation,
    node::NodeFlags,
    plan::{Change, NodeUpdate, Plan, Query, Statistics, UnlinkedReason},
};
use dittofs_ports::{Counter, MetadataStore, ShareRecord, Survives};
use tokio::task::JoinSet;

use super::{
    Fixture,
    fixture::{root, share_record, time},
};

pub async fn a_share_is_made_once(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    assert!(store.shares().await.unwrap().is_empty());
    let record = share_record(1 << 40);
    store.create_share(&record, &root()).await.unwrap();
    let other = ShareRecord { name: "/other".into(), content_owner: 3, ..record.clone() };
    store.create_share(&other, &Node { mode: 0o700, ..root() }).await.unwrap();
    assert_eq!(store.shares().await.unwrap(), std::slice::from_ref(&record));
    let share = store.share(record.id).await.unwrap().unwrap();
    assert_eq!(share.record().await.unwrap(), record);
    let found = share.view(&Query::node(NodeId::ROOT)).await.unwrap().nodes;
    assert_eq!(*found[0], root());
    assert!(store.share(ShareId(7)).await.unwrap().is_none());
}

pub async fn of_concurrent_makers_of_a_share_one_wins(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let record = share_record(1 << 40);
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let (store, record) = (store.clone(), ShareRecord { journal: task, ..record.clone() });
        tasks.spawn(async move { store.create_share(&record, &Node { uid: task as u32, ..root() }).await.unwrap() });
    }
    tasks.join_all().await;
    let shares = store.shares().await.unwrap();
    assert_eq!(shares.len(), 1);
    let share = store.share(record.id).await.unwrap().unwrap();
    let found = share.view(&Query::node(NodeId::ROOT)).await.unwrap().nodes;
    assert_eq!(u128::from(found[0].uid), shares[0].journal, "row and root are of different makers");
}

pub async fn a_shares_row_is_replaced(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let fixture = Fixture::new(&store).await;
    let old = fixture.share.record().await.unwrap();
    let new = ShareRecord { name: "/renamed".into(), dirty: true, journal: 9, journal_incarnation: 8, ..old };
    fixture.share.put_record(&new).await.unwrap();
    assert_eq!(fixture.share.record().await.unwrap(), new);
    assert_eq!(store.share(fixture.id).await.unwrap().unwrap().record().await.unwrap(), new);
    assert!(store.shares().await.unwrap().contains(&new));
}

pub async fn a_share_that_is_removed_leaves_nothing_and_others_keep_everything(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    let store = open().await;
    let (one, two) = (Fixture::new(&store).await, Fixture::new(&store).await);
    // More rows than one step removes.
    for directory in 0..6 {
        let directory = one.add(NodeId::ROOT, &format!("d{directory}"), NodeKind::Directory).await;
        for file in 0..300 {
            one.add(directory, &format!("f{file}"), NodeKind::File).await;
        }
    }
    let kept = two.add(NodeId::ROOT, "kept", NodeKind::File).await;
    let before = two.dump().await;
    let record = one.share.record().await.unwrap();
    store.remove_share(one.id).await.unwrap();
    assert!(store.share(one.id).await.unwrap().is_none());
    assert_eq!(store.shares().await.unwrap(), [two.share.record().await.unwrap()]);
    assert_eq!(two.dump().await, before);
    assert_eq!(two.entry(NodeId::ROOT, "kept").await.unwrap().node.id, kept);
    store.remove_share(one.id).await.unwrap();
    // One with the same id begins with nothing.
    store.create_share(&record, &root()).await.unwrap();
    let again = store.share(one.id).await.unwrap().unwrap();
    assert_eq!(again.nodes(NodeId(0), 10).await.unwrap().len(), 1);
    assert_eq!(again.statistics().await.unwrap(), Statistics { bytes: 0, nodes: 1 });
    assert!(again.unlinked(NodeId(0), 10).await.unwrap().is_empty());
    assert!(again.view(&Query::node(kept)).await.unwrap().nodes.is_empty());
}

pub async fn shares_of_one_store_do_not_mix(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let (one, two) = (Fixture::new(&store).await, Fixture::new(&store).await);
    let node = one.add(NodeId::ROOT, "f", NodeKind::File).await;
    one.change(Change::RaiseTopology).await;
    one.change(Change::Count(Statistics { bytes: 500, nodes: 1 })).await;
    one.change(Change::PutUnlinked { node, reason: UnlinkedReason::Open }).await;
    let after = two.dump().await;
    assert_eq!((after.nodes.len(), after.unlinked.len()), (1, 0));
    assert!(two.entry(NodeId::ROOT, "f").await.is_none());
    assert_eq!(
        two.view(Query::default()).await.topology,
        Fixture::new(&store).await.view(Query::default()).await.topology
    );
    let other = two.add(NodeId::ROOT, "f", NodeKind::Directory).await;
    assert_eq!(one.entry(NodeId::ROOT, "f").await.unwrap().node.kind, NodeKind::File);
    assert_eq!(two.entry(NodeId::ROOT, "f").await.unwrap().node.id, other);
    // The same share, asked for again, is the same.
    let again = store.share(one.id).await.unwrap().unwrap();
    assert_eq!(again.view(&Query::node(node)).await.unwrap().nodes.len(), 1);
}

pub async fn allocated_numbers_never_overlap(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    const TASKS: u64 = 16;
    const EACH: u64 = 50;
    let fixture = Fixture::new(&open().await).await;
    assert!(fixture.numbers.first >= NodeId::FIRST_FREE.0);
    for counter in [Counter::Ids, Counter::Stamps, Counter::Epochs] {
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            let share = fixture.share.clone();
            tasks.spawn(async move {
                let mut ranges = Vec::new();
                for round in 0..EACH {
                    let count = 1 + (task * 7 + round) % 100;
                    let range = share.allocate(counter, count).await.unwrap();
                    assert_eq!(range.end - range.start, count);
                    ranges.push(range);
                }
                ranges
            });
        }
        let mut ranges: Vec<Range<u64>> = tasks.join_all().await.into_iter().flatten().collect();
        ranges.sort_unstable_by_key(|range| range.start);
        assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{counter:?} was given twice");
        assert!(ranges[ranges.len() - 1].end <= NodeId::MAX.0);
        if counter == Counter::Ids {
            assert!(ranges[0].start >= fixture.numbers.first + fixture.used());
        }
        // No numbers: only which is the next.
        for _ in 0..2 {
            assert_eq!(fixture.share.allocate(counter, 0).await.unwrap().start, ranges[ranges.len() - 1].end);
        }
    }
}

pub async fn ids_of_nodes_are_those_of_the_nodes_in_pages(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    let (fixture, other) = (Fixture::new(&store).await, Fixture::new(&store).await);
    for index in 0..25 {
        fixture.add(NodeId::ROOT, &format!("f{index}"), NodeKind::File).await;
        other.add(NodeId::ROOT, &format!("f{index}"), NodeKind::File).await;
    }
    let expected: Vec<NodeId> = fixture.share.nodes(NodeId(0), 100).await.unwrap().iter().map(|node| node.id).collect();
    assert_eq!(expected.len(), 26);
    for max in [1, 7, 25, 26, 100] {
        let (mut all, mut after) = (Vec::new(), NodeId(0));
        loop {
            let page = fixture.share.node_ids(after, max).await.unwrap();
            assert!(page.len() <= max);
            let Some(last) = page.last() else { break };
            after = *last;
            all.extend(page);
        }
        assert_eq!(all, expected, "{max} at once");
    }
}

pub async fn unlinked_nodes_come_in_the_order_of_their_ids_in_pages(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let mut expected = Vec::new();
    for index in 0..25 {
        let node = fixture.add(NodeId::ROOT, &format!("f{index}"), NodeKind::File).await;
        let reason = if index % 2 == 0 { UnlinkedReason::Open } else { UnlinkedReason::Reaping };
        expected.push((node, reason));
    }
    for (node, reason) in expected.iter().rev() {
        fixture.change(Change::PutUnlinked { node: *node, reason: *reason }).await;
        let update = NodeUpdate { set_flags: NodeFlags::UNLINKED, ..NodeUpdate::changed() };
        fixture.change(Change::UpdateNode(*node, update)).await;
    }
    expected[4].1 = UnlinkedReason::Reaping;
    fixture.change(Change::PutUnlinked { node: expected[4].0, reason: UnlinkedReason::Reaping }).await;
    let (gone, _) = expected.remove(9);
    fixture.change(Change::DeleteUnlinked(gone)).await;
    for max in [1, 7, 24, 100] {
        let (mut all, mut after) = (Vec::new(), NodeId(0));
        loop {
            let page = fixture.share.unlinked(after, max).await.unwrap();
            assert!(page.len() <= max);
            all.extend_from_slice(&page);
            match page.last() {
                Some((last, _)) if page.len() == max => after = *last,
                _ => break,
            }
        }
        assert_eq!(all, expected, "in pages of {max}");
    }
}

pub async fn nodes_with_a_pending_truncation_are_listed(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let mut nodes = Vec::new();
    for index in 0..10 {
        nodes.push(fixture.add(NodeId::ROOT, &format!("f{index}"), NodeKind::File).await);
    }
    let pending = PendingTruncation { offset: 5, version: ContentVersion(1), end_page: 9 };
    for node in nodes.iter().rev() {
        fixture
            .change(Change::UpdateNode(
                *node,
                NodeUpdate { pending_truncation: Some(Some(pending)), ..NodeUpdate::changed() },
            ))
            .await;
    }
    assert_eq!(fixture.share.pending_truncations(NodeId(0), 100).await.unwrap(), nodes);
    assert_eq!(fixture.share.pending_truncations(NodeId(0), 3).await.unwrap(), nodes[..3]);
    assert_eq!(fixture.share.pending_truncations(nodes[2], 3).await.unwrap(), nodes[3..6]);
    let done = NodeUpdate { pending_truncation: Some(None), ..NodeUpdate::default() };
    fixture.change(Change::UpdateNode(nodes[0], done)).await;
    fixture.change(Change::UpdateNode(nodes[5], NodeUpdate { size: Some(3), ..NodeUpdate::changed() })).await;
    fixture.change(Change::DeleteNode(nodes[9])).await;
    assert_eq!(fixture.share.pending_truncations(NodeId(0), 100).await.unwrap(), nodes[1..9]);
}

pub async fn statistics_are_sums_of_concurrent_differences(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let before = fixture.share.statistics().await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 1..=10_i64 {
        let fixture = fixture.clone();
        tasks.spawn(async move {
            for _ in 0..20 {
                let mut plan = Plan::at(time(2_000));
                plan.change(Change::Count(Statistics { bytes: 1_000 * task, nodes: 3 }));
                plan.change(Change::Count(Statistics { bytes: -task, nodes: -1 }));
                fixture.apply(plan).await;
            }
        });
    }
    tasks.join_all().await;
    let after = fixture.share.statistics().await.unwrap();
    assert_eq!(after, Statistics { bytes: before.bytes + 20 * 999 * 55, nodes: before.nodes + 20 * 2 * 10 });
}

pub async fn everything_survives_what_the_store_says(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    if store.survives() == Survives::Nothing {
        return;
    }
    let fixture = Fixture::new(&store).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    fixture.add(directory, "f", NodeKind::File).await;
    let before = fixture.dump().await;
    let last = fixture.share.allocate(Counter::Ids, 10).await.unwrap().end;
    let Fixture { share, id, numbers } = fixture;
    drop((share, store));

    let store = open().await;
    let share = store.share(id).await.unwrap().unwrap();
    let fixture = Fixture { share, id, numbers };
    assert_eq!(fixture.dump().await, before);
    assert!(fixture.share.allocate(Counter::Ids, 1).await.unwrap().start >= last, "a number was given again");
    fixture.add(directory, "g", NodeKind::File).await;
    assert_eq!(fixture.share.name_of(directory, Cookie::START).await.unwrap(), None);
    fixture.dump().await.assert_tree();
}
