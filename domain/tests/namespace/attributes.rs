//! SETATTR, and what a write does to SUID and SGID.

use dittofs_domain::{
    ChangeId, ContentVersion, Credentials, FsError, NodeId, Sequence, Timestamp,
    attributes::{Pending, overlay},
    content::{FILE_BYTES_MAX, PendingTruncation},
    namespace::{Context, Decision, NewKind, Resize, SetAttributes, SetTime, clear_privileges, set_attributes},
    plan::{Change, Expectation, Plan},
};
use rstest::rstest;

use crate::world::{ROOT, World, alice, at, bob, carol, resize, root};

fn mode(mode: u16) -> SetAttributes {
    SetAttributes { mode: Some(mode), ..Default::default() }
}

fn owner(uid: Option<u32>, gid: Option<u32>) -> SetAttributes {
    SetAttributes { uid, gid, ..Default::default() }
}

fn times(atime: SetTime, mtime: SetTime) -> SetAttributes {
    SetAttributes { atime, mtime, ..Default::default() }
}

/// A world with a file of Alice's.
fn world(bits: u16) -> (World, NodeId) {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.tamper(file, |node| node.mode = bits);
    (world, file)
}

#[rstest]
#[case::owner(alice(), 0o640, Ok(0o640))]
#[case::root(root(), 0o640, Ok(0o640))]
#[case::root_may_give_sgid(root(), 0o6755, Ok(0o6755))]
#[case::group_member_may_not(carol(), 0o640, Err(FsError::NotPermitted))]
#[case::other_may_not(bob(), 0o640, Err(FsError::NotPermitted))]
#[case::owner_in_group_may_give_sgid(alice(), 0o6755, Ok(0o6755))]
#[case::sticky_stays_on_files(alice(), 0o1644, Ok(0o1644))]
#[case::more_bits_than_there_are(alice(), 0o170_644, Ok(0o644))]
fn chmod_is_for_the_owner(#[case] who: Credentials, #[case] bits: u16, #[case] result: Result<u16, FsError>) {
    let (mut world, file) = world(0o666);
    let changed = world.set(&who, file, mode(bits));
    assert_eq!(changed.map(|id| world.node(id).mode), result);
    let (version, ctime) = if result.is_ok() { (1, at(1002)) } else { (0, at(1001)) };
    assert_eq!((world.node(file).permission_version, world.node(file).ctime), (version, ctime));
    assert_eq!(world.node(file).mtime, at(1001));
}

#[rstest]
#[case::owner(alice())]
#[case::root(root())]
#[case::other(bob())]
fn chmod_of_a_symlink_is_taken_and_changes_nothing(#[case] who: Credentials) {
    let mut world = World::new();
    let link = world.make(&alice(), ROOT, "l", NewKind::Symlink((*b"t").into())).unwrap();
    let before = world.store.clone();
    world.set(&who, link, mode(0o600)).unwrap();
    assert_eq!(world.store, before);
}

#[test]
fn chmod_of_a_symlink_leaves_what_else_was_asked_for() {
    let mut world = World::new();
    let link = world.make(&alice(), ROOT, "l", NewKind::Symlink((*b"t").into())).unwrap();
    let asked = SetAttributes { mode: Some(0o600), ..owner(Some(7), Some(8)) };
    assert_eq!(world.set(&bob(), link, asked.clone()), Err(FsError::NotPermitted));
    world.set(&root(), link, asked).unwrap();
    let node = world.node(link);
    assert_eq!((node.mode, node.uid, node.gid), (0o777, 7, 8));
}

#[rstest]
#[case(Some(u32::MAX), None)]
#[case(None, Some(u32::MAX))]
#[case(Some(7), Some(u32::MAX))]
fn chown_to_no_id_is_refused(#[case] uid: Option<u32>, #[case] gid: Option<u32>) {
    for who in [root(), alice(), bob()] {
        let (mut world, file) = world(0o644);
        assert_eq!(world.set(&who, file, owner(uid, gid)), Err(FsError::Invalid));
    }
}

#[rstest]
#[case::file(NewKind::File)]
#[case::directory(NewKind::Directory)]
fn chmod_outside_the_group_clears_sgid(#[case] kind: NewKind) {
    let mut world = World::new();
    let node = world.make(&alice(), ROOT, "n", kind).unwrap();
    world.tamper(node, |node| node.gid = 555);
    world.set(&alice(), node, mode(0o2755)).unwrap();
    assert_eq!(world.node(node).mode, 0o755);
}

#[test]
fn chmod_to_the_same_bits_advances_ctime_only() {
    let (mut world, file) = world(0o644);
    world.set(&alice(), file, mode(0o644)).unwrap();
    assert_eq!((world.node(file).ctime, world.node(file).permission_version), (at(1002), 0));
}

#[rstest]
#[case::root_gives_all(root(), Some(7), Some(8), Ok((7, 8)))]
#[case::owner_gives_own_group(Credentials { groups: [8].into_iter().collect(), ..alice() }, None, Some(8), Ok((1000, 8)))]
#[case::owner_gives_the_same(alice(), Some(1000), Some(100), Ok((1000, 100)))]
#[case::owner_gives_foreign_group(alice(), None, Some(8), Err(FsError::NotPermitted))]
#[case::owner_gives_away(alice(), Some(7), None, Err(FsError::NotPermitted))]
#[case::other_gives_the_same(bob(), Some(1000), None, Err(FsError::NotPermitted))]
#[case::other_gives_own_group(bob(), None, Some(101), Err(FsError::NotPermitted))]
fn chown_is_restricted(
    #[case] who: Credentials,
    #[case] uid: Option<u32>,
    #[case] gid: Option<u32>,
    #[case] result: Result<(u32, u32), FsError>,
) {
    let (mut world, file) = world(0o666);
    let changed = world.set(&who, file, owner(uid, gid));
    assert_eq!(changed.map(|id| (world.node(id).uid, world.node(id).gid)), result);
}

#[rstest]
#[case::root_clears_too(root(), 0o6755, 0o755)]
#[case::owner(alice(), 0o6755, 0o755)]
#[case::sgid_without_group_execute_stays(alice(), 0o6745, 0o2745)]
#[case::sgid_of_a_foreign_group_goes(Credentials::user(1000, 9), 0o6745, 0o745)]
fn chown_clears_suid_and_sgid(#[case] who: Credentials, #[case] before: u16, #[case] after: u16) {
    let (mut world, file) = world(before);
    world.set(&who, file, owner(Some(1000), None)).unwrap();
    assert_eq!(world.node(file).mode, after);
    let (mut world, file) = self::world(before);
    world.set(&who, file, owner(None, Some(100))).unwrap();
    assert_eq!(world.node(file).mode, after);
}

#[test]
fn chown_of_a_directory_keeps_its_bits() {
    let mut world = World::new();
    let dir = world.mkdir(&alice(), ROOT, "d");
    world.chmod(dir, 0o6755);
    world.set(&root(), dir, owner(Some(7), Some(8))).unwrap();
    assert_eq!(world.node(dir).mode, 0o6755);
}

#[rstest]
#[case::owner_gives_times(alice(), 0, SetTime::To(at(5)), Ok(at(5)))]
#[case::owner_without_write_takes_now(alice(), 0, SetTime::Now, Ok(at(1002)))]
#[case::root_gives_times(root(), 0, SetTime::To(at(5)), Ok(at(5)))]
#[case::writer_takes_now(bob(), 0o666, SetTime::Now, Ok(at(1002)))]
#[case::writer_gives_times(bob(), 0o666, SetTime::To(at(5)), Err(FsError::NotPermitted))]
#[case::reader_takes_now(bob(), 0o644, SetTime::Now, Err(FsError::Access))]
#[case::reader_gives_times(bob(), 0o644, SetTime::To(at(5)), Err(FsError::NotPermitted))]
fn times_are_for_the_owner_and_now_for_writers(
    #[case] who: Credentials,
    #[case] bits: u16,
    #[case] time: SetTime,
    #[case] result: Result<Timestamp, FsError>,
) {
    let (mut world, file) = world(bits);
    let set = world.set(&who, file, times(SetTime::Keep, time));
    assert_eq!(set.map(|id| world.node(id).mtime), result);
    assert_eq!(world.node(file).atime, at(1001));
    let set = world.set(&who, file, times(time, SetTime::Keep));
    assert_eq!(set.is_ok(), result.is_ok());
    if result.is_ok() {
        assert_eq!(world.node(file).ctime, at(1003));
    }
}

#[test]
fn dos_attributes_are_for_the_owner() {
    let (mut world, file) = world(0o666);
    let request = SetAttributes { dos_attributes: Some(0x20), ..Default::default() };
    assert_eq!(world.set(&bob(), file, request.clone()), Err(FsError::Access));
    world.set(&alice(), file, request).unwrap();
    assert_eq!(world.node(file).dos_attributes, 0x20);
}

#[test]
fn request_that_sets_nothing_changes_nothing() {
    let (mut world, file) = world(0o644);
    let before = world.store.clone();
    let guard = Some(world.node(file).ctime);
    world.set(&bob(), file, SetAttributes { guard, ..Default::default() }).unwrap();
    assert_eq!(world.store, before);
    assert_eq!(world.set(&bob(), NodeId(99), mode(0)), Err(FsError::Stale));
}

#[rstest]
#[case::owner_always(alice(), 0, Ok(()))]
#[case::writer(bob(), 0o602, Ok(()))]
#[case::reader(bob(), 0o644, Err(FsError::Access))]
fn truncate_needs_write_or_the_owner(#[case] who: Credentials, #[case] bits: u16, #[case] result: Result<(), FsError>) {
    let (mut world, file) = world(bits);
    assert_eq!(world.set(&who, file, SetAttributes::size(10)).map(drop), result);
}

#[rstest]
#[case::directory(NewKind::Directory, 0, FsError::IsDirectory)]
#[case::symlink(NewKind::Symlink((*b"t").into()), 0, FsError::Invalid)]
#[case::fifo(NewKind::Fifo, 0, FsError::Invalid)]
#[case::too_large(NewKind::File, FILE_BYTES_MAX + 1, FsError::TooLarge)]
fn truncate_refuses(#[case] kind: NewKind, #[case] size: u64, #[case] error: FsError) {
    let mut world = World::new();
    let node = world.make(&alice(), ROOT, "n", kind).unwrap();
    assert_eq!(world.set(&alice(), node, SetAttributes::size(size)), Err(error));
}

#[test]
fn truncate_to_the_same_size_still_updates_times() {
    let (mut world, file) = world(0o644);
    world.set(&alice(), file, SetAttributes::size(0)).unwrap();
    assert_eq!((world.node(file).mtime, world.node(file).ctime), (at(1002), at(1002)));
    world.set(&alice(), file, times(SetTime::Keep, SetTime::To(at(9_000)))).unwrap();
    world.set(&alice(), file, SetAttributes::size(0)).unwrap();
    assert_eq!(world.node(file).mtime, at(1004), "not even where the time before lies ahead");
}

#[rstest]
#[case::other(bob(), 0o6777, 0o777)]
#[case::owner(alice(), 0o6777, 0o777)]
#[case::sgid_without_group_execute(alice(), 0o6767, 0o2767)]
#[case::root(root(), 0o6777, 0o6777)]
fn truncate_by_others_than_root_clears_suid_and_sgid(#[case] who: Credentials, #[case] from: u16, #[case] to: u16) {
    let (mut world, file) = world(from);
    world.set(&who, file, SetAttributes::size(3)).unwrap();
    assert_eq!(world.node(file).mode, to);
}

#[test]
fn size_and_mode_are_one_change() {
    let (mut world, file) = world(0o644);
    world.set(&alice(), file, SetAttributes { size: Some(5), ..mode(0o4600) }).unwrap();
    let node = world.node(file);
    assert_eq!((node.size, node.mode, node.content_version, node.change.0), (5, 0o4600, ContentVersion(1), 2));
}

#[test]
fn resize_gives_rows_allocation_and_pending_truncation() {
    let (mut world, file) = world(0o644);
    world.tamper(file, |node| node.allocated = 10);
    let pending = PendingTruncation { offset: 4, version: ContentVersion(1), end_page: 9 };
    let view = world.store.view(&set_attributes::query(file));
    let alice = alice();
    let context = Context { credentials: &alice, now: at(2000) };
    let request = SetAttributes::size(4);
    let resize = Resize {
        allocated: -6,
        pending_truncation: Some(Some(pending)),
        raises_content_version: false,
        ..resize(file, 4)
    };
    let decision = set_attributes::decide(&view, file, &request, None, &context, Some(resize)).unwrap();
    let version = ContentVersion(0);
    assert!(decision.plan.expectations.contains(&Expectation::ContentVersion { node: file, version }));
    world.store.apply(&decision.plan).unwrap();
    let node = world.node(file);
    assert_eq!(
        (node.size, node.allocated, node.pending_truncation, node.content_version),
        (4, 4, Some(pending), version)
    );

    let without = set_attributes::decide(&view, file, &request, None, &context, None);
    assert_eq!(without, Err(FsError::Invalid));
}

fn set_with(
    world: &World,
    file: NodeId,
    request: &SetAttributes,
    pending: Option<&Pending>,
    now: Timestamp,
) -> Result<Decision, FsError> {
    let alice = alice();
    let context = Context { credentials: &alice, now };
    let view = world.store.view(&set_attributes::query(file));
    set_attributes::check(world.node(file), request, pending, &context)?;
    let resize = request.size.map(|size| resize(file, size));
    set_attributes::decide(&view, file, request, pending, &context, resize)
}

fn pending() -> Pending {
    Pending {
        size: 7,
        bytes: 7,
        times: Some((at(3_000), Sequence(5))),
        shown: Some((ChangeId(77), at(3_000))),
        atime: Some(at(2_500)),
    }
}

#[rstest]
#[case::stored(None, at(1001), Ok(()))]
#[case::another(None, at(1000), Err(FsError::NotSync))]
#[case::shown(Some(pending()), at(3_000), Ok(()))]
#[case::stored_where_another_is_shown(Some(pending()), at(1001), Err(FsError::NotSync))]
fn guard_compares_what_clients_see(
    #[case] pending: Option<Pending>,
    #[case] guard: Timestamp,
    #[case] result: Result<(), FsError>,
) {
    let (world, file) = world(0o644);
    let request = SetAttributes { guard: Some(guard), ..mode(0o600) };
    let decided = set_with(&world, file, &request, pending.as_ref(), at(4_000));
    let change = world.node(file).change;
    if let Ok(decision) = &decided {
        assert!(decision.plan.expectations.contains(&Expectation::ChangeIs { node: file, change }));
    }
    assert_eq!(decided.map(drop), result);
}

#[rstest]
#[case::mode(mode(0o600), at(3_000), at(2_500))]
#[case::given_mtime(times(SetTime::Keep, SetTime::To(at(5))), at(5), at(2_500))]
#[case::given_atime(times(SetTime::To(at(5)), SetTime::Keep), at(3_000), at(5))]
#[case::now(times(SetTime::Now, SetTime::Now), at(4_000), at(4_000))]
#[case::size(SetAttributes::size(7), at(4_000), at(2_500))]
fn shown_times_become_the_nodes_own(
    #[case] request: SetAttributes,
    #[case] mtime: Timestamp,
    #[case] atime: Timestamp,
) {
    let (mut world, file) = world(0o644);
    let pending = pending();
    let decision = set_with(&world, file, &request, Some(&pending), at(4_000)).unwrap();
    world.store.apply(&decision.plan).unwrap();
    let node = world.node(file);
    assert_eq!((node.mtime, node.atime, node.times_seq), (mtime, atime, Sequence(5)));
    assert_eq!((node.ctime, node.change), (at(4_000), ChangeId(78)));
    let shown = overlay(node, Some(&pending));
    assert_eq!((shown.mtime, shown.ctime, shown.change), (mtime, at(4_000), ChangeId(78)));
}

#[test]
fn times_of_records_before_the_last_setattr_are_not_folded() {
    let (mut world, file) = world(0o644);
    world.tamper(file, |node| node.times_seq = Sequence(5));
    let decision = set_with(&world, file, &mode(0o600), Some(&pending()), at(4_000)).unwrap();
    world.store.apply(&decision.plan).unwrap();
    assert_eq!(world.node(file).mtime, at(1001));
}

#[test]
fn ctime_and_change_rise_above_what_was_shown_though_the_clock_runs_back() {
    let (mut world, file) = world(0o644);
    let decision = set_with(&world, file, &mode(0o600), Some(&pending()), at(10)).unwrap();
    world.store.apply(&decision.plan).unwrap();
    assert_eq!((world.node(file).ctime, world.node(file).change), (at(3_000).next(), ChangeId(78)));
}

#[test]
fn plan_that_does_not_change_the_node_is_not_raised() {
    let mut plan = Plan::at(at(10));
    plan.change(Change::DeleteNode(NodeId(9)));
    let before = plan.clone();
    dittofs_domain::namespace::raise_above_shown(&mut plan, NodeId(9), Some(&pending()));
    assert_eq!(plan, before);
}

#[rstest]
#[case::owner(alice(), 0o6755, Some(0o755))]
#[case::other(bob(), 0o4777, Some(0o777))]
#[case::sgid_without_group_execute_stays(alice(), 0o6745, Some(0o2745))]
#[case::sgid_of_a_foreign_group_goes(bob(), 0o2766, Some(0o766))]
#[case::nothing_to_clear(alice(), 0o755, None)]
#[case::root(root(), 0o6755, None)]
fn write_clears_suid_and_sgid(#[case] who: Credentials, #[case] before: u16, #[case] after: Option<u16>) {
    let (mut world, file) = world(before);
    let context = Context { credentials: &who, now: at(2000) };
    let view = world.store.view(&clear_privileges::query(file));
    let decided = clear_privileges::decide(&view, file, Some(&pending()), &context).unwrap();
    assert_eq!(decided.is_some(), after.is_some());
    if let Some(decision) = decided {
        world.store.apply(&decision.plan).unwrap();
        let node = world.node(file);
        assert_eq!((Some(node.mode), node.permission_version), (after, 1));
        assert_eq!((node.ctime, node.change), (at(3_000).next(), ChangeId(78)));
    }
    let stale = clear_privileges::decide(&view, NodeId(99), None, &context);
    assert_eq!(stale, Err(FsError::Stale));
}
