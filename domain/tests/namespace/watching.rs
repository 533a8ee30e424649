//! Watchers of directories, who are told what plans change.

use std::collections::BTreeSet;

use dittofs_domain::{
    Cookie, Name, Node, NodeId, NodeKind,
    namespace::{LinkRequest, NewKind, RemoveKind, Replace, SetAttributes, SetTime},
    plan::{Applied, EntryKey, Plan, Touched},
    watch::{ChangeAction, ChangeKinds, EntryChange, Listings, PlannedChanges, Subject},
};
use proptest::prelude::*;

use crate::{
    random::{Wish, make, wish},
    store::Store,
    world::{Call, Op, ROOT, World, alice, at, decide, exact_rename_op, name, remove_op, rename_op, root},
};

/// Applies a plan, and answers what watchers are told of it.
fn told(store: &mut Store, plan: &Plan) -> Vec<EntryChange> {
    let before = store.clone();
    store.apply(plan).expect("expectations hold in the view that they come from");
    let applied = Applied {
        nodes: plan
            .touches()
            .into_iter()
            .map(|id| Touched { id, before: before.nodes.get(&id).cloned(), after: store.nodes.get(&id).cloned() })
            .collect(),
    };
    assert_listings_told(&before, store, &listings(store, &PlannedChanges::of(plan), &applied));
    let planned = PlannedChanges::of(plan);
    let changes = planned.applied(&applied);
    assert_eq!(planned.is_empty(), changes.is_empty());
    let all = changes.iter().fold(ChangeKinds::empty(), |all, change| all | change.kinds);
    assert!(planned.kinds().contains(all), "who asks for none of them is not told: {changes:?}");
    for gone in planned.removed_directories(&applied) {
        assert!(before.nodes[&gone].is_linked(), "it had a name");
        assert!(store.nodes.get(&gone).is_none_or(|node| !node.is_linked()), "it has none any more");
    }
    changes
}

/// The listing of a directory, as who caches it knows it: its names, and what is shown of them. The times and the size
/// that a directory gets with its entries are left out.
fn listed(store: &Store, directory: NodeId) -> Vec<String> {
    let shown = |id: &NodeId| {
        let node = &store.nodes[id];
        let content = (node.kind != NodeKind::Directory).then_some((node.size, node.mtime));
        format!("{id} {} {} {} {content:?} {:?} {}", node.mode, node.uid, node.gid, node.birth, node.dos_attributes)
    };
    let entries = store.entries.iter().filter(|(key, _)| key.directory == directory);
    entries.map(|(key, (node, _))| format!("{} {}", key.name, shown(node))).collect()
}

/// The directories that list something else, where it is looked at which names are still there.
fn listings(store: &Store, planned: &PlannedChanges, applied: &Applied) -> Listings {
    let mut all = planned.listings();
    for node in planned.modified(applied) {
        let leads_there = |(key, (_, cookie)): (&EntryKey, &(NodeId, Cookie))| {
            (key.directory, *cookie) == (node.parent.directory, node.parent.cookie)
        };
        let is_known = node.kind == NodeKind::Directory || store.entries.iter().any(leads_there);
        all.add(if is_known { Listings::of_node(node) } else { Listings::Any });
    }
    all
}

fn assert_listings_told(before: &Store, after: &Store, told: &Listings) {
    for directory in before.nodes.values().filter(|node| node.kind == NodeKind::Directory).map(|node| node.id) {
        let is_told = match told {
            Listings::Any => true,
            Listings::Of(directories) => directories.contains(&directory),
        };
        assert!(is_told || listed(before, directory) == listed(after, directory), "{directory} is not told: {told:?}");
    }
    if let Listings::Of(directories) = told {
        assert_eq!(directories.iter().collect::<BTreeSet<_>>().len(), directories.len(), "each once");
    }
}

fn entries(store: &Store) -> BTreeSet<(NodeId, Name)> {
    store.entries.keys().map(|key| (key.directory, key.name.clone())).collect()
}

/// Does to a listing what a watcher who was told of a change does.
fn follow(listing: &mut BTreeSet<(NodeId, Name)>, change: &EntryChange) {
    let Subject::Name { directory, name } = &change.subject else { return };
    let entry = (*directory, name.clone());
    match change.action {
        ChangeAction::Added | ChangeAction::RenamedTo => assert!(listing.insert(entry), "it is new: {change:?}"),
        ChangeAction::Removed | ChangeAction::RenamedFrom => assert!(listing.remove(&entry), "it was: {change:?}"),
        ChangeAction::Modified => assert!(listing.contains(&entry), "it is there: {change:?}"),
        ChangeAction::AddedStream | ChangeAction::RemovedStream | ChangeAction::ModifiedStream => {
            panic!("none of these calls knows streams: {change:?}")
        }
    }
}

/// A change of attributes, as a watcher could tell it from the nodes.
fn visible(before: &Node, after: &Node) -> ChangeKinds {
    let differ = [
        (before.mode != after.mode || before.dos_attributes != after.dos_attributes, ChangeKinds::ATTRIBUTES),
        (before.size != after.size, ChangeKinds::SIZE),
        (before.kind != NodeKind::Directory && before.mtime != after.mtime, ChangeKinds::LAST_WRITE),
        (before.birth != after.birth, ChangeKinds::CREATION),
        ((before.mode, before.uid, before.gid) != (after.mode, after.uid, after.gid), ChangeKinds::SECURITY),
    ];
    differ.into_iter().filter(|(differs, _)| *differs).map(|(_, kinds)| kinds).collect()
}

fn step(world: &mut World, listing: &mut BTreeSet<(NodeId, Name)>, wish: &Wish) {
    let call = make(wish, world);
    let before = world.store.clone();
    let fresh = world.fresh();
    let Ok(decision) = decide(&world.store, &call, at(wish.seconds), fresh) else { return };
    let changes = told(&mut world.store, &decision.plan);
    changes.iter().for_each(|change| follow(listing, change));
    assert_eq!(*listing, entries(&world.store), "{call:?}: {changes:?}");
    for (id, old) in &before.nodes {
        let Some(new) = world.store.nodes.get(id).filter(|new| *new != old) else { continue };
        let of_node = |change: &&EntryChange| change.node == *id && change.action == ChangeAction::Modified;
        let said = changes.iter().filter(of_node).fold(ChangeKinds::empty(), |all, change| all | change.kinds);
        assert!(said.contains(visible(old, new)), "{call:?}: {said:?} of {old:?} and {new:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_follows_all_changes_knows_all_names(wishes in prop::collection::vec(wish(), 1..120)) {
        let mut world = World::new();
        let mut listing = BTreeSet::new();
        for wish in &wishes {
            step(&mut world, &mut listing, wish);
        }
    }
}

/// The actions, names and kinds that a call tells of.
fn actions(world: &mut World, op: Op) -> Vec<(ChangeAction, String, ChangeKinds)> {
    world.seconds += 1;
    let (fresh, now) = (world.fresh(), at(world.seconds));
    let call = Call { op, credentials: root(), busy: false };
    let decision = decide(&world.store, &call, now, fresh).expect("root may");
    let changes = told(&mut world.store, &decision.plan);
    let text = |change: &EntryChange| match &change.subject {
        Subject::Name { name, .. } => String::from_utf8_lossy(name.as_bytes()).into_owned(),
        Subject::Node(_) | Subject::Stream(_) => change.node.to_string(),
        Subject::StreamName { name, .. } => format!("{}:{name}", change.node),
    };
    changes.iter().map(|change| (change.action, text(change), change.kinds)).collect()
}

const FILE: ChangeKinds = ChangeKinds::FILE_NAME;
const DIRECTORY: ChangeKinds = ChangeKinds::DIRECTORY_NAME;

#[test]
fn a_rename_tells_of_both_names_and_of_what_it_replaces() {
    let mut world = World::new();
    world.file(&alice(), ROOT, "a");
    world.file(&alice(), ROOT, "b");
    let below = world.mkdir(&alice(), ROOT, "d");
    let renamed = ChangeKinds::ATTRIBUTES | ChangeKinds::CREATION;
    assert_eq!(
        actions(&mut world, rename_op((ROOT, "a"), (ROOT, "b"))),
        [
            (ChangeAction::Removed, "b".to_owned(), FILE),
            (ChangeAction::RenamedFrom, "a".to_owned(), FILE),
            (ChangeAction::RenamedTo, "b".to_owned(), FILE),
            (ChangeAction::Modified, "b".to_owned(), renamed),
        ]
    );
    assert_eq!(
        actions(&mut world, rename_op((ROOT, "b"), (below, "c")))[..2],
        [(ChangeAction::Removed, "b".to_owned(), FILE), (ChangeAction::Added, "c".to_owned(), FILE)],
        "in another directory the old name says nothing"
    );
    assert_eq!(
        actions(&mut world, rename_op((ROOT, "d"), (ROOT, "e"))),
        [(ChangeAction::RenamedFrom, "d".to_owned(), DIRECTORY), (ChangeAction::RenamedTo, "e".to_owned(), DIRECTORY)]
    );
}

#[test]
fn a_hard_link_that_takes_the_place_of_another_one_of_its_file_goes_first() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "a");
    let link = Op::Link(LinkRequest { node: file, directory: ROOT, name: name("b") });
    assert_eq!(actions(&mut world, link), [(ChangeAction::Added, "b".to_owned(), FILE)]);
    assert_eq!(
        actions(&mut world, exact_rename_op((ROOT, "a"), (ROOT, "b"), (None, Replace::Only(file))))[..3],
        [
            (ChangeAction::Removed, "b".to_owned(), FILE),
            (ChangeAction::RenamedFrom, "a".to_owned(), FILE),
            (ChangeAction::RenamedTo, "b".to_owned(), FILE),
        ]
    );
}

#[test]
fn only_what_was_asked_for_is_told_of_attributes() {
    let mut world = World::new();
    let file = world.file(&alice(), ROOT, "a");
    let kinds = |world: &mut World, request: SetAttributes| {
        let changes = actions(world, Op::Set(file, request));
        changes.into_iter().map(|(action, _, kinds)| (action, kinds)).collect::<Vec<_>>()
    };
    let all = [
        (SetAttributes { mode: Some(0o600), ..Default::default() }, ChangeKinds::ATTRIBUTES | ChangeKinds::SECURITY),
        (SetAttributes { uid: Some(1_001), ..Default::default() }, ChangeKinds::SECURITY),
        (SetAttributes { dos_attributes: Some(2), ..Default::default() }, ChangeKinds::ATTRIBUTES),
        (SetAttributes { mtime: SetTime::Now, ..Default::default() }, ChangeKinds::LAST_WRITE),
        (SetAttributes { atime: SetTime::Now, ..Default::default() }, ChangeKinds::LAST_ACCESS),
        (SetAttributes { birth: SetTime::Now, ..Default::default() }, ChangeKinds::CREATION),
        (SetAttributes::size(9), ChangeKinds::SIZE | ChangeKinds::LAST_WRITE),
    ];
    for (request, expected) in all {
        assert_eq!(kinds(&mut world, request.clone()), [(ChangeAction::Modified, expected)], "{request:?}");
    }
    assert_eq!(kinds(&mut world, SetAttributes::default()), []);
}

#[test]
fn names_of_directories_and_of_others_are_of_two_kinds() {
    let mut world = World::new();
    world.mkdir(&alice(), ROOT, "d");
    world.make(&alice(), ROOT, "s", NewKind::Symlink((*b"target").into())).unwrap();
    let removed = |world: &mut World, at, kind| actions(world, remove_op(ROOT, at, kind));
    let gone = |at: &str, kinds| vec![(ChangeAction::Removed, at.to_owned(), kinds)];
    assert_eq!(removed(&mut world, "d", RemoveKind::Directory), gone("d", DIRECTORY));
    assert_eq!(removed(&mut world, "s", RemoveKind::NotDirectory), gone("s", FILE));
}

#[test]
fn listings_are_those_of_both_directories_of_a_rename_and_of_all_names_of_a_file() {
    let mut world = World::new();
    let (from, to) = (world.mkdir(&alice(), ROOT, "from"), world.mkdir(&alice(), ROOT, "to"));
    let file = world.file(&alice(), from, "a");
    let mut told = |op| {
        world.seconds += 1;
        let (fresh, now) = (world.fresh(), at(world.seconds));
        let decision = decide(&world.store, &Call { op, credentials: root(), busy: false }, now, fresh).unwrap();
        let before = world.store.clone();
        world.store.apply(&decision.plan).unwrap();
        let touched =
            |id| Touched { id, before: before.nodes.get(&id).cloned(), after: world.store.nodes.get(&id).cloned() };
        let applied = Applied { nodes: decision.plan.touches().into_iter().map(touched).collect() };
        listings(&world.store, &PlannedChanges::of(&decision.plan), &applied)
    };
    let of = |directories: &[NodeId]| Listings::Of(directories.iter().copied().collect());
    assert_eq!(told(Op::Set(file, SetAttributes::size(1))), of(&[from]));
    assert_eq!(told(Op::Set(from, SetAttributes { mode: Some(0o700), ..Default::default() })), of(&[ROOT]));
    assert_eq!(told(rename_op((from, "a"), (from, "b"))), of(&[from]), "once");
    assert_eq!(told(rename_op((from, "b"), (to, "c"))), of(&[from, to]));
    assert_eq!(told(Op::Set(file, SetAttributes::default())), of(&[]), "nothing has changed");
    let link = Op::Link(LinkRequest { node: file, directory: from, name: name("d") });
    assert_eq!(told(link), of(&[from]), "only a name");
    assert_eq!(told(Op::Set(file, SetAttributes::size(2))), Listings::Any, "it is in two directories");
    let back = Op::Link(LinkRequest { node: file, directory: to, name: name("e") });
    assert_eq!(told(back), of(&[to]));
    assert_eq!(told(remove_op(to, "c", RemoveKind::NotDirectory)), of(&[to]));
    assert_eq!(told(remove_op(to, "e", RemoveKind::NotDirectory)), of(&[to]));
    assert_eq!(told(Op::Set(file, SetAttributes::size(3))), Listings::Any, "its newest name is gone");
    assert_eq!(told(rename_op((from, "d"), (from, "f"))), of(&[from]));
    assert_eq!(told(Op::Set(file, SetAttributes::size(3))), of(&[from]));
}
