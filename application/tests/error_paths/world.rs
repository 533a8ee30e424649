//! A share on mocks of the outbound ports: each passes calls on to a store in memory, unless it is to fail.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dittofs_application::{Atime, Machine, Registry, ServedShare, Services, Volume, VolumeSettings, VolumeStores};
use dittofs_block_cache::MokaBlockCache;
use dittofs_domain::{
    ClientId, Cookie, Credentials, HandleKey, Name, Node, NodeId, Scale, Sequence, ShareId, Timestamp,
    error::FsResult,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, RemoveKind, RemoveRequest},
};
use dittofs_frame_codec::Codec;
use dittofs_frame_sealer::Sealer;
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    Appended, ApplyError, BlockService, Caller, CaseRule, ContentError, ContentStore, Created, Journal, JournalError,
    JournalIdentity, ListRequest, MetadataError, MetadataService, MetadataStore, Record, ShareMetadata, ShareRecord,
    Stability, Survives, WriteReply,
    mocks::{MockClock, MockContentStore, MockJournal, MockRandomness, MockShareMetadata, MockSpawner},
};
use futures_util::FutureExt;
use parking_lot::Mutex;

use crate::{
    interposed::{Interposed, Next},
    policy::policy,
};

pub(crate) const SHARE: ShareId = ShareId(0xD177_0002);

/// The task in which a flush runs that somebody asked for.
const REQUESTED: &str = "requested flush";

type Answer<E> = Box<dyn FnMut() -> Option<E> + Send>;
type Change = Box<dyn FnMut(Vec<u8>) -> Vec<u8> + Send>;

/// The error that a port answers with, if any.
pub(crate) struct Fault<E>(Mutex<Option<Answer<E>>>);

/// How the ports fail.
#[derive(Default)]
pub(crate) struct Faults {
    /// Every call but `apply`.
    pub(crate) metadata: Fault<MetadataError>,
    pub(crate) apply: Fault<ApplyError>,
    /// `apply`, once the plan has been applied.
    pub(crate) answer_of_apply: Fault<ApplyError>,
    pub(crate) put: Fault<ContentError>,
    pub(crate) get: Fault<ContentError>,
    pub(crate) append: Fault<JournalError>,
    pub(crate) sync: Fault<JournalError>,
    /// Syncs that have failed.
    pub(crate) failed_syncs: AtomicU64,
    /// The records that they have lost.
    pub(crate) lost: Mutex<Vec<(NodeId, Sequence)>>,
    /// The change of an object's bytes on their way.
    pub(crate) spoil: Mutex<Option<Change>>,
    /// The node whose rows can't be read.
    pub(crate) damaged: Mutex<Option<NodeId>>,
    /// Whether each view asked for locks.
    pub(crate) locks: Mutex<Vec<bool>>,
    pub(crate) applies: AtomicUsize,
    pub(crate) gets: AtomicUsize,
    /// The time of the clock.
    pub(crate) time: Mutex<Timestamp>,
    /// What has passed of the monotonic one.
    pub(crate) passed: Mutex<Duration>,
    /// The records that the journal has taken.
    pub(crate) appended: Mutex<Vec<(Appended, Record)>>,
}

pub(crate) struct World {
    pub(crate) services: Arc<Services>,
    pub(crate) share: Arc<ServedShare>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) journal: Arc<NullJournal>,
    pub(crate) volume: Arc<Volume>,
    /// The event between a call of the metadata store and its answer.
    pub(crate) next: Arc<Next>,
}

impl<E> Default for Fault<E> {
    fn default() -> Self {
        Fault(Mutex::default())
    }
}

impl<E: 'static> Fault<E> {
    /// Every call fails.
    pub(crate) fn always(&self, error: fn() -> E) {
        self.set(move || Some(error()));
    }

    /// Calls fail as the closure says.
    pub(crate) fn set(&self, answer: impl FnMut() -> Option<E> + Send + 'static) {
        *self.0.lock() = Some(Box::new(answer));
    }

    /// No call fails any more.
    pub(crate) fn clear(&self) {
        *self.0.lock() = None;
    }

    fn check(&self) -> Result<(), E> {
        let error = self.0.lock().as_mut().and_then(|answer| answer());
        error.map_or(Ok(()), Err)
    }
}

impl Faults {
    /// A sync fails, and loses a record of a node.
    pub(crate) fn lose(&self, node: NodeId, sequence: Sequence) {
        self.lost.lock().push((node, sequence));
        self.failed_syncs.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of the last record.
    pub(crate) fn last(&self) -> Sequence {
        self.appended.lock().last().unwrap().0.sequence
    }
}

impl World {
    pub(crate) async fn new() -> World {
        World::open(Arc::new(MemoryMetadataStore::new()), Vec::new()).await
    }

    /// A share whose files are divided as finely as may be: one of 60 KiB is flushed by two objects.
    pub(crate) async fn tiny() -> World {
        World::with(Scale::TINY, Arc::new(MemoryMetadataStore::new()), Vec::new(), Faults::default()).await
    }

    /// A share on these metadata, which are made if they are empty, with a journal that has kept these records.
    pub(crate) async fn open(store: Arc<MemoryMetadataStore>, records: Vec<(Appended, Record)>) -> World {
        World::with(Scale::PRODUCTION, store, records, Faults::default()).await
    }

    /// The same where the rows of a node can't be read while the share is opened.
    pub(crate) async fn open_damaged(
        store: Arc<MemoryMetadataStore>,
        records: Vec<(Appended, Record)>,
        node: NodeId,
    ) -> World {
        let faults = Faults { damaged: Mutex::new(Some(node)), ..Faults::default() };
        let world = World::with(Scale::PRODUCTION, store, records, faults).await;
        *world.faults.damaged.lock() = None;
        world
    }

    async fn with(
        scale: Scale,
        store: Arc<MemoryMetadataStore>,
        records: Vec<(Appended, Record)>,
        faults: Faults,
    ) -> World {
        let record = ShareRecord {
            handle_key: HandleKey([7; 16]),
            content_owner: 1,
            scale,
            ..ShareRecord::new(SHARE, "/export")
        };
        if store.shares().await.unwrap().is_empty() {
            store.create_share(&record, &root()).await.unwrap();
        }
        let faults = Arc::new(faults);
        let journal = Arc::new(NullJournal::new(1 << 20));
        let next = Arc::new(Next::default());
        let mock = metadata(store.share(SHARE).await.unwrap().unwrap(), &faults);
        let stores = VolumeStores {
            metadata: Arc::new(Interposed { store: mock, next: Arc::clone(&next) }),
            metadata_survives: Survives::Nothing,
            content: Arc::new(content(&faults)),
            journal: Arc::new(journal_of(&journal, &faults, records)),
            cache: Arc::new(MokaBlockCache::new(1 << 20)),
            disk: None,
            opens: Arc::new(MemoryOpenState::new()),
            codec: Arc::new(Codec::none()),
            sealer: Arc::new(Sealer::none()),
        };
        let settings = VolumeSettings { scale, ..VolumeSettings::new(policy(Atime::Relatime)) };
        let volume = Volume::open(stores, settings, machine(&faults)).await.unwrap();
        let services = Arc::new(Services::new(Arc::new(Registry::new(vec![Arc::clone(&volume)]))));
        let share = services.share(SHARE).unwrap();
        World { services, share, faults, journal, next, volume }
    }

    pub(crate) async fn create(&self, name: &str) -> FsResult<Created> {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        self.share.create(&caller(), &request, None).await
    }

    /// Bytes that are in the journal only.
    pub(crate) fn journal_used(&self) -> u64 {
        self.journal.usage().used
    }

    /// An empty file with this name.
    pub(crate) async fn node(&self, name: &str) -> NodeId {
        self.create(name).await.unwrap().node.node
    }

    pub(crate) async fn remove(&self, name: &str) {
        let request = RemoveRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: RemoveKind::NotDirectory,
        };
        self.share.remove(&caller(), &request, None).await.unwrap();
    }

    /// Lists the root.
    pub(crate) async fn list(&self) {
        let directory = NodeId::ROOT;
        let request = ListRequest { directory, after: Cookie::START, entries_max: 1_000, with_attributes: false };
        self.share.list(&caller(), &request).await.unwrap();
    }

    /// A file with these bytes, which are not flushed.
    pub(crate) async fn file(&self, bytes: &'static [u8]) -> NodeId {
        let node = self.create("file").await.unwrap().node.node;
        if !bytes.is_empty() {
            self.write(node, bytes, Stability::Unstable).await.unwrap();
        }
        node
    }

    pub(crate) async fn write(&self, node: NodeId, bytes: &'static [u8], stability: Stability) -> FsResult<WriteReply> {
        self.share.write(&caller(), node, 0, Bytes::from_static(bytes), stability).await
    }

    pub(crate) async fn read(&self, node: NodeId) -> FsResult<Vec<u8>> {
        Ok(self.share.read(&caller(), node, 0, 4_096).await?.data.concat())
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

/// The result of a future of a store in memory, which never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

fn metadata(store: Arc<dyn ShareMetadata>, faults: &Arc<Faults>) -> MockShareMetadata {
    let mut mock = MockShareMetadata::new();
    let (faults, there) = (|| Arc::clone(faults), || Arc::clone(&store));
    let (f, s) = (faults(), there());
    mock.expect_record().returning(move || f.metadata.check().and_then(|()| now(s.record())));
    let (f, s) = (faults(), there());
    mock.expect_view().returning(move |query| {
        f.locks.lock().push(query.lock);
        if f.damaged.lock().is_some_and(|node| query.nodes.contains(&node)) {
            return Err(MetadataError::Corrupt("a row".into()));
        }
        f.metadata.check().and_then(|()| now(s.view(query)))
    });
    let (f, s) = (faults(), there());
    mock.expect_apply().returning(move |plan, op| {
        f.applies.fetch_add(1, Ordering::Relaxed);
        f.apply.check()?;
        let applied = now(s.apply(plan, op))?;
        f.answer_of_apply.check().map(|()| applied)
    });
    let s = there();
    mock.expect_name_of().returning(move |directory, cookie| now(s.name_of(directory, cookie)));
    let (f, s) = (faults(), there());
    mock.expect_objects().returning(|_, _| Ok(Vec::new()));
    mock.expect_list().returning(move |directory, space, after, entries_max, records| {
        f.metadata.check().and_then(|()| now(s.list(directory, space, after, entries_max, records)))
    });
    let s = there();
    mock.expect_put_record().returning(move |record| now(s.put_record(record)));
    let (f, s) = (faults(), there());
    mock.expect_allocate()
        .returning(move |counter, count| f.metadata.check().and_then(|()| now(s.allocate(counter, count))));
    let (f, s) = (faults(), there());
    mock.expect_statistics().returning(move || f.metadata.check().and_then(|()| now(s.statistics())));
    mock
}

fn content(faults: &Arc<Faults>) -> MockContentStore {
    let store = Arc::new(MemoryContentStore::new());
    let mut mock = MockContentStore::new();
    mock.expect_survives().return_const(Survives::Nothing);
    mock.expect_request_max().returning({
        let store = Arc::clone(&store);
        move || store.request_max()
    });
    let owners = Arc::clone(&store);
    mock.expect_owner().returning(move |share| now(owners.owner(share)));
    let owners = Arc::clone(&store);
    mock.expect_claim().returning(move |share, mark, over| now(owners.claim(share, mark, over)));
    let (f, s) = (Arc::clone(faults), Arc::clone(&store));
    mock.expect_put()
        .returning(move |share, object, parts| f.put.check().and_then(|()| now(s.put(share, object, parts))));
    let (f, s) = (Arc::clone(faults), store);
    mock.expect_get().returning(move |share, object, range| {
        f.gets.fetch_add(1, Ordering::Relaxed);
        f.get.check()?;
        let parts = now(s.get(share, object, range))?;
        match f.spoil.lock().as_mut() {
            Some(spoil) => Ok(vec![spoil(parts.concat()).into()]),
            None => Ok(parts),
        }
    });
    mock
}

fn journal_of(journal: &Arc<NullJournal>, faults: &Arc<Faults>, kept: Vec<(Appended, Record)>) -> MockJournal {
    let mut mock = MockJournal::new();
    mock.expect_survives().return_const(Survives::Nothing);
    let (f, j) = (Arc::clone(faults), Arc::clone(journal));
    mock.expect_identity().return_const(JournalIdentity::default());
    mock.expect_note_start().returning(|_| Ok(()));
    mock.expect_recover().returning(move |_| Ok(kept.clone()));
    let losing = Arc::clone(faults);
    mock.expect_lost().returning(move || losing.lost.lock().clone());
    mock.expect_append().returning(move |record| {
        f.append.check()?;
        let appended = now(j.append(record.clone()))?;
        f.appended.lock().push((appended, record));
        Ok(appended)
    });
    let f = Arc::clone(faults);
    mock.expect_sync().returning(move |_| {
        let synced = f.sync.check();
        if let Err(JournalError::SyncFailed(_)) = synced {
            f.failed_syncs.fetch_add(1, Ordering::Relaxed);
        }
        synced
    });
    let f = Arc::clone(faults);
    mock.expect_failures().returning(move || f.failed_syncs.load(Ordering::Relaxed));
    let j = Arc::clone(journal);
    mock.expect_read_now().returning(move |place, skip, len| j.read_now(place, skip, len));
    let j = Arc::clone(journal);
    mock.expect_read().returning(move |place, skip, len| now(j.read(place, skip, len)));
    let j = Arc::clone(journal);
    mock.expect_release().returning(move |records| now(j.release(records)));
    let j = Arc::clone(journal);
    mock.expect_usage().returning(move || j.usage());
    mock
}

/// Time stands where it was set, nobody really sleeps, and nothing happens in the background but what was asked for.
fn machine(faults: &Arc<Faults>) -> Machine {
    let mut clock = MockClock::new();
    let f = Arc::clone(faults);
    clock.expect_now().returning(move || *f.time.lock());
    let f = Arc::clone(faults);
    clock.expect_monotonic().returning(move || *f.passed.lock());
    clock.expect_sleep().returning(|_| ());
    let drawn = AtomicU64::new(1);
    let mut randomness = MockRandomness::new();
    randomness.expect_bits64().returning(move || drawn.fetch_add(1, Ordering::Relaxed));
    let drawn = AtomicU64::new(1);
    randomness.expect_bits128().returning(move || u128::from(drawn.fetch_add(1, Ordering::Relaxed)));
    let mut spawner = MockSpawner::new();
    spawner.expect_spawn().returning(|name, task| {
        if name == REQUESTED {
            drop(tokio::spawn(task));
        }
    });
    Machine { clock: Arc::new(clock), randomness: Arc::new(randomness), spawner: Arc::new(spawner) }
}

fn root() -> Node {
    Node::root(0, 0, 0o777, Timestamp::EPOCH)
}
