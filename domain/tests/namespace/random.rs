//! Random sequences of calls by several callers, on the rules and on the model.

use dittofs_domain::{
    Credentials, FsError, Node, NodeId, NodeKind,
    namespace::{CreateHow, InitialAttributes, LinkRequest, NewKind, RemoveKind, Replace, SetAttributes, SetTime},
};
use proptest::prelude::*;

use crate::{
    model::{Model, Touched},
    pairs::check_pair,
    store::Store,
    world::{Call, Op, World, alice, at, bob, carol, create_op, decide, exact_rename_op, name, remove_op, root},
};

/// A call whose nodes are not known yet: numbers are turned into nodes when it is made.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    verb: Verb,
    who: u8,
    directories: [u16; 2],
    node: u16,
    names: [u8; 2],
    busy: bool,
    pub(crate) seconds: i64,
}

#[derive(Clone, Debug)]
enum Verb {
    Create { kind: u8, mode: u16, how: u8, size: Option<u64> },
    Link,
    Remove { how: u8 },
    Rename { exact: u8 },
    Set(SetAttributes),
}

fn verb() -> impl Strategy<Value = Verb> {
    let mode = prop_oneof![3 => Just(0o777), 1 => Just(0o755), 2 => 0..=0o7777u16];
    let size = prop_oneof![2 => Just(None), 1 => Just(Some(5))];
    prop_oneof![
        6 => (0..6u8, mode.clone(), 0..4u8, size.clone())
            .prop_map(|(kind, mode, how, size)| Verb::Create { kind, mode, how, size }),
        1 => Just(Verb::Link),
        3 => (0..6u8).prop_map(|how| Verb::Remove { how }),
        6 => (0..8u8).prop_map(|exact| Verb::Rename { exact }),
        1 => mode.prop_map(|mode| Verb::Set(SetAttributes { mode: Some(mode), ..Default::default() })),
        1 => (uid(), gid(), size).prop_map(|(uid, gid, size)| {
            let mtime = if uid.is_some() { SetTime::Keep } else { SetTime::Now };
            Verb::Set(SetAttributes { uid, gid, size, mtime, ..Default::default() })
        }),
    ]
}

fn uid() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![Just(None), Just(Some(1000)), Just(Some(1001))]
}

fn gid() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![Just(None), Just(Some(100)), Just(Some(101)), Just(Some(555))]
}

pub(crate) fn wish() -> impl Strategy<Value = Wish> {
    let who = prop_oneof![2 => Just(0u8), 2 => Just(1), 1 => Just(2), 1 => Just(3)];
    let seconds = 1_000..1_100i64;
    (verb(), who, any::<[u16; 2]>(), any::<u16>(), [0..4u8, 0..4u8], prop::bool::weighted(0.2), seconds).prop_map(
        |(verb, who, directories, node, names, busy, seconds)| Wish {
            verb,
            who,
            directories,
            node,
            names,
            busy,
            seconds,
        },
    )
}

/// Mostly what is there and has a name; sometimes any id that was ever given out.
fn pick(store: &Store, number: u16, next: u64, wanted: fn(&Node) -> bool) -> NodeId {
    let there: Vec<NodeId> = store.nodes.values().filter(|node| wanted(node)).map(|node| node.id).collect();
    match there.get(usize::from(number / 16) % there.len().max(1)) {
        Some(id) if !number.is_multiple_of(16) => *id,
        _ => NodeId(3 + u64::from(number / 16) % (next - 2)),
    }
}

pub(crate) fn make(wish: &Wish, world: &World) -> Call {
    let directory = |index: usize| {
        let linked = |node: &Node| node.kind == NodeKind::Directory && node.is_linked();
        pick(&world.store, wish.directories[index], world.next, linked)
    };
    let names = wish.names.map(|number| ["a", "b", "c", "d"][usize::from(number)]);
    let node = pick(&world.store, wish.node, world.next, |_| true);
    let op = match &wish.verb {
        Verb::Create { kind, mode, how, size } => {
            let kind = match kind {
                0 => NewKind::File,
                1..=3 => NewKind::Directory,
                4 => NewKind::Symlink((*b"target").into()),
                _ => NewKind::CharDevice(Default::default()),
            };
            let how = match (how, &kind) {
                (1, NewKind::File) => CreateHow::Unchecked,
                (2, NewKind::File) => CreateHow::Exclusive([1; 8]),
                (3, NewKind::File) => CreateHow::Exclusive([2; 8]),
                _ => CreateHow::Guarded,
            };
            let attributes = InitialAttributes { mode: Some(*mode), size: *size, ..Default::default() };
            create_op(directory(0), names[0], kind, attributes, how)
        }
        Verb::Link => Op::Link(LinkRequest { node, directory: directory(0), name: name(names[0]) }),
        Verb::Remove { how } => {
            let kind = [RemoveKind::Directory, RemoveKind::NotDirectory][usize::from(how % 2)];
            let kind = match *how {
                4 => RemoveKind::Just(node),
                5 => RemoveKind::Held(node),
                _ => kind,
            };
            remove_op(directory(0), names[0], kind)
        }
        Verb::Rename { exact } => {
            let [from, to] = [(directory(0), names[0]), (directory(1), names[1])];
            let target = world.entry(to.0, to.1);
            let replace = match exact {
                4 => Replace::Nothing,
                5 => Replace::Only(node),
                6 => target.map_or(Replace::Nothing, Replace::Only),
                _ => Replace::Any,
            };
            let source = if *exact == 7 { Some(node) } else { None };
            exact_rename_op(from, to, (source, replace))
        }
        Verb::Set(request) => Op::Set(node, request.clone()),
    };
    Call { op, credentials: caller(wish.who), busy: wish.busy }
}

fn caller(number: u8) -> Credentials {
    [root(), alice(), bob(), carol()][usize::from(number)].clone()
}

fn is_nothing(op: &Op) -> bool {
    matches!(op, Op::Set(_, request) if *request == SetAttributes::default())
}

/// Times and change count advance exactly where something changed.
fn compare_times(before: &Store, after: &Store, touched: &Touched) {
    for (id, old) in &before.nodes {
        let Some(new) = after.nodes.get(id) else { continue };
        assert_eq!(new.ctime > old.ctime, touched.ctime.contains(id), "{id}: ctime");
        assert_eq!(new.change > old.change, touched.ctime.contains(id), "{id}: change");
        assert!(new.ctime >= old.ctime, "{id}: ctime went back");
        if old.kind == NodeKind::Directory && touched.directories.contains(id) {
            assert!(new.mtime > old.mtime, "{id}: mtime of a directory");
        }
        if !touched.ctime.contains(id) {
            assert_eq!(old, new, "{id} was not to be touched");
        }
    }
}

fn compare(store: &Store, model: &Model) {
    assert!(store.nodes.keys().eq(model.inodes.keys()), "the same nodes");
    for (id, inode) in &model.inodes {
        let node = &store.nodes[id];
        let children: Vec<_> =
            store.entries.iter().filter(|(key, _)| key.directory == *id).map(|(key, to)| (&key.name, &to.0)).collect();
        assert!(children.into_iter().eq(inode.children.iter()), "{id}: children");
        let security = (node.kind, node.mode, node.uid, node.gid, node.size);
        assert_eq!(security, (inode.kind, inode.mode, inode.uid, inode.gid, inode.size), "{id}");
        assert_eq!(node.links as usize, model.links(*id), "{id}: links");
    }
}

fn step(world: &mut World, model: &mut Model, wish: &Wish) {
    let call = make(wish, world);
    let before = world.store.clone();
    let fresh = world.fresh();
    let decided = decide(&world.store, &call, at(wish.seconds), fresh);
    let mut after = model.clone();
    let expected = after.call(&call, fresh.node);
    assert_eq!(
        decided.as_ref().map(|decision| decision.node),
        expected.as_ref().map(|(node, _)| *node),
        "{call:?} on {:#?}",
        model.inodes
    );
    let (Ok(decision), Ok((_, touched))) = (decided, expected) else { return };
    world.store.apply(&decision.plan).expect("expectations hold in the view that they come from");
    world.store.check();
    *model = after;
    compare(&world.store, model);
    if is_nothing(&call.op) {
        assert_eq!(before, world.store);
    } else {
        compare_times(&before, &world.store, &touched);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_and_model_agree(wishes in prop::collection::vec(wish(), 1..120)) {
        let mut world = World::new();
        let mut model = Model::new();
        for wish in &wishes {
            step(&mut world, &mut model, wish);
        }
    }

    #[test]
    fn plans_decided_on_one_view_meet_or_leave_a_valid_tree(
        wishes in prop::collection::vec(wish(), 10..60),
        pairs in prop::collection::vec((wish(), wish()), 20),
    ) {
        let mut world = World::new();
        for wish in &wishes {
            let call = make(wish, &world);
            let outcome: Result<_, FsError> = world.call(&call);
            drop(outcome);
        }
        for (first, second) in &pairs {
            let (first, second) = (make(first, &world), make(second, &world));
            check_pair(&world, &first, &second);
        }
    }
}
