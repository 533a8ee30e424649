//! How long a check of many files on redb takes, and what memory: `cargo run --example check_rate -- [FILES]`.
#![allow(clippy::unwrap_used, reason = "a measurement fails by panicking")]

use std::{fs, sync::Arc, time::Instant};

use bytes::Bytes;
use dittofs_block_cache::NoBlockCache;
use dittofs_domain::{
    Credentials, Name, NodeId,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind},
};
use dittofs_journal::NullJournal;
use dittofs_memory::MemoryOpenState;
use dittofs_object_store::{FsOptions, ObjectStore, ObjectStoreOptions};
use dittofs_ports::{AdminService, BlockService, CheckOptions, ContentStore, MetadataService, Stability};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::world::{SHARE, Stores, World, caller};
use futures_util::{StreamExt, stream};

const FILES_USUAL: u64 = 100_000;
const FILES_PER_DIRECTORY: u64 = 1_000;
const FILE_BYTES: usize = 4_096;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let files = std::env::args().nth(1).map_or(FILES_USUAL, |files| files.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let content = FsOptions::new(folder.path().join("content"));
    let content: Arc<dyn ContentStore> = Arc::new(ObjectStore::open(ObjectStoreOptions::Fs(content)).await.unwrap());
    let stores = Stores {
        metadata: Arc::new(RedbMetadataStore::open(&RedbOptions::new(folder.path().join("metadata"))).unwrap()),
        content,
        journal: Arc::new(NullJournal::new(1 << 30)),
        cache: Arc::new(NoBlockCache),
        opens: Arc::new(MemoryOpenState::new()),
    };
    let world = World::open(stores, 1 << 29, 7).await;
    let began = Instant::now();
    for directory in 0..files.div_ceil(FILES_PER_DIRECTORY) {
        let parent = make(&world, NodeId::ROOT, &format!("d{directory}"), NewKind::Directory).await;
        let count = FILES_PER_DIRECTORY.min(files - directory * FILES_PER_DIRECTORY);
        let each = stream::iter(0..count).for_each_concurrent(64, |number| write(&world, parent, number));
        each.await;
    }
    world.services.flush().await.unwrap();
    println!("{files} files of {FILE_BYTES} bytes made in {:.1} s", began.elapsed().as_secs_f64());
    for content in [false, true] {
        let (before, began) = (resident_mib(), Instant::now());
        let options = CheckOptions { content, ..CheckOptions::default() };
        let report = world.services.check(SHARE, options, Arc::new(())).await.unwrap();
        let took = began.elapsed().as_secs_f64();
        assert!(report.is_clean(), "{report:#?}");
        println!(
            "content {content}: {took:.2} s, {} nodes, {} objects, {} MiB verified; resident {before} MiB before, {} MiB \
             at most",
            report.nodes,
            report.objects,
            report.verified_bytes >> 20,
            peak_mib(),
        );
    }
    world.close().await;
}

async fn make(world: &World, directory: NodeId, text: &str, kind: NewKind) -> NodeId {
    let request = CreateRequest {
        directory,
        name: Name::new(text.as_bytes()).unwrap(),
        kind,
        attributes: InitialAttributes { mode: Some(0o755), ..InitialAttributes::default() },
        how: CreateHow::Guarded,
    };
    let made = world.share.create(&caller(Credentials::root()), &request, None).await;
    made.unwrap().node.node
}

async fn write(world: &World, directory: NodeId, number: u64) {
    let file = make(world, directory, &format!("f{number}"), NewKind::File).await;
    let data = Bytes::from(vec![number as u8; FILE_BYTES]);
    let who = caller(Credentials::root());
    world.share.write(&who, file, 0, data, Stability::Unstable).await.unwrap();
}

fn resident_mib() -> u64 {
    status("VmRSS:")
}

fn peak_mib() -> u64 {
    status("VmHWM:")
}

fn status(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}
