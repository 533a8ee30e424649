//! A share on stores in memory, with a clock that jumps where everybody sleeps, and callers of two styles.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use dittofs_application::{Atime, Machine, Registry, ServedShare, Services, Volume, VolumeSettings, VolumeStores};
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    ClientId, Credentials, HandleKey, Name, Node, NodeId, ShareId, Timestamp,
    access::AccessMask,
    error::FsResult,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, RemoveKind, RemoveRequest},
    opens::{
        Break, LeaseKey, Lock, LockHolder, LockKind, LockOwner, LockRange, Locking, OpenToken, Rights, ShareAccess,
        Waiter,
    },
};
use dittofs_frame_codec::Codec;
use dittofs_frame_sealer::Sealer;
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    BlockService, CacheKey, CacheRequest, Caller, CaseRule, EntryService, LockReply, LockRequest, MetadataService,
    MetadataStore, NodeRef, OpenEvents, OpenRequest, OpenService, OpenState, ShareMetadata, ShareRecord, Stability,
    Survives,
};
use dittofs_system::{SystemRandomness, TokioSpawner};
use tokio::time::Instant;

use crate::{clock::PausedClock, policy::policy};

const SHARE: ShareId = ShareId(0xD177_0001);

pub(crate) struct World {
    pub(crate) services: Arc<Services>,
    pub(crate) share: Arc<ServedShare>,
    pub(crate) metadata: Arc<dyn ShareMetadata>,
    pub(crate) opens: Arc<dyn OpenState>,
    pub(crate) events: Arc<Events>,
    start: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    Break(NodeId, Break),
    Revoked(NodeId, LeaseKey),
    Granted(NodeId, Waiter),
}

#[derive(Default)]
pub(crate) struct Events(Mutex<Vec<Event>>);

impl World {
    pub(crate) async fn new() -> World {
        World::with(Arc::new(MemoryOpenState::new())).await
    }

    pub(crate) async fn with(opens: Arc<dyn OpenState>) -> World {
        let store = MemoryMetadataStore::new();
        let record =
            ShareRecord { handle_key: HandleKey([7; 16]), content_owner: 1, ..ShareRecord::new(SHARE, "/export") };
        store.create_share(&record, &root()).await.unwrap();
        let metadata = store.share(SHARE).await.unwrap().unwrap();
        let stores = VolumeStores {
            metadata: Arc::clone(&metadata),
            metadata_survives: Survives::Nothing,
            content: Arc::new(MemoryContentStore::new()),
            journal: Arc::new(NullJournal::new(64 << 20)),
            cache: Arc::new(NoBlockCache),
            disk: None,
            opens: Arc::clone(&opens),
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
        let services = Arc::new(Services::new(Arc::new(Registry::new(vec![volume]))));
        let events = Arc::new(Events::default());
        services.subscribe(Arc::clone(&events) as Arc<dyn OpenEvents>);
        let share = services.share(SHARE).unwrap();
        World { services, share, metadata, opens, events, start }
    }

    /// A file of user 1,000 with these bytes.
    pub(crate) async fn file(&self, name: &str, content: &'static [u8]) -> NodeId {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = self.share.create(&nfs(1), &request, None).await.unwrap();
        let node = made.node.node;
        if !content.is_empty() {
            self.write(&nfs(1), node, 0, content).await.unwrap();
        }
        node
    }

    pub(crate) async fn write(&self, caller: &Caller, node: NodeId, at: u64, bytes: &'static [u8]) -> FsResult<()> {
        let data = Bytes::from_static(bytes);
        self.share.write(caller, node, at, data, Stability::Unstable).await.map(|_| ())
    }

    pub(crate) async fn read(&self, caller: &Caller, node: NodeId) -> FsResult<Vec<u8>> {
        Ok(self.share.read(caller, node, 0, 4_096).await?.data.concat())
    }

    pub(crate) async fn remove(&self, caller: &Caller, name: &str) -> FsResult<()> {
        let request = RemoveRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: RemoveKind::NotDirectory,
        };
        self.share.remove(caller, &request, None).await.map(|_| ())
    }

    /// Opens, and answers the caller that goes through the open.
    pub(crate) async fn open(&self, client: u64, node: NodeId, request: &OpenRequest) -> FsResult<Caller> {
        let caller = nfs(client);
        let opened = self.share.open(&caller, node, request).await?;
        Ok(Caller { opener: Some(opened.token), ..caller })
    }

    /// Locks as NFS does: by an owner, without an open.
    pub(crate) async fn owner_lock(&self, client: u64, node: NodeId, kind: LockKind, wait: bool) -> LockReply {
        let wait = wait.then(|| self.share.wait_token());
        let lock = Lock { range: bytes(0, 10), kind, holder: owner(client) };
        self.share.lock(&nfs(client), node, &LockRequest { lock, wait, waits: true, reclaims: false }).await.unwrap()
    }

    /// Locks as SMB does: by an open.
    pub(crate) async fn open_lock(&self, caller: &Caller, node: NodeId, kind: LockKind) -> FsResult<LockReply> {
        let lock = Lock { range: bytes(0, 10), kind, holder: by_open(caller) };
        self.share.lock(caller, node, &LockRequest { lock, wait: None, waits: true, reclaims: false }).await
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Events {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// The breaks so far.
    pub(crate) fn breaks(&self) -> Vec<Break> {
        let of = |event| match event {
            Event::Break(_, request) => Some(request),
            Event::Revoked(..) | Event::Granted(..) => None,
        };
        self.all().into_iter().filter_map(of).collect()
    }

    /// Waits until there is a break.
    pub(crate) async fn wait_break(&self) -> Break {
        loop {
            if let Some(request) = self.breaks().first() {
                return *request;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl OpenEvents for Events {
    fn serves(&self, _client: ClientId) -> bool {
        true
    }

    fn break_requested(&self, node: NodeRef, request: &Break) {
        self.0.lock().unwrap().push(Event::Break(node.node, *request));
    }

    fn lease_revoked(&self, node: NodeRef, key: LeaseKey) {
        self.0.lock().unwrap().push(Event::Revoked(node.node, key));
    }

    fn lock_granted(&self, node: NodeRef, waiter: &Waiter) {
        self.0.lock().unwrap().push(Event::Granted(node.node, waiter.clone()));
    }
}

/// A caller without an open: user 1,000, whatever the client.
pub(crate) fn nfs(client: u64) -> Caller {
    Caller {
        credentials: Credentials::user(1_000, 1_000),
        opener: None,
        client: ClientId::Nfs4(client),
        case: CaseRule::Sensitive,
        parent_lease: None,
    }
}

pub(crate) fn user(client: u64, uid: u32) -> Caller {
    Caller { credentials: Credentials::user(uid, uid), ..nfs(client) }
}

pub(crate) fn token(caller: &Caller) -> OpenToken {
    caller.opener.unwrap()
}

pub(crate) fn bytes(offset: u64, length: u64) -> LockRange {
    LockRange::exact(offset, length).unwrap()
}

pub(crate) fn owner_of(client: u64) -> LockOwner {
    LockOwner::new(ClientId::Nfs4(client), b"process").unwrap()
}

pub(crate) fn owner(client: u64) -> LockHolder {
    LockHolder::Owner(owner_of(client))
}

pub(crate) fn by_open(caller: &Caller) -> LockHolder {
    LockHolder::Open { client: caller.client, open: token(caller) }
}

/// An open to read and write that denies nothing, with mandatory locks, as SMB's.
pub(crate) fn shared() -> OpenRequest {
    OpenRequest {
        rights: AccessMask::READ_DATA | AccessMask::WRITE_DATA,
        deny: ShareAccess::empty(),
        locking: Locking::Mandatory,
        truncate: false,
        created: false,
        cache: None,
        waits: true,
    }
}

/// The same with a lease that caches as much as there is.
pub(crate) fn cached(key: u128) -> OpenRequest {
    OpenRequest { cache: Some(CacheRequest { key: CacheKey::Lease(key), rights: Rights::all() }), ..shared() }
}

pub(crate) fn root() -> Node {
    Node::root(0, 0, 0o777, Timestamp::EPOCH)
}
