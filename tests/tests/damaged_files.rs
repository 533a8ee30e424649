//! One file's damage is that file's: everything else of the share goes on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "damaged_files/checks.rs"]
mod checks;
#[path = "damaged_files/rigged.rs"]
mod rigged;
#[path = "damaged_files/truncations.rs"]
mod truncations;

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_block_cache::MokaBlockCache;
use dittofs_domain::{
    Credentials, FsError, Name, NodeId, Sequence,
    namespace::{CreateHow, CreateRequest, InitialAttributes, NewKind, RemoveKind, RemoveRequest},
};
use dittofs_journal::{JournalId, JournalOptions, MmapJournal, OpenError};
use dittofs_memory::{MemoryMetadataStore, MemoryOpenState};
use dittofs_ports::{
    AdminService, BlockService, Caller, CheckOptions, ContentStore, MetadataService, MetadataStore, Stability,
    statistics::StatisticsService,
};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_tests::world::{SHARE, Stores, World, WorldOptions, caller};
use rigged::{CopyingStore, Damage, RiggedJournal, RiggedStore};
use tempfile::TempDir;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
/// Room in the journal.
const JOURNAL: usize = 4 * MIB;
/// Time passes faster, as a file that is set aside is tried again only after a minute.
const SPEED: u32 = 50;
/// The longest wait, on a busy machine. Anything that takes longer does not come.
const PATIENCE: Duration = Duration::from_secs(120);
const QUIET: CheckOptions = CheckOptions { content: true, repair: false, delete_orphans: false };

/// A share of which rows can be damaged.
struct Share {
    world: World,
    metadata: Arc<dyn MetadataStore>,
    content: Arc<dyn ContentStore>,
    damage: Arc<Damage>,
    caller: Caller,
    folder: TempDir,
    life: u64,
}

/// Runs a case on each metadata store.
fn on_each_store(case: impl AsyncFn(Share)) {
    for is_redb in [false, true] {
        eprintln!("redb: {is_redb}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let metadata: Arc<dyn MetadataStore> = match is_redb {
                true => Arc::new(RedbMetadataStore::open(&RedbOptions::new(folder.path().join("metadata"))).unwrap()),
                false => Arc::new(MemoryMetadataStore::new()),
            };
            case(Share::on(metadata, Arc::new(CopyingStore::default()), Arc::default(), folder, 0).await).await;
        });
    }
}

async fn journal(folder: &Path, life: u64) -> MmapJournal {
    let folder = folder.join("journal");
    let options =
        JournalOptions { limit_bytes: JOURNAL as u64, segment_bytes: (JOURNAL / 16) as u64, accept_loss: false };
    if life == 0 {
        return MmapJournal::create_at(&folder, JournalId(9), Sequence(0), options).unwrap();
    }
    // Tasks of the life before end, and give it up, when they are polled next.
    let began = Instant::now();
    loop {
        match MmapJournal::open_at(&folder, Some(JournalId(9)), options) {
            Err(OpenError::InUse) if began.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(1)).await,
            opened => return opened.unwrap(),
        }
    }
}

impl Share {
    async fn on(
        metadata: Arc<dyn MetadataStore>,
        content: Arc<dyn ContentStore>,
        damage: Arc<Damage>,
        folder: TempDir,
        life: u64,
    ) -> Share {
        std::fs::create_dir_all(folder.path().join("journal")).unwrap();
        let stores = Stores {
            metadata: Arc::new(RiggedStore { store: Arc::clone(&metadata), damage: Arc::clone(&damage) }),
            content: Arc::clone(&content),
            journal: Arc::new(RiggedJournal {
                journal: journal(folder.path(), life).await,
                damage: Arc::clone(&damage),
            }),
            cache: Arc::new(MokaBlockCache::new(1 << 20)),
            opens: Arc::new(MemoryOpenState::new()),
        };
        let world =
            World::open_with(stores, WorldOptions { speed: SPEED, ..WorldOptions::new(JOURNAL as u64, 7 + life) })
                .await;
        Share { world, metadata, content, damage, caller: caller(Credentials::root()), folder, life }
    }

    /// Stops the server, and starts it again.
    async fn restarted(self) -> Share {
        self.world.close().await;
        let Share { world, metadata, content, damage, folder, life, .. } = self;
        drop(world);
        Share::on(metadata, content, damage, folder, life + 1).await
    }

    async fn is_dirty(&self) -> bool {
        self.metadata.share(SHARE).await.unwrap().unwrap().record().await.unwrap().dirty
    }

    async fn create(&self, name: &str) -> NodeId {
        self.make(NodeId::ROOT, name, NewKind::File).await
    }

    async fn make(&self, directory: NodeId, name: &str, kind: NewKind) -> NodeId {
        let request = CreateRequest {
            directory,
            name: Name::new(name.as_bytes()).unwrap(),
            kind,
            attributes: InitialAttributes { mode: Some(0o644), ..InitialAttributes::default() },
            how: CreateHow::Guarded,
        };
        let made = self.world.share.create(&self.caller, &request, None).await.unwrap();
        made.node.node
    }

    async fn try_write(&self, file: NodeId, offset: usize, data: &[u8]) -> Result<(), FsError> {
        for (number, part) in data.chunks(64 * KIB).enumerate() {
            let (at, part) = ((offset + number * 64 * KIB) as u64, Bytes::copy_from_slice(part));
            let began = Instant::now();
            loop {
                let written = self.world.share.write(&self.caller, file, at, part.clone(), Stability::File).await;
                match written {
                    // The journal is full for longer than a call waits: clients come again.
                    Err(FsError::Busy) if began.elapsed() < PATIENCE => {}
                    written => {
                        written?;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn write(&self, file: NodeId, offset: usize, data: &[u8]) {
        self.try_write(file, offset, data).await.unwrap();
    }

    async fn read(&self, file: NodeId, offset: usize, length: usize) -> Result<Vec<u8>, FsError> {
        let read = self.world.share.read(&self.caller, file, offset as u64, length as u32).await?;
        Ok(read.data.concat())
    }

    /// Waits until something is so.
    async fn until(&self, what: &str, is_so: impl AsyncFn(&Share) -> bool) {
        let began = Instant::now();
        while !is_so(self).await {
            assert!(began.elapsed() < PATIENCE, "{what}");
            self.world.pass(Duration::from_secs(1)).await;
        }
    }

    /// Flushes until what can't be flushed is set aside.
    async fn set_aside(&self) {
        for _ in 0..4 {
            assert_eq!(self.world.services.flush().await, Err(FsError::Io));
        }
    }

    /// Files with bytes that are not flushed.
    fn unflushed(&self) -> u64 {
        self.world.services.counts()[0].unflushed_files
    }
}

fn bytes(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|at| seed.wrapping_add((at / 7) as u8)).collect()
}

#[test]
fn a_damaged_row_of_one_map_keeps_only_that_file_from_being_flushed() {
    on_each_store(async |share: Share| {
        let victim = share.create("victim").await;
        let mut others = Vec::new();
        for number in 0..4u8 {
            others.push(share.create(&format!("other{number}")).await);
        }
        share.write(victim, 0, &bytes(1, 2 * MIB)).await;
        share.world.services.flush().await.unwrap();
        share.damage.pages.lock().insert((victim, 0));
        let new = bytes(2, 192 * KIB);
        share.write(victim, 64 * KIB, &new).await;
        for (file, seed) in others.iter().zip(10..) {
            share.write(*file, 0, &bytes(seed, 256 * KIB)).await;
        }
        share.set_aside().await;
        share.until("all others are flushed", async |share| share.unflushed() == 1).await;
        assert_eq!(share.try_write(victim, 0, b"more").await, Err(FsError::Io));
        assert_eq!(share.read(victim, 64 * KIB, 192 * KIB).await.unwrap(), new, "what is set aside can be read");
        assert_eq!(share.read(victim, 0, 4 * KIB).await, Err(FsError::Io));
        assert_eq!(share.read(victim, MIB, 4 * KIB).await.unwrap(), bytes(1, 2 * MIB)[MIB..MIB + 4 * KIB]);

        // Several times what the journal holds.
        for round in 0..10u8 {
            for (file, seed) in others.iter().zip(10..) {
                share.write(*file, 0, &bytes(seed + round, 512 * KIB)).await;
            }
        }
        assert_eq!(share.read(victim, 64 * KIB, 192 * KIB).await.unwrap(), new);
        assert_eq!(share.world.services.flush().await, Err(FsError::Io), "something is left");
        share.until("all others are flushed", async |share| share.unflushed() == 1).await;
        let report = share.world.services.check(SHARE, QUIET, Arc::new(())).await.unwrap();
        assert!(report.unflushed_bytes >= new.len() as u64 && !report.is_clean(), "{report:#?}");

        // A stop leaves it in the journal, which the next start reads.
        let share = share.restarted().await;
        assert_eq!(share.read(victim, 64 * KIB, 192 * KIB).await.unwrap(), new);
        for (file, seed) in others.iter().zip(19..) {
            assert_eq!(share.read(*file, 0, 512 * KIB).await.unwrap(), bytes(seed, 512 * KIB));
        }
        share.set_aside().await;
        let share = share.restarted().await;
        assert!(share.is_dirty().await);
        share.set_aside().await;

        // The row is whole again.
        share.damage.repair();
        share.until("it is flushed", async |share| share.unflushed() == 0).await;
        share.world.services.flush().await.unwrap();
        share.write(victim, 0, b"more").await;
        let mut expected = bytes(1, 2 * MIB);
        expected[64 * KIB..256 * KIB].copy_from_slice(&new);
        expected[..4].copy_from_slice(b"more");
        assert_eq!(share.read(victim, 0, 2 * MIB).await.unwrap(), expected);
        share.world.close().await;
        assert!(!share.is_dirty().await);
    });
}

/// Or the test above would say nothing: what is taken for the store's damage is waited for, as if it were away.
#[test]
fn damage_that_is_taken_for_the_stores_is_found() {
    on_each_store(async |share: Share| {
        let victim = share.create("victim").await;
        share.write(victim, 0, &bytes(1, 128 * KIB)).await;
        share.world.services.flush().await.unwrap();
        share.damage.is_reported_as_an_outage.store(true, Ordering::Relaxed);
        share.damage.pages.lock().insert((victim, 0));
        share.write(victim, 0, &bytes(2, 4 * KIB)).await;
        for _ in 0..4 {
            assert_eq!(share.world.services.flush().await, Err(FsError::Busy));
        }
        // The test above wants this refused: nothing is set aside, and the journal will fill behind what waits.
        assert_eq!(share.try_write(victim, 0, b"more").await, Ok(()));
        share.damage.repair();
        share.world.services.flush().await.unwrap();
        share.world.close().await;
    });
}

#[test]
fn removing_a_file_that_is_set_aside_gives_its_bytes_up_and_the_reaper_goes_past_it() {
    on_each_store(async |share: Share| {
        let (victim, other) = (share.create("victim").await, share.create("other").await);
        share.write(victim, 0, &bytes(1, 128 * KIB)).await;
        share.write(other, 0, &bytes(2, 128 * KIB)).await;
        share.world.services.flush().await.unwrap();
        share.damage.pages.lock().insert((victim, 0));
        share.write(victim, 0, &bytes(3, 4 * KIB)).await;
        share.set_aside().await;
        for name in ["victim", "other"] {
            let (name, kind) = (Name::new(name.as_bytes()).unwrap(), RemoveKind::NotDirectory);
            let request = RemoveRequest { directory: NodeId::ROOT, name, kind };
            share.world.share.remove(&share.caller, &request, None).await.unwrap();
        }
        let left = async |share: &Share| {
            let metadata = share.metadata.share(SHARE).await.unwrap().unwrap();
            metadata.nodes(NodeId::ROOT, 10).await.unwrap().iter().map(|node| node.id).collect::<Vec<_>>()
        };
        share.until("the other is reaped", async |share| left(share).await == [victim]).await;
        share.until("its bytes are given up", async |share| share.unflushed() == 0).await;
        share.world.services.flush().await.unwrap();
        share.world.close().await;
        assert!(!share.is_dirty().await);
    });
}

#[test]
fn objects_that_a_damaged_file_uses_keep_no_others_from_being_repacked_and_deleted() {
    on_each_store(async |share: Share| {
        let victim = share.create("victim").await;
        let others: Vec<NodeId> = {
            let mut made = Vec::new();
            for number in 0..6u8 {
                made.push(share.create(&format!("other{number}")).await);
            }
            made
        };
        // An object for the victim and one of the others, then one for each pair.
        for (index, pair) in [&[victim, others[0]][..], &others[1..3], &others[3..5]].iter().enumerate() {
            for file in *pair {
                share.write(*file, 0, &bytes(index as u8, 256 * KIB)).await;
            }
            share.world.services.flush().await.unwrap();
        }
        let metadata = share.metadata.share(SHARE).await.unwrap().unwrap();
        let mut doomed = Vec::new();
        for (object, _) in share.content.list(SHARE, None, 1_000).await.unwrap() {
            let references = metadata.references(object, 100).await.unwrap();
            if references.iter().all(|(node, _)| *node != victim) {
                doomed.push(object);
            }
        }
        assert!(doomed.len() >= 2);
        share.damage.pages.lock().insert((victim, 0));
        // Most of every object dies, but something of each is left.
        for file in [others[0], others[1], others[3]] {
            share.write(file, 0, &bytes(77, 256 * KIB)).await;
        }
        for file in [others[2], others[4]] {
            share.write(file, 0, &bytes(78, 192 * KIB)).await;
        }
        share.world.services.flush().await.unwrap();
        let are_gone = async |share: &Share| {
            let left = share.content.list(SHARE, None, 1_000).await.unwrap();
            left.iter().all(|(object, _)| !doomed.contains(object))
        };
        share.until("others are repacked and deleted", are_gone).await;
        for file in &others[..5] {
            share.read(*file, 0, 256 * KIB).await.unwrap();
        }
        share.damage.repair();
        assert_eq!(share.read(victim, 0, 256 * KIB).await.unwrap(), bytes(0, 256 * KIB));
        share.world.close().await;
    });
}

#[test]
fn a_share_opens_although_the_row_of_a_node_with_unflushed_bytes_is_damaged() {
    on_each_store(async |share: Share| {
        let (victim, other) = (share.create("victim").await, share.create("other").await);
        share.write(victim, 0, &bytes(1, 64 * KIB)).await;
        share.damage.nodes.lock().insert(victim);
        share.set_aside().await;
        let share = share.restarted().await;
        share.write(other, 0, &bytes(2, 64 * KIB)).await;
        for _ in 0..100 {
            share.write(other, 0, &bytes(3, 256 * KIB)).await;
        }
        assert_eq!(share.read(other, 0, 256 * KIB).await.unwrap(), bytes(3, 256 * KIB));
        let share = share.restarted().await;
        assert!(share.is_dirty().await);
        share.damage.repair();
        let share = share.restarted().await;
        assert_eq!(share.read(victim, 0, 64 * KIB).await.unwrap(), bytes(1, 64 * KIB));
        share.until("it is flushed", async |share| share.unflushed() == 0).await;
        share.world.services.flush().await.unwrap();
        assert_eq!(share.read(victim, 0, 64 * KIB).await.unwrap(), bytes(1, 64 * KIB));
        share.world.close().await;
        assert!(!share.is_dirty().await);
    });
}
