//! A share on the stores that the program has by default, with a record of what it has answered as stable.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_block_cache::MokaBlockCache;
use dittofs_domain::{
    Credentials, Name, NodeId, Sequence,
    error::FsError,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, RemoveKind, RemoveRequest},
};
use dittofs_journal::{JournalId, JournalOptions, MmapJournal};
use dittofs_memory::MemoryOpenState;
use dittofs_object_store::{FsOptions, ObjectStore, ObjectStoreOptions};
use dittofs_ports::{AdminService, BlockService, Caller, MetadataService, Stability};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::world::{Stores, World, WorldOptions, caller};
use tokio::runtime::Runtime;

pub(crate) const MIB: usize = 1 << 20;
pub(crate) const BALLAST_BYTES: u64 = 16 << 20;
const JOURNAL_BYTES: u64 = 64 << 20;
const SEGMENT_BYTES: u64 = 4 << 20;
const UNFLUSHED_BYTES_MAX: u64 = 48 << 20;
/// How much faster ages and graces pass.
const SPEED: u32 = 10;
/// How long something that must come by itself is waited for.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Where the stores are.
pub(crate) struct Folders {
    pub(crate) metadata: PathBuf,
    pub(crate) content: PathBuf,
    pub(crate) journal: PathBuf,
}

impl Folders {
    pub(crate) fn below(folder: &Path) -> Folders {
        let of = |name: &str| folder.join(name);
        Folders { metadata: of("metadata"), content: of("content"), journal: of("journal") }
    }

    async fn stores(&self) -> Stores {
        let options = JournalOptions::new(JOURNAL_BYTES, SEGMENT_BYTES);
        let journal = match self.journal.join("superblock").is_file() {
            true => MmapJournal::open_at(&self.journal, Some(JournalId(7)), options),
            false => MmapJournal::create_at(&self.journal, JournalId(7), Sequence(0), options),
        };
        let metadata = RedbOptions { ballast_bytes: BALLAST_BYTES, ..RedbOptions::new(&self.metadata) };
        let content = ObjectStoreOptions::Fs(FsOptions { path: self.content.clone(), open_files: 64 });
        Stores {
            metadata: Arc::new(RedbMetadataStore::open(&metadata).unwrap()),
            content: Arc::new(ObjectStore::open(content).await.unwrap()),
            journal: Arc::new(journal.unwrap()),
            cache: Arc::new(MokaBlockCache::new(1 << 20)),
            opens: Arc::new(MemoryOpenState::new()),
        }
    }
}

/// A running share.
pub(crate) struct Server {
    folders: Folders,
    lives: u64,
    running: Option<(Runtime, World)>,
    caller: Caller,
    /// The files that must be there, and how many MiB of each were answered as stable.
    files: BTreeMap<u64, (NodeId, usize)>,
    made: u64,
}

impl Server {
    pub(crate) fn start(folders: Folders) -> Server {
        let caller = caller(Credentials::user(1_000, 1_000));
        let mut server = Server { folders, lives: 0, running: None, caller, files: BTreeMap::new(), made: 0 };
        server.run();
        server
    }

    fn run(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        self.lives += 1;
        let options = WorldOptions { speed: SPEED, ..WorldOptions::new(UNFLUSHED_BYTES_MAX, self.lives) };
        let world = runtime.block_on(async { World::open_with(self.folders.stores().await, options).await });
        self.running = Some((runtime, world));
    }

    /// Its tasks end wherever they are, and another process opens its stores.
    pub(crate) fn kill_and_start(&mut self) {
        if let Some((runtime, world)) = self.running.take() {
            drop(world);
            runtime.shutdown_timeout(Duration::from_secs(10));
        }
        self.run();
    }

    fn on<T>(&self, call: impl AsyncFnOnce(&World) -> T) -> T {
        let (runtime, world) = self.running.as_ref().unwrap();
        runtime.block_on(call(world))
    }

    /// Makes a file.
    pub(crate) fn create(&mut self) -> Result<u64, FsError> {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: name(self.made),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = self.on(async |world| world.share.create(&self.caller, &request, None).await)?;
        let file = made.node.node;
        self.files.insert(self.made, (file, 0));
        self.made += 1;
        Ok(self.made - 1)
    }

    /// Writes one more MiB to a file, stable.
    pub(crate) fn write(&mut self, number: u64) -> Result<(), FsError> {
        let (file, length) = self.files[&number];
        let data = Bytes::from(content(number, length));
        let offset = (length * MIB) as u64;
        self.on(async |world| world.share.write(&self.caller, file, offset, data, Stability::File).await)?;
        self.files.insert(number, (file, length + 1));
        Ok(())
    }

    /// Makes and writes files of 4 MiB until there is no space; no other error is met. Answers how many MiB it took.
    pub(crate) fn fill(&mut self, mebibytes_max: usize) -> usize {
        for written in 0..mebibytes_max {
            let result = match written % 4 {
                0 => self.create().and_then(|number| self.write(number)),
                _ => self.write(self.made - 1),
            };
            match result {
                Ok(()) => {}
                Err(FsError::NoSpace) => return written,
                Err(error) => panic!("after {written} MiB: {error}"),
            }
        }
        panic!("{mebibytes_max} MiB were taken")
    }

    /// Writes until that succeeds; meanwhile there is no space, and nothing else.
    pub(crate) fn write_until_there_is_space(&mut self) {
        let start = Instant::now();
        let number = loop {
            match self.create() {
                Ok(number) => break number,
                Err(error) => self.wait_after(error, start),
            }
        };
        while let Err(error) = self.write(number) {
            self.wait_after(error, start);
        }
    }

    /// Writes to a file until that succeeds; meanwhile there is no space, or a store does not answer yet.
    pub(crate) fn write_again_once_there_is_space(&mut self, number: u64) {
        let start = Instant::now();
        while let Err(error) = self.write(number) {
            assert!(matches!(error, FsError::NoSpace | FsError::Busy), "{error}");
            assert!(start.elapsed() < LONG, "there is space again, but it is not used");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn wait_after(&self, error: FsError, start: Instant) {
        assert_eq!(error, FsError::NoSpace);
        assert!(start.elapsed() < LONG, "there is space again, but it is not used");
        std::thread::sleep(Duration::from_millis(50));
    }

    pub(crate) fn files(&self) -> Vec<u64> {
        self.files.keys().copied().collect()
    }

    pub(crate) fn remove(&mut self, number: u64) {
        let request = RemoveRequest { directory: NodeId::ROOT, name: name(number), kind: RemoveKind::NotDirectory };
        let removed = self.on(async |world| world.share.remove(&self.caller, &request, None).await);
        removed.unwrap_or_else(|error| panic!("file {number} is not removed: {error}"));
        self.files.remove(&number);
    }

    pub(crate) fn flush(&self) -> Result<(), FsError> {
        self.on(async |world| world.services.flush().await)
    }

    /// Everything that was answered as stable is there.
    pub(crate) fn verify(&self) {
        for (number, (file, length)) in &self.files {
            for part in 0..*length {
                let offset = (part * MIB) as u64;
                let read = self.on(async |world| world.share.read(&self.caller, *file, offset, MIB as u32).await);
                let read = read.unwrap_or_else(|error| panic!("MiB {part} of file {number}: {error}"));
                assert!(read.data.concat() == content(*number, part), "MiB {part} of file {number} is another");
            }
        }
    }

    /// Stops cleanly, once there is room for what was taken.
    pub(crate) fn close(self) {
        let start = Instant::now();
        while let Err(error) = self.flush() {
            self.wait_after(error, start);
        }
        self.on(async |world| world.close().await);
    }
}

fn name(number: u64) -> Name {
    Name::new(format!("file-{number}").as_bytes()).unwrap()
}

/// Bytes that no file system and no codec makes smaller.
fn content(number: u64, part: usize) -> Vec<u8> {
    let mut state = (number << 20 | part as u64 | 1 << 50).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(MIB);
    while bytes.len() < MIB {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}
