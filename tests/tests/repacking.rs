//! Objects of which most bytes are dead are written again, and no byte of any file changes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dittofs_block_cache::MokaBlockCache;
use dittofs_domain::{
    Credentials, Name, NodeId,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
};
use dittofs_journal::NullJournal;
use dittofs_memory::{MemoryContentStore, MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{AdminService, BlockService, Caller, MetadataService, Stability};
use dittofs_tests::world::{SHARE, Stores, World, caller};

const FILE: usize = 256 << 10;
/// Longer than garbage is kept.
const LONG: Duration = Duration::from_secs(90);

struct Files {
    world: World,
    caller: Caller,
}

impl Files {
    async fn new() -> Files {
        let stores = Stores {
            metadata: Arc::new(MemoryMetadataStore::new()),
            content: Arc::new(MemoryContentStore::new()),
            journal: Arc::new(NullJournal::new(256 << 20)),
            cache: Arc::new(MokaBlockCache::new(1 << 20)),
            opens: Arc::new(MemoryOpenState::new()),
        };
        let world = World::open(stores, 64 << 20, 7).await;
        Files { world, caller: caller(Credentials::user(1_000, 1_000)) }
    }

    async fn create(&self, name: &str) -> NodeId {
        let request = CreateRequest {
            directory: NodeId::ROOT,
            name: Name::new(name.as_bytes()).unwrap(),
            kind: NewKind::File,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = self.world.share.create(&self.caller, &request, None).await.unwrap();
        made.node.node
    }

    async fn write(&self, file: NodeId, offset: u64, seed: u8, length: usize) {
        let data: Vec<u8> = content(seed, length);
        let written = self.world.share.write(&self.caller, file, offset, Bytes::from(data), Stability::Unstable);
        written.await.unwrap();
    }

    async fn object_bytes(&self) -> u64 {
        let objects = self.world.content.list(SHARE, None, 1_000).await.unwrap();
        objects.iter().map(|(_, bytes)| *bytes).sum()
    }
}

fn content(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|at| seed.wrapping_add((at / 7) as u8)).collect()
}

#[tokio::test(start_paused = true)]
async fn space_of_mostly_dead_objects_comes_back_and_files_keep_their_bytes() {
    let files = Files::new().await;
    let mut all = Vec::new();
    for number in 0..40u8 {
        let file = files.create(&format!("file{number}")).await;
        files.write(file, 0, number, FILE).await;
        all.push(file);
    }
    files.world.services.flush().await.unwrap();
    let full = files.object_bytes().await;
    // Three of four files are written anew: the first objects keep a quarter of their bytes.
    for (number, file) in all.iter().enumerate().filter(|(number, _)| number % 4 != 0) {
        files.write(*file, 0, 100 + number as u8, FILE).await;
    }
    files.world.services.flush().await.unwrap();
    assert!(files.object_bytes().await > full + full / 2, "the old objects are still there");
    files.world.pass(LONG).await;
    let left = files.object_bytes().await;
    assert!(left < full + full / 10, "{left} bytes are left for {full} bytes of files");
    for (number, file) in all.iter().enumerate() {
        let seed = if number % 4 == 0 { number as u8 } else { 100 + number as u8 };
        let read = files.world.share.read(&files.caller, *file, 0, FILE as u32).await.unwrap();
        assert_eq!(read.data.concat(), content(seed, FILE), "file {number}");
    }
    files.world.close().await;
}
