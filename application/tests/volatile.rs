//! For how long acknowledged bytes may be lost in a crash.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "parts/clock.rs"]
mod clock;
#[path = "parts/policy.rs"]
mod policy;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_application::{Atime, Machine, Registry, ServedShare, Services, Volume, VolumeSettings, VolumeStores};
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    ClientId, Credentials, HandleKey, Name, Node, NodeId, ObjectId, Sequence, ShareId, Timestamp,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
};
use dittofs_frame_codec::Codec;
use dittofs_frame_sealer::Sealer;
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    BlockService, Caller, CaseRule, ContentError, ContentStore, Journal, JournalError, MetadataService, MetadataStore,
    ShareRecord, Stability, Survives,
};
use dittofs_system::{SystemRandomness, TokioSpawner};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::{clock::PausedClock, policy::policy};

const SHARE: ShareId = ShareId(0xD177_0003);

/// A journal that records when it was synced.
struct RecordedJournal {
    inner: NullJournal,
    syncs: Mutex<Vec<Instant>>,
}

/// A store that answers no put.
struct SilentStore(MemoryContentStore);

#[async_trait]
impl Journal for RecordedJournal {
    dittofs_ports::forward!(Journal of inner: identity, note_start, append, failures, lost, read_now, read, recover, release,
        usage);

    fn survives(&self) -> Survives {
        Survives::PowerLoss
    }

    async fn sync(&self, _: Sequence) -> Result<(), JournalError> {
        self.syncs.lock().push(Instant::now());
        Ok(())
    }
}

#[async_trait]
impl ContentStore for SilentStore {
    dittofs_ports::forward!(ContentStore of 0: survives, owner, claim, shares, request_max, put_to_free, capacity, discard, get,
        delete, list);

    async fn put(&self, _: ShareId, _: ObjectId, _: Vec<Bytes>) -> Result<(), ContentError> {
        std::future::pending().await
    }
}

struct World {
    share: Arc<ServedShare>,
    journal: Arc<RecordedJournal>,
    start: Instant,
}

impl World {
    async fn new() -> World {
        let store = MemoryMetadataStore::new();
        let record =
            ShareRecord { handle_key: HandleKey([7; 16]), content_owner: 1, ..ShareRecord::new(SHARE, "/export") };
        store.create_share(&record, &Node::root(0, 0, 0o777, Timestamp::EPOCH)).await.unwrap();
        let journal = Arc::new(RecordedJournal { inner: NullJournal::new(64 << 20), syncs: Mutex::default() });
        let stores = VolumeStores {
            metadata: store.share(SHARE).await.unwrap().unwrap(),
            metadata_survives: Survives::PowerLoss,
            content: Arc::new(SilentStore(MemoryContentStore::new())),
            journal: Arc::clone(&journal) as Arc<dyn Journal>,
            cache: Arc::new(NoBlockCache),
            disk: None,
            opens: Arc::new(MemoryOpenState::new()),
            codec: Arc::new(Codec::none()),
            sealer: Arc::new(Sealer::none()),
        };
        let start = Instant::now();
        let machine = Machine {
            clock: Arc::new(PausedClock(start)),
            randomness: Arc::new(SystemRandomness::new().unwrap()),
            spawner: Arc::new(TokioSpawner::new(tokio::runtime::Handle::current())),
        };
        let volume = Volume::open(stores, VolumeSettings::new(policy(Atime::Relatime)), machine).await.unwrap();
        let services = Services::new(Arc::new(Registry::new(vec![volume])));
        World { share: services.share(SHARE).unwrap(), journal, start }
    }

    async fn file(&self, name: &str) -> NodeId {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = self.share.create(&caller(), &request, None).await.unwrap();
        made.node.node
    }

    async fn write(&self, node: NodeId, at: u64) {
        let data = Bytes::from_static(b"bytes");
        self.share.write(&caller(), node, at, data, Stability::Unstable).await.unwrap();
    }

    /// Waits for a time since the start, in milliseconds.
    async fn at(&self, ms: u64) {
        sleep_until(self.start + Duration::from_millis(ms)).await;
    }

    /// How often the journal was synced between two times since the start, in milliseconds.
    fn syncs(&self, from: u64, to: u64) -> usize {
        let [from, to] = [from, to].map(|ms| self.start + Duration::from_millis(ms));
        self.journal.syncs.lock().iter().filter(|at| (from..to).contains(at)).count()
    }
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
async fn what_is_written_while_a_flush_takes_long_is_durable_after_five_seconds() {
    let world = World::new().await;
    let (flushed, written) = (world.file("flushed").await, world.file("written").await);
    world.write(flushed, 0).await;
    world.at(8_000).await;
    assert_eq!(world.syncs(0, 5_001), 1);
    // The flush of the first file waits for its store, and will for ever.
    world.write(written, 0).await;
    world.at(13_001).await;
    assert_eq!(world.syncs(8_000, 13_001), 1);
    world.write(written, 5).await;
    world.at(18_002).await;
    assert_eq!(world.syncs(13_001, 18_002), 1);
    world.at(60_000).await;
    assert_eq!(world.syncs(18_002, 60_000), 0, "everything is durable");
}
