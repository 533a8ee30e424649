//! A share that runs, on stores that fail on demand, with a clock that jumps where everybody sleeps.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dittofs_application::{
    Atime, Machine, Registry, ServedShare, Services, Volume, VolumeLimits, VolumeSettings, VolumeStores,
};
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    ClientId, Credentials, Epoch, HandleKey, Name, Node, NodeId, ObjectId, ShareId, Timestamp,
    error::FsResult,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, RemoveKind, RemoveRequest},
    plan::{Change, ObjectRecord, Plan},
};
use dittofs_frame_codec::Codec;
use dittofs_frame_sealer::Sealer;
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, BlockService, Caller, CaseRule, CloneRange, ContentStore, MetadataService, MetadataStore,
    ShareMetadata, ShareRecord, Stability, Survives,
};
use dittofs_system::{SystemRandomness, TokioSpawner};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    clock::PausedClock,
    policy::policy,
    stores::{Content, Faults, Metadata},
};

pub(crate) const SHARE: ShareId = ShareId(0xD177_0003);

pub(crate) struct World {
    pub(crate) services: Arc<Services>,
    pub(crate) share: Arc<ServedShare>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) content: Arc<MemoryContentStore>,
    metadata: Arc<dyn ShareMetadata>,
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(VolumeLimits::default()).await
    }

    pub(crate) async fn with(limits: VolumeLimits) -> World {
        let store = MemoryMetadataStore::new();
        let record =
            ShareRecord { handle_key: HandleKey([7; 16]), content_owner: 1, ..ShareRecord::new(SHARE, "/export") };
        store.create_share(&record, &Node::root(0, 0, 0o777, Timestamp::EPOCH)).await.unwrap();
        World::on(store.share(SHARE).await.unwrap().unwrap(), Arc::default(), Arc::default(), limits).await
    }

    async fn on(
        metadata: Arc<dyn ShareMetadata>,
        content: Arc<MemoryContentStore>,
        faults: Arc<Faults>,
        limits: VolumeLimits,
    ) -> World {
        let stores = VolumeStores {
            metadata: Arc::new(Metadata { store: Arc::clone(&metadata), faults: Arc::clone(&faults) }),
            metadata_survives: Survives::Nothing,
            content: Arc::new(Content { store: Arc::clone(&content), faults: Arc::clone(&faults) }),
            journal: Arc::new(NullJournal::new(64 << 20)),
            cache: Arc::new(NoBlockCache),
            disk: None,
            opens: Arc::new(MemoryOpenState::new()),
            codec: Arc::new(Codec::none()),
            sealer: Arc::new(Sealer::none()),
        };
        let machine = Machine {
            clock: Arc::new(PausedClock(Instant::now())),
            randomness: Arc::new(SystemRandomness::new().unwrap()),
            spawner: Arc::new(TokioSpawner::new(tokio::runtime::Handle::current())),
        };
        let settings = VolumeSettings { limits, ..VolumeSettings::new(policy(Atime::None)) };
        let volume = Volume::open(stores, settings, machine).await.unwrap();
        let services = Arc::new(Services::new(Arc::new(Registry::new(vec![volume]))));
        let share = services.share(SHARE).unwrap();
        World { services, share, faults, content, metadata }
    }

    /// The same share after a restart, which finds objects of other instances; one of these has not ended.
    pub(crate) async fn restarted_beside(self, living: Epoch, found: &[ObjectRecord]) -> World {
        let World { services, content, metadata, .. } = self;
        services.retire(SHARE).await.unwrap();
        for record in found {
            content.put(SHARE, record.id, vec![Bytes::from_static(b"half")]).await.unwrap();
            let mut plan = Plan::at(Timestamp::EPOCH);
            plan.change(Change::PutObject(*record));
            metadata.apply(plan, None).await.unwrap();
        }
        let faults = Arc::new(Faults { living: Mutex::new(Some(living)), ..Faults::default() });
        World::on(metadata, content, faults, VolumeLimits::default()).await
    }

    /// An empty file.
    pub(crate) async fn file(&self, name: &str) -> NodeId {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        self.share.create(&caller(), &request, None).await.unwrap().node.node
    }

    pub(crate) async fn write(&self, node: NodeId, at: u64, bytes: Bytes) -> FsResult<()> {
        self.share.write(&caller(), node, at, bytes, Stability::Unstable).await.map(drop)
    }

    pub(crate) async fn read(&self, node: NodeId) -> FsResult<Vec<u8>> {
        Ok(self.share.read(&caller(), node, 0, 4 << 20).await?.data.concat())
    }

    pub(crate) async fn remove(&self, name: &str) {
        let name = Name::new(name.as_bytes()).unwrap();
        let request = RemoveRequest { directory: NodeId::ROOT, name, kind: RemoveKind::NotDirectory };
        self.share.remove(&caller(), &request, None).await.unwrap();
    }

    /// Gives a file all that another one has.
    pub(crate) async fn clone_file(&self, source: NodeId, destination: NodeId) -> FsResult<()> {
        let request = CloneRange { source, source_opener: None, offset: 0, length: 0, destination, at: 0 };
        self.share.clone_range(&caller(), &request).await.map(drop)
    }

    /// An object of its own with two files in it, the second of which is called `dead-…`.
    pub(crate) async fn object_of_two(&self, number: usize, alive: usize, dead: usize) -> NodeId {
        let file = self.file(&format!("alive-{number}")).await;
        self.write(file, 0, bytes(number, alive)).await.unwrap();
        let other = self.file(&format!("dead-{number}")).await;
        self.write(other, 0, bytes(number + 100, dead)).await.unwrap();
        self.services.flush().await.unwrap();
        file
    }

    /// The nodes without a name.
    pub(crate) async fn unlinked(&self) -> Vec<NodeId> {
        let nodes = self.metadata.unlinked(NodeId(0), 1_000).await.unwrap();
        nodes.into_iter().map(|(node, _)| node).collect()
    }

    /// The objects in the store, with their bytes.
    pub(crate) async fn objects(&self) -> Vec<(ObjectId, u64)> {
        self.content.list(SHARE, None, 1_000).await.unwrap()
    }

    pub(crate) async fn object_bytes(&self) -> u64 {
        self.objects().await.iter().map(|(_, bytes)| *bytes).sum()
    }

    /// Lets the share's own tasks run for some seconds.
    pub(crate) async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}

pub(crate) fn caller() -> Caller {
    Caller {
        credentials: Credentials::user(1_000, 1_000),
        opener: None,
        client: ClientId::Nfs4(1),
        case: CaseRule::Sensitive,
        parent_lease: None,
    }
}

pub(crate) fn bytes(seed: usize, length: usize) -> Bytes {
    (0..length).map(|at| (seed * 31 + at * 7 + (at >> 8)) as u8).collect()
}
