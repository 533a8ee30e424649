//! The requests of a cold read to a store behind a network: how many requests, how many round trips, how many bytes.
//! Time is paused, and a request takes 20 ms of it, so that round trips are counted exactly.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::single_range_in_vec_init, reason = "a file that is written in one range")]

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_block_cache::{MokaBlockCache, NoBlockCache};
use dittofs_domain::{
    Credentials, Name, NodeId, ObjectId, ShareId,
    error::FsError,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
};
use dittofs_frame_codec::{Codec, CompressionMethod, CompressionOptions};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, BlockCache, BlockService, Caller, ContentError, ContentStore, MetadataService, Stability, Survives,
};
use dittofs_tests::world::{Stores, World, WorldOptions, caller};
use futures_util::future::join_all;
use tokio::time::Instant;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TRIP: Duration = Duration::from_millis(20);
const FRAME: u64 = 32 * KIB;
const HEAD: u64 = 1_592;

/// A store in memory, as if it was behind a network.
struct Remote {
    inner: MemoryContentStore,
    gets: parking_lot::Mutex<Vec<Range<u64>>>,
    running: AtomicUsize,
    most: AtomicUsize,
    failures: AtomicUsize,
}

#[async_trait]
impl ContentStore for Remote {
    dittofs_ports::forward!(ContentStore of inner: owner, claim, shares, request_max, capacity, put, put_to_free, discard, delete, list);

    fn survives(&self) -> Survives {
        Survives::MachineLoss
    }

    async fn get(&self, share: ShareId, object: ObjectId, range: Range<u64>) -> Result<Vec<Bytes>, ContentError> {
        self.gets.lock().push(range.clone());
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(TRIP).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        let fails = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if fails { Err(ContentError::Unavailable("away".into())) } else { self.inner.get(share, object, range).await }
    }
}

struct Scene {
    world: World,
    store: Arc<Remote>,
    caller: Caller,
}

impl Scene {
    async fn new(cache: Arc<dyn BlockCache>, method: CompressionMethod) -> Scene {
        let store = Arc::new(Remote {
            inner: MemoryContentStore::new(),
            gets: parking_lot::Mutex::default(),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
        });
        let stores = Stores {
            metadata: Arc::new(MemoryMetadataStore::new()),
            content: Arc::clone(&store) as Arc<dyn ContentStore>,
            journal: Arc::new(NullJournal::new(512 << 20)),
            cache,
            opens: Arc::new(MemoryOpenState::new()),
        };
        let codec = Codec::new(&CompressionOptions { method, ..CompressionOptions::default() });
        let world = World::open_with(stores, WorldOptions { codec, ..WorldOptions::new(512 << 20, 1) }).await;
        Scene { world, store, caller: caller(Credentials::user(0, 0)) }
    }

    async fn cold() -> Scene {
        Scene::new(Arc::new(NoBlockCache), CompressionMethod::None).await
    }

    /// A flushed file with these ranges written, each flushed by itself.
    async fn file(&self, name: &str, ranges: &[Range<u64>]) -> NodeId {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o600), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let node = self.world.share.create(&self.caller, &request, None).await.unwrap().node.node;
        for range in ranges {
            for start in range.clone().step_by(MIB as usize) {
                let piece = Bytes::from(pattern(start..range.end.min(start + MIB)));
                let target = node;
                self.world.share.write(&self.caller, target, start, piece, Stability::Unstable).await.unwrap();
            }
            self.world.services.flush().await.unwrap();
        }
        self.store.gets.lock().clear();
        node
    }

    async fn read(&self, node: NodeId, at: u64, length: u64) -> Result<(), FsError> {
        let read = self.world.share.read(&self.caller, node, at, length as u32).await?;
        assert!(read.data.concat() == pattern(at..at + length), "at {at}");
        Ok(())
    }

    /// Reads, and says how long that took, and the lengths of what was asked for.
    async fn measured(&self, reads: impl Future<Output = ()>) -> (u32, Vec<u64>) {
        let began = Instant::now();
        reads.await;
        let trips = began.elapsed().as_millis().div_ceil(TRIP.as_millis()) as u32;
        let mut lengths: Vec<u64> = self.store.gets.lock().drain(..).map(|range| range.end - range.start).collect();
        lengths.sort_unstable();
        (trips, lengths)
    }
}

/// Bytes that compress to about a half, and that are nowhere else the same.
fn pattern(range: Range<u64>) -> Vec<u8> {
    let byte = |at: u64| {
        let mixed = (at | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        if at.is_multiple_of(2) { 0 } else { (mixed >> 56) as u8 }
    };
    range.map(byte).collect()
}

#[tokio::test(start_paused = true)]
async fn a_cold_random_read_is_one_round_trip_and_one_frame() {
    let scene = Scene::cold().await;
    let node = scene.file("file", &[0..8 * MIB]).await;
    for (at, wanted) in [(3 * MIB + 4_096, &[HEAD, FRAME][..]), (5 * MIB, &[HEAD, FRAME]), (8 * MIB - 4_096, &[FRAME])]
    {
        let (trips, lengths) = scene.measured(async { scene.read(node, at, 4 * KIB).await.unwrap() }).await;
        assert_eq!((trips, lengths.as_slice()), (1, wanted), "at {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_head_is_known_only_the_frame_is_fetched() {
    for method in [CompressionMethod::None, CompressionMethod::Zstd] {
        let scene = Scene::new(Arc::new(MokaBlockCache::new(64 << 20)), method).await;
        let node = scene.file("file", &[0..4 * MIB]).await;
        let (trips, _) = scene.measured(async { scene.read(node, 2 * MIB, 4 * KIB).await.unwrap() }).await;
        assert_eq!(trips, if method == CompressionMethod::None { 1 } else { 2 }, "{method:?}");
        let (trips, lengths) = scene.measured(async { scene.read(node, 3 * MIB, 4 * KIB).await.unwrap() }).await;
        assert!(trips == 1 && lengths.len() == 1 && lengths[0] <= FRAME, "{method:?}: {lengths:?}");
        let (trips, lengths) = scene.measured(async { scene.read(node, 3 * MIB, 4 * KIB).await.unwrap() }).await;
        assert_eq!((trips, lengths), (0, vec![]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_file_is_one_request() {
    for method in [CompressionMethod::None, CompressionMethod::Zstd] {
        let scene = Scene::new(Arc::new(NoBlockCache), method).await;
        let node = scene.file("file", &[0..100 * KIB]).await;
        let (trips, lengths) = scene.measured(async { scene.read(node, 50 * KIB, 4 * KIB).await.unwrap() }).await;
        assert_eq!((trips, lengths.len()), (1, 1), "{method:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn readers_of_the_same_share_one_fetch_and_of_other_frames_do_not_wait() {
    let scene = Scene::cold().await;
    let node = scene.file("file", &[0..4 * MIB]).await;
    let same = (0..50).map(|reader| scene.read(node, 2 * MIB + reader * 100, 4 * KIB));
    let (trips, lengths) = scene.measured(async { drop(join_all(same).await) }).await;
    assert_eq!((trips, lengths), (1, vec![HEAD, FRAME]), "without any cache");
    let node = scene.file("another", &[0..4 * MIB]).await;
    let others = (0..32).map(|reader| scene.read(node, MIB + reader * FRAME * 2, 4 * KIB));
    let (trips, lengths) = scene.measured(async { drop(join_all(others).await) }).await;
    assert_eq!((trips, lengths.len()), (1, 33), "the head once for all");
}

#[tokio::test(start_paused = true)]
async fn who_waited_for_a_fetch_that_failed_fetches_by_itself() {
    let scene = Scene::cold().await;
    let node = scene.file("file", &[0..4 * MIB]).await;
    scene.store.failures.store(2, Ordering::SeqCst);
    let reads = join_all((0..4).map(|_| scene.read(node, 2 * MIB, 4 * KIB))).await;
    assert_eq!(reads.iter().filter(|read| **read == Err(FsError::Busy)).count(), 1, "{reads:?}");
    assert_eq!(reads.iter().filter(|read| read.is_ok()).count(), 3, "{reads:?}");
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_a_fetch_leaves_it_to_the_others() {
    let scene = Scene::cold().await;
    let node = scene.file("file", &[0..4 * MIB]).await;
    let first = tokio::time::timeout(TRIP / 2, scene.read(node, 2 * MIB, 4 * KIB));
    let second = scene.read(node, 2 * MIB, 4 * KIB);
    let (first, second) = futures_util::future::join(first, second).await;
    assert!(first.is_err() && second.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_read_of_many_extents_is_one_round_trip() {
    let scene = Scene::cold().await;
    let ranges: Vec<Range<u64>> = (0..12).map(|number| number * 64 * KIB..(number + 1) * 64 * KIB).collect();
    let node = scene.file("file", &ranges).await;
    let (trips, lengths) = scene.measured(async { scene.read(node, 0, 768 * KIB).await.unwrap() }).await;
    assert!(trips == 1 && lengths.len() > 1, "{trips} round trips for {lengths:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_in_order_gets_whole_blocks_ahead_each_once_and_many_at_a_time() {
    // The second is full of other things before.
    for cache_mib in [256, 16] {
        let scene = Scene::new(Arc::new(MokaBlockCache::new(cache_mib << 20)), CompressionMethod::None).await;
        let other = scene.file("other", &[0..32 * MIB]).await;
        let node = scene.file("file", &[0..128 * MIB]).await;
        for at in (0..32).chain(0..32) {
            scene.read(other, at * MIB, MIB).await.unwrap();
        }
        // Nobody reads that any more, so that the window is not shared.
        tokio::time::sleep(Duration::from_secs(5)).await;
        scene.store.gets.lock().clear();
        scene.store.most.store(0, Ordering::SeqCst);
        let reads = async {
            for at in 0..128 {
                scene.read(node, at * MIB, MIB).await.unwrap();
                // As between the calls of a client, others get to run.
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
            }
        };
        let (trips, lengths) = scene.measured(reads).await;
        assert!(lengths.len() <= 32 + 8, "{} requests for 32 blocks: {lengths:?}", lengths.len());
        let bytes: u64 = lengths.iter().sum();
        assert!(bytes <= 128 * MIB + 40 * HEAD, "{bytes} bytes with a cache of {cache_mib} MiB");
        let most = scene.store.most.load(Ordering::SeqCst);
        let wanted = if cache_mib == 256 { 4 } else { 2 };
        assert!(most >= wanted, "{most} requests at a time");
        assert!(trips <= 128 / 4 / wanted as u32 + 10, "{trips} round trips");
    }
}

#[tokio::test(start_paused = true)]
async fn readers_in_order_of_one_file_fetch_it_once() {
    let scene = Scene::new(Arc::new(MokaBlockCache::new(256 << 20)), CompressionMethod::None).await;
    let node = scene.file("file", &[0..32 * MIB]).await;
    let reader = async || {
        for at in 0..32 {
            scene.read(node, at * MIB, MIB).await.unwrap();
        }
    };
    let (_, lengths) = scene.measured(async { drop(join_all([reader(), reader(), reader()]).await) }).await;
    let bytes: u64 = lengths.iter().sum();
    assert!(bytes <= 32 * MIB + 20 * HEAD, "{bytes}");
}
