//! Named streams of a file, against a map of their names.

use std::collections::BTreeMap;

use dittofs_domain::{
    Credentials, FoldTable, FsError, Name, NodeId, NodeKind,
    access::AccessMask,
    error::FsResult,
    namespace::{
        Context, CreateHow, Decision, InitialAttributes, LinkRequest, NewKind, RemoveKind, RemoveRequest, StreamRename,
        stream::{self, STREAMS_MAX, StreamEntry},
    },
    node::NodeFlags,
    plan::{PLAN_STEPS_MAX, Plan, Query, Space, UnlinkedReason},
};
use proptest::prelude::*;
use rstest::rstest;

use crate::{
    store::TABLE,
    world::{Op, ROOT, World, alice, at, bob, create_op, name},
};

const NONE: AccessMask = AccessMask::empty();

/// The streams of a file, as a store keeps them.
fn entries(world: &World, file: NodeId) -> Vec<StreamEntry> {
    let of_file = world.store.entries.iter().filter(|(key, _)| key.space == Space::Streams && key.directory == file);
    let entry = |name: &Name, node, cookie| StreamEntry { name: name.clone(), cookie, node, is_there: true };
    of_file.map(|(key, (node, cookie))| entry(&key.name, *node, *cookie)).collect()
}

fn apply(world: &mut World, plan: &Plan) {
    world.store.apply(plan).expect("expectations hold in the view that they come from");
    world.store.check();
}

fn make(world: &mut World, file: NodeId, at_name: &str) -> FsResult<NodeId> {
    make_by(world, (file, at_name), &alice(), NONE)
}

fn make_by(world: &mut World, (file, stream): (NodeId, &str), who: &Credentials, held: AccessMask) -> FsResult<NodeId> {
    world.seconds += 1;
    let (fresh, context) = (world.fresh(), Context { credentials: who, now: at(world.seconds) });
    let count = entries(world, file).len();
    let view = world.store.view(&stream::query(file, &name(stream)));
    let Decision { plan, node } = stream::create(&view, (file, &name(stream)), (held, count), &context, fresh)?;
    apply(world, &plan);
    Ok(node)
}

fn rename(world: &mut World, request: &StreamRename, busy: bool) -> FsResult<()> {
    world.seconds += 1;
    let (who, now) = (alice(), at(world.seconds));
    let view = world.store.view(&stream::rename_query(request));
    let plan = stream::rename(&view, request, &Context { credentials: &who, now }, busy)?.plan;
    apply(world, &plan);
    Ok(())
}

fn remove(world: &mut World, (file, stream, node): (NodeId, &str, NodeId), busy: bool) -> FsResult<()> {
    world.seconds += 1;
    let (who, now) = (alice(), at(world.seconds));
    let last = entries(world, file).len() == 1;
    let view = world.store.view(&stream::query(file, &name(stream)));
    let context = Context { credentials: &who, now };
    let plan = stream::remove(&view, (file, &name(stream), node), &context, (last, busy))?.plan;
    apply(world, &plan);
    Ok(())
}

fn file(world: &mut World, mode: u16) -> NodeId {
    let attributes = InitialAttributes { mode: Some(mode), ..InitialAttributes::default() };
    world.run(&alice(), create_op(ROOT, "file", NewKind::File, attributes, CreateHow::Guarded)).unwrap()
}

#[test]
fn a_stream_is_a_node_of_its_file() {
    let mut world = World::new();
    let file = file(&mut world, 0o600);
    let before = world.node(file).clone();
    let stream = make(&mut world, file, "s").unwrap();
    let node = world.node(stream);
    assert_eq!((node.kind, node.links, node.parent.directory), (NodeKind::Stream, 1, file));
    let after = world.node(file);
    assert!(after.flags.contains(NodeFlags::STREAMS));
    assert!(after.ctime > before.ctime && after.change > before.change, "it is a change of the file");
    assert_eq!((after.mtime, after.links), (before.mtime, before.links));
    assert!(node.ctime <= after.ctime, "a file knows of the streams that it gets");
}

#[rstest]
#[case::owner(alice(), 0o600, NONE, Ok(()))]
#[case::owner_who_may_not_write(alice(), 0o400, NONE, Err(FsError::Access))]
#[case::others_who_may_read(bob(), 0o644, NONE, Err(FsError::Access))]
#[case::others_who_may_write(bob(), 0o666, NONE, Ok(()))]
#[case::by_an_open(bob(), 0o600, AccessMask::WRITE_DATA, Ok(()))]
#[case::root(Credentials::root(), 0o000, NONE, Ok(()))]
fn a_stream_is_made_by_who_may_write_to_the_file(
    #[case] who: Credentials,
    #[case] mode: u16,
    #[case] held: AccessMask,
    #[case] expected: Result<(), FsError>,
) {
    let mut world = World::new();
    let file = file(&mut world, mode);
    assert_eq!(make_by(&mut world, (file, "s"), &who, held).map(drop), expected);
    assert_eq!(entries(&world, file).len(), usize::from(expected.is_ok()));
}

#[test]
fn only_files_and_directories_have_streams() {
    let mut world = World::new();
    let directory =
        world.run(&alice(), create_op(ROOT, "d", NewKind::Directory, mode(0o700), CreateHow::Guarded)).unwrap();
    make(&mut world, directory, "s").unwrap();
    for kind in [NewKind::Symlink(b"t".as_slice().into()), NewKind::Fifo, NewKind::Socket] {
        let node =
            world.run(&Credentials::root(), create_op(ROOT, "x", kind, mode(0o777), CreateHow::Guarded)).unwrap();
        assert_eq!(make_by(&mut world, (node, "s"), &Credentials::root(), NONE), Err(FsError::Invalid));
        let remove = RemoveRequest { directory: ROOT, name: name("x"), kind: RemoveKind::NotDirectory };
        world.run(&Credentials::root(), Op::Remove(remove)).unwrap();
    }
    let stream = make(&mut world, directory, "t").unwrap();
    assert_eq!(make_by(&mut world, (stream, "s"), &Credentials::root(), NONE), Err(FsError::Invalid));
    let link = LinkRequest { node: stream, directory: ROOT, name: name("l") };
    assert_eq!(world.run(&Credentials::root(), Op::Link(link)), Err(FsError::NotPermitted));
}

fn mode(mode: u16) -> InitialAttributes {
    InitialAttributes { mode: Some(mode), ..InitialAttributes::default() }
}

#[test]
fn a_file_without_a_name_gets_no_stream() {
    let mut world = World::new();
    let file = file(&mut world, 0o600);
    let request = RemoveRequest { directory: ROOT, name: name("file"), kind: RemoveKind::NotDirectory };
    world.run_busy(&alice(), Op::Remove(request)).unwrap();
    assert_eq!(make(&mut world, file, "s"), Err(FsError::Stale));
}

/// As many as there may be go in one plan.
#[test]
fn all_streams_go_at_once_and_there_are_no_more_than_that() {
    let mut world = World::new();
    let file = file(&mut world, 0o600);
    for number in 0..STREAMS_MAX {
        make(&mut world, file, &format!("s{number}")).unwrap();
    }
    assert_eq!(make(&mut world, file, "one more"), Err(FsError::NoSpace));
    let entries = entries(&world, file);
    let plan = stream::clear(&world.store.view(&Query::node(file)), file, (&entries, true), at(9_999)).unwrap();
    assert!(plan.steps() <= PLAN_STEPS_MAX);
    apply(&mut world, &plan);
    assert!(!world.node(file).flags.contains(NodeFlags::STREAMS));
    assert!(world.store.entries.keys().all(|key| key.space == Space::Children));
    let left: BTreeMap<NodeId, UnlinkedReason> =
        entries.iter().map(|entry| (entry.node, UnlinkedReason::Reaping)).collect();
    assert_eq!(world.store.unlinked, left, "the reaper removes them");
}

/// Nothing that comes in between of a decision and its plan is lost: the plan is refused.
#[test]
fn a_stream_that_comes_meanwhile_is_not_forgotten() {
    let mut world = World::new();
    let file = file(&mut world, 0o600);
    let first = make(&mut world, file, "s").unwrap();
    let seen = entries(&world, file);
    let clear = stream::clear(&world.store.view(&Query::node(file)), file, (&seen, true), at(9_999)).unwrap();
    let view = world.store.view(&stream::query(file, &name("s")));
    let who = alice();
    let context = Context { credentials: &who, now: at(9_999) };
    let last = stream::remove(&view, (file, &name("s"), first), &context, (true, false)).unwrap().plan;
    make(&mut world, file, "t").unwrap();
    for plan in [clear, last] {
        world.store.apply(&plan).unwrap_err();
    }
    assert_eq!(entries(&world, file).len(), 2);
}

#[test]
fn a_stream_with_content_keeps_its_name() {
    let mut world = World::new();
    let file = file(&mut world, 0o600);
    let stream = make(&mut world, file, "s").unwrap();
    let other = make(&mut world, file, "t").unwrap();
    let held = AccessMask::DELETE;
    let to = |to, replace| StreamRename { file, from: name("s"), to: name(to), stream, held, replace };
    let without = StreamRename { held: NONE, ..to("u", false) };
    assert_eq!(rename(&mut world, &without, false), Err(FsError::Access));
    assert_eq!(rename(&mut world, &to("T", false), false), Err(FsError::Exists));
    assert_eq!(rename(&mut world, &to("T", true), true), Err(FsError::Invalid), "it is open");
    world.tamper(other, |node| node.size = 1);
    assert_eq!(rename(&mut world, &to("T", true), false), Err(FsError::Invalid), "it has content");
    world.tamper(other, |node| node.size = 0);
    rename(&mut world, &to("T", true), false).unwrap();
    assert!(!world.exists(other));
    assert_eq!(entries(&world, file).len(), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Make(usize),
    Rename(usize, usize, bool),
    Remove(usize, bool),
}

const NAMES: [&str; 6] = ["a", "A", "b", "B", "stra\u{df}e", "STRA\u{df}E"];

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    prop_oneof![
        name.clone().prop_map(Step::Make),
        (name.clone(), name.clone(), any::<bool>()).prop_map(|(from, to, replace)| Step::Rename(from, to, replace)),
        (name, any::<bool>()).prop_map(|(name, busy)| Step::Remove(name, busy)),
    ]
}

/// The folded form, by which streams are told apart.
fn folded(table: FoldTable, text: &str) -> Name {
    table.folded(&name(text))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn streams_are_found_in_any_case_and_keep_theirs(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        let file = file(&mut world, 0o600);
        let mut model: BTreeMap<Name, (String, NodeId)> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Make(at) => {
                    let made = make(&mut world, file, NAMES[at]);
                    let key = folded(TABLE, NAMES[at]);
                    match model.contains_key(&key) {
                        true => prop_assert_eq!(made, Err(FsError::Exists)),
                        false => drop(model.insert(key, (NAMES[at].to_owned(), made.unwrap()))),
                    }
                }
                Step::Rename(from, to, replace) => {
                    let (from_key, to_key) = (folded(TABLE, NAMES[from]), folded(TABLE, NAMES[to]));
                    let Some((_, stream)) = model.get(&from_key).cloned() else { continue };
                    let (from_name, to_name, held) = (name(NAMES[from]), name(NAMES[to]), AccessMask::DELETE);
                    let request = StreamRename { file, from: from_name, to: to_name, stream, held, replace };
                    let renamed = rename(&mut world, &request, false);
                    if from_key != to_key && model.contains_key(&to_key) && !replace {
                        prop_assert_eq!(renamed, Err(FsError::Exists));
                        continue;
                    }
                    prop_assert_eq!(renamed, Ok(()));
                    model.remove(&from_key);
                    model.insert(to_key, (NAMES[to].to_owned(), stream));
                }
                Step::Remove(at, busy) => {
                    let Some((_, stream)) = model.remove(&folded(TABLE, NAMES[at])) else { continue };
                    remove(&mut world, (file, NAMES[at], stream), busy).unwrap();
                    prop_assert_eq!(world.store.unlinked.contains_key(&stream), busy);
                    prop_assert_eq!(world.exists(stream), busy);
                }
            }
            let has: BTreeMap<Name, (String, NodeId)> = entries(&world, file)
                .into_iter()
                .map(|entry| (TABLE.folded(&entry.name), (entry.name.to_string(), entry.node)))
                .collect();
            let escaped =
                |(key, (text, node)): (&Name, &(String, NodeId))| (key.clone(), (name(text).to_string(), *node));
            prop_assert_eq!(&has, &model.iter().map(escaped).collect());
            let flagged = world.node(file).flags.contains(NodeFlags::STREAMS);
            prop_assert_eq!(flagged, !model.is_empty(), "a file knows whether it has streams");
        }
    }
}
