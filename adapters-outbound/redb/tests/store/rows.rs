//! Views from the cache of rows are those of the database, at every instant and under changes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use bytes::Bytes;
use dittofs_domain::{
    ChangeId, ContentVersion, Cookie, Name, NodeId, NodeKind,
    content::{Extent, MapRow, PAGE_BYTES},
    node::Parent,
    plan::{Change, EntryKey, Expectation, MapQuery, NodeUpdate, Plan, Query, Space},
    xattr::{SetHow, XattrChange, XattrName, Xattrs},
};
use dittofs_ports::ShareMetadata;
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use redb::backends::InMemoryBackend;
use tokio::task::JoinSet;

use crate::{
    disk::Dice,
    fixture::{creation, key, node, open_share},
};

const NODES: u64 = 8;
/// The first of the nodes that random plans change.
const FIRST: u64 = 100;
const DIRECTORIES: u64 = 3;
/// Two nodes that change together only.
const PAIR: [NodeId; 2] = [NodeId(10), NodeId(11)];

fn open(row_cache_bytes: usize) -> RedbMetadataStore {
    let options = RedbOptions { row_cache_bytes, log_bytes: 256 << 10, ..RedbOptions::new("") };
    RedbMetadataStore::open_on(&options, |_| Ok(InMemoryBackend::new())).unwrap()
}

fn some_node(dice: &mut Dice) -> NodeId {
    NodeId(FIRST + dice.below(NODES))
}

fn some_directory(dice: &mut Dice) -> NodeId {
    NodeId(FIRST + dice.below(DIRECTORIES))
}

fn some_entry(dice: &mut Dice) -> EntryKey {
    let name = Name::new(["n0", "N0", "n1", "n2"][dice.below(4) as usize].as_bytes()).unwrap();
    let space = if dice.below(8) == 0 { Space::Streams } else { Space::Children };
    EntryKey { directory: some_directory(dice), space, name }
}

fn new_node(id: NodeId, dice: &mut Dice) -> Change {
    let kind = if id.0 < FIRST + DIRECTORIES { NodeKind::Directory } else { NodeKind::File };
    let parent = Parent { directory: NodeId(FIRST.max(id.0 - 1)), cookie: Cookie(dice.below(1 << 30)) };
    Change::InsertNode(Box::new(node(id, kind, parent)))
}

fn page_row(version: u64) -> MapRow {
    MapRow::Page { version: ContentVersion(version), extents: vec![Extent::Hole { len: PAGE_BYTES as u32 }] }
}

fn some_change(dice: &mut Dice) -> Change {
    let (id, page, number) = (some_node(dice), dice.below(6), dice.below(1 << 40));
    match dice.below(12) {
        0..=1 => Change::UpdateNode(id, NodeUpdate { size: Some(number), ..NodeUpdate::changed() }),
        2 => new_node(id, dice),
        3 => Change::DeleteNode(id),
        4..=5 => Change::InsertEntry { key: some_entry(dice), node: id, cookie: Cookie(number) },
        6 => Change::DeleteEntry(some_entry(dice)),
        7 => Change::PutRow { node: id, page, row: page_row(number) },
        8 => {
            let row = MapRow::Holes { version: ContentVersion(number), pages: 1 + dice.below(4) };
            Change::PutRow { node: id, page, row }
        }
        9 => Change::DeleteRow { node: id, page },
        10 => {
            let parent = Parent { directory: some_directory(dice), cookie: Cookie(number) };
            Change::UpdateNode(some_directory(dice), NodeUpdate { parent: Some(parent), ..NodeUpdate::changed() })
        }
        11 if page < 3 => {
            let xattrs = if page == 0 { None } else { Some(some_xattrs(number)) };
            Change::PutXattrs { node: id, xattrs }
        }
        _ => Change::RaiseTopology,
    }
}

fn some_xattrs(number: u64) -> Arc<Xattrs> {
    let name = XattrName::new(Bytes::from_static(b"n")).unwrap();
    let value = Bytes::copy_from_slice(&number.to_be_bytes());
    let set = XattrChange::Set { name, value, how: SetHow::Either };
    Arc::new(Xattrs::changed(None, &[set], ChangeId(number)).unwrap().unwrap())
}

fn some_plan(dice: &mut Dice) -> Plan {
    let mut plan = Plan::at(creation("x", 9).now);
    if dice.below(4) == 0 {
        plan.require(match dice.below(2) {
            0 => Expectation::EntryAbsent(some_entry(dice)),
            _ => Expectation::FoldedAbsent(some_entry(dice)),
        });
    }
    for _ in 0..1 + dice.below(3) {
        plan.change(some_change(dice));
    }
    plan
}

fn some_query(dice: &mut Dice) -> Query {
    let first_page = dice.below(6);
    let map = MapQuery {
        node: some_node(dice),
        first_page,
        last_page: first_page + dice.below(4),
        rows_max: 1 + dice.below(4) as usize,
    };
    Query {
        nodes: (0..dice.below(3)).map(|_| some_node(dice)).collect(),
        entries: (0..dice.below(3)).map(|_| some_entry(dice)).collect(),
        folded: (0..dice.below(6).saturating_sub(3)).map(|_| some_entry(dice)).collect(),
        ancestors_of: (dice.below(3) == 0).then(|| some_directory(dice)),
        map: (dice.below(2) == 0).then_some(map),
        xattrs_of: (dice.below(4) == 0).then(|| some_node(dice)),
        lock: false,
        op: None,
    }
}

async fn seen(share: &dyn ShareMetadata, query: &Query) -> String {
    match share.view(query).await {
        Ok(view) => format!("{view:?}"),
        Err(error) => error.to_string(),
    }
}

/// Random plans on two stores, of which one has no cache; readers fill the other's cache all the while.
async fn compare(seed: u64, row_cache_bytes: usize) {
    let (plain, cached) = (open(0), open(row_cache_bytes));
    let (plain, cached) = (open_share(&plain).await, open_share(&cached).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for reader in 0..2 {
        let (cached, is_over) = (Arc::clone(&cached), Arc::clone(&is_over));
        readers.spawn(async move {
            let mut dice = Dice(seed * 7 + reader);
            while !is_over.load(Ordering::SeqCst) {
                drop(cached.view(&some_query(&mut dice)).await);
                if dice.below(16) == 0 {
                    let directory = some_directory(&mut dice);
                    cached.list(directory, Space::Children, Cookie::START, 10, true).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    let mut dice = Dice(seed);
    for round in 0..400 {
        let plan = some_plan(&mut dice);
        let answers = [plain.apply(plan.clone(), None).await, cached.apply(plan.clone(), None).await];
        let [one, two] = answers.map(|answer| format!("{answer:?}"));
        assert_eq!(one, two, "seed {seed}, round {round}: {plan:?}");
        for _ in 0..6 {
            let query = some_query(&mut dice);
            let (one, two) = (seen(&*plain, &query).await, seen(&*cached, &query).await);
            assert_eq!(one, two, "seed {seed}, round {round}: {query:?} after {plan:?}");
        }
        let directory = some_directory(&mut dice);
        let list = async |share: &dyn ShareMetadata| {
            share.list(directory, Space::Children, Cookie::START, 10, true).await.unwrap()
        };
        assert_eq!(list(&*plain).await, list(&*cached).await, "seed {seed}, round {round}");
    }
    is_over.store(true, Ordering::SeqCst);
    readers.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn views_are_those_of_a_store_without_a_cache() {
    for seed in 0..6 {
        compare(seed, [1 << 20, 16 << 10][seed as usize % 2]).await;
    }
}

/// Returns the n-th plan, which changes the pair.
fn step(number: u64) -> Plan {
    let mut plan = Plan::at(creation("x", 9).now);
    for id in PAIR {
        plan.change(Change::UpdateNode(id, NodeUpdate { size: Some(number), ..NodeUpdate::changed() }));
    }
    plan.change(Change::DeleteEntry(key("swap")));
    let (node, cookie) = (PAIR[number as usize % 2], Cookie(1_000 + number));
    plan.change(Change::InsertEntry { key: key("swap"), node, cookie });
    plan.change(Change::PutRow { node: PAIR[0], page: 0, row: page_row(number) });
    if number.is_multiple_of(16) {
        plan.change(Change::RaiseTopology);
    }
    plan
}

/// All that the view shows is of one step, and not of one before what had been answered.
async fn watch(share: &dyn ShareMetadata, answered: &AtomicU64) {
    let map = Some(MapQuery { node: PAIR[0], first_page: 0, last_page: 0, rows_max: 2 });
    let query = Query { nodes: PAIR.into_iter().collect(), map, ..Query::child(PAIR[0], key("swap")) };
    let at_least = answered.load(Ordering::SeqCst);
    let view = share.view(&query).await.unwrap();
    let number = view.nodes[0].size;
    assert!(number >= at_least, "step {number} is shown after the answer of step {at_least}");
    assert_eq!(view.nodes[1].size, number);
    let found = view.entry(0).unwrap();
    assert_eq!((found.node.id, found.cookie), (PAIR[number as usize % 2], Cookie(1_000 + number)));
    assert_eq!(found.node.size, number);
    assert_eq!(view.map.rows, [(0, page_row(number))]);
    assert_eq!(view.topology, number / 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_view_is_of_one_instant_and_never_old() {
    let store = open(1 << 20);
    let share = open_share(&store).await;
    let mut plan = Plan::at(creation("x", 9).now);
    for id in PAIR {
        let parent = Parent { directory: NodeId::ROOT, cookie: Cookie(id.0) };
        plan.change(Change::InsertNode(Box::new(node(id, NodeKind::File, parent))));
    }
    plan.change(Change::InsertEntry { key: key("swap"), node: PAIR[0], cookie: Cookie(1_000) });
    plan.change(Change::PutRow { node: PAIR[0], page: 0, row: page_row(0) });
    share.apply(plan, None).await.unwrap();
    let (answered, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut readers = JoinSet::new();
    for _ in 0..2 {
        let (share, answered, is_over) = (Arc::clone(&share), Arc::clone(&answered), Arc::clone(&is_over));
        readers.spawn(async move {
            let mut count = 0u64;
            while !is_over.load(Ordering::SeqCst) {
                watch(&*share, &answered).await;
                count += 1;
                if count.is_multiple_of(64) {
                    tokio::task::yield_now().await;
                }
            }
            count
        });
    }
    for number in 1..=8_000 {
        share.apply(step(number), None).await.unwrap();
        answered.store(number, Ordering::SeqCst);
        watch(&*share, &answered).await;
    }
    is_over.store(true, Ordering::SeqCst);
    assert!(readers.join_all().await.iter().sum::<u64>() > 8_000);
}
