//! Prints how fast durable creates are at some numbers in flight, what a look-up costs, and how long an opening takes
//! after a kill: `measure FOLDER [SECONDS]`.
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
    ChangeId, ContentVersion, Cookie, HandleKey, Name, Node, NodeId, NodeKind, Sequence, ShareId, Timestamp,
    node::{Device, NodeFlags, Parent},
    plan::{Change, EntryKey, Expectation, NodeUpdate, Plan, Query, Statistics},
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
    let store = RedbMetadataStore::open(&RedbOptions::new(&folder)).unwrap();
    let record = ShareRecord {
        id: ShareId(1),
        name: "/export".into(),
        handle_key: HandleKey([0; 16]),
        content_owner: 0,
        journal: 0,
        journal_incarnation: 0,
        dirty: false,
    };
    let parent = Parent { directory: NodeId::ROOT, cookie: Cookie::START };
    store.create_share(&record, &node(NodeId::ROOT, NodeKind::Directory, parent)).await.unwrap();
    let share = store.share(record.id).await.unwrap().unwrap();
    for in_flight in [1, 32, 256] {
        create(&share, in_flight, Duration::from_secs(seconds)).await;
    }
    look_up(&*share).await;
    open_again(Path::new(&folder));
}

async fn create(share: &Arc<dyn ShareMetadata>, in_flight: u64, time: Duration) {
    let (start, cpu, first) = (Instant::now(), cpu_us(), NUMBER.load(Ordering::Relaxed));
    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let share = Arc::clone(share);
        tasks.spawn(async move {
            while start.elapsed() < time {
                share.apply(creation(NUMBER.fetch_add(2, Ordering::Relaxed)), None).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let creates = (NUMBER.load(Ordering::Relaxed) - first) / 2;
    let rate = creates as f64 / start.elapsed().as_secs_f64();
    let cpu = (cpu_us() - cpu) as f64 / creates as f64;
    println!("{in_flight:4} in flight: {rate:8.0} durable creates/s, {cpu:6.1} us of CPU each");
}

async fn look_up(share: &dyn ShareMetadata) {
    const LOOK_UPS: u64 = 200_000;
    let (start, last) = (Instant::now(), NUMBER.load(Ordering::Relaxed));
    for round in 0..LOOK_UPS {
        let number = NodeId::FIRST_FREE.0 + round * 7_919 * 2 % (last - NodeId::FIRST_FREE.0);
        let view = share.view(&Query::child(NodeId::ROOT, key(number))).await.unwrap();
        assert!(view.entry(0).is_some(), "{number}");
    }
    println!(
        "look-up of a directory and a name in it: {:.2} us",
        start.elapsed().as_secs_f64() * 1e6 / LOOK_UPS as f64
    );
}

/// Opens a copy of the file that was never closed, as a killed server leaves it.
fn open_again(folder: &Path) {
    let copy = folder.join("copy");
    fs::create_dir_all(&copy).unwrap();
    let bytes = fs::copy(folder.join("metadata.redb"), copy.join("metadata.redb")).unwrap();
    let start = Instant::now();
    drop(RedbMetadataStore::open(&RedbOptions::new(&copy)).unwrap());
    println!("opening {} MiB that were never closed: {:.2} s", bytes >> 20, start.elapsed().as_secs_f64());
    fs::remove_dir_all(copy).unwrap();
}

fn key(number: u64) -> EntryKey {
    EntryKey::child(NodeId::ROOT, &Name::new(format!("file-{number:012}").as_bytes()).unwrap())
}

fn creation(number: u64) -> Plan {
    let (id, cookie, key) = (NodeId(number), Cookie(number + 1), key(number));
    let mut plan = Plan::at(Timestamp::EPOCH);
    plan.expect(Expectation::EntryAbsent(key.clone())).expect(Expectation::Linked(NodeId::ROOT));
    let parent = Parent { directory: NodeId::ROOT, cookie };
    plan.change(Change::InsertNode(Box::new(node(id, NodeKind::File, parent))));
    plan.change(Change::InsertEntry { key, node: id, cookie });
    plan.change(Change::UpdateNode(NodeId::ROOT, NodeUpdate::entries_changed()));
    plan.change(Change::Count(Statistics { nodes: 1, bytes: 0 }));
    plan
}

fn node(id: NodeId, kind: NodeKind, parent: Parent) -> Node {
    let time = Timestamp::EPOCH;
    Node {
        id,
        kind,
        mode: 0o644,
        uid: 0,
        gid: 0,
        links: 1,
        size: 0,
        allocated: 0,
        atime: time,
        mtime: time,
        ctime: time,
        birth: time,
        change: ChangeId(1),
        permission_version: 0,
        content_version: ContentVersion(0),
        content_seq: Sequence(0),
        times_seq: Sequence(0),
        parent,
        device: Device::default(),
        dos_attributes: 0,
        create_verifier: None,
        target: None,
        flags: NodeFlags::empty(),
        clip: None,
        cuts: Default::default(),
    }
}

/// CPU time of this process; 0 where the system does not tell.
fn cpu_us() -> u64 {
    const US_PER_TICK: u64 = 10_000;
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * US_PER_TICK
}
