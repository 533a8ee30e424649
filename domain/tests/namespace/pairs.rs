//! Two plans that were decided on one view and are applied one after the other.

use std::collections::BTreeMap;

use dittofs_domain::{
    Cookie, NodeId, NodeKind, Scale,
    namespace::{CreateHow, Fresh, InitialAttributes, LinkRequest, NewKind, RemoveKind, SetAttributes},
    plan::EntryKey,
};

use crate::{
    store::Store,
    world::{Call, Op, ROOT, World, alice, at, create_op, decide, name, remove_op, rename_op},
};

/// The state of a store that clients see, without times.
type Seen = (BTreeMap<EntryKey, (NodeId, Cookie)>, Vec<(NodeId, NodeKind, u16, u32, u32, u32, u64)>);

fn seen(store: &Store) -> Seen {
    let nodes = store.nodes.values().map(|n| (n.id, n.kind, n.mode, n.uid, n.gid, n.links, n.size));
    (store.entries.clone(), nodes.collect())
}

/// Whether the second plan met the first. If not, it must have done what it would have been decided to do after the
/// first, and the tree must be valid.
pub(crate) fn check_pair(world: &World, first: &Call, second: &Call) -> Option<bool> {
    let fresh = |n: u64| Fresh {
        node: NodeId(world.next + n),
        cookie: Cookie(world.next + n + 1),
        scale: Scale::PRODUCTION,
        holder: None,
    };
    let one = decide(&world.store, first, at(5_000), fresh(0)).ok()?.plan;
    let two = decide(&world.store, second, at(5_001), fresh(2)).ok()?.plan;
    let mut store = world.store.clone();
    store.apply(&one).expect("expectations hold in the view that they come from");
    store.check();
    if two.changes.is_empty() {
        return None;
    }
    let mut serial = store.clone();
    if store.apply(&two).is_err() {
        return Some(true);
    }
    store.check();
    let again = decide(&serial, second, at(5_001), fresh(2));
    let again = again.unwrap_or_else(|error| panic!("{second:?} after {first:?}: {error}"));
    serial.apply(&again.plan).expect("expectations hold in the view that they come from");
    assert_eq!(seen(&store), seen(&serial), "{second:?} after {first:?}");
    Some(false)
}

/// A small tree: /f and /g are one file, /d holds /d/e (empty) and /d/h, /i is an empty directory.
fn tree() -> (World, [NodeId; 4], [NodeId; 2]) {
    let mut world = World::new();
    let f = world.file(&alice(), ROOT, "f");
    world.link(&alice(), f, ROOT, "g").unwrap();
    let d = world.mkdir(&alice(), ROOT, "d");
    let e = world.mkdir(&alice(), d, "e");
    let h = world.file(&alice(), d, "h");
    let i = world.mkdir(&alice(), ROOT, "i");
    (world, [ROOT, d, e, i], [f, h])
}

fn call(op: Op) -> Call {
    Call { op, credentials: alice(), busy: false }
}

fn creates(directories: &[NodeId], names: &[&str]) -> Vec<Call> {
    let attributes = InitialAttributes { mode: Some(0o755), ..Default::default() };
    let mut calls = Vec::new();
    for directory in directories {
        for at_name in names {
            for kind in [NewKind::File, NewKind::Directory] {
                calls.push(call(create_op(*directory, at_name, kind, attributes, CreateHow::Guarded)));
            }
        }
    }
    calls
}

fn all_calls(directories: [NodeId; 4], files: [NodeId; 2]) -> Vec<Call> {
    let [root, d, e, i] = directories;
    let mut calls = creates(&directories, &["m", "n"]);
    let entries = [(root, "f"), (root, "g"), (root, "d"), (root, "i"), (d, "e"), (d, "h")];
    for (directory, at_name) in entries {
        for kind in [RemoveKind::NotDirectory, RemoveKind::Directory] {
            calls.push(call(remove_op(directory, at_name, kind)));
            calls.push(Call { busy: true, ..call(remove_op(directory, at_name, kind)) });
        }
        for to in directories {
            for to_name in ["f", "g", "d", "e", "h", "i", "m"] {
                calls.push(call(rename_op((directory, at_name), (to, to_name))));
            }
        }
    }
    for directory in directories {
        for node in files {
            calls.push(call(Op::Link(LinkRequest { node, directory, name: name("m") })));
        }
    }
    for node in [d, e, i, files[0], files[1]] {
        calls.push(call(Op::Set(node, SetAttributes { mode: Some(0), ..Default::default() })));
    }
    calls.push(call(Op::Set(files[1], SetAttributes::size(5))));
    calls
}

#[test]
fn every_pair_of_plans_meets_or_is_as_one_after_the_other() {
    let (world, directories, files) = tree();
    let calls = all_calls(directories, files);
    let outcomes: Vec<bool> = calls
        .iter()
        .flat_map(|first| calls.iter().map(move |second| (first, second)))
        .filter_map(|(first, second)| check_pair(&world, first, second))
        .collect();
    let met = outcomes.iter().filter(|met| **met).count();
    assert!(met > 100 && outcomes.len() - met > 1_000, "{met} of {} pairs met", outcomes.len());
}

#[test]
fn creates_of_different_names_never_meet() {
    let (world, directories, _) = tree();
    for first in creates(&directories, &["m"]) {
        for second in creates(&directories, &["n"]) {
            assert_eq!(check_pair(&world, &first, &second), Some(false));
        }
    }
}

#[test]
fn creates_of_one_name_meet() {
    let (world, _, _) = tree();
    for first in creates(&[ROOT], &["m"]) {
        for second in creates(&[ROOT], &["m"]) {
            assert_eq!(check_pair(&world, &first, &second), Some(true));
        }
    }
}

#[test]
fn create_meets_the_removal_of_its_directory() {
    let (world, [_, d, e, _], _) = tree();
    for busy in [false, true] {
        let rmdir = Call { busy, ..call(remove_op(d, "e", RemoveKind::Directory)) };
        for create in creates(&[e], &["m"]) {
            assert_eq!(check_pair(&world, &rmdir, &create), Some(true));
            assert_eq!(check_pair(&world, &create, &rmdir), Some(true));
        }
    }
}

#[test]
fn moves_of_two_directories_into_each_other_meet() {
    let (world, [_, d, _, i], _) = tree();
    let one = call(rename_op((ROOT, "d"), (i, "d")));
    let two = call(rename_op((ROOT, "i"), (d, "i")));
    assert_eq!(check_pair(&world, &one, &two), Some(true));
    assert_eq!(check_pair(&world, &two, &one), Some(true));
}
