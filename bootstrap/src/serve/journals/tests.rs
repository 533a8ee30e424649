use std::sync::atomic::{AtomicU64, Ordering};

use dittofs_domain::{Epoch, HandleKey, Node, ShareId, Timestamp};
use dittofs_memory::MemoryMetadataStore;
use dittofs_ports::{Journal, MetadataStore, Record};
use dittofs_system::{SystemClock, SystemRandomness, TokioSpawner};
use tempfile::TempDir;

use super::*;

struct Setting {
    base: TempDir,
    metadata: Arc<dyn ShareMetadata>,
    machine: Machine,
}

fn record() -> Record {
    let time = Timestamp::new(1, 0).unwrap();
    Record { node: NodeId(9), offset: 0, data: "x".into(), size: 1, time, epoch: Epoch(1), copy_of: None }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Setting {
    async fn new() -> Setting {
        let store = MemoryMetadataStore::new();
        let id = ShareId(NEXT_ID.fetch_add(1, Ordering::Relaxed));
        let record = ShareRecord {
            handle_key: HandleKey([7; 16]),
            content_owner: 1,
            journal: 77,
            ..ShareRecord::new(id, "/export")
        };
        let root = Node::root(0, 0, 0o755, Timestamp::new(1, 0).unwrap());
        store.create_share(&record, &Node { content_seq: Sequence(1 << 50), ..root }).await.unwrap();
        let machine = Machine {
            clock: Arc::new(SystemClock::new()),
            randomness: Arc::new(SystemRandomness::new().unwrap()),
            spawner: Arc::new(TokioSpawner::new(tokio::runtime::Handle::current())),
        };
        Setting { base: tempfile::tempdir().unwrap(), metadata: store.share(id).await.unwrap().unwrap(), machine }
    }

    async fn open(&self, accept_loss: bool) -> Result<Arc<MmapJournal>, JournalRefusal> {
        let wanted = Wanted { base: self.base.path(), bytes: 16 << 20, accept_loss, share: "/export" };
        open(&wanted, &*self.metadata, &self.machine).await
    }

    /// Opens it as a server does, and ends; clean or in the midst of work.
    async fn used(&self, dirty: bool, accept_loss: bool) -> u128 {
        let journal = self.open(accept_loss).await.unwrap();
        journal.recover(Sequence(0)).await.unwrap();
        let appended = journal.append(record()).await.unwrap();
        journal.sync(appended.sequence).await.unwrap();
        let identity = journal.identity();
        let record = self.metadata.record().await.unwrap();
        assert_eq!(record.journal, identity.journal);
        let used = ShareRecord { journal_incarnation: identity.incarnation, dirty, ..record };
        self.metadata.put_record(&used).await.unwrap();
        drop(journal);
        self.wait_for_end();
        identity.journal
    }

    /// Waits until the journals have ended: the task that makes the next segment beforehand outlasts its journal, with its
    /// lock.
    fn wait_for_end(&self) {
        for entry in fs::read_dir(self.base.path()).unwrap() {
            if let Ok(lock) = fs::File::open(entry.unwrap().path().join("lock")) {
                lock.lock().unwrap();
            }
        }
    }

    fn folder(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.base.path()).unwrap();
        entries.next().unwrap().unwrap().path()
    }

    fn folders(&self) -> usize {
        fs::read_dir(self.base.path()).unwrap().count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_share_gets_the_journal_that_was_recorded_and_keeps_it() {
    let setting = Setting::new().await;
    assert_eq!(setting.used(true, false).await, 77);
    assert_eq!(setting.used(true, false).await, 77);
    assert_eq!(setting.folders(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_lost_after_a_clean_stop_is_replaced_by_one_that_knows_what_was_published() {
    let setting = Setting::new().await;
    setting.used(false, false).await;
    fs::remove_dir_all(setting.folder()).unwrap();
    let journal = setting.open(false).await.unwrap();
    assert_ne!(journal.identity().journal, 77, "the old one may turn up again");
    journal.recover(Sequence(0)).await.unwrap();
    assert!(journal.append(record()).await.unwrap().sequence > Sequence(1 << 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_lost_after_a_crash_is_refused_until_the_loss_is_accepted() {
    let setting = Setting::new().await;
    setting.used(true, false).await;
    fs::remove_dir_all(setting.folder()).unwrap();
    assert!(matches!(setting.open(false).await, Err(JournalRefusal::Missing(_))));
    assert_eq!(setting.folders(), 0, "a refusal changes nothing");
    assert_ne!(setting.used(true, true).await, 77);
    setting.used(true, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_journal_is_refused_and_kept_where_the_loss_is_accepted() {
    for dirty in [false, true] {
        let setting = Setting::new().await;
        setting.used(dirty, false).await;
        let folder = setting.folder();
        fs::remove_dir_all(&folder).unwrap();
        let options = JournalOptions::new(16 << 20, 16 << 20);
        drop(MmapJournal::create_at(&folder, JournalId(88), Sequence(0), options).unwrap());
        let refused = setting.open(false).await;
        assert!(matches!(refused, Err(JournalRefusal::Unfit { source: OpenError::Foreign { .. }, .. })));
        setting.used(true, true).await;
        assert_eq!(setting.folders(), 2);
        MmapJournal::open_at(&folder.with_extension("aside-1"), Some(JournalId(88)), options).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_without_a_superblock_are_not_taken_for_an_empty_folder() {
    let setting = Setting::new().await;
    setting.used(false, false).await;
    fs::remove_file(setting.folder().join("superblock")).unwrap();
    assert!(matches!(setting.open(false).await, Err(JournalRefusal::Unfit { source: OpenError::Missing, .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_in_use_is_refused_whatever_is_accepted() {
    let setting = Setting::new().await;
    let _journal = setting.open(false).await.unwrap();
    let refused = setting.open(true).await;
    assert!(matches!(refused, Err(JournalRefusal::Closed { source: OpenError::InUse, .. })));
}
