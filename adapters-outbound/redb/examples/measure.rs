//! Prints how fast durable creates are at some numbers in flight, what views cost, and how long an opening takes
//! after a kill: `measure FOLDER [SECONDS [LOG_MIB]]`.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dittofs_domain::{
    ContentVersion, Cookie, KeyId, Name, Node, NodeId, NodeKind, ObjectId, ShareId, Timestamp,
    content::{BlockPlace, Extent, MapRow, PAGE_BYTES, Stored},
    node::Parent,
    plan::{Change, EntryKey, Expectation, MapQuery, NodeUpdate, Plan, Query, Space, Statistics},
};
use dittofs_ports::{MetadataStore, ShareMetadata, ShareRecord};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use tokio::task::JoinSet;

static NUMBER: AtomicU64 = AtomicU64::new(NodeId::FIRST_FREE.0);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "measured".into());
    let seconds = arguments.next().map_or(5, |seconds| seconds.parse().unwrap());
    let log_bytes = arguments.next().map_or(RedbOptions::LOG_BYTES_USUAL, |mib| mib.parse::<u64>().unwrap() << 20);
    let options = RedbOptions { log_bytes, ..RedbOptions::new(&folder) };
    let store = RedbMetadataStore::open(&options).unwrap();
    let record = ShareRecord::new(ShareId(1), "/export");
    let parent = Parent { directory: NodeId::ROOT, cookie: Cookie::START };
    store.create_share(&record, &node(NodeId::ROOT, NodeKind::Directory, parent)).await.unwrap();
    let share = store.share(record.id).await.unwrap().unwrap();
    for in_flight in [1, 32, 256] {
        create(&share, in_flight, Duration::from_secs(seconds)).await;
    }
    open_again(Path::new(&folder));
    views(&*share).await;
}

async fn create(share: &Arc<dyn ShareMetadata>, in_flight: u64, time: Duration) {
    let (start, cpu, first) = (Instant::now(), cpu_us(), NUMBER.load(Ordering::Relaxed));
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let share = Arc::clone(share);
        tasks.spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < time {
                let begin = Instant::now();
                share.apply(creation(NUMBER.fetch_add(2, Ordering::Relaxed)), None).await.unwrap();
                times.push(begin.elapsed());
            }
            times
        });
    }
    let mut times: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    times.sort_unstable();
    let creates = (NUMBER.load(Ordering::Relaxed) - first) / 2;
    let rate = creates as f64 / start.elapsed().as_secs_f64();
    let cpu = (cpu_us() - cpu) as f64 / creates as f64;
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{in_flight:4} in flight: {rate:8.0} durable creates/s, {cpu:6.1} us of CPU each; median {:.2} ms, 99.9 % {:.2} ms, \
         longest {:.2} ms",
        at(0.5),
        at(0.999),
        at(1.0)
    );
}

async fn views(share: &dyn ShareMetadata) {
    let first = NodeId(NodeId::FIRST_FREE.0);
    let mut plan = Plan::at(Timestamp::EPOCH);
    let block = BlockPlace { at: 64, stored_len: 900, raw_len: 1 << 20, codec: 0, key_id: KeyId::NONE };
    let len = PAGE_BYTES as u32 / 8;
    let extents = (0..8).map(|n| Extent::Stored { len, from: Stored { object: ObjectId(1), block, skip: n * len } });
    let row = MapRow::Page { version: ContentVersion(0), extents: extents.collect() };
    plan.change(Change::PutRow { node: first, page: 0, row });
    share.apply(plan, None).await.unwrap();
    let map = Some(MapQuery { node: first, first_page: 0, last_page: 0, rows_max: 2 });
    time("a node", share, |_| Query::node(first)).await;
    time("a node and a row of 8 extents", share, |_| Query { map, ..Query::node(first) }).await;
    let name = NodeId::FIRST_FREE.0;
    time("a directory and a name in it", share, |_| Query::child(NodeId::ROOT, key(name))).await;
    let missing = |_| Query::child(NodeId::ROOT, key(u64::MAX));
    time("a directory and a name that is not there", share, missing).await;
    let last = NUMBER.load(Ordering::Relaxed);
    let scattered = |round| NodeId::FIRST_FREE.0 + round * 7_919 * 2 % (last - NodeId::FIRST_FREE.0);
    time("a directory and one of all names", share, |round| Query::child(NodeId::ROOT, key(scattered(round)))).await;
    let start = Instant::now();
    let (mut after, mut count) = (Cookie::START, 0);
    loop {
        let listing = share.list(NodeId::ROOT, Space::Children, after, 1_000, true).await.unwrap();
        count += listing.entries.len();
        after = listing.entries.last().map_or(after, |entry| entry.cookie);
        if listing.complete {
            break;
        }
    }
    println!("listing with records: {:.2} us an entry of {count}", start.elapsed().as_secs_f64() * 1e6 / count as f64);
}

async fn time(what: &str, share: &dyn ShareMetadata, query: impl Fn(u64) -> Query) {
    const VIEWS: u64 = 300_000;
    let queries: Vec<Query> = (0..1_000).map(&query).collect();
    let is_same = queries[0] == queries[1];
    let start = Instant::now();
    for round in 0..VIEWS {
        let view = if is_same { share.view(&queries[0]).await } else { share.view(&query(round)).await };
        assert!(!view.unwrap().nodes.is_empty());
    }
    println!("view of {what}: {:.2} us", start.elapsed().as_secs_f64() * 1e6 / VIEWS as f64);
}

/// Opens a copy of the files that were never closed, as a killed server leaves them.
fn open_again(folder: &Path) {
    let copy = folder.join("copy");
    fs::create_dir_all(&copy).unwrap();
    let bytes = fs::copy(folder.join("metadata.redb"), copy.join("metadata.redb")).unwrap();
    let log = fs::copy(folder.join("metadata.log"), copy.join("metadata.log")).unwrap();
    let start = Instant::now();
    drop(RedbMetadataStore::open(&RedbOptions::new(&copy)).unwrap());
    let seconds = start.elapsed().as_secs_f64();
    println!("opening {} MiB that were never closed, with a log of {} MiB: {seconds:.2} s", bytes >> 20, log >> 20);
    fs::remove_dir_all(copy).unwrap();
}

fn key(number: u64) -> EntryKey {
    EntryKey::child(NodeId::ROOT, &Name::new(format!("file-{number:012}").as_bytes()).unwrap())
}

fn creation(number: u64) -> Plan {
    let (id, cookie, key) = (NodeId(number), Cookie(number + 1), key(number));
    let mut plan = Plan::at(Timestamp::EPOCH);
    plan.require(Expectation::EntryAbsent(key.clone())).require(Expectation::Linked(NodeId::ROOT));
    let parent = Parent { directory: NodeId::ROOT, cookie };
    plan.change(Change::InsertNode(Box::new(node(id, NodeKind::File, parent))));
    plan.change(Change::InsertEntry { key, node: id, cookie });
    plan.change(Change::UpdateNode(NodeId::ROOT, NodeUpdate::entries_changed()));
    plan.change(Change::Count(Statistics { nodes: 1, bytes: 0 }));
    plan
}

fn node(id: NodeId, kind: NodeKind, parent: Parent) -> Node {
    let time = Timestamp::EPOCH;
    Node { mode: 0o644, links: 1, ..Node::bare(id, kind, parent, time) }
}

/// CPU time of this process; 0 where the system does not tell.
fn cpu_us() -> u64 {
    const US_PER_TICK: u64 = 10_000;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * US_PER_TICK
}
