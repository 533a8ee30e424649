//! Tests what the conformance suite cannot see: that a refused plan leaves no trace at all.

use dittofs_domain::{
    ContentVersion, Cookie, Epoch, FoldTable, Name, Node, NodeId, NodeKind, ObjectId, Timestamp,
    content::{MapRow, PendingTruncation},
    node::Parent,
    plan::{
        Change, EntryKey, Expectation, LinkChange, MapQuery, NodeUpdate, ObjectRecord, ObjectState, PLAN_STEPS_MAX,
        Plan, Query, Space, Statistics, UnlinkedReason,
    },
};
use dittofs_ports::ApplyError;

use super::{state::State, transaction::Log};

mod random;

pub(super) fn node(id: u64, kind: NodeKind) -> Node {
    let time = Timestamp::EPOCH;
    let parent = Parent { directory: NodeId::ROOT, cookie: Cookie(3) };
    Node { mode: 0o755, links: 1, ..Node::bare(NodeId(id), kind, parent, time) }
}

fn share() -> State {
    State::new(node(NodeId::ROOT.0, NodeKind::Directory), FoldTable::NEWEST)
}

fn key(directory: u64, name: &str) -> EntryKey {
    EntryKey::child(NodeId(directory), &Name::new(name.as_bytes()).unwrap())
}

fn entry(directory: u64, name: &str, to: u64, cookie: u64) -> Change {
    Change::InsertEntry { key: key(directory, name), node: NodeId(to), cookie: Cookie(cookie) }
}

fn made(id: u64, kind: NodeKind) -> Change {
    Change::InsertNode(Box::new(node(id, kind)))
}

fn plan(expectations: Vec<Expectation>, changes: Vec<Change>) -> Plan {
    Plan { expectations: expectations.into(), changes: changes.into(), now: Timestamp::EPOCH.plus_ms(5) }
}

fn apply(state: &mut State, plan: Plan) -> Result<dittofs_domain::plan::Applied, ApplyError> {
    state.apply(plan, &mut Log::new())
}

fn refused(state: &mut State, changes: Vec<Change>) -> bool {
    matches!(apply(state, plan(vec![], changes)), Err(ApplyError::Malformed))
}

#[test]
fn plans_that_contradict_themselves_are_malformed() {
    let mut state = share();
    let file = NodeKind::File;
    apply(&mut state, plan(vec![], vec![made(4, file), entry(3, "a", 4, 5)])).unwrap();
    let row = MapRow::Holes { version: ContentVersion(0), pages: 1 };
    apply(&mut state, plan(vec![], vec![Change::PutRow { node: NodeId(4), page: 0, row: row.clone() }])).unwrap();
    for changes in [
        vec![made(4, file)],
        vec![made(9, file), made(9, file)],
        vec![entry(3, "a", 4, 6)],
        vec![entry(3, "b", 4, 5)],
        vec![entry(3, "b", 9, 6)],
        vec![entry(9, "b", 4, 6)],
        vec![Change::DeleteEntry(key(3, "b"))],
        vec![Change::DeleteEntry(key(3, "a")), Change::DeleteEntry(key(3, "a"))],
        vec![Change::DeleteEntry(key(9, "a"))],
        vec![Change::DeleteNode(NodeId(9))],
        vec![Change::DeleteNode(NodeId(3))],
        vec![Change::DeleteNode(NodeId(4))],
        vec![Change::UpdateNode(NodeId(9), NodeUpdate::changed())],
        vec![Change::UpdateNode(NodeId(4), NodeUpdate { links: LinkChange::Add(-2), ..NodeUpdate::changed() })],
        vec![Change::PutRow { node: NodeId(9), page: 0, row }],
        vec![Change::PutUnlinked { node: NodeId(9), reason: UnlinkedReason::Open }],
        vec![Change::RaiseTopology; PLAN_STEPS_MAX + 1],
    ] {
        assert!(refused(&mut state, changes.clone()), "{changes:?}");
    }
    assert_eq!(state.topology, 0);
    apply(&mut state, plan(vec![], vec![Change::RaiseTopology; PLAN_STEPS_MAX])).unwrap();
    assert_eq!(state.topology, PLAN_STEPS_MAX as u64);
}

#[test]
fn an_absent_node_that_an_expectation_names_is_a_conflict() {
    let mut state = share();
    for expectation in
        [Expectation::EntryAbsent(key(9, "a")), Expectation::Linked(NodeId(9)), Expectation::Empty(NodeId(9))]
    {
        let changes = vec![made(4, NodeKind::File), entry(9, "a", 4, 5)];
        let applied = apply(&mut state, plan(vec![expectation], changes));
        assert!(matches!(applied, Err(ApplyError::Conflict)));
    }
    // A plan that deletes the node itself contradicts itself: deciding again would not help.
    apply(&mut state, plan(vec![], vec![made(9, NodeKind::Directory)])).unwrap();
    let expectation = Expectation::EntryAbsent(key(9, "a"));
    let changes = vec![Change::DeleteNode(NodeId(9)), entry(9, "a", 3, 5)];
    assert!(matches!(apply(&mut state, plan(vec![expectation], changes)), Err(ApplyError::Malformed)));
    assert!(state.nodes.slot(NodeId(9)).is_some());
}

#[test]
fn each_node_touched_is_reported_once_with_its_state_before_the_plan_and_after_it() {
    let mut state = share();
    let changes = vec![
        made(8, NodeKind::File),
        Change::UpdateNode(NodeId(3), NodeUpdate::entries_changed()),
        Change::UpdateNode(NodeId(8), NodeUpdate::changed()),
        entry(3, "a", 8, 5),
        made(4, NodeKind::File),
        Change::DeleteNode(NodeId(4)),
        Change::UpdateNode(NodeId(3), NodeUpdate::entries_changed()),
    ];
    let applied = apply(&mut state, plan(vec![], changes)).unwrap();
    let states: Vec<_> = applied
        .nodes
        .iter()
        .map(|touched| {
            (touched.id.0, touched.before.as_ref().map(|n| n.change.0), touched.after.as_ref().map(|n| n.change.0))
        })
        .collect();
    assert_eq!(states, [(3, Some(1), Some(3)), (4, None, None), (8, None, Some(2))]);
}

#[test]
fn a_map_is_read_from_the_row_that_covers_the_first_page() {
    let mut state = share();
    let holes = |pages| MapRow::Holes { version: ContentVersion(0), pages };
    let page = MapRow::Page { version: ContentVersion(0), extents: vec![] };
    let rows = [(0, holes(10)), (10, page.clone()), (11, holes(1 << 40)), (1 << 41, page)];
    let puts = rows.iter().map(|(at, row)| Change::PutRow { node: NodeId(3), page: *at, row: row.clone() });
    apply(&mut state, plan(vec![], puts.collect())).unwrap();
    for (first_page, last_page, rows_max, pages, complete) in [
        (0, 0, 9, vec![0], true),
        (9, 10, 9, vec![0, 10], true),
        (10, 10, 9, vec![10], true),
        (1 << 30, 1 << 42, 9, vec![11, 1 << 41], true),
        (1 << 30, 1 << 42, 1, vec![11], false),
        ((1 << 40) + 11, 1 << 42, 1, vec![1 << 41], true),
        ((1 << 41) + 1, u64::MAX, 9, vec![], true),
        (5, 5, 0, vec![], false),
    ] {
        let map = Some(MapQuery { node: NodeId(3), first_page, last_page, rows_max });
        let view = state.view(&Query { map, ..Query::default() }).unwrap();
        let found: Vec<u64> = view.map.rows.iter().map(|(page, _)| *page).collect();
        assert_eq!((found, view.map.complete), (pages, complete));
    }
}

#[test]
fn ancestors_that_lead_in_a_circle_are_damage_and_no_endless_loop() {
    let mut state = share();
    for (id, parent) in [(4, 5), (5, 4)] {
        let mut directory = node(id, NodeKind::Directory);
        directory.parent.directory = NodeId(parent);
        apply(&mut state, plan(vec![], vec![Change::InsertNode(Box::new(directory))])).unwrap();
    }
    let query = |id| Query { ancestors_of: Some(NodeId(id)), ..Query::default() };
    assert!(state.view(&query(4)).is_err());
    assert_eq!(state.view(&query(3)).unwrap().ancestors, [NodeId::ROOT]);
    assert!(state.view(&query(99)).unwrap().ancestors.is_empty());
}

#[test]
fn what_is_empty_keeps_no_memory_of_its_own() {
    let mut state = share();
    let row = MapRow::Holes { version: ContentVersion(0), pages: 1 };
    let stream = EntryKey { space: Space::Streams, ..key(3, "s") };
    let changes = vec![
        entry(3, "a", 3, 5),
        Change::InsertEntry { key: stream.clone(), node: NodeId(3), cookie: Cookie(6) },
        Change::PutRow { node: NodeId(3), page: 0, row },
    ];
    apply(&mut state, plan(vec![], changes)).unwrap();
    assert!(state.nodes.body(NodeId(3)).is_some());
    let changes = vec![
        Change::DeleteEntry(stream),
        Change::DeleteRow { node: NodeId(3), page: 0 },
        Change::DeleteEntry(key(3, "a")),
    ];
    apply(&mut state, plan(vec![], changes)).unwrap();
    assert!(state.nodes.body(NodeId(3)).is_none());
}
