//! A content store that is full to the last byte, and in which every object has something that lives.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{io, ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    Credentials, Name, NodeId, ObjectId, ShareId,
    error::{FsError, FsResult},
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, RemoveKind, RemoveRequest},
};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, BlockService, Caller, CheckOptions, ContentError, ContentStore, MetadataService, Stability,
};
use dittofs_tests::world::{SHARE, Stores, World, caller};
use parking_lot::Mutex;

const CAPACITY: u64 = 12 << 20;
const FILE: usize = 24 << 10;
/// Above what lives of any object: it can be deleted only once all of that is elsewhere.
const ROOM_KEPT: u64 = 3 << 20;

struct Share {
    world: World,
    caller: Caller,
    content: Arc<MemoryContentStore>,
    files: Vec<(String, NodeId)>,
}

fn pattern(number: usize) -> Bytes {
    (0..FILE).map(|at| (number * 31 + at * 7 + (at >> 8)) as u8).collect()
}

/// A store that can't give back parts of objects. As a folder does, it keeps some room for what frees space.
struct WholeObjects {
    store: Arc<MemoryContentStore>,
}

#[async_trait]
impl ContentStore for WholeObjects {
    dittofs_ports::forward!(ContentStore of store: survives, owner, claim, shares, request_max, put_to_free, capacity, get,
        delete, list);

    async fn put(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<(), ContentError> {
        let bytes: u64 = parts.iter().map(|part| part.len() as u64).sum();
        if self.store.used() + bytes + ROOM_KEPT > CAPACITY {
            return Err(ContentError::Full);
        }
        self.store.put(share, object, parts).await
    }

    async fn discard(&self, _share: ShareId, _object: ObjectId, _dead: Vec<Range<u64>>) -> Result<u64, ContentError> {
        Ok(0)
    }
}

impl Share {
    async fn new() -> Share {
        Share::on(|store| store).await
    }

    async fn on<S: ContentStore + 'static>(decorated: impl FnOnce(Arc<MemoryContentStore>) -> Arc<S>) -> Share {
        let content = Arc::new(MemoryContentStore::with_capacity(CAPACITY));
        let stores = Stores {
            metadata: Arc::new(MemoryMetadataStore::new()),
            content: decorated(Arc::clone(&content)),
            journal: Arc::new(NullJournal::new(4 << 20)),
            cache: Arc::new(NoBlockCache),
            opens: Arc::new(MemoryOpenState::new()),
        };
        let world = World::open(stores, 4 << 20, 1).await;
        Share { world, caller: caller(Credentials::user(0, 0)), content, files: Vec::new() }
    }

    async fn add(&mut self) -> FsResult<()> {
        let number = self.files.len();
        let name = format!("file-{number}");
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o600), ..InitialAttributes::default() },
            how: CreateHow::Unchecked,
        };
        let made = self.world.share.create(&self.caller, &request, None).await?;
        let file = made.node.node;
        self.world.share.write(&self.caller, file, 0, pattern(number), Stability::Unstable).await?;
        self.files.push((name, file));
        Ok(())
    }

    /// Makes a file; a store that is full makes room for it.
    async fn add_once_there_is_room(&mut self) {
        for _ in 0..60 {
            match self.add().await {
                Ok(()) => return,
                Err(FsError::NoSpace | FsError::Busy) => self.world.pass(Duration::from_secs(5)).await,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("{} files, and no room is made for another one", self.files.len());
    }

    /// Flushes what was taken; a store that is full makes room for it.
    async fn flush_once_there_is_room(&self) {
        for _ in 0..60 {
            match self.world.services.flush().await {
                Ok(()) => return,
                Err(FsError::NoSpace) => self.world.pass(Duration::from_secs(5)).await,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("no room is made for what was taken");
    }

    /// Makes files until there is no space, not even after a while.
    async fn fill(&mut self) {
        for _ in 0..10_000 {
            match self.add().await {
                Ok(()) => {}
                Err(FsError::NoSpace) => return,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the store is never full");
    }

    async fn remove_every_second(&mut self) {
        for index in (0..self.files.len()).step_by(2) {
            let name = Name::new(self.files[index].0.as_bytes()).unwrap();
            let request = RemoveRequest { directory: NodeId::ROOT, name, kind: RemoveKind::NotDirectory };
            self.world.share.remove(&self.caller, &request, None).await.unwrap();
        }
    }

    async fn assert_there(&self, number: usize) {
        let read = self.world.share.read(&self.caller, self.files[number].1, 0, FILE as u32).await.unwrap();
        assert!(read.data.concat() == pattern(number), "file {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn removing_every_second_file_frees_their_space() {
    let mut share = Share::new().await;
    share.fill().await;
    // Nobody makes room for what is written again.
    let full = share.content.used();
    assert!(full > CAPACITY / 2, "{full} of {CAPACITY}");
    let before = share.files.len();
    share.remove_every_second().await;
    // Three quarters of what was removed fit again: more than the store has free, as the survivors lie in all objects.
    let again = before * 3 / 8;
    let free = CAPACITY - share.content.used();
    assert!(free < (again * FILE) as u64, "{free} bytes are free for {again} files");
    share.world.pass(Duration::from_secs(120)).await;
    for number in (1..before).step_by(2) {
        share.assert_there(number).await;
    }
    for _ in 0..again {
        share.add_once_there_is_room().await;
    }
    share.flush_once_there_is_room().await;
    for number in (1..before).step_by(2).chain(before..share.files.len()) {
        share.assert_there(number).await;
    }
    let report = share.world.services.check(SHARE, CheckOptions::default(), Arc::new(())).await.unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

/// Objects have up to 64 MiB, and there is hardly ever room for one more where a store is nearly full.
#[tokio::test(start_paused = true)]
async fn what_there_is_room_for_is_flushed() {
    const FREE: u64 = 1 << 20;
    let mut share = Share::new().await;
    let others = Bytes::from(vec![7; (CAPACITY - FREE) as usize]);
    share.content.put(ShareId(SHARE.0 + 1), ObjectId(1), vec![others]).await.unwrap();
    for _ in 0..100 {
        share.add().await.unwrap();
    }
    assert_eq!(share.world.services.flush().await, Err(FsError::NoSpace));
    share.world.pass(Duration::from_secs(60)).await;
    let free = CAPACITY - share.content.used();
    assert!(free < 2 * FILE as u64, "{free} bytes are free, and there are files of {FILE} to be flushed");
    share.content.delete(ShareId(SHARE.0 + 1), ObjectId(1)).await.unwrap();
    share.flush_once_there_is_room().await;
    for number in 0..share.files.len() {
        share.assert_there(number).await;
    }
}

/// The bytes of the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn count(&self, words: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock()).matches(words).count()
    }
}

/// Then removing frees nothing. The log says so, once, and what an operator can do helps.
#[tokio::test(start_paused = true)]
async fn a_store_that_gives_nothing_back_and_has_not_a_byte_left_is_reported_once_until_others_free_some() {
    const OTHERS: ObjectId = ObjectId(1);
    const OTHERS_BYTES: u64 = 4 << 20;
    const ADVICE: &str = "by other means, and the rest comes back by itself";
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let mut share = Share::on(|store| Arc::new(WholeObjects { store })).await;
    let others = |bytes: u64| vec![Bytes::from(vec![7; bytes as usize])];
    share.content.put(ShareId(SHARE.0 + 1), OTHERS, others(OTHERS_BYTES)).await.unwrap();
    share.fill().await;
    share.world.pass(Duration::from_secs(60)).await;
    let free = CAPACITY - share.content.used();
    share.content.put(ShareId(SHARE.0 + 1), ObjectId(2), others(free)).await.unwrap();
    let before = share.files.len();
    share.remove_every_second().await;
    for _ in 0..10 {
        share.world.pass(Duration::from_secs(30)).await;
        assert_eq!(share.add().await, Err(FsError::NoSpace));
    }
    assert_eq!(log.count(ADVICE), 1);
    share.content.delete(ShareId(SHARE.0 + 1), OTHERS).await.unwrap();
    for _ in 0..before / 4 {
        share.add_once_there_is_room().await;
    }
    share.flush_once_there_is_room().await;
    for number in (1..before).step_by(2).chain(before..share.files.len()) {
        share.assert_there(number).await;
    }
    assert_eq!(log.count(ADVICE), 1);
}
