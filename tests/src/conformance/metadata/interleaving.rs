//! Every pair of requests in all interleavings: the result is that of one after the other.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use dittofs_domain::{
    Credentials, NodeId, NodeKind, Timestamp,
    namespace::{LinkRequest, RemoveKind, RemoveRequest, RenameRequest, SetAttributes, SetTime},
    plan::{Change, EntryKey, LinkChange, NodeUpdate, Plan},
};
use dittofs_ports::MetadataStore;
use tokio::task::JoinSet;

use super::{
    Fixture,
    dump::Dump,
    fixture::{child, name, time},
    request::{Act, Outcome, Request, exclusive, fresh, new_directory, new_file, new_symlink, unchecked},
};

/// A small tree with everything that requests can meet in:
///
/// ```text
/// d/f  d/g = e/h  d/sub/   e/full/x  e/s ->   empty/   sticky/mine
/// ```
struct Tree {
    fixture: Fixture,
    d: NodeId,
    e: NodeId,
    full: NodeId,
    empty: NodeId,
    sticky: NodeId,
    f: NodeId,
    g: NodeId,
    x: NodeId,
    sub: NodeId,
    mine: NodeId,
    /// `ctime` of `d/f`.
    guard: Timestamp,
}

const USER: u32 = 1_000;

impl Tree {
    async fn new(store: &Arc<dyn MetadataStore>) -> Tree {
        let fixture = Fixture::new(store).await;
        let d = fixture.add(NodeId::ROOT, "d", NodeKind::Directory).await;
        let e = fixture.add(NodeId::ROOT, "e", NodeKind::Directory).await;
        let full = fixture.add(e, "full", NodeKind::Directory).await;
        let empty = fixture.add(NodeId::ROOT, "empty", NodeKind::Directory).await;
        let sticky = fixture.add(NodeId::ROOT, "sticky", NodeKind::Directory).await;
        let f = fixture.add(d, "f", NodeKind::File).await;
        let g = fixture.add(d, "g", NodeKind::File).await;
        let sub = fixture.add(d, "sub", NodeKind::Directory).await;
        let x = fixture.add(full, "x", NodeKind::File).await;
        fixture.add(e, "s", NodeKind::Symlink).await;
        let mine = fixture.add(sticky, "mine", NodeKind::File).await;
        let guard = Timestamp::EPOCH;
        let tree = Tree { fixture, d, e, full, empty, sticky, f, g, x, sub, mine, guard };
        tree.finish().await;
        let guard = tree.fixture.node(f).await.unwrap().ctime;
        Tree { guard, ..tree }
    }

    /// Adds to the tree what plain additions do not give: a second name, owners, content.
    async fn finish(&self) {
        let fixture = &self.fixture;
        let cookie = dittofs_domain::Cookie(fixture.number());
        let mut plan = Plan::at(time(1_000));
        plan.change(Change::InsertEntry { key: child(self.e, "h"), node: self.g, cookie });
        let links = LinkChange::Set(2);
        plan.change(Change::UpdateNode(self.g, NodeUpdate { links, ..NodeUpdate::changed() }));
        let sticky = NodeUpdate { mode: Some(0o1777), ..NodeUpdate::changed() };
        plan.change(Change::UpdateNode(self.sticky, sticky));
        plan.change(Change::UpdateNode(self.mine, NodeUpdate { uid: Some(USER), ..NodeUpdate::changed() }));
        fixture.apply(plan).await;
        self.act(9, "set-up", Request::Set(self.f, SetAttributes::size(3 << 20))).run(fixture).await.unwrap();
    }

    fn act(&self, index: i64, what: &'static str, request: Request) -> Act {
        let (credentials, now) = (Credentials::root(), time(2_000 + index));
        Act { what, request, credentials, now, fresh: fresh(&self.fixture) }
    }
}

fn rename(from: (NodeId, &str), to: (NodeId, &str)) -> Request {
    Request::Rename(RenameRequest {
        from_directory: from.0,
        from_name: name(from.1),
        to_directory: to.0,
        to_name: name(to.1),
    })
}

fn link(node: NodeId, directory: NodeId, text: &str) -> Request {
    Request::Link(LinkRequest { node, directory, name: name(text) })
}

fn in_any_case(request: Request) -> Request {
    Request::InAnyCase(Box::new(request))
}

fn remove(directory: NodeId, text: &str) -> Request {
    Request::Remove(RemoveRequest { directory, name: name(text), kind: RemoveKind::NotDirectory }, false)
}

fn remove_open(directory: NodeId, text: &str) -> Request {
    Request::Remove(RemoveRequest { directory, name: name(text), kind: RemoveKind::NotDirectory }, true)
}

fn rmdir(directory: NodeId, text: &str, open: bool) -> Request {
    Request::Remove(RemoveRequest { directory, name: name(text), kind: RemoveKind::Directory }, open)
}

fn mode(node: NodeId, mode: u16) -> Request {
    Request::Set(node, SetAttributes { mode: Some(mode), ..SetAttributes::default() })
}

fn owner(node: NodeId, uid: u32) -> Request {
    Request::Set(node, SetAttributes { uid: Some(uid), ..SetAttributes::default() })
}

type Ask = fn(&Tree) -> Request;

/// The requests of root.
const BY_ROOT: &[(&str, Ask)] = &[
    ("create d/new", |t| Request::Create(new_file(t.d, "new"))),
    ("create d/new unchecked", |t| Request::Create(unchecked(t.d, "new"))),
    ("create d/new exclusively", |t| Request::Create(exclusive(t.d, "new", 1))),
    ("create empty/x", |t| Request::Create(new_file(t.empty, "x"))),
    ("create d/sub/x", |t| Request::Create(new_file(t.sub, "x"))),
    ("mkdir d/new", |t| Request::Create(new_directory(t.d, "new"))),
    ("mkdir empty/sub", |t| Request::Create(new_directory(t.empty, "sub"))),
    ("create d/new in any case", |t| in_any_case(Request::Create(new_file(t.d, "new")))),
    ("create d/NEW in any case", |t| in_any_case(Request::Create(new_file(t.d, "NEW")))),
    ("create d/NEW", |t| Request::Create(new_file(t.d, "NEW"))),
    ("create or take d/F in any case", |t| in_any_case(Request::Create(unchecked(t.d, "F")))),
    ("link d/g d/New in any case", |t| in_any_case(link(t.g, t.d, "New"))),
    ("remove d/F in any case", |t| in_any_case(remove(t.d, "F"))),
    ("rename d/f d/F in any case", |t| in_any_case(rename((t.d, "f"), (t.d, "F")))),
    ("rename d/F d/G in any case", |t| in_any_case(rename((t.d, "F"), (t.d, "G")))),
    ("rename e/H d/NEW in any case", |t| in_any_case(rename((t.e, "H"), (t.d, "NEW")))),
    ("symlink e/new", |t| Request::Create(new_symlink(t.e, "new"))),
    ("link d/f d/new", |t| link(t.f, t.d, "new")),
    ("link d/f empty/f", |t| link(t.f, t.empty, "f")),
    ("link d/g e/new", |t| link(t.g, t.e, "new")),
    ("remove d/f", |t| remove(t.d, "f")),
    ("remove d/f while it is open", |t| remove_open(t.d, "f")),
    ("remove d/g", |t| remove(t.d, "g")),
    ("remove e/h", |t| remove(t.e, "h")),
    ("remove e/full/x", |t| remove(t.full, "x")),
    ("rmdir empty", |_| rmdir(NodeId::ROOT, "empty", false)),
    ("rmdir empty while it is open", |_| rmdir(NodeId::ROOT, "empty", true)),
    ("rmdir d/sub", |t| rmdir(t.d, "sub", false)),
    ("rmdir e/full", |t| rmdir(t.e, "full", false)),
    ("rename d/f d/new", |t| rename((t.d, "f"), (t.d, "new"))),
    ("rename d/f e/new", |t| rename((t.d, "f"), (t.e, "new"))),
    ("rename d/f empty/f", |t| rename((t.d, "f"), (t.empty, "f"))),
    ("rename d/g e/h", |t| rename((t.d, "g"), (t.e, "h"))),
    ("rename e/h d/f", |t| rename((t.e, "h"), (t.d, "f"))),
    ("rename d/f d/g", |t| rename((t.d, "f"), (t.d, "g"))),
    ("rename d/sub empty", |t| rename((t.d, "sub"), (NodeId::ROOT, "empty"))),
    ("rename empty d/sub", |t| rename((NodeId::ROOT, "empty"), (t.d, "sub"))),
    ("rename d e/full/d", |t| rename((NodeId::ROOT, "d"), (t.full, "d"))),
    ("rename e d/sub/e", |t| rename((NodeId::ROOT, "e"), (t.sub, "e"))),
    ("rename e/full full", |t| rename((t.e, "full"), (NodeId::ROOT, "full"))),
    ("rename empty other", |_| rename((NodeId::ROOT, "empty"), (NodeId::ROOT, "other"))),
    ("chmod d/f", |t| mode(t.f, 0o600)),
    ("chmod d/f if nothing has changed", |t| {
        let guard = Some(t.guard);
        Request::Set(t.f, SetAttributes { mode: Some(0o640), guard, ..SetAttributes::default() })
    }),
    ("chmod d", |t| mode(t.d, 0o500)),
    ("chown d/g", |t| owner(t.g, 7)),
    ("chown sticky/mine", |t| owner(t.mine, 7)),
    ("truncate d/f to 100", |t| Request::Set(t.f, SetAttributes::size(100))),
    ("truncate e/full/x to 5 MiB", |t| Request::Set(t.x, SetAttributes::size(5 << 20))),
    ("truncate d/f to 5 MiB", |t| Request::Set(t.f, SetAttributes::size(5 << 20))),
    ("touch d/f", |t| {
        let [atime, mtime] = [77, 78].map(|seconds| SetTime::To(time(seconds)));
        Request::Set(t.f, SetAttributes { atime, mtime, ..SetAttributes::default() })
    }),
];

/// The requests of a user without privileges.
const BY_USER: &[(&str, Ask)] = &[
    ("create d/own by a user", |t| Request::Create(new_file(t.d, "own"))),
    ("remove d/f by a user", |t| remove(t.d, "f")),
    ("remove sticky/mine by a user", |t| remove(t.sticky, "mine")),
    ("rename sticky/mine d/mine by a user", |t| rename((t.sticky, "mine"), (t.d, "mine"))),
    ("truncate d/f by a user", |t| Request::Set(t.f, SetAttributes::size(1))),
];

const REQUESTS: usize = BY_ROOT.len() + BY_USER.len();

/// The n-th request; `index` tells the two of a pair apart.
fn act(tree: &Tree, index: i64, number: usize) -> Act {
    match BY_ROOT.get(number) {
        Some((what, ask)) => tree.act(index, what, ask(tree)),
        None => {
            let (what, ask) = BY_USER[number - BY_ROOT.len()];
            Act { credentials: Credentials::user(USER, USER), ..tree.act(index, what, ask(tree)) }
        }
    }
}

/// In which order the steps of two requests are taken.
#[derive(Clone, Copy, Debug)]
enum Schedule {
    FirstThenSecond,
    SecondThenFirst,
    /// Both look, the first before the second or after it; then both apply, the first before the second or after it.
    BothLook {
        second_looks_first: bool,
        second_applies_first: bool,
    },
    /// Both at once, as the runtime likes.
    AtOnce,
}

/// The outcomes and the final state of a run.
#[derive(Clone, Debug, PartialEq)]
struct Run {
    first: Outcome,
    second: Outcome,
    state: Dump,
}

async fn run(store: &Arc<dyn MetadataStore>, pair: (usize, usize), schedule: Schedule) -> Run {
    let tree = Tree::new(store).await;
    let (a, b) = (act(&tree, 0, pair.0), act(&tree, 1, pair.1));
    let fixture = &tree.fixture;
    let (first, second) = match schedule {
        Schedule::FirstThenSecond => (a.run(fixture).await, b.run(fixture).await),
        Schedule::SecondThenFirst => {
            let second = b.run(fixture).await;
            (a.run(fixture).await, second)
        }
        Schedule::BothLook { second_looks_first, second_applies_first } => {
            let early = if second_looks_first { Some(b.look(fixture).await) } else { None };
            let view_a = a.look(fixture).await;
            let view_b = match early {
                Some(view) => view,
                None => b.look(fixture).await,
            };
            if second_applies_first {
                let second = b.decide_and_apply(fixture, view_b).await;
                (a.decide_and_apply(fixture, view_a).await, second)
            } else {
                (a.decide_and_apply(fixture, view_a).await, b.decide_and_apply(fixture, view_b).await)
            }
        }
        Schedule::AtOnce => {
            let (one, two) = (fixture.clone(), fixture.clone());
            let first = tokio::spawn(async move { a.run(&one).await });
            let second = tokio::spawn(async move { b.run(&two).await });
            (first.await.unwrap(), second.await.unwrap())
        }
    };
    let state = fixture.dump().await;
    state.assert_tree();
    Run { first, second, state: state.comparable() }
}

/// One pair in so many is run.
static PAIRS_EVERY: AtomicUsize = AtomicUsize::new(1);

/// Has this process run one pair in so many only, for stores where all of them take minutes. `PAIRS=all` overrides it.
pub fn thin_pairs(every: usize) {
    if std::env::var("PAIRS").as_deref() != Ok("all") {
        PAIRS_EVERY.store(every, Ordering::Relaxed);
    }
}

/// Runs pairs under some schedules, and compares with the two serial orders.
async fn compare_all(store: Arc<dyn MetadataStore>, schedules: &'static [Schedule]) {
    let mut tasks = JoinSet::new();
    for first in 0..REQUESTS {
        let store = store.clone();
        tasks.spawn(async move {
            let mut faults = Vec::new();
            let is_run =
                |second: &usize| (first * REQUESTS + second).is_multiple_of(PAIRS_EVERY.load(Ordering::Relaxed));
            for second in (0..REQUESTS).filter(is_run) {
                let pair = (first, second);
                let serial = [
                    run(&store, pair, Schedule::FirstThenSecond).await,
                    run(&store, pair, Schedule::SecondThenFirst).await,
                ];
                for schedule in schedules {
                    let found = run(&store, pair, *schedule).await;
                    if !serial.contains(&found) {
                        faults.push(fault(pair, *schedule, &found, &serial));
                    }
                }
            }
            faults
        });
    }
    let faults: Vec<String> = tasks.join_all().await.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{} interleavings equal no serial order; {}", faults.len(), faults.join("\n"));
}

fn fault(pair: (usize, usize), schedule: Schedule, found: &Run, serial: &[Run; 2]) -> String {
    let what = |number: usize| BY_ROOT.iter().chain(BY_USER).nth(number).map_or("", |(what, _)| what);
    let mut text = format!("`{}` and `{}` under {schedule:?}: ", what(pair.0), what(pair.1));
    for (order, serial) in ["first, second", "second, first"].into_iter().zip(serial) {
        text += &format!("\n  unlike {order}: {}", difference(found, serial));
    }
    text
}

/// The first thing that differs, for the message.
fn difference(found: &Run, serial: &Run) -> String {
    if (found.first, found.second) != (serial.first, serial.second) {
        let outcomes = (found.first, found.second);
        return format!("outcomes {outcomes:?} instead of {:?}", (serial.first, serial.second));
    }
    let pairs = found.state.nodes.iter().zip(&serial.state.nodes);
    match pairs.into_iter().find(|(found, serial)| found != serial) {
        Some((found, serial)) => format!("{found:?}\n    instead of {serial:?}"),
        None => format!("{:?}\n    instead of {:?}", found.state, serial.state),
    }
}

pub async fn every_pair_of_plans_in_every_interleaving_equals_a_serial_order(
    open: impl AsyncFn() -> Arc<dyn MetadataStore>,
) {
    const SCHEDULES: &[Schedule] = &[
        Schedule::BothLook { second_looks_first: false, second_applies_first: false },
        Schedule::BothLook { second_looks_first: false, second_applies_first: true },
        Schedule::BothLook { second_looks_first: true, second_applies_first: false },
        Schedule::BothLook { second_looks_first: true, second_applies_first: true },
    ];
    compare_all(open().await, SCHEDULES).await;
}

pub async fn every_pair_of_requests_at_once_equals_a_serial_order(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    compare_all(open().await, &[Schedule::AtOnce, Schedule::AtOnce]).await;
}

pub async fn a_storm_of_requests_leaves_a_tree(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    let store = open().await;
    for _ in 0..5 {
        let tree = Arc::new(Tree::new(&store).await);
        let mut tasks = JoinSet::new();
        for task in 0..8_usize {
            let tree = tree.clone();
            tasks.spawn(async move {
                for round in 0..60 {
                    let act = act(&tree, round as i64, (task * 31 + round * 17) % REQUESTS);
                    let _refused = act.run(&tree.fixture).await;
                }
            });
        }
        tasks.join_all().await;
        tree.fixture.dump().await.assert_tree();
    }
}

pub async fn streams_and_children_of_a_node_are_apart(open: impl AsyncFn() -> Arc<dyn MetadataStore>) {
    use dittofs_domain::{Cookie, plan::Space};
    let tree = Tree::new(&open().await).await;
    let fixture = &tree.fixture;
    let cookie = Cookie(fixture.number());
    let key = EntryKey { directory: tree.empty, space: Space::Streams, name: name("stream") };
    fixture.change(Change::InsertEntry { key, node: tree.f, cookie }).await;
    let mut children = Plan::at(time(1_000));
    children.require(dittofs_domain::plan::Expectation::Empty(tree.empty));
    children.change(Change::UpdateNode(tree.empty, NodeUpdate::changed()));
    fixture.apply(children).await;
    let list = async |space| fixture.share.list(tree.empty, space, Cookie::START, 10, false).await.unwrap();
    assert!(list(Space::Children).await.entries.is_empty());
    let streams = list(Space::Streams).await.entries;
    assert_eq!(streams.iter().map(|entry| entry.cookie).collect::<Vec<_>>(), [cookie]);
}
