//! A server on stores in memory that outlive it: it is started, killed and closed, and its content store goes away.

use std::{
    future::Future,
    ops::Range,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_application::{
    Atime, Machine, OpenError, Registry, ServedShare, Services, Volume, VolumeSettings, VolumeStores,
};
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    ClientId, Credentials, HandleKey, Name, Node, NodeId, ObjectId, ShareId, Timestamp,
    error::FsResult,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
    ownership::{Mark, Start},
};
use dittofs_frame_codec::Codec;
use dittofs_frame_sealer::Sealer;
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    BlockService, Caller, CaseRule, Claim, ContentError, ContentStore, Counter, Journal, JournalError, JournalIdentity,
    Marked, MetadataService, MetadataStore, ShareMetadata, ShareRecord, Spawner, Stability, Survives,
};
use dittofs_system::SystemRandomness;
use parking_lot::Mutex;
use tokio::{task::AbortHandle, time::Instant};

use crate::{clock::PausedClock, policy::policy};

const SHARE: ShareId = ShareId(0xD177_0003);

/// A content store that can be away, or take claims and not answer them.
pub(crate) struct Remote {
    store: MemoryContentStore,
    is_away: AtomicBool,
    is_mute: AtomicBool,
}

/// A journal that keeps which it is.
pub(crate) struct Kept {
    journal: NullJournal,
    pub(crate) identity: Mutex<JournalIdentity>,
}

/// The background tasks of a server's process.
#[derive(Default)]
struct Tasks(Mutex<Vec<AbortHandle>>);

pub(crate) struct World {
    pub(crate) metadata: Arc<dyn ShareMetadata>,
    remote: Arc<Remote>,
    pub(crate) journal: Arc<Kept>,
    created: AtomicU64,
    began: Instant,
}

pub(crate) struct Server {
    pub(crate) volume: Arc<Volume>,
    share: Arc<ServedShare>,
    tasks: Arc<Tasks>,
}

impl Remote {
    fn check(&self) -> Result<(), ContentError> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(ContentError::Unavailable("away".into())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl ContentStore for Remote {
    dittofs_ports::forward!(ContentStore of store: survives, shares, request_max, put, put_to_free, capacity, get, list);

    async fn owner(&self, share: ShareId) -> Result<Option<Marked>, ContentError> {
        self.check()?;
        self.store.owner(share).await
    }

    async fn claim(&self, share: ShareId, mark: &Mark, over: Option<Marked>) -> Result<Claim, ContentError> {
        self.check()?;
        let claimed = self.store.claim(share, mark, over).await;
        match self.is_mute.load(Ordering::Relaxed) {
            true => Err(ContentError::Unavailable("mute".into())),
            false => claimed,
        }
    }

    async fn discard(&self, share: ShareId, object: ObjectId, dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        self.check()?;
        self.store.discard(share, object, dead).await
    }

    async fn delete(&self, share: ShareId, object: ObjectId) -> Result<(), ContentError> {
        self.check()?;
        self.store.delete(share, object).await
    }
}

#[async_trait]
impl Journal for Kept {
    dittofs_ports::forward!(Journal of journal: append, sync, failures, lost, read_now, read, recover, release, usage);

    fn survives(&self) -> Survives {
        Survives::PowerLoss
    }

    fn identity(&self) -> JournalIdentity {
        *self.identity.lock()
    }

    async fn note_start(&self, start: Start) -> Result<(), JournalError> {
        self.identity.lock().start = Some(start);
        Ok(())
    }
}

impl Spawner for Tasks {
    fn spawn(&self, _: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send + 'static>>) {
        self.0.lock().push(tokio::spawn(task).abort_handle());
    }
}

impl World {
    pub(crate) async fn new() -> World {
        let store = MemoryMetadataStore::new();
        let record = ShareRecord {
            handle_key: HandleKey([7; 16]),
            content_owner: 1,
            journal: 5,
            ..ShareRecord::new(SHARE, "/export")
        };
        store.create_share(&record, &Node::root(0, 0, 0o777, Timestamp::EPOCH)).await.unwrap();
        let identity = JournalIdentity { journal: 5, ..JournalIdentity::default() };
        World {
            metadata: store.share(SHARE).await.unwrap().unwrap(),
            remote: Arc::new(Remote {
                store: MemoryContentStore::new(),
                is_away: AtomicBool::new(false),
                is_mute: AtomicBool::new(false),
            }),
            journal: Arc::new(Kept { journal: NullJournal::new(64 << 20), identity: Mutex::new(identity) }),
            created: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    pub(crate) async fn start(&self) -> Server {
        self.start_accepting(false).await.unwrap()
    }

    /// Starts a server, accepting a loss or not.
    pub(crate) async fn start_accepting(&self, accept_loss: bool) -> Result<Server, OpenError> {
        let stores = VolumeStores {
            metadata: Arc::clone(&self.metadata),
            metadata_survives: Survives::PowerLoss,
            content: Arc::clone(&self.remote) as Arc<dyn ContentStore>,
            journal: Arc::clone(&self.journal) as Arc<dyn Journal>,
            cache: Arc::new(NoBlockCache),
            disk: None,
            opens: Arc::new(MemoryOpenState::new()),
            codec: Arc::new(Codec::none()),
            sealer: Arc::new(Sealer::none()),
        };
        let tasks = Arc::new(Tasks::default());
        let machine = Machine {
            clock: Arc::new(PausedClock(self.began)),
            randomness: Arc::new(SystemRandomness::new().unwrap()),
            spawner: Arc::clone(&tasks) as Arc<dyn Spawner>,
        };
        let settings = VolumeSettings { accept_loss, ..VolumeSettings::new(policy(Atime::Relatime)) };
        let volume = Volume::open(stores, settings, machine).await?;
        let services = Services::new(Arc::new(Registry::new(vec![Arc::clone(&volume)])));
        let share = services.share(SHARE).unwrap();
        Ok(Server { volume, share, tasks })
    }

    /// Whether the content store answers.
    pub(crate) fn set_away(&self, is_away: bool) {
        self.remote.is_away.store(is_away, Ordering::Relaxed);
    }

    /// Whether the answers to claims are lost.
    pub(crate) fn set_mute(&self, is_mute: bool) {
        self.remote.is_mute.store(is_mute, Ordering::Relaxed);
    }

    /// The next number that a file gets, or a little less.
    pub(crate) async fn next_id(&self) -> u64 {
        self.metadata.allocate(Counter::Ids, 0).await.unwrap().start
    }

    /// Creates a file a minute.
    pub(crate) async fn work(&self, server: &Server, minutes: u64) -> FsResult<()> {
        for _ in 0..minutes {
            self.create(server).await?;
            tokio::time::sleep(Duration::from_secs(61)).await;
        }
        Ok(())
    }

    /// Writes a file.
    pub(crate) async fn write(&self, server: &Server) -> FsResult<()> {
        let node = self.create(server).await?;
        let written = server.share.write(&caller(), node, 0, Bytes::from_static(b"bytes"), Stability::Unstable).await;
        written.map(|_| ())
    }

    async fn create(&self, server: &Server) -> FsResult<NodeId> {
        let name = format!("file{}", self.created.fetch_add(1, Ordering::Relaxed));
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = server.share.create(&caller(), &request, None).await?;
        Ok(made.node.node)
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

impl Server {
    /// The process ends here and now.
    pub(crate) fn kill(self) {
        self.tasks.0.lock().iter().for_each(AbortHandle::abort);
    }

    pub(crate) async fn close(self) {
        self.volume.close().await.unwrap();
        self.kill();
    }
}
