//! One file and what must be in it.

use std::{sync::Arc, time::Duration};

use dittofs_domain::{
    Credentials, Name, NodeId, Scale,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, SetAttributes},
};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{AdminService, BlockCache, BlockService, Caller, ContentStore, MetadataService, Stability};
use dittofs_tests::{
    model::Random,
    world::{Stores, World, WorldOptions, caller},
};

pub(crate) const UNFLUSHED_BYTES_MAX: u64 = 8 << 20;
/// Bytes of the file that are worked on.
pub(crate) const WINDOW: u64 = 3 << 20;
const LENGTH_MAX: u64 = 100_000;

/// New stores in memory around these.
pub(crate) fn memory_stores(content: Arc<dyn ContentStore>, cache: Arc<dyn BlockCache>) -> Stores {
    Stores {
        metadata: Arc::new(MemoryMetadataStore::new()),
        content,
        journal: Arc::new(NullJournal::new(8 * UNFLUSHED_BYTES_MAX)),
        cache,
        opens: Arc::new(MemoryOpenState::new()),
    }
}

/// A file of which the bytes from `base` on are compared; there are only zeros before.
pub(crate) struct Exerciser {
    world: Option<World>,
    pub(crate) caller: Caller,
    pub(crate) file: NodeId,
    base: u64,
    bytes: Vec<u8>,
    pub(crate) random: Random,
    /// How long it waits now and then: for a flush, and for garbage.
    pub(crate) short: Duration,
    pub(crate) long: Duration,
}

impl Exerciser {
    /// A file on new stores in memory.
    pub(crate) async fn new(base: u64, cache: Arc<dyn BlockCache>, seed: u64, scale: Scale) -> Exerciser {
        Exerciser::with(memory_stores(Arc::new(MemoryContentStore::new()), cache), base, seed, scale).await
    }

    /// A file on new stores.
    pub(crate) async fn with(stores: Stores, base: u64, seed: u64, scale: Scale) -> Exerciser {
        let options = WorldOptions { scale, ..WorldOptions::new(UNFLUSHED_BYTES_MAX, seed) };
        let world = World::open_with(stores, options).await;
        Exerciser::on(world, base, seed).await
    }

    /// A new file on a share.
    pub(crate) async fn on(world: World, base: u64, seed: u64) -> Exerciser {
        let caller = caller(Credentials::user(1_000, 1_000));
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(b"file").unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), size: Some(base), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = world.share.create(&caller, &request, None).await.unwrap();
        let file = made.node.node;
        let (short, long) = (Duration::from_millis(600), Duration::from_secs(40));
        Exerciser { world: Some(world), caller, file, base, bytes: Vec::new(), random: Random::new(seed), short, long }
    }

    /// The share that it works on.
    pub(crate) fn world(&self) -> &World {
        self.world.as_ref().unwrap()
    }

    /// Lets go of the share.
    pub(crate) fn end(&mut self) {
        self.world = None;
    }

    /// The same file on a share that was opened again.
    pub(crate) fn in_another_life(self, world: World) -> Exerciser {
        Exerciser { world: Some(world), ..self }
    }

    pub(crate) async fn operation(&mut self) {
        match self.random.below(1_000) {
            0..450 => self.write().await,
            450..800 => self.read().await,
            800..900 => self.truncate().await,
            900..960 => self.commit().await,
            960..980 => self.world().services.flush().await.unwrap(),
            980..995 => self.world().pass(self.short).await,
            _ => self.world().pass(self.long).await,
        }
    }

    fn size(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    async fn write(&mut self) {
        let (at, length) = self.range();
        let stability = self.random.of(&[Stability::Unstable, Stability::Unstable, Stability::Data, Stability::File]);
        self.write_at(at, length, stability).await;
    }

    pub(crate) async fn commit(&self) {
        let reply = self.world().share.commit(&self.caller, self.file).await.unwrap();
        assert_eq!(reply.file.after.size, self.size());
    }

    pub(crate) async fn write_at(&mut self, at: usize, length: usize, stability: Stability) {
        let data = self.random.bytes(length);
        self.bytes.resize(self.bytes.len().max(at + length), 0);
        self.bytes[at..at + length].copy_from_slice(&data);
        let offset = self.base + at as u64;
        let reply = self.world().share.write(&self.caller, self.file, offset, data.into(), stability).await.unwrap();
        assert_eq!((reply.count as usize, reply.file.after.size), (length, self.size()));
    }

    async fn read(&mut self) {
        let (at, length) = self.range();
        self.compare(at, length).await;
    }

    async fn truncate(&mut self) {
        let size = match self.random.below(4) {
            0 => self.random.below(WINDOW),
            // Near the end: a truncation to little or nothing would leave little to go wrong.
            1 => (self.bytes.len() as u64).saturating_sub(self.random.below(LENGTH_MAX)),
            2 => (self.bytes.len() as u64 + self.random.below(LENGTH_MAX)).min(WINDOW),
            _ if self.random.one_in(20) => 0,
            _ => return,
        };
        self.bytes.resize(size as usize, 0);
        let request = SetAttributes::size(self.size());
        let changed = self.world().share.set_attributes(&self.caller, self.file, &request, None).await.unwrap();
        assert_eq!(changed.after.size, self.size());
    }

    fn range(&mut self) -> (usize, usize) {
        let most = if self.random.one_in(10) { LENGTH_MAX * 4 } else { LENGTH_MAX / 2 };
        let at = self.random.below(WINDOW - 1);
        let length = (1 + self.random.below(most)).min(WINDOW - at);
        (at as usize, length as usize)
    }

    pub(crate) async fn compare(&self, at: usize, length: usize) {
        let offset = self.base + at as u64;
        let reply = self.world().share.read(&self.caller, self.file, offset, length as u32).await.unwrap();
        let end = (at + length).min(self.bytes.len());
        let expected = &self.bytes[at.min(end)..end];
        let read = reply.data.concat();
        let differs = read.iter().zip(expected).position(|(read, expected)| read != expected);
        assert_eq!((read.len(), differs), (expected.len(), None), "{length} bytes at {offset}");
        assert_eq!(reply.end_of_file, at + length >= self.bytes.len());
    }
}
