//! Callers that ignore case beside callers that respect it, in one directory tree.

mod model;
mod random;

use dittofs_domain::{
    Cookie, FsError, NodeId, Scale,
    error::FsResult,
    namespace::{
        Context, CreateDecision, CreateHow, Decision, Fresh, InitialAttributes, LinkRequest, NewKind, RemoveKind,
        create, link, remove, rename,
    },
    plan::{EntryKey, Expectation, Plan, Query},
};
use rstest::rstest;

use crate::{
    store::Store,
    world::{Op, ROOT, World, alice, at, create_op, name, remove_op, rename_op},
};

/// A call, and whether its caller ignores case.
#[derive(Clone, Debug)]
struct Cased {
    op: Op,
    ignores: bool,
}

fn fresh(number: u64) -> Fresh {
    Fresh { node: NodeId(number), cookie: Cookie(number + 1), scale: Scale::PRODUCTION, holder: None }
}

fn decide(store: &Store, call: &Cased, number: u64) -> FsResult<Decision> {
    let who = alice();
    let context = Context { credentials: &who, now: at(5_000) };
    let view = |query: Query| store.view(&if call.ignores { query.in_any_case() } else { query });
    match &call.op {
        Op::Create(request) => match create::decide(&view(create::query(request)), request, &context, fresh(number))? {
            CreateDecision::New(decision) => Ok(decision),
            CreateDecision::Existing { node, .. } => Ok(Decision { plan: Plan::at(context.now), node: node.id }),
        },
        Op::Link(request) => link::decide(&view(link::query(request)), request, &context, fresh(number)),
        Op::Remove(request) => remove::decide(&view(remove::query(request)), request, &context, false),
        Op::Rename(request) => rename::decide(&view(rename::query(request)), request, &context, false),
        Op::Set(..) => panic!("no rule over names"),
    }
}

fn run(world: &mut World, ignores: bool, op: Op) -> FsResult<NodeId> {
    let number = world.fresh().node.0;
    let decision = decide(&world.store, &Cased { op, ignores }, number)?;
    world.store.apply(&decision.plan).expect("expectations hold in the view that they come from");
    world.store.check();
    Ok(decision.node)
}

fn ignoring(world: &mut World, op: Op) -> FsResult<NodeId> {
    run(world, true, op)
}

fn file(at_name: &str, how: CreateHow) -> Op {
    let attributes = InitialAttributes { mode: Some(0o644), ..Default::default() };
    create_op(ROOT, at_name, NewKind::File, attributes, how)
}

fn names(world: &World) -> Vec<String> {
    let keys = world.store.entries.keys();
    keys.map(|key| String::from_utf8(key.name.as_bytes().to_vec()).unwrap()).collect()
}

fn with(files: &[&str]) -> (World, Vec<NodeId>) {
    let mut world = World::new();
    let nodes = files.iter().map(|at_name| world.file(&alice(), ROOT, at_name)).collect();
    (world, nodes)
}

#[test]
fn create_finds_the_file_of_another_case_and_says_its_name() {
    let (mut world, nodes) = with(&["ReadMe"]);
    assert_eq!(ignoring(&mut world, file("README", CreateHow::Unchecked)), Ok(nodes[0]));
    assert_eq!(ignoring(&mut world, file("README", CreateHow::Guarded)), Err(FsError::Exists));
    let Op::Create(request) = file("README", CreateHow::Unchecked) else { panic!() };
    let view = world.store.view(&create::query(&request).in_any_case());
    let (who, now) = (alice(), at(5_000));
    match create::decide(&view, &request, &Context { credentials: &who, now }, fresh(90)).unwrap() {
        CreateDecision::Existing { name: found, .. } => assert_eq!(found, name("ReadMe")),
        made @ CreateDecision::New(_) => panic!("{made:?}"),
    }
    assert_eq!(names(&world), ["ReadMe"]);
}

#[test]
fn new_entry_has_the_case_that_was_asked_for() {
    let (mut world, _) = with(&[]);
    ignoring(&mut world, file("ReadMe", CreateHow::Guarded)).unwrap();
    assert_eq!(names(&world), ["ReadMe"]);
}

#[test]
fn callers_that_respect_case_make_both() {
    let (mut world, nodes) = with(&["a", "A"]);
    assert_eq!(names(&world), ["A", "a"]);
    // Just this name comes first, and else the oldest.
    assert_eq!(ignoring(&mut world, file("A", CreateHow::Unchecked)), Ok(nodes[1]));
    world.unlink(&alice(), ROOT, "A").unwrap();
    assert_eq!(ignoring(&mut world, file("A", CreateHow::Unchecked)), Ok(nodes[0]));
}

#[test]
fn link_meets_a_name_of_another_case() {
    let (mut world, nodes) = with(&["a", "b"]);
    let link = |at_name: &str| Op::Link(LinkRequest { node: nodes[0], directory: ROOT, name: name(at_name) });
    assert_eq!(ignoring(&mut world, link("B")), Err(FsError::Exists));
    assert_eq!(ignoring(&mut world, link("C")), Ok(nodes[0]));
}

#[test]
fn remove_takes_the_entry_by_the_name_that_it_has() {
    let (mut world, nodes) = with(&["Old", "old", "OLD"]);
    let remove = |at_name: &str| remove_op(ROOT, at_name, RemoveKind::NotDirectory);
    assert_eq!(ignoring(&mut world, remove("OLD")), Ok(nodes[2]));
    assert_eq!(ignoring(&mut world, remove("OLD")), Ok(nodes[0]));
    assert_eq!(ignoring(&mut world, remove("OLD")), Ok(nodes[1]));
    assert_eq!(ignoring(&mut world, remove("OLD")), Err(FsError::NotFound));
}

#[rstest]
#[case::only_its_case(&["foo"], "foo", "FOO", &["FOO"])]
#[case::found_by_another_case(&["foo"], "FOO", "Foo", &["Foo"])]
#[case::to_the_name_that_it_has(&["foo"], "FOO", "foo", &["foo"])]
#[case::over_another_case(&["foo", "BAR"], "foo", "bar", &["bar"])]
#[case::over_the_same_name(&["foo", "BAR"], "foo", "BAR", &["BAR"])]
#[case::its_case_beside_another_one(&["foo", "Foo"], "foo", "FOO", &["FOO", "Foo"])]
#[case::its_case_to_another_one_that_is_there(&["foo", "FOO"], "foo", "FOO", &["FOO"])]
#[case::over_the_oldest_of_several(&["x", "bAR", "BAr"], "x", "bar", &["BAr", "bar"])]
fn rename_takes_names_in_any_case(
    #[case] before: &[&str],
    #[case] from: &str,
    #[case] to: &str,
    #[case] after: &[&str],
) {
    let (mut world, nodes) = with(before);
    assert_eq!(ignoring(&mut world, rename_op((ROOT, from), (ROOT, to))), Ok(nodes[0]));
    assert_eq!(names(&world), after);
    let there = world.store.entries[&EntryKey::child(ROOT, &name(to))].0;
    assert_eq!(there, nodes[0]);
}

#[test]
fn renaming_a_directory_over_a_full_one_of_another_case_is_refused() {
    let mut world = World::new();
    world.mkdir(&alice(), ROOT, "a");
    let b = world.mkdir(&alice(), ROOT, "B");
    world.file(&alice(), b, "f");
    assert_eq!(ignoring(&mut world, rename_op((ROOT, "A"), (ROOT, "b"))), Err(FsError::NotEmpty));
}

#[test]
fn who_ignores_case_expects_that_no_name_folds_alike() {
    let (world, nodes) = with(&["f"]);
    let key = EntryKey::child(ROOT, &name("New"));
    let link = Op::Link(LinkRequest { node: nodes[0], directory: ROOT, name: name("New") });
    for op in [file("New", CreateHow::Guarded), link, rename_op((ROOT, "F"), (ROOT, "New"))] {
        for ignores in [true, false] {
            let op = if let (Op::Rename(_), false) = (&op, ignores) {
                rename_op((ROOT, "f"), (ROOT, "New"))
            } else {
                op.clone()
            };
            let plan = decide(&world.store, &Cased { op, ignores }, 90).unwrap().plan;
            let folded = plan.expectations.contains(&Expectation::FoldedAbsent(key.clone()));
            let exact = plan.expectations.contains(&Expectation::EntryAbsent(key.clone()));
            assert_eq!((folded, exact), (ignores, !ignores));
        }
    }
}
