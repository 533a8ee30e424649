//! Reads, writes, truncations, commits, flushes and time on one file, against a vector of bytes: what fsx does to a
//! file system, directly on the services. `FSX_OPERATIONS` and `FSX_SEED` change how many and which.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use dittofs_block_cache::{MokaBlockCache, NoBlockCache};
use dittofs_domain::{
    Credentials, Name, NodeId,
    content::CHUNK_BYTES,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, SetAttributes},
};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{AdminService, BlockCache, BlockService, Caller, MetadataService, NodeRef, Stability};
use dittofs_tests::{
    model::Random,
    world::{ForgetfulCache, SHARE, Stores, World, caller},
};

const OPERATIONS: u64 = 20_000;
const UNFLUSHED_BYTES_MAX: u64 = 8 << 20;
/// Bytes of the file that are worked on.
const WINDOW: u64 = 3 << 20;
const LENGTH_MAX: u64 = 100_000;
/// After so many operations the whole window is compared.
const COMPARE_EVERY: u64 = 500;

/// A file of which the bytes from `base` on are compared; there are only zeros before.
struct Exerciser {
    world: World,
    caller: Caller,
    file: NodeRef,
    base: u64,
    bytes: Vec<u8>,
    random: Random,
}

impl Exerciser {
    async fn new(base: u64, cache: Arc<dyn BlockCache>, seed: u64) -> Exerciser {
        let stores = Stores {
            metadata: Arc::new(MemoryMetadataStore::new()),
            content: Arc::new(MemoryContentStore::new()),
            journal: Arc::new(NullJournal::new(8 * UNFLUSHED_BYTES_MAX)),
            cache,
            opens: Arc::new(MemoryOpenState::new()),
        };
        let world = World::open(stores, UNFLUSHED_BYTES_MAX, seed).await;
        let caller = caller(Credentials::user(1_000, 1_000));
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(b"file").unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), size: Some(base), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = world.services.create(&caller, SHARE, &request, None).await.unwrap();
        let file = world.node(made.node.node);
        Exerciser { world, caller, file, base, bytes: Vec::new(), random: Random::new(seed) }
    }

    async fn operation(&mut self) {
        match self.random.below(1_000) {
            0..450 => self.write().await,
            450..800 => self.read().await,
            800..900 => self.truncate().await,
            900..960 => {
                let reply = self.world.services.commit(&self.caller, self.file).await.unwrap();
                assert_eq!(reply.file.after.size, self.size());
            }
            960..980 => self.world.services.flush().await.unwrap(),
            980..995 => self.world.pass(Duration::from_millis(600)).await,
            _ => self.world.pass(Duration::from_secs(40)).await,
        }
    }

    fn size(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    async fn write(&mut self) {
        let (at, length) = self.range();
        let data = self.random.bytes(length);
        let stability = self.random.of(&[Stability::Unstable, Stability::Unstable, Stability::Data, Stability::File]);
        self.bytes.resize(self.bytes.len().max(at + length), 0);
        self.bytes[at..at + length].copy_from_slice(&data);
        let offset = self.base + at as u64;
        let reply = self.world.services.write(&self.caller, self.file, offset, data.into(), stability).await.unwrap();
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
        let changed = self.world.services.set_attributes(&self.caller, self.file, &request, None).await.unwrap();
        assert_eq!(changed.after.size, self.size());
    }

    fn range(&mut self) -> (usize, usize) {
        let most = if self.random.one_in(10) { LENGTH_MAX * 4 } else { LENGTH_MAX / 2 };
        let at = self.random.below(WINDOW - 1);
        let length = (1 + self.random.below(most)).min(WINDOW - at);
        (at as usize, length as usize)
    }

    async fn compare(&self, at: usize, length: usize) {
        let offset = self.base + at as u64;
        let reply = self.world.services.read(&self.caller, self.file, offset, length as u32).await.unwrap();
        let end = (at + length).min(self.bytes.len());
        let expected = &self.bytes[at.min(end)..end];
        let read = reply.data.concat();
        let differs = read.iter().zip(expected).position(|(read, expected)| read != expected);
        assert_eq!((read.len(), differs), (expected.len(), None), "{length} bytes at {offset}");
        assert_eq!(reply.end_of_file, at + length >= self.bytes.len());
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |value| value.parse().unwrap())
}

fn exercise(base: u64, cache: Arc<dyn BlockCache>) {
    let (operations, seed) = (number("FSX_OPERATIONS", OPERATIONS), number("FSX_SEED", 1));
    block_on(async {
        let mut exerciser = Exerciser::new(base, cache, seed).await;
        for done in 1..=operations {
            exerciser.operation().await;
            if done % COMPARE_EVERY == 0 {
                exerciser.compare(0, WINDOW as usize).await;
            }
        }
        exerciser.world.close().await;
        exerciser.compare(0, WINDOW as usize).await;
    });
}

#[test]
fn a_file_keeps_what_was_written_with_a_cache() {
    exercise(0, Arc::new(MokaBlockCache::new(2 << 20)));
}

#[test]
fn a_file_keeps_what_was_written_across_a_chunk_boundary_without_a_cache() {
    exercise(CHUNK_BYTES - WINDOW / 2, Arc::new(NoBlockCache));
}

#[test]
fn a_file_keeps_what_was_written_with_a_cache_that_forgets() {
    exercise(0, Arc::new(ForgetfulCache::new(1)));
}

#[test]
fn a_writer_that_is_faster_than_the_flush_is_slowed_down_and_not_refused() {
    block_on(async {
        let exerciser = Exerciser::new(0, Arc::new(NoBlockCache), 1).await;
        let start = tokio::time::Instant::now();
        let data = bytes::Bytes::from(vec![7; 1 << 20]);
        for mebibyte in 0..64 {
            let (services, caller) = (&exerciser.world.services, &exerciser.caller);
            let wrote = services.write(caller, exerciser.file, mebibyte << 20, data.clone(), Stability::Unstable).await;
            assert!(wrote.is_ok(), "MiB {mebibyte}: {wrote:?}");
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{:?} were waited", start.elapsed());
    });
}

/// Runs a future on a runtime of its own, whose time jumps wherever everybody sleeps.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}
