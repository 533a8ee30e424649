//! Extended attributes.

use bytes::Bytes;
use dittofs_domain::{
    ChangeId, Credentials, FsError, NodeId, Sequence,
    access::AccessMask,
    attributes::Pending,
    namespace::{Context, Decision, NewKind, SetXattrs, set_xattrs},
    node::NodeFlags,
    plan::{Expectation, UnlinkedReason},
    quota::{counted, metadata_bytes},
    xattr::{SetHow, XattrChange, XattrName},
};
use rstest::rstest;

use crate::world::{ROOT, World, alice, at, bob, carol, root};

fn name(text: &str) -> XattrName {
    XattrName::new(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn setting(text: &str, value: &'static [u8]) -> SetXattrs {
    let change = XattrChange::Set { name: name(text), value: Bytes::from_static(value), how: SetHow::Either };
    SetXattrs { changes: vec![change], ..SetXattrs::default() }
}

fn removing(change: XattrChange) -> SetXattrs {
    SetXattrs { changes: vec![change], ..SetXattrs::default() }
}

fn decide(world: &World, who: &Credentials, node: NodeId, request: &SetXattrs) -> Result<Decision, FsError> {
    let context = Context { credentials: who, now: at(2_000) };
    set_xattrs::decide(&world.store.view(&set_xattrs::query(node)), node, request, None, &context)
}

fn change(world: &mut World, who: &Credentials, node: NodeId, request: &SetXattrs) -> Result<(), FsError> {
    let plan = decide(world, who, node, request)?.plan;
    world.store.apply(&plan).unwrap();
    world.store.check();
    Ok(())
}

/// A world with a file of Alice's that everybody may read.
fn world() -> (World, NodeId) {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.tamper(file, |node| node.mode = 0o644);
    (world, file)
}

#[rstest]
#[case::owner(alice(), Ok(()))]
#[case::root(root(), Ok(()))]
#[case::group(carol(), Err(FsError::Access))]
#[case::other(bob(), Err(FsError::Access))]
fn they_are_changed_by_who_may_write(#[case] who: Credentials, #[case] expected: Result<(), FsError>) {
    let (mut world, file) = world();
    assert_eq!(change(&mut world, &who, file, &setting("a", b"1")), expected);
    assert_eq!(world.store.xattrs.contains_key(&file), expected.is_ok());
    let held = SetXattrs { held: AccessMask::WRITE_NAMED_ATTRS, ..setting("b", b"2") };
    assert_eq!(change(&mut world, &who, file, &held), Ok(()), "an open keeps what it was granted");
}

#[rstest]
#[case(NewKind::Symlink((*b"t").into()))]
#[case(NewKind::Fifo)]
#[case(NewKind::Socket)]
fn only_files_and_directories_have_them(#[case] kind: NewKind) {
    let mut world = World::new();
    let node = world.make(&root(), ROOT, "n", kind).unwrap();
    assert_eq!(change(&mut world, &root(), node, &setting("a", b"1")), Err(FsError::BadType));
    let directory = world.make(&root(), ROOT, "d", NewKind::Directory).unwrap();
    assert_eq!(change(&mut world, &root(), directory, &setting("a", b"1")), Ok(()));
}

#[test]
fn a_change_of_them_is_one_of_the_node_and_counts() {
    let (mut world, file) = world();
    let before = world.node(file).clone();
    let plan = decide(&world, &alice(), file, &setting("abc", b"1234")).unwrap().plan;
    assert_eq!(counted(&plan.changes).bytes, 5 + 3 + 4);
    world.store.apply(&plan).unwrap();
    let after = world.node(file);
    assert_eq!(after.ctime, at(2_000));
    assert!(after.change > before.change && after.flags.contains(NodeFlags::XATTRS));
    assert_eq!((after.mtime, after.permission_version), (before.mtime, before.permission_version));
    assert_eq!(metadata_bytes(after) - metadata_bytes(&before), 12);
    change(&mut world, &alice(), file, &removing(XattrChange::Remove(name("ABC")))).unwrap();
    let after = world.node(file);
    assert_eq!((after.xattr_bytes, after.flags), (0, NodeFlags::empty()));
    let nothing = decide(&world, &alice(), file, &removing(XattrChange::RemoveAny(name("abc")))).unwrap();
    assert!(nothing.plan.changes.is_empty(), "what is not there need not be removed");
    let missing = removing(XattrChange::Remove(name("abc")));
    assert_eq!(change(&mut world, &alice(), file, &missing), Err(FsError::NoAttribute));
}

#[test]
fn the_same_value_once_more_is_a_change() {
    let (mut world, file) = world();
    change(&mut world, &alice(), file, &setting("a", b"1")).unwrap();
    let plan = decide(&world, &alice(), file, &setting("a", b"1")).unwrap().plan;
    assert!(!plan.changes.is_empty());
}

#[test]
fn of_two_that_saw_the_same_one_is_a_conflict_and_others_are_not() {
    let (mut world, file) = world();
    change(&mut world, &alice(), file, &setting("a", b"1")).unwrap();
    let second = decide(&world, &alice(), file, &setting("b", b"2")).unwrap().plan;
    let third = decide(&world, &alice(), file, &setting("c", b"3")).unwrap().plan;
    // What else changes about the file does not matter.
    world
        .set(&alice(), file, dittofs_domain::namespace::SetAttributes { dos_attributes: Some(1), ..Default::default() })
        .unwrap();
    world.store.apply(&second).unwrap();
    let conflict = world.store.apply(&third).unwrap_err();
    assert!(matches!(conflict.0, Expectation::XattrsAre { version: Some(_), .. }), "{conflict:?}");
}

/// They were removed and others were set meanwhile: a version is never met twice.
#[test]
fn attributes_that_came_back_are_others() {
    let (mut world, file) = world();
    change(&mut world, &alice(), file, &setting("a", b"1")).unwrap();
    let late = decide(&world, &alice(), file, &setting("b", b"2")).unwrap().plan;
    change(&mut world, &alice(), file, &removing(XattrChange::Remove(name("a")))).unwrap();
    change(&mut world, &alice(), file, &setting("a", b"1")).unwrap();
    assert!(world.store.apply(&late).is_err());
}

#[test]
fn a_change_is_seen_by_who_was_shown_unflushed_bytes() {
    let (mut world, file) = world();
    let shown = Some((ChangeId(50), at(9_000)));
    let pending = Pending { shown, times: Some((at(9_000), Sequence(1))), ..Pending::default() };
    let view = world.store.view(&set_xattrs::query(file));
    let context = Context { credentials: &alice(), now: at(2_000) };
    let decision = set_xattrs::decide(&view, file, &setting("a", b"1"), Some(&pending), &context).unwrap();
    world.store.apply(&decision.plan).unwrap();
    let node = world.node(file);
    assert!(node.change > ChangeId(50) && node.ctime > at(9_000), "{node:?}");
}

#[test]
fn a_file_with_attributes_is_left_to_the_reaper() {
    let (mut world, file) = world();
    change(&mut world, &alice(), file, &setting("a", b"1")).unwrap();
    world.unlink(&alice(), ROOT, "f").unwrap();
    assert_eq!(world.store.unlinked[&file], UnlinkedReason::Reaping);
}
