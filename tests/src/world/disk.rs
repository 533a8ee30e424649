//! Stores on a disk, as small as they may be: what is asked for is seldom still in memory.

use std::{path::Path, sync::Arc};

use dittofs_block_cache::MokaBlockCache;
use dittofs_domain::Sequence;
use dittofs_journal::{JournalId, JournalOptions, MmapJournal};
use dittofs_memory::MemoryOpenState;
use dittofs_object_store::{FsOptions, ObjectStore, ObjectStoreOptions};
use dittofs_ports::ContentStore;
use dittofs_redb::{RedbMetadataStore, RedbOptions};

use super::Stores;

/// How small.
#[derive(Clone, Copy, Debug)]
pub struct DiskOptions {
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Bytes of a segment of it, and so more than the longest write.
    pub segment_bytes: u64,
    /// Bytes of the cache of frames.
    pub cache_bytes: u64,
    /// Bytes of the metadata store's pages, of its decoded rows, and of its log.
    pub metadata_bytes: [usize; 3],
}

impl DiskOptions {
    /// The stores in this folder, made if they are not there.
    pub async fn open(&self, folder: &Path) -> Stores {
        let content = ObjectStoreOptions::Fs(FsOptions { path: folder.join("content"), open_files: 8 });
        self.open_with(folder, Arc::new(ObjectStore::open(content).await.unwrap()))
    }

    /// The same with their content elsewhere.
    pub fn open_with(&self, folder: &Path, content: Arc<dyn ContentStore>) -> Stores {
        let journal = folder.join("journal");
        let options =
            JournalOptions { limit_bytes: self.journal_bytes, segment_bytes: self.segment_bytes, accept_loss: false };
        let journal = match journal.join("superblock").is_file() {
            true => MmapJournal::open_at(&journal, Some(JournalId(7)), options),
            false => MmapJournal::create_at(&journal, JournalId(7), Sequence(0), options),
        };
        let [cache_bytes, row_cache_bytes, log_bytes] = self.metadata_bytes;
        let metadata = RedbOptions {
            cache_bytes,
            row_cache_bytes,
            log_bytes: log_bytes as u64,
            ..RedbOptions::new(folder.join("metadata"))
        };
        Stores {
            metadata: Arc::new(RedbMetadataStore::open(&metadata).unwrap()),
            content,
            journal: Arc::new(journal.unwrap()),
            cache: Arc::new(MokaBlockCache::new(self.cache_bytes)),
            opens: Arc::new(MemoryOpenState::new()),
        }
    }
}
