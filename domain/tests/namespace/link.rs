//! LINK.

use dittofs_domain::{
    Cookie, FsError, NodeId,
    namespace::{LINKS_MAX, LinkRequest, NewKind, RemoveKind},
    node::Parent,
    plan::{EntryKey, Expectation},
};
use rstest::rstest;

use crate::world::{Call, Op, ROOT, World, alice, at, bob, name, remove_op, root};

#[test]
fn link_adds_a_name_and_advances_times() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    let dir = world.mkdir(&alice(), ROOT, "d");
    world.link(&alice(), file, dir, "g").unwrap();
    let node = world.node(file);
    assert_eq!((node.links, node.ctime, node.mtime), (2, at(1003), at(1001)));
    assert_eq!((world.node(dir).mtime, world.node(dir).ctime, world.node(dir).links), (at(1003), at(1003), 2));
    assert_eq!(node.parent.directory, dir);
}

#[test]
fn link_expects_the_exact_count_of_names() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    let op = Op::Link(LinkRequest { node: file, directory: ROOT, name: name("g") });
    let plan = world.call(&Call { op, credentials: alice(), busy: false }).unwrap().plan;
    let expected = [
        Expectation::EntryAbsent(EntryKey::child(ROOT, &name("g"))),
        Expectation::Linked(ROOT),
        Expectation::PermissionVersion { node: ROOT, version: 0 },
        Expectation::LinksAre { node: file, links: 1 },
    ];
    assert_eq!(plan.expectations.as_slice(), expected);
}

#[rstest]
#[case::search_first(0o666, "f", FsError::Access)]
#[case::exists_before_write(0o555, "f", FsError::Exists)]
#[case::write(0o555, "n", FsError::Access)]
fn link_needs_the_directory(#[case] mode: u16, #[case] at_name: &str, #[case] error: FsError) {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.chmod(ROOT, mode);
    assert_eq!(world.link(&bob(), file, ROOT, at_name), Err(error));
}

#[test]
fn link_to_a_directory_is_not_permitted_not_even_to_root() {
    let mut world = World::new();
    let dir = world.mkdir(&root(), ROOT, "d");
    assert_eq!(world.link(&root(), dir, ROOT, "e"), Err(FsError::NotPermitted));
}

#[test]
fn link_to_a_symlink_links_the_symlink() {
    let mut world = World::new();
    let link = world.make(&alice(), ROOT, "l", NewKind::Symlink((*b"t").into())).unwrap();
    world.link(&alice(), link, ROOT, "m").unwrap();
    assert_eq!(world.node(link).links, 2);
}

#[test]
fn link_to_a_node_that_is_gone_or_has_no_name_is_stale() {
    let mut world = World::new();
    assert_eq!(world.link(&root(), NodeId(99), ROOT, "g"), Err(FsError::Stale));
    let file = world.file(&alice(), ROOT, "f");
    world.run_busy(&alice(), remove_op(ROOT, "f", RemoveKind::NotDirectory)).unwrap();
    assert!(world.exists(file));
    assert_eq!(world.link(&root(), file, ROOT, "g"), Err(FsError::Stale));
}

#[test]
fn link_beyond_the_greatest_number_is_refused() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.tamper(file, |node| node.links = LINKS_MAX);
    assert_eq!(world.link(&alice(), file, ROOT, "g"), Err(FsError::TooManyLinks));
}

#[test]
fn link_into_what_is_no_directory_or_gone() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    assert_eq!(world.link(&root(), file, file, "g"), Err(FsError::NotDirectory));
    assert_eq!(world.link(&root(), file, NodeId(99), "g"), Err(FsError::Stale));
}

#[test]
fn parent_is_exact_after_link_and_unlink_of_the_old_name_and_unknown_after_that_of_the_new() {
    let mut world = World::new();
    let dir = world.mkdir(&alice(), ROOT, "d");
    let file = world.file(&alice(), ROOT, "f");
    world.link(&alice(), file, dir, "g").unwrap();
    world.unlink(&alice(), ROOT, "f").unwrap();
    assert_eq!(world.node(file).parent.directory, dir);
    world.link(&alice(), file, ROOT, "h").unwrap();
    world.unlink(&alice(), ROOT, "h").unwrap();
    assert_eq!(world.node(file).parent, Parent { directory: ROOT, cookie: Cookie::START });
}
