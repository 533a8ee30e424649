//! The answers of queries: all of an answer is of one instant.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use dittofs_domain::{
    ContentVersion, Cookie, NodeId, NodeKind,
    content::{Extent, MapRow, PAGE_BYTES},
    plan::{Change, EntryKey, MapQuery, NodeUpdate, Plan, Query, Space},
};
use dittofs_ports::MetadataStore;

use super::{
    Fixture,
    dump::record,
    fixture::{child, name, time},
};

pub async fn nodes_that_do_not_exist_are_left_out(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let missing = NodeId(fixture.number());
    let query = Query { nodes: [missing, file, NodeId::ROOT].into_iter().collect(), ..Query::default() };
    let view = fixture.view(query).await;
    assert_eq!(view.nodes.len(), 2);
    assert_eq!(view.node(file).unwrap().kind, NodeKind::File);
    assert_eq!(view.node(NodeId::ROOT).unwrap().kind, NodeKind::Directory);
    assert!(view.node(missing).is_err());
}

pub async fn entries_are_answered_in_the_order_of_the_query(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let full = fixture.add(NodeId::ROOT, "full", NodeKind::Directory).await;
    let empty = fixture.add(NodeId::ROOT, "empty", NodeKind::Directory).await;
    let file = fixture.add(full, "file", NodeKind::File).await;
    let stream = EntryKey { directory: full, space: Space::Streams, name: name("file") };
    let keys = [
        child(full, "file"),
        child(NodeId::ROOT, "missing"),
        child(NodeId::ROOT, "full"),
        stream,
        child(NodeId::ROOT, "empty"),
        child(file, "file"),
        child(NodeId::ROOT, "Full"),
    ];
    let view = fixture.view(Query { entries: keys.into_iter().collect(), ..Query::default() }).await;
    let found: Vec<_> =
        view.entries.iter().map(|found| found.as_ref().map(|found| (found.node.id, found.empty))).collect();
    let expected = [Some((file, false)), None, Some((full, false)), None, Some((empty, true)), None, None];
    assert_eq!(found, expected);
    for found in view.entries.iter().flatten() {
        assert_eq!(Some(&found.node), fixture.node(found.node.id).await.as_ref());
        assert_eq!(found.cookie, found.node.parent.cookie);
    }
}

pub async fn ancestors_go_from_the_directory_to_the_root(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let mut path = vec![NodeId::ROOT];
    for depth in 0..120 {
        path.insert(0, fixture.add(path[0], &format!("d{depth}"), NodeKind::Directory).await);
    }
    let ancestors = async |id| fixture.view(Query { ancestors_of: Some(id), ..Query::default() }).await.ancestors;
    assert_eq!(ancestors(path[0]).await, path);
    assert_eq!(ancestors(path[100]).await, path[100..]);
    assert_eq!(ancestors(NodeId::ROOT).await, [NodeId::ROOT]);
    assert!(ancestors(NodeId(fixture.number())).await.is_empty());
    assert!(fixture.view(Query::default()).await.ancestors.is_empty());
}

fn page_row(seed: u8) -> MapRow {
    let inline = Extent::Inline(vec![seed; 100].into());
    MapRow::Page {
        version: ContentVersion(seed.into()),
        extents: vec![inline, Extent::Hole { len: PAGE_BYTES as u32 - 100 }],
    }
}

fn holes(pages: u64) -> MapRow {
    MapRow::Holes { version: ContentVersion(1), pages }
}

pub async fn a_map_begins_with_the_row_that_covers_its_first_page(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let [before, file, after] = ["a", "b", "c"].map(|text| fixture.add(NodeId::ROOT, text, NodeKind::File));
    let (before, file, after) = (before.await, file.await, after.await);
    let rows = [(0, page_row(1)), (1, holes(99)), (100, page_row(2)), (101, page_row(3)), (102, holes(1 << 42))];
    for (page, row) in &rows {
        fixture.change(Change::PutRow { node: file, page: *page, row: row.clone() }).await;
    }
    for node in [before, after] {
        fixture.change(Change::PutRow { node, page: 50, row: page_row(9) }).await;
    }
    let map = async |first_page, last_page, rows_max| {
        let map = Some(MapQuery { node: file, first_page, last_page, rows_max });
        fixture.view(Query { map, ..Query::default() }).await.map
    };
    for (first, last, expected) in [
        (0, 0, 0..1),
        (0, u64::MAX, 0..5),
        (1, 1, 1..2),
        (50, 60, 1..2),
        (99, 100, 1..3),
        (100, 101, 2..4),
        (50, 101, 1..4),
        (1 << 41, 1 << 42, 4..5),
    ] {
        let view = map(first, last, 100).await;
        assert_eq!(view.rows, rows[expected.clone()], "pages {first} to {last}");
        assert!(view.complete);
        if expected.len() > 1 {
            let part = map(first, last, expected.len() - 1).await;
            assert_eq!(part.rows, rows[expected.start..expected.end - 1], "pages {first} to {last}, cut");
            assert!(!part.complete);
        }
        assert!(map(first, last, expected.len()).await.complete, "exactly as many rows as asked for");
    }
    assert!(fixture.view(Query::default()).await.map.rows.is_empty());
}

pub async fn rows_are_put_replaced_and_removed(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    fixture.change(Change::PutRow { node: file, page: 3, row: page_row(1) }).await;
    fixture.change(Change::PutRow { node: file, page: 3, row: page_row(2) }).await;
    fixture.change(Change::PutRow { node: file, page: 1, row: holes(2) }).await;
    fixture.change(Change::DeleteRow { node: file, page: 7 }).await;
    assert_eq!(fixture.rows(file).await, [(1, holes(2)), (3, page_row(2))]);
    fixture.change(Change::DeleteRow { node: file, page: 1 }).await;
    assert_eq!(fixture.rows(file).await, [(3, page_row(2))]);
}

pub async fn a_view_sees_every_plan_that_has_returned(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4 {
        let fixture = fixture.clone();
        tasks.spawn(async move {
            for round in 0..50 {
                let text = format!("{task}-{round}");
                let node = fixture.add(NodeId::ROOT, &text, NodeKind::File).await;
                assert_eq!(fixture.entry(NodeId::ROOT, &text).await.unwrap().node.id, node);
                assert!(fixture.entries(NodeId::ROOT, 1_000).await.iter().any(|entry| entry.node == node));
            }
        });
    }
    tasks.join_all().await;
}

/// Moves one link from one node to the other and renames an entry, again and again.
async fn swing(fixture: Fixture, nodes: [NodeId; 2], stop: Arc<AtomicBool>, rounds: Arc<AtomicU64>) {
    let cookie = fixture.entry(NodeId::ROOT, "a").await.unwrap().cookie;
    while !stop.load(Ordering::Relaxed) {
        let round = rounds.fetch_add(1, Ordering::Relaxed);
        let (from, to) = if round.is_multiple_of(2) { ("a", "b") } else { ("b", "a") };
        let size = round % 1_000;
        let mut plan = Plan::at(time(2_000));
        plan.change(Change::DeleteEntry(child(NodeId::ROOT, from)));
        plan.change(Change::UpdateNode(nodes[0], NodeUpdate { size: Some(size), ..NodeUpdate::changed() }));
        plan.change(Change::InsertEntry { key: child(NodeId::ROOT, to), node: nodes[0], cookie });
        plan.change(Change::UpdateNode(nodes[1], NodeUpdate { size: Some(1_000 - size), ..NodeUpdate::changed() }));
        fixture.apply(plan).await;
        tokio::task::yield_now().await;
    }
}

pub async fn a_view_never_sees_half_a_plan(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let first = fixture.add(NodeId::ROOT, "a", NodeKind::File).await;
    let second = fixture.add(NodeId::ROOT, "z", NodeKind::File).await;
    fixture.change(Change::UpdateNode(second, NodeUpdate { size: Some(1_000), ..NodeUpdate::changed() })).await;
    let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writer = tokio::spawn(swing(fixture.clone(), [first, second], stop.clone(), rounds.clone()));
    let mut views = 0;
    while views < 2_000 || rounds.load(Ordering::Relaxed) < 1_000 {
        assert!(!writer.is_finished(), "the writer failed");
        views += 1;
        tokio::task::yield_now().await;
        let query = Query {
            nodes: [first, second].into_iter().collect(),
            entries: [child(NodeId::ROOT, "a"), child(NodeId::ROOT, "b"), child(NodeId::ROOT, "z")]
                .into_iter()
                .collect(),
            ..Query::default()
        };
        let view = fixture.view(query).await;
        assert_eq!(view.nodes.iter().map(|node| node.size).sum::<u64>(), 1_000);
        let names = [view.entry(0), view.entry(1)];
        assert_eq!(names.iter().flatten().count(), 1, "the file has one of two names at every instant");
        for found in view.entries.iter().flatten() {
            assert_eq!(&found.node, view.node(found.node.id).unwrap());
        }
        let listing = fixture.share.list(NodeId::ROOT, Space::Children, Cookie::START, 10, true).await.unwrap();
        assert_eq!(listing.entries.iter().map(|entry| record(entry).size).sum::<u64>(), 1_000);
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}
