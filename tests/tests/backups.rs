//! Backups through the services: what is in them, and what they keep.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "backups/share.rs"]
mod share;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_backup_folder::FolderBackups;
use dittofs_domain::{FsError, ObjectId, ShareId};
use dittofs_ports::{
    AdminService, BackupError, BackupFolderError, BackupFolders, BackupReader, BackupRequest, BackupWriter, Manifest,
    RowsInBackup, SnapshotRow,
};
use dittofs_tests::world::SHARE;
use tokio::sync::Notify;

use share::{Share, content};

const FILE: usize = 256 << 10;
/// Longer than garbage is kept.
const LONG: Duration = Duration::from_secs(90);

fn request(share: &Share, name: &str, pin: bool) -> BackupRequest {
    BackupRequest { folder: share.folder().join(name), shares: Vec::new(), pin, allow_damaged: false }
}

/// Of two files that are written in turns, each write acknowledged before the next, the second is never ahead.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_during_a_backup_is_in_it_as_a_whole_with_all_before_it_or_not_at_all() {
    let share = Arc::new(Share::new().await);
    for round in 0..4u64 {
        let files = [share.create(&format!("a{round}")).await, share.create(&format!("b{round}")).await];
        for file in files {
            share.write(file, 0, 0, FILE).await;
        }
        let (is_over, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let load = {
            let (share, is_over, acknowledged) = (Arc::clone(&share), Arc::clone(&is_over), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                for number in 1..=u64::MAX {
                    for file in files {
                        share.write(file, 0, number as u8, FILE).await;
                    }
                    acknowledged.store(number, Ordering::Release);
                    if is_over.load(Ordering::Acquire) || number == 250 {
                        return;
                    }
                }
            })
        };
        while acknowledged.load(Ordering::Acquire) < round * 3 {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.load(Ordering::Acquire);
        let pin = round % 2 == 1;
        let name = format!("backup{round}");
        share.world.services.back_up(request(&share, &name, pin), Arc::new(())).await.unwrap();
        is_over.store(true, Ordering::Release);
        load.await.unwrap();

        let restored = share.restored(&name).await;
        let mut seen = Vec::new();
        for name in [format!("a{round}"), format!("b{round}")] {
            let bytes = restored.read(&name, FILE).await;
            let number = bytes[0];
            assert!(bytes == content(number, FILE), "{name} has parts of two writes");
            seen.push(u64::from(number));
        }
        let [a, b] = seen[..] else { panic!("two files") };
        assert!((a == b || a == b + 1) && b >= before, "{a} {b} {before}");
        restored.assert_clean().await;
        restored.world.close().await;
    }
    share.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collector_leaves_what_is_pinned_alone_and_takes_it_once_it_is_released() {
    let share = Share::new().await;
    let mut files = Vec::new();
    for number in 0..24u8 {
        let file = share.create(&format!("file{number}")).await;
        share.write(file, 0, number, FILE).await;
        files.push(file);
    }
    let first = share.world.services.back_up(request(&share, "first", true), Arc::new(())).await.unwrap();
    let second = share.world.services.back_up(request(&share, "second", true), Arc::new(())).await.unwrap();
    let pinned = share.objects().await;
    assert!(!pinned.is_empty() && first.objects == pinned.len() as u64, "{first:?} {pinned:?}");
    // Half of the files go, and most of the others are written anew: the objects would be repacked and deleted.
    for (number, file) in files.iter().enumerate() {
        match number % 4 {
            0 | 1 => share.remove(&format!("file{number}")).await,
            2 => share.write(*file, 0, 200, FILE).await,
            _ => {}
        }
    }
    share.world.services.flush().await.unwrap();
    share.world.pass(LONG).await;
    share.world.services.release_backup(second.backup).await.unwrap();
    share.world.pass(LONG).await;
    let left = share.objects().await;
    assert!(pinned.iter().all(|object| left.contains(object)), "{pinned:?} {left:?}");
    share.assert_clean().await;
    let restored = share.restored("first").await;
    for number in 0..24u8 {
        assert!(restored.read(&format!("file{number}"), FILE).await == content(number, FILE), "{number}");
    }

    assert_eq!(share.world.services.release_backup(first.backup).await.unwrap(), first.bytes);
    share.world.pass(LONG).await;
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while share.objects().await.iter().any(|object| pinned.contains(object)) {
        assert!(std::time::Instant::now() < until, "{pinned:?} {:?}", share.objects().await);
        share.world.pass(Duration::from_secs(5)).await;
    }
    for number in (3..24u8).step_by(4) {
        assert!(share.read(&format!("file{number}"), FILE).await == content(number, FILE), "{number}");
    }
    let unknown = share.world.services.release_backup(first.backup).await;
    assert!(matches!(unknown, Err(BackupError::UnknownBackup(_))));
    share.assert_clean().await;
}

/// A store that is full gets dead bytes back where they lie, but none that a backup needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_gets_nothing_back_of_what_is_pinned() {
    const SMALL: usize = 24 << 10;
    let share = Share::with_capacity(6 << 20).await;
    for number in 0..120u8 {
        share.try_add(&format!("file{number}"), number, SMALL).await.unwrap();
    }
    share.world.services.back_up(request(&share, "pinned", true), Arc::new(())).await.unwrap();
    let pinned = share.objects().await;
    // Until there is no space.
    for number in 0.. {
        match share.try_add(&format!("more{number}"), 1, SMALL).await {
            Ok(()) => {}
            Err(FsError::NoSpace) => break,
            Err(FsError::Busy) => share.world.pass(Duration::from_secs(1)).await,
            Err(error) => panic!("{error}"),
        }
    }
    for number in (0..120u8).step_by(2) {
        share.remove(&format!("file{number}")).await;
    }
    share.world.pass(2 * LONG).await;
    let left = share.objects().await;
    assert!(pinned.iter().all(|object| left.contains(object)), "{pinned:?} {left:?}");
    let restored = share.restored("pinned").await;
    for number in 0..120u8 {
        let name = format!("file{number}");
        assert!(restored.read(&name, SMALL).await == content(number, SMALL), "{name}");
    }
    restored.assert_clean().await;
}

/// Holds a backup up before it writes an object.
#[derive(Default)]
struct HeldUp {
    has_come: Notify,
    go_on: Notify,
}

struct HeldUpFolders(Arc<HeldUp>);

struct HeldUpWriter(Arc<HeldUp>, Arc<dyn BackupWriter>);

#[async_trait]
impl BackupFolders for HeldUpFolders {
    async fn make(&self, folder: &std::path::Path) -> Result<Arc<dyn BackupWriter>, BackupFolderError> {
        Ok(Arc::new(HeldUpWriter(Arc::clone(&self.0), FolderBackups.make(folder).await?)))
    }

    async fn open(&self, folder: &std::path::Path) -> Result<Arc<dyn BackupReader>, BackupFolderError> {
        FolderBackups.open(folder).await
    }
}

#[async_trait]
impl BackupWriter for HeldUpWriter {
    async fn rows(&self, share: ShareId, rows: Vec<SnapshotRow>) -> Result<(), BackupFolderError> {
        self.1.rows(share, rows).await
    }

    async fn end_rows(&self, share: ShareId) -> Result<RowsInBackup, BackupFolderError> {
        self.1.end_rows(share).await
    }

    async fn object(&self, share: ShareId, object: ObjectId, parts: Vec<Bytes>) -> Result<u64, BackupFolderError> {
        self.0.has_come.notify_one();
        self.0.go_on.notified().await;
        self.1.object(share, object, parts).await
    }

    async fn finish(&self, manifest: &Manifest) -> Result<(), BackupFolderError> {
        self.1.finish(manifest).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_pins_while_it_is_made_and_nothing_once_whoever_asked_has_gone() {
    let held_up = Arc::new(HeldUp::default());
    let share = Arc::new(Share::with_backups(Arc::new(HeldUpFolders(Arc::clone(&held_up)))).await);
    let file = share.create("file").await;
    share.write(file, 0, 1, FILE).await;
    let asked = {
        let (share, request) = (Arc::clone(&share), request(&share, "copy", false));
        tokio::spawn(async move { share.world.services.back_up(request, Arc::new(())).await })
    };
    held_up.has_come.notified().await;
    let [pinning] = &share.world.services.backups().await.unwrap()[..] else { panic!("one backup") };
    assert!(!pinning.is_kept && pinning.objects == 1 && pinning.bytes > FILE as u64, "{pinning:?}");
    let beside = share.world.services.back_up(request(&share, "beside", true), Arc::new(())).await;
    assert!(matches!(beside, Err(BackupError::Running)));
    // The objects that it needs stay while they are copied, whatever becomes of the file.
    let pinned = share.objects().await;
    share.remove("file").await;
    share.world.pass(LONG).await;
    assert_eq!(share.objects().await, pinned);

    asked.abort();
    held_up.go_on.notify_one();
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !share.world.services.backups().await.unwrap().is_empty() || !share.objects().await.is_empty() {
        assert!(std::time::Instant::now() < until, "{:?}", share.world.services.backups().await);
        share.world.pass(Duration::from_secs(5)).await;
    }
    assert!(!PathBuf::from(share.folder()).join("copy").join("manifest.json").exists());
    share.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_in_memory_and_one_that_there_is_not_are_refused() {
    let share = Share::in_memory().await;
    let refused = share.world.services.back_up(request(&share, "backup", false), Arc::new(())).await;
    assert!(matches!(refused, Err(BackupError::InMemory(_))), "{refused:?}");
    let unknown = BackupRequest { shares: vec![ShareId(SHARE.0 + 1)], ..request(&share, "other", false) };
    let refused = share.world.services.back_up(unknown, Arc::new(())).await;
    assert!(matches!(refused, Err(BackupError::UnknownShare(_))), "{refused:?}");
    assert!(share.world.content.list(SHARE, None, 10).await.unwrap().len() < 2);
}
