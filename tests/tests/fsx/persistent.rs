//! The same on a disk, with a small journal, a tiny cache and many ends: the process that served the file is gone, and
//! another one opens the same stores. What was answered, stable or not, is in the system's memory, so all of it is there.

use std::{path::Path, sync::Arc, time::Duration};

use dittofs_block_cache::MokaBlockCache;
use dittofs_journal::{JournalId, JournalOptions, MmapJournal};
use dittofs_memory::MemoryOpenState;
use dittofs_object_store::{FsOptions, ObjectStore, ObjectStoreOptions};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::world::{Stores, World};

use crate::{
    exerciser::{Exerciser, UNFLUSHED_BYTES_MAX, WINDOW},
    number,
};

const LIVES: u64 = 12;
const OPERATIONS_PER_LIFE: u64 = 150;
const JOURNAL_BYTES: u64 = 16 << 20;

async fn stores(folder: &Path) -> Stores {
    let journal = folder.join("journal");
    let options = JournalOptions { segment_bytes: 1 << 20, ..JournalOptions::new(JOURNAL_BYTES) };
    let journal = match journal.join("superblock").is_file() {
        true => MmapJournal::open_at(&journal, Some(JournalId(7)), options),
        false => MmapJournal::create_at(&journal, JournalId(7), options),
    };
    let content = ObjectStoreOptions::Fs(FsOptions { path: folder.join("content"), open_files: 8 });
    Stores {
        metadata: Arc::new(RedbMetadataStore::open(&RedbOptions::new(folder.join("metadata"))).unwrap()),
        content: Arc::new(ObjectStore::open(content).await.unwrap()),
        journal: Arc::new(journal.unwrap()),
        cache: Arc::new(MokaBlockCache::new(1 << 20)),
        opens: Arc::new(MemoryOpenState::new()),
    }
}

#[test]
fn a_file_on_a_disk_keeps_what_was_written_over_every_end_of_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let seed = number("FSX_SEED", 1);
    let mut before: Option<Exerciser> = None;
    for life in 0..number("FSX_LIVES", LIVES) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        before = Some(runtime.block_on(async {
            let world = World::open(stores(folder.path()).await, UNFLUSHED_BYTES_MAX, seed + life).await;
            let mut exerciser = match before.take() {
                Some(before) => before.in_another_life(world),
                None => Exerciser::on(world, 0, seed).await,
            };
            (exerciser.short, exerciser.long) = (Duration::from_millis(5), Duration::from_millis(700));
            exerciser.compare(0, WINDOW as usize).await;
            for _ in 0..OPERATIONS_PER_LIFE {
                exerciser.operation().await;
            }
            exerciser.compare(0, WINDOW as usize).await;
            exerciser
        }));
        // Its tasks end wherever they are; nothing is flushed and nothing is closed.
        if let Some(exerciser) = &mut before {
            exerciser.end();
        }
        runtime.shutdown_timeout(Duration::from_secs(10));
    }
}
