//! Commits of shares that keep no journal: only the stores remember what was answered.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "parts/clock.rs"]
mod clock;
#[path = "parts/policy.rs"]
mod policy;

use std::{ops::Range, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_application::{
    Atime, Machine, Registry, ServedShare, Services, Tier, Volume, VolumeSettings, VolumeStores,
};
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    ClientId, Credentials, HandleKey, Name, Node, NodeId, ObjectId, ShareId, Timestamp,
    content::map::is_inline,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, SetAttributes, SetTime},
    node::NodeFlags,
    plan::{MapQuery, Query},
};
use dittofs_frame_codec::Codec;
use dittofs_frame_sealer::Sealer;
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    BlockService, Caller, CaseRule, ContentError, ContentStore, MetadataService, MetadataStore, ShareMetadata,
    ShareRecord, Spawner, Stability, Survives,
};
use dittofs_system::SystemRandomness;
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};

use crate::{clock::PausedClock, policy::policy};

const SHARE: ShareId = ShareId(0xD177_0004);
const LITTLE: usize = 4_096;
const MUCH: usize = 200_000;

/// A store whose puts wait until it is opened, and gets where it is closed.
struct GatedStore {
    inner: MemoryContentStore,
    is_open: watch::Sender<bool>,
    gives: watch::Sender<bool>,
}

#[async_trait]
impl ContentStore for GatedStore {
    dittofs_ports::forward!(ContentStore of inner: survives, owner, claim, shares, request_max, put_to_free, capacity, discard,
        delete, list);

    async fn put(&self, share: ShareId, object: ObjectId, segments: Vec<Bytes>) -> Result<(), ContentError> {
        self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        self.inner.put(share, object, segments).await
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        self.gives.subscribe().wait_for(|gives| *gives).await.unwrap();
        self.inner.get(share, object, range).await
    }
}

/// Tasks that end with their server.
#[derive(Default)]
struct Tasks(Mutex<Vec<AbortHandle>>);

impl Spawner for Tasks {
    fn spawn(&self, _: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send + 'static>>) {
        self.0.lock().push(tokio::spawn(task).abort_handle());
    }
}

struct World {
    metadata: Arc<dyn ShareMetadata>,
    content: Arc<GatedStore>,
    tasks: Arc<Tasks>,
    share: Arc<ServedShare>,
}

impl World {
    async fn new() -> World {
        let store = MemoryMetadataStore::new();
        let record =
            ShareRecord { handle_key: HandleKey([7; 16]), content_owner: 1, ..ShareRecord::new(SHARE, "/export") };
        store.create_share(&record, &Node::root(0, 0, 0o777, Timestamp::EPOCH)).await.unwrap();
        let metadata = store.share(SHARE).await.unwrap().unwrap();
        let (is_open, gives) = (watch::Sender::new(false), watch::Sender::new(true));
        let content = Arc::new(GatedStore { inner: MemoryContentStore::new(), is_open, gives });
        let (share, tasks) = serve(&metadata, &content).await;
        World { metadata, content, tasks, share }
    }

    /// The server ends as it is, and another one begins.
    async fn crash(&mut self) {
        self.tasks.0.lock().iter().for_each(AbortHandle::abort);
        (self.share, self.tasks) = serve(&self.metadata, &self.content).await;
    }

    fn open_gate(&self) {
        self.content.is_open.send_replace(true);
    }

    async fn file(&self) -> NodeId {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(b"file").unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        self.share.create(&caller(), &request, None).await.unwrap().node.node
    }

    async fn write(&self, node: NodeId, byte: u8, length: usize, stability: Stability) {
        self.share.write(&caller(), node, 0, vec![byte; length].into(), stability).await.unwrap();
    }

    async fn set(&self, node: NodeId, request: SetAttributes) {
        self.share.set_attributes(&caller(), node, &request, None).await.unwrap();
    }

    /// Whether a commit is answered while nothing else happens.
    async fn is_committed(&self, node: NodeId) -> bool {
        timeout(Duration::from_secs(1), self.share.commit(&caller(), node)).await.is_ok_and(|reply| reply.is_ok())
    }

    async fn read(&self, node: NodeId, length: usize) -> Vec<u8> {
        let read = self.share.read(&caller(), node, 0, length as u32).await.unwrap();
        read.data.concat()
    }

    /// Whether the map has bytes itself, and the node says that it may.
    async fn has_inline(&self, node: NodeId) -> (bool, bool) {
        let map = Some(MapQuery { node, first_page: 0, last_page: u64::MAX, rows_max: 1_000 });
        let view = self.metadata.view(&Query { map, ..Query::node(node) }).await.unwrap();
        let flag = view.nodes[0].flags.contains(NodeFlags::INLINE);
        (view.map.rows.iter().any(|(_, row)| is_inline(row)), flag)
    }
}

async fn serve(metadata: &Arc<dyn ShareMetadata>, content: &Arc<GatedStore>) -> (Arc<ServedShare>, Arc<Tasks>) {
    let stores = VolumeStores {
        metadata: Arc::clone(metadata),
        metadata_survives: Survives::MachineLoss,
        content: Arc::clone(content) as Arc<dyn ContentStore>,
        journal: Arc::new(NullJournal::new(64 << 20)),
        cache: Arc::new(NoBlockCache),
        disk: None,
        opens: Arc::new(MemoryOpenState::new()),
        codec: Arc::new(Codec::none()),
        sealer: Arc::new(Sealer::none()),
    };
    let tasks = Arc::new(Tasks::default());
    let machine = Machine {
        clock: Arc::new(PausedClock(Instant::now())),
        randomness: Arc::new(SystemRandomness::new().unwrap()),
        spawner: Arc::clone(&tasks) as Arc<dyn Spawner>,
    };
    let tier = Tier::Stores { inline_bytes_max: 16 << 10 };
    let settings = VolumeSettings { tier, take_over: true, ..VolumeSettings::new(policy(Atime::Relatime)) };
    let volume = Volume::open(stores, settings, machine).await.unwrap();
    let services = Services::new(Arc::new(Registry::new(vec![volume])));
    (services.share(SHARE).unwrap(), tasks)
}

fn caller() -> Caller {
    Caller {
        credentials: Credentials::user(1_000, 1_000),
        opener: None,
        client: ClientId::Nfs4(1),
        case: CaseRule::Sensitive,
        parent_lease: None,
    }
}

#[tokio::test(start_paused = true)]
async fn little_is_committed_without_an_object() {
    let mut world = World::new().await;
    let file = world.file().await;
    for (byte, stability) in [(1, Stability::Unstable), (2, Stability::File)] {
        world.write(file, byte, LITTLE, stability).await;
        assert!(world.is_committed(file).await);
        world.crash().await;
        assert_eq!(world.read(file, LITTLE).await, vec![byte; LITTLE]);
    }
}

#[tokio::test(start_paused = true)]
async fn more_is_committed_once_its_object_is_there() {
    let mut world = World::new().await;
    let file = world.file().await;
    world.write(file, 1, MUCH, Stability::Unstable).await;
    assert!(!world.is_committed(file).await);
    world.open_gate();
    assert!(world.is_committed(file).await);
    world.crash().await;
    assert_eq!(world.read(file, MUCH).await, vec![1; MUCH]);
    assert_eq!(world.has_inline(file).await, (false, false));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_committed_is_gone_after_a_crash_and_the_verifier_says_so() {
    let mut world = World::new().await;
    let file = world.file().await;
    world.write(file, 1, LITTLE, Stability::Unstable).await;
    let before = world.share.commit(&caller(), NodeId::ROOT).await;
    let verifier = world.share.write(&caller(), file, 0, Bytes::from_static(b"x"), Stability::Unstable).await.unwrap();
    world.crash().await;
    assert!(world.read(file, LITTLE).await.is_empty());
    let after = world.share.commit(&caller(), file).await.unwrap();
    assert_ne!(verifier.verifier, after.verifier, "{before:?}");
}

/// The object of a flush is on its way when newer bytes are committed.
#[tokio::test(start_paused = true)]
async fn a_flush_that_a_commit_has_overtaken_leaves_its_bytes() {
    let mut world = World::new().await;
    let file = world.file().await;
    world.write(file, 1, LITTLE, Stability::Unstable).await;
    // It comes of age, and waits for the store.
    sleep(Duration::from_secs(7)).await;
    world.write(file, 2, LITTLE, Stability::Unstable).await;
    assert!(world.is_committed(file).await);
    world.open_gate();
    sleep(Duration::from_secs(1)).await;
    world.crash().await;
    assert_eq!(world.read(file, LITTLE).await, vec![2; LITTLE]);
}

#[tokio::test(start_paused = true)]
async fn what_was_committed_goes_to_an_object_after_a_crash() {
    let mut world = World::new().await;
    let file = world.file().await;
    world.write(file, 1, LITTLE, Stability::File).await;
    let future = Timestamp::EPOCH.plus_ms(1 << 40);
    world.set(file, SetAttributes { mtime: SetTime::To(future), ..SetAttributes::default() }).await;
    let before = world.share.attributes(&caller(), file).await.unwrap();
    assert_eq!(world.has_inline(file).await, (true, true));
    world.crash().await;
    world.open_gate();
    sleep(Duration::from_secs(30)).await;
    assert_eq!(world.has_inline(file).await, (false, false));
    assert_eq!(world.read(file, LITTLE).await, vec![1; LITTLE]);
    let after = world.share.attributes(&caller(), file).await.unwrap();
    assert_eq!(
        (after.size, after.mtime, after.ctime, after.change),
        (LITTLE as u64, future, before.ctime, before.change)
    );
}

/// A flush writes old bytes again beside new ones. The file is truncated meanwhile, and the object of old bytes deleted: so
/// it puts nothing. The commit must not take that for its answer.
#[tokio::test(start_paused = true)]
async fn a_commit_waits_for_what_a_truncation_has_left() {
    const PART: usize = 512 << 10;
    let mut world = World::new().await;
    let file = world.file().await;
    world.open_gate();
    let mut objects = Vec::new();
    for offset in [0, PART] {
        let old = Bytes::from(vec![1; PART]);
        world.share.write(&caller(), file, offset as u64, old, Stability::File).await.unwrap();
        let now = world.content.inner.list(SHARE, None, 9).await.unwrap().into_iter().map(|(object, _)| object);
        objects.extend(now.filter(|object| !objects.contains(object)).collect::<Vec<_>>());
    }
    let written = |at: usize| at.is_multiple_of(16 << 10);
    for offset in (0..2 * PART).filter(|at| written(*at)) {
        world.share.write(&caller(), file, offset as u64, Bytes::from_static(b"x"), Stability::Unstable).await.unwrap();
    }
    world.content.gives.send_replace(false);
    let share = Arc::clone(&world.share);
    let commit = tokio::spawn(async move { share.commit(&caller(), file).await });
    sleep(Duration::from_millis(100)).await;
    world.set(file, SetAttributes { size: Some(PART as u64), ..SetAttributes::default() }).await;
    // As the collector does after its grace.
    world.content.inner.delete(SHARE, objects[1]).await.unwrap();
    assert!(!commit.is_finished());
    world.content.gives.send_replace(true);
    commit.await.unwrap().unwrap();
    world.crash().await;
    let expected: Vec<u8> = (0..PART).map(|at| if written(at) { b'x' } else { 1 }).collect();
    assert!(world.read(file, PART).await == expected);
}
