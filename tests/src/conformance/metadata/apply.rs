//! Plans: their changes, their answers, and which are refused.

use std::sync::Arc;

use dittofs_domain::{
    Acl, ChangeId, ContentVersion, Cookie, Epoch, Node, NodeId, NodeKind, ObjectId, PlaceId, Sequence,
    access::AccessMask,
    acl::{Ace, AclFlags, Who},
    content::{MapRow, PendingTruncation},
    node::{NodeFlags, Parent},
    plan::{
        Change, Expectation, LinkChange, NodeUpdate, ObjectRecord, ObjectState, PLAN_STEPS_MAX, Plan, Reference,
        Statistics, TimeChange, UnlinkedReason,
    },
};
use dittofs_ports::{ApplyError, MetadataStore};

use super::{
    Fixture,
    expectation::assert_conflict,
    fixture::{child, node, time},
};

/// Asserts that a plan is refused for its form, and changes nothing.
async fn assert_malformed(fixture: &Fixture, plan: Plan) {
    let before = fixture.dump().await;
    let answer = fixture.try_apply(plan.clone()).await;
    assert!(matches!(answer, Err(ApplyError::Malformed)), "{answer:?} for {plan:?}");
    assert_eq!(fixture.dump().await, before, "a refused plan has changed something: {plan:?}");
}

/// One change of every kind, on a share with a directory `d` and a file `d/f`.
fn every_kind_of_change(fixture: &Fixture, directory: NodeId, file: NodeId) -> Vec<Change> {
    let (new, cookie) = (NodeId(fixture.number()), Cookie(fixture.number()));
    let holes = MapRow::Holes { version: ContentVersion(0), pages: 4 };
    let object =
        ObjectRecord { id: ObjectId(9), state: ObjectState::Writing, owner: Epoch(1), bytes: 5, place: PlaceId::HOME };
    vec![
        Change::InsertNode(Box::new(node(new, NodeKind::File, Parent { directory, cookie }))),
        Change::InsertEntry { key: child(directory, "new"), node: new, cookie },
        Change::DeleteEntry(child(directory, "f")),
        Change::UpdateNode(file, NodeUpdate { mode: Some(0o600), size: Some(9), ..NodeUpdate::changed() }),
        Change::PutRow { node: file, page: 0, row: holes },
        Change::DeleteRow { node: file, page: 7 },
        Change::PutUnlinked { node: file, reason: UnlinkedReason::Open },
        Change::PutObject(object),
        Change::InsertReference(Reference::live(ObjectId(9), file, 3)),
        Change::RaiseTopology,
        Change::Count(Statistics { bytes: 100, nodes: 10 }),
        Change::UpdateNode(directory, NodeUpdate::entries_changed()),
    ]
}

pub async fn a_conflict_changes_nothing_whatever_the_plan_holds(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let directory = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
    let file = fixture.add(directory, "f", NodeKind::File).await;
    let changes = every_kind_of_change(&fixture, directory, file);
    let mut plan = Plan { changes: changes.into(), ..Plan::at(time(2_000)) };
    plan.require(Expectation::Linked(file)).require(Expectation::Exists(NodeId(1 << 60)));
    assert_conflict(&fixture, plan.clone()).await;

    plan.expectations.pop();
    let before = fixture.dump().await;
    fixture.apply(plan).await;
    let after = fixture.dump().await;
    assert!(after.nodes.len() == before.nodes.len() + 1 && after.unlinked.len() == 1);
    assert_eq!(
        after.statistics,
        Statistics { bytes: before.statistics.bytes + 100, nodes: before.statistics.nodes + 10 }
    );
}

pub async fn a_plan_answers_each_node_touched_once_before_and_after(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let doomed = fixture.add(NodeId::ROOT, "doomed", NodeKind::File).await;
    let kept = fixture.add(NodeId::ROOT, "kept", NodeKind::File).await;
    let (root, old) = (fixture.node(NodeId::ROOT).await, fixture.node(doomed).await);
    let kept_before = fixture.node(kept).await;

    let (mut plan, new) = fixture.addition(NodeId::ROOT, "new", NodeKind::File);
    plan.change(Change::DeleteEntry(child(NodeId::ROOT, "doomed")));
    plan.change(Change::DeleteNode(doomed));
    for mode in [0o600, 0o640] {
        plan.change(Change::UpdateNode(kept, NodeUpdate { mode: Some(mode), ..NodeUpdate::changed() }));
    }
    let applied = fixture.apply(plan).await;
    assert_eq!(applied.nodes.len(), 4, "{applied:?}");
    for (id, before) in [(NodeId::ROOT, root), (doomed, old), (kept, kept_before), (new, None)] {
        let touched = applied.node(id).unwrap_or_else(|| panic!("{id:?} is missing"));
        assert_eq!(touched.before, before);
        assert_eq!(touched.after, fixture.node(id).await);
    }
    assert_eq!(applied.node(kept).unwrap().after.as_ref().unwrap().mode, 0o640);
    assert_eq!(applied.node(doomed).unwrap().after, None);
}

pub async fn an_inserted_node_is_stored_as_given(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    for kind in [
        NodeKind::File,
        NodeKind::Directory,
        NodeKind::Symlink,
        NodeKind::Fifo,
        NodeKind::Socket,
        NodeKind::BlockDevice,
        NodeKind::CharDevice,
        NodeKind::Stream,
    ] {
        let (id, cookie) = (NodeId(fixture.number()), Cookie(fixture.number()));
        let made = Node {
            mode: 0o4711,
            uid: u32::MAX,
            gid: 7,
            size: i64::MAX as u64,
            allocated: 1 << 50,
            atime: time(i64::MIN / 4),
            mtime: time(-1),
            ctime: time(5_000),
            birth: time(4_999),
            change: ChangeId(17),
            permission_version: 3,
            content_version: ContentVersion(4),
            content_seq: Sequence(5),
            times_seq: Sequence(6),
            device: dittofs_domain::node::Device { major: 8, minor: u32::MAX },
            dos_attributes: 0x20,
            create_verifier: Some([1, 2, 3, 4, 5, 6, 7, 255]),
            target: Some(Arc::from(vec![b'x'; 4_096])),
            acl: Some(longest_list()),
            xattr_bytes: 65_536,
            flags: NodeFlags::ACL | NodeFlags::STREAMS,
            pending_truncation: Some(PendingTruncation { offset: 3, version: ContentVersion(4), end_page: 9 }),
            ..node(id, kind, Parent { directory: NodeId::ROOT, cookie })
        };
        fixture.change(Change::InsertNode(Box::new(made.clone()))).await;
        assert_eq!(*fixture.node(id).await.unwrap(), made);
    }
}

/// A list as long as a client may set one.
fn longest_list() -> Arc<Acl> {
    let entry = |uid| Ace::deny(Who::User(u32::MAX - uid), AccessMask::all());
    Arc::new(Acl::new((0..186).map(entry).collect(), AclFlags::PROTECTED).unwrap())
}

pub async fn an_update_changes_what_it_names_and_nothing_else(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let parent = Parent { directory: NodeId(77), cookie: Cookie(78) };
    let pending = PendingTruncation { offset: 3, version: ContentVersion(4), end_page: 9 };
    type Edit = fn(&mut Node);
    let table: [(NodeUpdate, Edit); 21] = [
        (NodeUpdate { mode: Some(0o7751), ..NodeUpdate::default() }, |node| node.mode = 0o7751),
        (NodeUpdate { uid: Some(5), ..NodeUpdate::default() }, |node| node.uid = 5),
        (NodeUpdate { gid: Some(6), ..NodeUpdate::default() }, |node| node.gid = 6),
        (NodeUpdate { links: LinkChange::Set(9), ..NodeUpdate::default() }, |node| node.links = 9),
        (NodeUpdate { links: LinkChange::Add(3), ..NodeUpdate::default() }, |node| node.links += 3),
        (NodeUpdate { links: LinkChange::Add(-2), ..NodeUpdate::default() }, |node| node.links -= 2),
        (NodeUpdate { size: Some(1 << 40), ..NodeUpdate::default() }, |node| node.size = 1 << 40),
        (NodeUpdate { allocated: 100, ..NodeUpdate::default() }, |node| node.allocated = 100),
        (NodeUpdate { allocated: -40, ..NodeUpdate::default() }, |node| node.allocated = 60),
        (NodeUpdate { raise_permission_version: true, ..NodeUpdate::default() }, |node| node.permission_version += 1),
        (NodeUpdate { content_version: Some(ContentVersion(8)), ..NodeUpdate::default() }, |node| {
            node.content_version = ContentVersion(8)
        }),
        (NodeUpdate { content_seq: Some(Sequence(8)), ..NodeUpdate::default() }, |node| node.content_seq = Sequence(8)),
        (NodeUpdate { content_seq: Some(Sequence(7)), ..NodeUpdate::default() }, |_| {}),
        (NodeUpdate { times_seq: Some(Sequence(9)), ..NodeUpdate::default() }, |node| node.times_seq = Sequence(9)),
        (NodeUpdate { times_seq: Some(Sequence(8)), ..NodeUpdate::default() }, |_| {}),
        (NodeUpdate { birth: Some(time(-3)), ..NodeUpdate::default() }, |node| node.birth = time(-3)),
        (NodeUpdate { dos_attributes: Some(3), ..NodeUpdate::default() }, |node| node.dos_attributes = 3),
        (NodeUpdate { set_flags: NodeFlags::ACL | NodeFlags::XATTRS, ..NodeUpdate::default() }, |node| {
            node.flags = NodeFlags::ACL | NodeFlags::XATTRS
        }),
        (NodeUpdate { xattr_bytes: Some(65_536), ..NodeUpdate::default() }, |node| node.xattr_bytes = 65_536),
        (NodeUpdate { xattr_bytes: Some(0), ..NodeUpdate::default() }, |node| node.xattr_bytes = 0),
        (NodeUpdate { clear_flags: NodeFlags::ACL, ..NodeUpdate::default() }, |node| node.flags = NodeFlags::XATTRS),
    ];
    let mut expected = Node::clone(&*fixture.node(file).await.unwrap());
    for (update, edit) in table {
        edit(&mut expected);
        fixture.change(Change::UpdateNode(file, update.clone())).await;
        assert_eq!(*fixture.node(file).await.unwrap(), expected, "{update:?}");
    }
    for pending in [Some(pending), None] {
        fixture
            .change(Change::UpdateNode(file, NodeUpdate { pending_truncation: Some(pending), ..NodeUpdate::default() }))
            .await;
        expected.pending_truncation = pending;
        assert_eq!(*fixture.node(file).await.unwrap(), expected);
    }
    for acl in [Some(longest_list()), Some(Arc::new(Acl::unrestricted(AclFlags::empty()))), None] {
        let update = NodeUpdate { acl: Some(acl.clone()), ..NodeUpdate::default() };
        fixture.change(Change::UpdateNode(file, update)).await;
        expected.acl = acl;
        assert_eq!(*fixture.node(file).await.unwrap(), expected);
    }
    fixture.change(Change::UpdateNode(file, NodeUpdate { parent: Some(parent), ..NodeUpdate::default() })).await;
    assert_eq!(fixture.node(file).await.unwrap().parent, parent);
}

pub async fn times_are_kept_advanced_set_or_raised(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let stored = time(900);
    for (now, change, expected) in [
        (5_000, TimeChange::Keep, stored),
        (5_000, TimeChange::AtLeast(time(800)), stored),
        (800, TimeChange::Advance, stored.next()),
        (5_000, TimeChange::Advance, time(5_000)),
        (5_000, TimeChange::Advance, time(5_000).next()),
        (6_000, TimeChange::Set(time(-7)), time(-7)),
        (6_000, TimeChange::AtLeast(time(7)), time(7)),
        (6_000, TimeChange::AtLeast(time(6)), time(7)),
    ] {
        let mut plan = Plan::at(time(now));
        let update = NodeUpdate { atime: change, mtime: change, ..NodeUpdate::default() };
        plan.change(Change::UpdateNode(file, update));
        fixture.apply(plan).await;
        let node = fixture.node(file).await.unwrap();
        assert_eq!((node.atime, node.mtime, node.ctime), (expected, expected, stored), "{change:?} at {now}");
    }
}

pub async fn a_plan_may_have_as_many_steps_as_the_bound(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let mut plan = Plan::at(time(2_000));
    plan.require(Expectation::Exists(file));
    for page in 0..PLAN_STEPS_MAX as u64 - 1 {
        let row = MapRow::Holes { version: ContentVersion(0), pages: 1 };
        plan.change(Change::PutRow { node: file, page, row });
    }
    let mut longer = plan.clone();
    longer.change(Change::DeleteRow { node: file, page: 0 });
    assert_malformed(&fixture, longer.clone()).await;
    longer.changes.pop();
    longer.require(Expectation::Exists(file));
    assert_malformed(&fixture, longer).await;
    fixture.apply(plan).await;
    assert_eq!(fixture.rows(file).await.len(), PLAN_STEPS_MAX - 1);
}

pub async fn plans_that_contradict_themselves_are_refused(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let missing = NodeId(fixture.number());
    let touch_missing = Change::UpdateNode(missing, NodeUpdate::changed());

    let mut plan = Plan::at(time(2_000));
    for _ in 0..2 {
        let key = child(NodeId::ROOT, "twice");
        plan.change(Change::InsertEntry { key, node: file, cookie: Cookie(fixture.number()) });
    }
    assert_malformed(&fixture, plan).await;

    let mut plan = Plan::at(time(2_000));
    plan.change(Change::UpdateNode(file, NodeUpdate::changed())).change(touch_missing.clone());
    assert_malformed(&fixture, plan).await;

    let mut plan = Plan::at(time(2_000));
    plan.change(Change::DeleteEntry(child(NodeId::ROOT, "f"))).change(Change::DeleteNode(file));
    plan.change(Change::UpdateNode(file, NodeUpdate::changed()));
    assert_malformed(&fixture, plan).await;

    // An expectation that names the node says that it may have gone meanwhile.
    for expectation in [
        Expectation::Exists(missing),
        Expectation::Linked(missing),
        Expectation::PermissionVersion { node: missing, version: 0 },
        Expectation::ChangeIs { node: missing, change: ChangeId(1) },
        Expectation::LinksAre { node: missing, links: 1 },
    ] {
        let mut plan = Plan::at(time(2_000));
        plan.require(expectation).change(touch_missing.clone());
        assert_conflict(&fixture, plan).await;
    }
}

pub async fn a_known_entry_or_node_is_never_inserted_over(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let fixture = Fixture::new(&open().await).await;
    let file = fixture.add(NodeId::ROOT, "f", NodeKind::File).await;
    let other = fixture.add(NodeId::ROOT, "g", NodeKind::File).await;
    let cookie = Cookie(fixture.number());
    let parent = Parent { directory: NodeId::ROOT, cookie };
    for change in [
        Change::InsertEntry { key: child(NodeId::ROOT, "f"), node: other, cookie },
        Change::InsertNode(Box::new(node(file, NodeKind::Directory, parent))),
        Change::DeleteEntry(child(NodeId::ROOT, "missing")),
    ] {
        let before = fixture.dump().await;
        let mut plan = Plan::at(time(2_000));
        plan.change(Change::UpdateNode(other, NodeUpdate::changed())).change(change.clone());
        let answer = fixture.try_apply(plan).await;
        assert!(matches!(answer, Err(ApplyError::Malformed | ApplyError::Conflict)), "{answer:?} for {change:?}");
        assert_eq!(fixture.dump().await, before, "{change:?}");
    }
}
