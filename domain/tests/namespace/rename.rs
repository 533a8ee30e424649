//! RENAME.

use dittofs_domain::{
    Credentials, FsError, NodeId,
    namespace::{LINKS_MAX, NewKind, SetAttributes},
    plan::{Change, EntryKey, Expectation, UnlinkedReason},
};
use rstest::rstest;

use crate::world::{Call, ROOT, World, alice, at, bob, name, rename_op, root};

#[test]
fn rename_inside_one_directory_keeps_the_cookie() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    let parent = world.node(file).parent;
    world.rename(&alice(), (ROOT, "f"), (ROOT, "g")).unwrap();
    assert_eq!((world.entry(ROOT, "f"), world.entry(ROOT, "g")), (None, Some(file)));
    assert_eq!((world.node(file).parent, world.node(file).ctime), (parent, at(1002)));
    assert_eq!((world.node(ROOT).mtime, world.node(ROOT).ctime), (at(1002), at(1002)));
}

#[test]
fn rename_of_a_file_to_another_directory_is_no_move_in_the_topology() {
    let mut world = World::new();
    let dir = world.mkdir(&alice(), ROOT, "d");
    let file = world.file(&alice(), ROOT, "f");
    world.rename(&alice(), (ROOT, "f"), (dir, "g")).unwrap();
    assert_eq!((world.entry(ROOT, "f"), world.entry(dir, "g")), (None, Some(file)));
    assert_eq!((world.node(file).parent.directory, world.store.topology), (dir, 0));
    assert_eq!((world.node(ROOT).mtime, world.node(dir).mtime), (at(1003), at(1003)));
    assert_eq!((world.node(ROOT).ctime, world.node(dir).ctime), (at(1003), at(1003)));
}

#[test]
fn rename_of_a_directory_to_another_parent_relinks_both_and_raises_the_topology() {
    let mut world = World::new();
    let to = world.mkdir(&alice(), ROOT, "to");
    let dir = world.mkdir(&alice(), ROOT, "d");
    let op = rename_op((ROOT, "d"), (to, "d"));
    let plan = world.call(&Call { op, credentials: alice(), busy: false }).unwrap().plan;
    assert!(plan.expectations.contains(&Expectation::ParentIs { node: dir, parent: ROOT }));
    assert!(plan.expectations.contains(&Expectation::Topology(0)));
    assert!(plan.expectations.contains(&Expectation::Linked(to)));
    assert!(plan.expectations.contains(&Expectation::PermissionVersion { node: dir, version: 0 }));
    assert!(plan.changes.contains(&Change::RaiseTopology));
    assert_eq!((world.node(ROOT).links, world.node(to).links, world.node(dir).links), (3, 3, 2));
    assert_eq!(world.node(dir).parent.directory, to);
}

#[test]
fn rename_of_a_directory_inside_its_parent_leaves_the_topology() {
    let mut world = World::new();
    world.mkdir(&alice(), ROOT, "d");
    let op = rename_op((ROOT, "d"), (ROOT, "e"));
    let plan = world.call(&Call { op, credentials: alice(), busy: false }).unwrap().plan;
    assert!(!plan.changes.contains(&Change::RaiseTopology));
    assert!(!plan.expectations.iter().any(|e| matches!(e, Expectation::ParentIs { .. } | Expectation::Topology(_))));
    assert_eq!(world.node(ROOT).links, 3);
}

#[rstest]
#[case::onto_itself("f")]
#[case::onto_own_hard_link("g")]
fn rename_between_names_of_one_node_changes_nothing(#[case] to: &str) {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.link(&alice(), file, ROOT, "g").unwrap();
    world.chmod(ROOT, 0o555);
    let before = world.store.clone();
    assert_eq!(world.rename(&alice(), (ROOT, "f"), (ROOT, to)), Ok(file));
    assert_eq!(world.store, before);
}

#[test]
fn rename_replaces_a_file_in_the_same_plan() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    let empty = world.file(&alice(), ROOT, "empty");
    let full = world.file(&alice(), ROOT, "full");
    world.set(&alice(), full, SetAttributes::size(1)).unwrap();
    world.rename(&alice(), (ROOT, "f"), (ROOT, "empty")).unwrap();
    assert!(!world.exists(empty));
    world.rename(&alice(), (ROOT, "empty"), (ROOT, "full")).unwrap();
    assert_eq!(world.store.unlinked[&full], UnlinkedReason::Reaping);
    assert_eq!(world.entry(ROOT, "full"), Some(file));
}

#[test]
fn rename_keeps_a_replaced_node_that_is_busy_or_has_other_names() {
    let mut world = World::new();
    world.file(&alice(), ROOT, "f");
    let open = world.file(&alice(), ROOT, "open");
    world.run_busy(&alice(), rename_op((ROOT, "f"), (ROOT, "open"))).unwrap();
    assert_eq!(world.store.unlinked[&open], UnlinkedReason::Open);
    let linked = world.file(&alice(), ROOT, "linked");
    world.link(&alice(), linked, ROOT, "other").unwrap();
    world.rename(&alice(), (ROOT, "open"), (ROOT, "linked")).unwrap();
    assert_eq!((world.node(linked).links, world.node(linked).ctime), (1, at(1006)));
}

#[test]
fn rename_replaces_an_empty_directory_and_fixes_both_parents() {
    let mut world = World::new();
    let to = world.mkdir(&alice(), ROOT, "to");
    let replaced = world.mkdir(&alice(), to, "d");
    let dir = world.mkdir(&alice(), ROOT, "d");
    let op = rename_op((ROOT, "d"), (to, "d"));
    let plan = world.call(&Call { op, credentials: alice(), busy: false }).unwrap().plan;
    assert!(plan.expectations.contains(&Expectation::Empty(replaced)));
    assert!(!world.exists(replaced));
    assert_eq!((world.node(ROOT).links, world.node(to).links), (3, 3));
    assert_eq!(world.entry(to, "d"), Some(dir));

    world.mkdir(&alice(), to, "e");
    world.rename(&alice(), (to, "d"), (to, "e")).unwrap();
    assert_eq!(world.node(to).links, 3);
}

#[rstest]
#[case::source_missing("none", "f", FsError::NotFound)]
#[case::directory_onto_file("empty", "f", FsError::NotDirectory)]
#[case::directory_onto_symlink("empty", "l", FsError::NotDirectory)]
#[case::file_onto_directory("f", "empty", FsError::IsDirectory)]
#[case::file_onto_full_directory("f", "full", FsError::IsDirectory)]
#[case::directory_onto_full_directory("empty", "full", FsError::NotEmpty)]
fn rename_refuses(#[case] from: &str, #[case] to: &str, #[case] error: FsError) {
    let mut world = World::new();
    world.file(&alice(), ROOT, "f");
    world.make(&alice(), ROOT, "l", NewKind::Symlink((*b"t").into())).unwrap();
    world.mkdir(&alice(), ROOT, "empty");
    let full = world.mkdir(&alice(), ROOT, "full");
    world.mkdir(&alice(), full, "x");
    let before = world.store.clone();
    assert_eq!(world.rename(&alice(), (ROOT, from), (ROOT, to)), Err(error));
    assert_eq!(world.store, before, "a failing call changes nothing");
}

#[test]
fn rename_into_own_subtree_is_invalid() {
    let mut world = World::new();
    let a = world.mkdir(&alice(), ROOT, "a");
    let b = world.mkdir(&alice(), a, "b");
    let c = world.mkdir(&alice(), b, "c");
    for to in [a, b, c] {
        assert_eq!(world.rename(&alice(), (ROOT, "a"), (to, "x")), Err(FsError::Invalid));
    }
    assert_eq!(world.rename(&alice(), (a, "b"), (ROOT, "a")), Err(FsError::NotEmpty));
    world.rename(&alice(), (a, "b"), (ROOT, "b")).unwrap();
    world.rename(&alice(), (ROOT, "a"), (c, "a")).unwrap();
}

#[rstest]
#[case::search_source_first(0o666, 0o777, "none", FsError::Access)]
#[case::search_target_before_not_found(0o777, 0o666, "none", FsError::Access)]
#[case::not_found_before_write(0o555, 0o555, "none", FsError::NotFound)]
#[case::write_source(0o555, 0o777, "f", FsError::Access)]
#[case::write_target(0o777, 0o555, "f", FsError::Access)]
fn rename_needs_both_directories(#[case] from: u16, #[case] to: u16, #[case] at_name: &str, #[case] error: FsError) {
    let mut world = World::new();
    let a = world.mkdir(&alice(), ROOT, "a");
    let b = world.mkdir(&alice(), ROOT, "b");
    world.file(&alice(), a, "f");
    world.chmod(a, from);
    world.chmod(b, to);
    assert_eq!(world.rename(&bob(), (a, at_name), (b, "g")), Err(error));
}

#[rstest]
#[case::in_the_source_directory(0o1777, 0o777, bob(), "n", Err(FsError::NotPermitted))]
#[case::in_the_target_directory(0o777, 0o1777, bob(), "g", Err(FsError::NotPermitted))]
#[case::target_directory_without_a_target(0o777, 0o1777, bob(), "n", Ok(()))]
#[case::owner_of_both_files(0o1777, 0o1777, alice(), "g", Ok(()))]
#[case::root(0o1777, 0o1777, root(), "g", Ok(()))]
fn sticky_bit_guards_source_and_target(
    #[case] from: u16,
    #[case] to: u16,
    #[case] who: Credentials,
    #[case] to_name: &str,
    #[case] result: Result<(), FsError>,
) {
    let mut world = World::new();
    let a = world.mkdir(&root(), ROOT, "a");
    let b = world.mkdir(&root(), ROOT, "b");
    world.chmod(a, from);
    world.chmod(b, to);
    world.tamper(a, |node| node.mode |= 0o777);
    world.tamper(b, |node| node.mode |= 0o777);
    world.file(&alice(), a, "f");
    world.file(&alice(), b, "g");
    assert_eq!(world.rename(&who, (a, "f"), (b, to_name)).map(drop), result);
}

#[test]
fn moved_directory_must_be_writable_since_its_parent_changes() {
    let mut world = World::new();
    let to = world.mkdir(&alice(), ROOT, "to");
    let dir = world.mkdir(&alice(), ROOT, "d");
    world.chmod(to, 0o777);
    assert_eq!(world.rename(&bob(), (ROOT, "d"), (to, "d")), Err(FsError::Access));
    world.rename(&bob(), (ROOT, "d"), (ROOT, "e")).expect("the parent stays");
    world.chmod(dir, 0);
    world.rename(&root(), (ROOT, "e"), (to, "e")).expect("root may");
}

#[test]
fn rename_into_a_directory_with_the_greatest_number_of_links() {
    let mut world = World::new();
    let to = world.mkdir(&alice(), ROOT, "to");
    world.mkdir(&alice(), ROOT, "d");
    world.tamper(to, |node| node.links = LINKS_MAX);
    assert_eq!(world.rename(&alice(), (ROOT, "d"), (to, "d")), Err(FsError::TooManyLinks));
}

#[test]
fn rename_from_or_to_what_is_no_directory_or_gone() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    assert_eq!(world.rename(&alice(), (file, "x"), (ROOT, "y")), Err(FsError::NotDirectory));
    assert_eq!(world.rename(&alice(), (ROOT, "f"), (file, "y")), Err(FsError::NotDirectory));
    assert_eq!(world.rename(&alice(), (NodeId(99), "x"), (ROOT, "y")), Err(FsError::Stale));
    assert_eq!(world.rename(&alice(), (ROOT, "f"), (NodeId(99), "y")), Err(FsError::Stale));
}

#[test]
fn rename_expects_a_free_name_free_and_a_taken_one_as_seen() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    let cookie = world.node(file).parent.cookie;
    let op = rename_op((ROOT, "f"), (ROOT, "g"));
    let plan = world.call(&Call { op, credentials: alice(), busy: false }).unwrap().plan;
    let expected = [
        Expectation::EntryIs { key: EntryKey::child(ROOT, &name("f")), node: file, cookie },
        Expectation::EntryAbsent(EntryKey::child(ROOT, &name("g"))),
        Expectation::Linked(ROOT),
        Expectation::PermissionVersion { node: ROOT, version: 0 },
    ];
    assert_eq!(plan.expectations.as_slice(), expected);

    let target = world.file(&alice(), ROOT, "h");
    let cookie = world.node(target).parent.cookie;
    let op = rename_op((ROOT, "g"), (ROOT, "h"));
    let plan = world.call(&Call { op, credentials: alice(), busy: false }).unwrap().plan;
    let key = EntryKey::child(ROOT, &name("h"));
    assert!(plan.expectations.contains(&Expectation::EntryIs { key, node: target, cookie }));
    assert!(plan.expectations.contains(&Expectation::LinksAre { node: target, links: 1 }));
}
