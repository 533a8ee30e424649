//! REMOVE and RMDIR.

use dittofs_domain::{
    ContentVersion, Credentials, FsError, NodeId,
    content::PendingTruncation,
    namespace::{NewKind, RemoveKind, SetAttributes},
    node::{Node, NodeFlags},
    plan::{EntryKey, Expectation, UnlinkedReason},
};
use rstest::rstest;

use crate::world::{Call, ROOT, World, alice, at, bob, carol, name, remove_op, root};

const PENDING: PendingTruncation = PendingTruncation { offset: 0, version: ContentVersion(0), end_page: 1 };

#[test]
fn remove_of_an_empty_file_deletes_it_and_advances_the_parent() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.unlink(&alice(), ROOT, "f").unwrap();
    assert!(!world.exists(file));
    assert_eq!((world.node(ROOT).mtime, world.node(ROOT).ctime), (at(1002), at(1002)));
}

#[test]
fn remove_of_one_of_two_names_keeps_the_node() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.link(&alice(), file, ROOT, "g").unwrap();
    world.unlink(&alice(), ROOT, "f").unwrap();
    assert_eq!((world.node(file).links, world.node(file).ctime), (1, at(1003)));
}

#[rstest]
#[case::size(|node: &mut Node| node.size = 1)]
#[case::allocated(|node: &mut Node| node.allocated = 1)]
#[case::pending_truncation(|node: &mut Node| node.pending_truncation = Some(PENDING))]
#[case::xattrs(|node: &mut Node| node.flags |= NodeFlags::XATTRS)]
fn remove_of_a_file_with_rows_leaves_it_to_the_reaper(#[case] change: fn(&mut Node)) {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.set(&alice(), file, SetAttributes::size(1)).unwrap();
    world.set(&alice(), file, SetAttributes::size(0)).unwrap();
    world.tamper(file, change);
    let row = dittofs_domain::content::MapRow::Holes { version: Default::default(), pages: 1 };
    world.store.rows.insert((file, 0), row);
    world.unlink(&alice(), ROOT, "f").unwrap();
    assert_eq!(world.store.unlinked[&file], UnlinkedReason::Reaping);
    assert_eq!((world.node(file).links, world.node(file).is_linked()), (0, false));
}

#[rstest]
#[case::file(NewKind::File, RemoveKind::NotDirectory)]
#[case::fifo(NewKind::Fifo, RemoveKind::NotDirectory)]
#[case::directory(NewKind::Directory, RemoveKind::Directory)]
fn busy_node_stays_without_a_name(#[case] new: NewKind, #[case] kind: RemoveKind) {
    let mut world = World::new();
    let node = world.make(&alice(), ROOT, "n", new).unwrap();
    world.run_busy(&alice(), remove_op(ROOT, "n", kind)).unwrap();
    assert_eq!(world.store.unlinked[&node], UnlinkedReason::Open);
    assert_eq!((world.node(node).links, world.node(node).ctime), (0, at(1002)));
    assert_eq!(world.node(ROOT).links, 2);
}

#[test]
fn symlink_goes_at_once_though_it_has_a_size() {
    let mut world = World::new();
    let link = world.make(&alice(), ROOT, "l", NewKind::Symlink((*b"t").into())).unwrap();
    world.unlink(&alice(), ROOT, "l").unwrap();
    assert!(!world.exists(link));
}

#[test]
fn rmdir_takes_the_subdirectory_off_the_parents_links() {
    let mut world = World::new();
    let dir = world.mkdir(&alice(), ROOT, "d");
    world.rmdir(&alice(), ROOT, "d").unwrap();
    assert!(!world.exists(dir));
    assert_eq!(world.node(ROOT).links, 2);
}

#[rstest]
#[case::search_before_not_found(0o666, "n", RemoveKind::NotDirectory, FsError::Access)]
#[case::not_found_before_write(0o555, "n", RemoveKind::NotDirectory, FsError::NotFound)]
#[case::write(0o555, "f", RemoveKind::NotDirectory, FsError::Access)]
#[case::write_before_kind(0o555, "d", RemoveKind::NotDirectory, FsError::Access)]
#[case::sticky_before_kind(0o1777, "d", RemoveKind::NotDirectory, FsError::NotPermitted)]
#[case::sticky(0o1777, "f", RemoveKind::NotDirectory, FsError::NotPermitted)]
#[case::sticky_for_rmdir(0o1777, "e", RemoveKind::Directory, FsError::NotPermitted)]
#[case::remove_of_a_directory(0o777, "e", RemoveKind::NotDirectory, FsError::IsDirectory)]
#[case::rmdir_of_a_file(0o777, "f", RemoveKind::Directory, FsError::NotDirectory)]
#[case::rmdir_of_a_symlink(0o777, "l", RemoveKind::Directory, FsError::NotDirectory)]
#[case::rmdir_of_a_full_directory(0o777, "d", RemoveKind::Directory, FsError::NotEmpty)]
fn remove_refuses(#[case] mode: u16, #[case] at_name: &str, #[case] kind: RemoveKind, #[case] error: FsError) {
    let mut world = World::new();
    world.file(&alice(), ROOT, "f");
    let full = world.mkdir(&alice(), ROOT, "d");
    world.file(&alice(), full, "x");
    world.mkdir(&alice(), ROOT, "e");
    world.make(&alice(), ROOT, "l", NewKind::Symlink((*b"t").into())).unwrap();
    world.chmod(ROOT, mode);
    let before = world.store.clone();
    assert_eq!(world.run(&bob(), remove_op(ROOT, at_name, kind)), Err(error));
    assert_eq!(world.store, before, "a failing call changes nothing");
}

#[rstest]
#[case::owner_of_the_file(alice(), Ok(()))]
#[case::owner_of_the_directory(bob(), Ok(()))]
#[case::root(root(), Ok(()))]
#[case::group_of_the_file(carol(), Err(FsError::NotPermitted))]
fn sticky_directory_lets_only_owners_remove(#[case] who: Credentials, #[case] result: Result<(), FsError>) {
    let mut world = World::new();
    let dir = world.mkdir(&bob(), ROOT, "d");
    world.chmod(dir, 0o1777);
    world.file(&alice(), dir, "f");
    assert_eq!(world.unlink(&who, dir, "f").map(drop), result);
}

#[test]
fn owner_of_a_file_needs_the_directory_to_remove_it() {
    let mut world = World::new();
    let dir = world.mkdir(&alice(), ROOT, "d");
    world.file(&alice(), dir, "f");
    world.chmod(dir, 0o555);
    assert_eq!(world.unlink(&alice(), dir, "f"), Err(FsError::Access));
    assert_eq!(world.unlink(&root(), NodeId(99), "f"), Err(FsError::Stale));
}

#[test]
fn remove_expects_the_entry_the_count_of_names_and_nothing_changed_of_what_it_deletes() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    let cookie = world.node(file).parent.cookie;
    world.chmod(ROOT, 0o1777);
    let op = remove_op(ROOT, "f", RemoveKind::NotDirectory);
    let plan = world.call(&Call { op, credentials: alice(), busy: false }).unwrap().plan;
    let expected = [
        Expectation::PermissionVersion { node: ROOT, version: 1 },
        Expectation::EntryIs { key: EntryKey::child(ROOT, &name("f")), node: file, cookie },
        Expectation::PermissionVersion { node: file, version: 0 },
        Expectation::LinksAre { node: file, links: 1 },
        Expectation::ChangeIs { node: file, change: dittofs_domain::ChangeId(1) },
        Expectation::NoRows(file),
    ];
    assert_eq!(plan.expectations.as_slice(), expected);
}

#[test]
fn rmdir_expects_an_empty_directory() {
    let mut world = World::new();
    let dir = world.mkdir(&alice(), ROOT, "d");
    let op = remove_op(ROOT, "d", RemoveKind::Directory);
    let plan = world.call(&Call { op, credentials: alice(), busy: false }).unwrap().plan;
    assert!(plan.expectations.contains(&Expectation::Empty(dir)));
    assert!(!plan.expectations.iter().any(|e| matches!(e, Expectation::LinksAre { .. })));
}
