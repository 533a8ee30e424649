//! Random calls of both kinds of callers: on the rules and the model, and two at once.

use std::collections::BTreeMap;

use dittofs_domain::{
    Cookie, NodeId,
    namespace::{CreateHow, InitialAttributes, LinkRequest, NewKind, RemoveKind},
    plan::{EntryKey, Plan},
};
use proptest::prelude::*;

use super::{Cased, decide, model::Names};
use crate::{
    store::{Store, TABLE},
    world::{Op, ROOT, World, alice, create_op, name, remove_op, rename_op},
};

const NAMES: [&str; 7] = ["a", "A", "b", "B", "ä", "Ä", "\u{212a}"];

#[derive(Clone, Debug)]
struct Wish {
    verb: u8,
    directories: [bool; 2],
    names: [usize; 2],
    node: usize,
    ignores: bool,
}

fn wish() -> impl Strategy<Value = Wish> {
    let names = [0..NAMES.len(), 0..NAMES.len()];
    (0..8u8, any::<[bool; 2]>(), names, any::<usize>(), any::<bool>())
        .prop_map(|(verb, directories, names, node, ignores)| Wish { verb, directories, names, node, ignores })
}

fn make(wish: &Wish, world: &World, other: NodeId) -> Cased {
    let [one, two] = wish.directories.map(|first| if first { ROOT } else { other });
    let [from, to] = wish.names.map(|index| NAMES[index]);
    let files: Vec<NodeId> = world.store.nodes.keys().copied().filter(|id| *id != ROOT && *id != other).collect();
    let op = match wish.verb {
        0..=2 => {
            let how = if wish.verb == 0 { CreateHow::Unchecked } else { CreateHow::Guarded };
            let attributes = InitialAttributes { mode: Some(0o644), ..Default::default() };
            create_op(one, from, NewKind::File, attributes, how)
        }
        3 if !files.is_empty() => {
            Op::Link(LinkRequest { node: files[wish.node % files.len()], directory: one, name: name(from) })
        }
        3 | 4 => remove_op(one, from, RemoveKind::NotDirectory),
        _ => rename_op((one, from), (two, to)),
    };
    Cased { op, ignores: wish.ignores }
}

fn world() -> (World, NodeId) {
    let mut world = World::new();
    let other = world.mkdir(&alice(), ROOT, "other");
    (world, other)
}

/// How many names of a folded form there are in each directory.
fn crowds(store: &Store) -> BTreeMap<(NodeId, Vec<u8>), usize> {
    let mut crowds = BTreeMap::new();
    for key in store.entries.keys() {
        *crowds.entry((key.directory, TABLE.folded(&key.name).as_bytes().to_vec())).or_default() += 1;
    }
    crowds
}

/// The entries after two calls, one after the other; none if one is refused.
fn in_order(store: &Store, calls: [(&Cased, u64); 2]) -> Option<BTreeMap<EntryKey, (NodeId, Cookie)>> {
    let mut store = store.clone();
    for (call, number) in calls {
        let plan = decide(&store, call, number).ok()?.plan;
        assert!(apply(&mut store, &plan));
    }
    Some(store.entries)
}

fn apply(store: &mut Store, plan: &Plan) -> bool {
    let applied = store.apply(plan).is_ok();
    store.check();
    applied
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_and_model_agree_on_names_in_any_case(wishes in prop::collection::vec(wish(), 1..80)) {
        let (mut world, other) = world();
        let mut model = Names::default();
        for wish in &wishes {
            let call = make(wish, &world, other);
            let before = crowds(&world.store);
            let fresh = world.fresh().node;
            let decided = decide(&world.store, &call, fresh.0);
            let expected = model.call(&call, fresh);
            prop_assert_eq!(decided.as_ref().map(|decision| decision.node), expected.as_ref().copied(), "{:?}", call);
            if let Ok(decision) = decided {
                assert!(apply(&mut world.store, &decision.plan), "expectations hold in the view that they come from");
            }
            model.compare(&world);
            if call.ignores {
                for (folded, count) in crowds(&world.store) {
                    let most = before.get(&folded).copied().unwrap_or_default().max(1);
                    prop_assert!(count <= most, "{:?} made another name of another case", call);
                }
            }
        }
    }

    #[test]
    fn two_calls_on_one_view_meet_or_are_as_one_after_the_other(
        wishes in prop::collection::vec(wish(), 0..20),
        pairs in prop::collection::vec((wish(), wish()), 30),
    ) {
        let (mut world, other) = world();
        for wish in &wishes {
            let call = make(wish, &world, other);
            let fresh = world.fresh().node.0;
            if let Ok(decision) = decide(&world.store, &call, fresh) {
                assert!(apply(&mut world.store, &decision.plan));
            }
        }
        for (first, second) in &pairs {
            let (first, second) = (make(first, &world, other), make(second, &world, other));
            let (Ok(one), Ok(two)) = (decide(&world.store, &first, 900), decide(&world.store, &second, 950)) else {
                continue;
            };
            let mut store = world.store.clone();
            assert!(apply(&mut store, &one.plan));
            if two.plan.changes.is_empty() || !apply(&mut store, &two.plan) {
                continue;
            }
            // A name that is made meanwhile may be the better one: then it is as if it were made afterwards.
            let orders = [in_order(&world.store, [(&first, 900), (&second, 950)]), in_order(&world.store, [(&second, 950), (&first, 900)])];
            prop_assert!(orders.contains(&Some(store.entries.clone())), "{:?} after {:?}", second, first);
            if first.ignores && second.ignores {
                let before = crowds(&world.store);
                for (folded, count) in crowds(&store) {
                    prop_assert!(count <= before.get(&folded).copied().unwrap_or_default().max(1));
                }
            }
        }
    }
}
