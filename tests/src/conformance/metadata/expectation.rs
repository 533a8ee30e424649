//! Every expectation, where it holds and where it fails.

use std::{slice::from_ref, sync::Arc};

use dittofs_domain::{
    ChangeId, ContentVersion, Cookie, Epoch, NodeId, NodeKind, ObjectId, PlaceId,
    content::PendingTruncation,
    node::NodeFlags,
    plan::{
        Change, EntryKey, Expectation, LinkChange, NodeUpdate, ObjectRecord, ObjectState, Plan, Query, Reference,
        Space, UnlinkedReason,
    },
};
use dittofs_ports::{ApplyError, MetadataStore};

use super::{
    Fixture,
    fixture::{child, name, time},
};

const MISSING: NodeId = NodeId(i64::MAX as u64 - 1);

/// Asserts of each expectation whether a plan with it is applied; where it is not, that nothing has changed.
pub(super) async fn assert_holds(fixture: &Fixture, holds: &[Expectation], fails: &[Expectation]) {
    for expectation in holds {
        let mut plan = Plan::at(time(2_000));
        plan.require(expectation.clone());
        plan.change(Change::UpdateNode(NodeId::ROOT, NodeUpdate { uid: Some(7), ..NodeUpdate::changed() }));
        let before = fixture.node(NodeId::ROOT).await.unwrap();
        let answer = fixture.try_apply(plan).await;
        assert!(answer.is_ok(), "{expectation:?} holds, but: {answer:?}");
        assert!(fixture.node(NodeId::ROOT).await.unwrap().change > before.change);
    }
    for expectation in fails {
        for position in [0, holds.len()] {
            // Among expectations that hold, the failing one first or last.
            let mut expectations = holds.to_vec();
            expectations.insert(position, expectation.clone());
            let mut plan = Plan { expectations: expectations.into(), ..Plan::at(time(2_000)) };
            plan.change(Change::UpdateNode(NodeId::ROOT, NodeUpdate { uid: Some(9), ..NodeUpdate::changed() }));
            assert_conflict(fixture, plan).await;
        }
    }
}

/// Asserts that a plan is refused with a conflict, and changes nothing.
pub(super) async fn assert_conflict(fixture: &Fixture, plan: Plan) {
    let before = fixture.dump().await;
    let answer = fixture.try_apply(plan.clone()).await;
    assert!(matches!(answer, Err(ApplyError::Conflict)), "{answer:?} for {plan:?}");
    assert_eq!(fixture.dump().await, before, "a refused plan has changed something: {plan:?}");
}

pub async fn an_entry_is_absent_until_it_is_added(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    fixture.add(directory, "taken", NodeKind::File).await;
    let stream = EntryKey { directory, space: Space::Streams, name: name("taken") };
    let absent = [
        child(directory, "free"),
        child(directory, "TAKEN"),
        child(directory, "taken2"),
        child(NodeId::ROOT, "taken"),
        stream,
    ];
    let holds = absent.map(Expectation::EntryAbsent);
    let fails = [child(directory, "taken"), child(NodeId::ROOT, "d")].map(Expectation::EntryAbsent);
    assert_holds(&fixture, &holds, &fails).await;
}

pub async fn an_entry_is_where_it_leads_and_its_cookie(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let node = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let other = fixture.add(NodeId::ROOT, "g", NodeKind::File).await;
    let cookie = fixture.entry(NodeId::ROOT, "f").await.unwrap().cookie;
    let is = |text: &str, node, cookie| Expectation::EntryIs { key: child(NodeId::ROOT, text), node, cookie };
    let fails = [
        is("f", other, cookie),
        is("f", node, Cookie(cookie.0 + 1)),
        is("g", node, cookie),
        is("missing", node, cookie),
        Expectation::EntryIs { key: child(node, "f"), node, cookie },
    ];
    assert_holds(&fixture, &[is("f", node, cookie)], &fails).await;
}

pub async fn a_node_exists_with_or_without_a_name(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let named = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let nameless = fixture.add(NodeId::ROOT, "g", NodeKind::File).await;
    unlink(&fixture, "g", nameless).await;
    let exist = [NodeId::ROOT, named, nameless].map(Expectation::Exists);
    assert_holds(&fixture, &exist, &[Expectation::Exists(MISSING)]).await;
    let linked = [NodeId::ROOT, named].map(Expectation::Linked);
    assert_holds(&fixture, &linked, &[nameless, MISSING].map(Expectation::Linked)).await;
}

async fn unlink(fixture: &Fixture, text: &str, node: NodeId) {
    let mut plan = Plan::at(time(1_500));
    plan.change(Change::DeleteEntry(child(NodeId::ROOT, text)));
    let update = NodeUpdate { links: LinkChange::Set(0), set_flags: NodeFlags::UNLINKED, ..NodeUpdate::changed() };
    plan.change(Change::UpdateNode(node, update));
    plan.change(Change::PutUnlinked { node, reason: UnlinkedReason::Open });
    fixture.apply(plan).await;
}

pub async fn links_are_an_exact_number(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let node = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let links = |node, links| Expectation::LinksAre { node, links };
    assert_holds(&fixture, &[links(node, 1)], &[links(node, 0), links(node, 2), links(MISSING, 1)]).await;
    let update = NodeUpdate { links: LinkChange::Set(2), ..NodeUpdate::changed() };
    fixture.change(Change::UpdateNode(node, update)).await;
    assert_holds(&fixture, &[links(node, 2)], &[links(node, 1), links(node, 3)]).await;
}

pub async fn a_directory_is_empty_until_an_entry_is_added(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let empty = Expectation::Empty(directory);
    let full = Expectation::Empty(NodeId::ROOT);
    assert_holds(&fixture, from_ref(&empty), from_ref(&full)).await;
    fixture.add(directory, "f", NodeKind::File).await;
    assert_holds(&fixture, &[], &[empty.clone(), full]).await;
    fixture.change(Change::DeleteEntry(child(directory, "f"))).await;
    assert_holds(&fixture, &[empty], &[]).await;
}

pub async fn a_parent_is_the_one_directory(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let upper = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let lower = fixture.add(upper, "e", NodeKind::Directory).await;
    let parent = |node, parent| Expectation::ParentIs { node, parent };
    let holds = [parent(lower, upper), parent(upper, NodeId::ROOT)];
    let fails = [parent(lower, NodeId::ROOT), parent(upper, lower), parent(MISSING, upper)];
    assert_holds(&fixture, &holds, &fails).await;
}

pub async fn topology_stands_until_it_is_raised(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let before = fixture.view(Query::default()).await.topology;
    fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let fails = [Expectation::Topology(before + 1), Expectation::Topology(before.wrapping_sub(1))];
    assert_holds(&fixture, &[Expectation::Topology(before)], &fails).await;
    fixture.change(Change::RaiseTopology).await;
    let after = fixture.view(Query::default()).await.topology;
    assert!(after > before);
    assert_holds(&fixture, &[Expectation::Topology(after)], &[Expectation::Topology(before)]).await;
}

pub async fn versions_of_a_node_stand_until_they_are_raised(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let node = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let permission = |node, version| Expectation::PermissionVersion { node, version };
    let content = |node, version| Expectation::ContentVersion { node, version: ContentVersion(version) };
    let change = |node, change| Expectation::ChangeIs { node, change: ChangeId(change) };
    let holds = [permission(node, 0), content(node, 0), change(node, 1), Expectation::NoRows(node)];
    let fails = [
        permission(node, 1),
        content(node, 1),
        change(node, 0),
        change(node, 2),
        permission(MISSING, 0),
        content(MISSING, 0),
        change(MISSING, 1),
        Expectation::NoRows(MISSING),
    ];
    assert_holds(&fixture, &holds, &fails).await;

    let update = NodeUpdate {
        raise_permission_version: true,
        content_version: Some(ContentVersion(5)),
        ..NodeUpdate::changed()
    };
    fixture.change(Change::UpdateNode(node, update)).await;
    let stored = fixture.node(node).await.unwrap().change.0;
    let now = [permission(node, 1), content(node, 5), change(node, stored)];
    assert_holds(&fixture, &now, &[permission(node, 0), content(node, 0), change(node, 1)]).await;

    let pending_truncation = Some(Some(PendingTruncation { offset: 0, version: ContentVersion(5), end_page: 1 }));
    fixture.change(Change::UpdateNode(node, NodeUpdate { pending_truncation, ..NodeUpdate::default() })).await;
    assert_holds(&fixture, &[change(node, stored)], &[Expectation::NoRows(node)]).await;
}

pub async fn an_object_is_usable_while_live_or_written_by_the_same_epoch(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    let fixture = Fixture::new(&open().await).await;
    let [writing, live, deleted, unknown] = [1, 2, 3, 4].map(ObjectId);
    for (id, state) in
        [(writing, ObjectState::Writing), (live, ObjectState::Live), (deleted, ObjectState::PendingDelete)]
    {
        fixture
            .change(Change::PutObject(ObjectRecord { id, state, owner: Epoch(5), bytes: 10, place: PlaceId::HOME }))
            .await;
    }
    let usable = |object, epoch| Expectation::ObjectUsable { object, epoch: Epoch(epoch) };
    let holds = [usable(live, 5), usable(live, 6), usable(writing, 5)];
    let fails = [usable(writing, 6), usable(writing, 4), usable(deleted, 5), usable(unknown, 5)];
    assert_holds(&fixture, &holds, &fails).await;

    let state = |object, state| Expectation::ObjectState { object, state };
    let holds = [
        state(writing, ObjectState::Writing),
        state(live, ObjectState::Live),
        state(deleted, ObjectState::PendingDelete),
    ];
    let fails = [
        state(writing, ObjectState::Live),
        state(live, ObjectState::PendingDelete),
        state(deleted, ObjectState::Writing),
        state(unknown, ObjectState::Writing),
    ];
    assert_holds(&fixture, &holds, &fails).await;
}

pub async fn an_object_is_unreferenced_until_a_chunk_refers_to_it(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let node = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let [one, two] = [1, 2].map(ObjectId);
    for id in [one, two] {
        let record = ObjectRecord { id, state: ObjectState::Live, owner: Epoch(5), bytes: 10, place: PlaceId::HOME };
        fixture.change(Change::PutObject(record)).await;
    }
    let [free, other] = [one, two].map(Expectation::Unreferenced);
    assert_holds(&fixture, &[free.clone(), other.clone()], &[]).await;
    for chunk in [0, 7, 7] {
        fixture.change(Change::InsertReference(Reference::live(one, node, chunk))).await;
    }
    assert_holds(&fixture, &[other], from_ref(&free)).await;
    fixture.change(Change::DeleteReference(Reference::live(one, node, 7))).await;
    assert_holds(&fixture, &[], from_ref(&free)).await;
    fixture.change(Change::DeleteReference(Reference::live(one, node, 0))).await;
    assert_holds(&fixture, &[free], &[]).await;
}

pub async fn expectations_are_checked_before_the_first_change(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let node = fixture.add(directory, "f", NodeKind::File).await;
    let cookie = fixture.entry(directory, "f").await.unwrap().cookie;

    // A state that only the plan itself brings about does not count.
    let mut plan = Plan::at(time(2_000));
    plan.require(Expectation::Empty(directory)).change(Change::DeleteEntry(child(directory, "f")));
    assert_conflict(&fixture, plan).await;
    let mut plan = Plan::at(time(2_000));
    plan.require(Expectation::LinksAre { node, links: 2 });
    plan.change(Change::UpdateNode(node, NodeUpdate { links: LinkChange::Set(2), ..NodeUpdate::changed() }));
    assert_conflict(&fixture, plan).await;

    // A state that the plan itself removes still counts.
    let mut plan = Plan::at(time(2_000));
    plan.require(Expectation::EntryIs { key: child(directory, "f"), node, cookie });
    plan.require(Expectation::EntryAbsent(child(directory, "g")));
    plan.change(Change::DeleteEntry(child(directory, "f")));
    plan.change(Change::InsertEntry { key: child(directory, "g"), node, cookie });
    fixture.apply(plan).await;
    assert_eq!(fixture.entry(directory, "g").await.unwrap().node.id, node);
    assert!(fixture.entry(directory, "f").await.is_none());
}
