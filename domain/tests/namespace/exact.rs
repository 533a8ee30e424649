//! Requests that mean one node, and no other that has its name meanwhile.

use dittofs_domain::{
    FsError, NodeId,
    access::AccessMask,
    error::FsResult,
    namespace::{RemoveKind, RenameRequest, Replace, SetAttributes, SetTime},
};
use rstest::rstest;

use crate::world::{Op, ROOT, World, alice, at, bob, exact_rename_op, name, remove_op};

fn run(world: &mut World, op: Op) -> FsResult<NodeId> {
    world.run(&alice(), op)
}

fn rename(from: &str, to: &str, node: NodeId, replace: Replace) -> Op {
    exact_rename_op((ROOT, from), (ROOT, to), (Some(node), replace))
}

#[test]
fn rename_finds_no_other_node() {
    let mut world = World::new();
    let [f, g] = ["f", "g"].map(|name| world.file(&alice(), ROOT, name));
    assert_eq!(run(&mut world, rename("f", "new", g, Replace::Any)), Err(FsError::NotFound));
    assert_eq!(run(&mut world, rename("f", "new", f, Replace::Any)), Ok(f));
}

#[rstest]
#[case::nothing(|_| Replace::Nothing)]
#[case::another(Replace::Only)]
fn rename_leaves_what_it_does_not_mean(#[case] replace: fn(NodeId) -> Replace) {
    let mut world = World::new();
    let [f, _, other] = ["f", "g", "h"].map(|name| world.file(&alice(), ROOT, name));
    let before = world.store.clone();
    assert_eq!(run(&mut world, rename("f", "g", f, replace(other))), Err(FsError::Exists));
    assert_eq!(world.store, before);
    // Free by now.
    world.unlink(&alice(), ROOT, "g").unwrap();
    assert_eq!(run(&mut world, rename("f", "g", f, replace(other))), Ok(f));
}

#[test]
fn rename_replaces_the_node_that_is_meant() {
    let mut world = World::new();
    let [f, g] = ["f", "g"].map(|name| world.file(&alice(), ROOT, name));
    assert_eq!(run(&mut world, rename("f", "g", f, Replace::Only(g))), Ok(f));
    assert!(!world.exists(g));
}

#[rstest]
#[case::the_first("f", "g")]
#[case::the_second("g", "f")]
fn of_two_names_of_one_node_the_old_one_goes(#[case] from: &str, #[case] to: &str) {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.link(&alice(), file, ROOT, "g").unwrap();
    assert_eq!(run(&mut world, rename(from, to, file, Replace::Nothing)), Err(FsError::Exists));
    assert_eq!(run(&mut world, rename(from, to, file, Replace::Only(file))), Ok(file));
    assert_eq!((world.entry(ROOT, from), world.entry(ROOT, to)), (None, Some(file)));
    assert_eq!(world.node(file).links, 1);
    let parent = world.node(file).parent;
    assert_eq!(world.store.entries.values().find(|(node, _)| *node == file).unwrap().1, parent.cookie);
}

#[test]
fn a_node_whose_links_are_damaged_keeps_both_names() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    world.link(&alice(), file, ROOT, "g").unwrap();
    world.tamper(file, |node| node.links = 1);
    assert_eq!(run(&mut world, rename("f", "g", file, Replace::Only(file))), Err(FsError::Io));
}

#[test]
fn remove_takes_just_the_node_that_is_meant() {
    let mut world = World::new();
    let [f, g] = ["f", "g"].map(|name| world.file(&alice(), ROOT, name));
    let directory = world.mkdir(&alice(), ROOT, "d");
    world.file(&alice(), directory, "inside");
    assert_eq!(run(&mut world, remove_op(ROOT, "f", RemoveKind::Just(g))), Err(FsError::NotFound));
    assert_eq!(run(&mut world, remove_op(ROOT, "f", RemoveKind::Just(f))), Ok(f));
    assert_eq!(run(&mut world, remove_op(ROOT, "d", RemoveKind::Just(directory))), Err(FsError::NotEmpty));
    world.unlink(&alice(), directory, "inside").unwrap();
    assert_eq!(run(&mut world, remove_op(ROOT, "d", RemoveKind::Just(directory))), Ok(directory));
    assert_eq!(world.node(ROOT).links, 2);
}

#[test]
fn who_holds_the_right_to_delete_is_not_asked_for_it_again() {
    let mut world = World::new();
    let directory = world.mkdir(&alice(), ROOT, "d");
    let [f, g] = ["f", "g"].map(|name| world.file(&alice(), directory, name));
    world.chmod(directory, 0o755);
    let remove = |kind| remove_op(directory, "f", kind);
    assert_eq!(world.run(&bob(), remove(RemoveKind::Just(f))), Err(FsError::Access));
    assert_eq!(world.run(&bob(), remove(RemoveKind::Held(g))), Err(FsError::NotFound));
    assert_eq!(world.run(&bob(), remove(RemoveKind::Held(f))), Ok(f));
    let rename = |held| {
        let request = RenameRequest::new((directory, name("g")), (ROOT, name("g")));
        Op::Rename(RenameRequest { node: Some(g), held, ..request })
    };
    assert_eq!(world.run(&bob(), rename(AccessMask::all() - AccessMask::DELETE)), Err(FsError::Access));
    assert_eq!(world.run(&bob(), rename(AccessMask::DELETE)), Ok(g));
    let back = RenameRequest::new((ROOT, name("g")), (directory, name("g")));
    let back = Op::Rename(RenameRequest { held: AccessMask::DELETE, ..back });
    assert_eq!(world.run(&bob(), back), Err(FsError::Access), "it adds a name there");
}

#[test]
fn the_owner_sets_the_time_of_creation() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "f");
    let birth = |time| SetAttributes { birth: SetTime::To(time), ..SetAttributes::default() };
    world.set(&alice(), file, birth(at(7))).unwrap();
    let node = world.node(file);
    assert_eq!(node.birth, at(7));
    assert!(node.ctime > at(7), "which is a change");
    assert_eq!(world.set(&bob(), file, birth(at(8))), Err(FsError::NotPermitted));
}
