//! Only the journal that is expected is opened.

use super::*;

#[tokio::test]
async fn another_journal_is_refused() {
    let disk = Disk::new();
    closed(created(&disk).await).await;
    let opened = MmapJournal::open(disk.clone(), Some(JournalId(1)), options());
    assert!(matches!(opened, Err(OpenError::Foreign { found: ID, expected: JournalId(1) })));
    assert!(MmapJournal::open(disk, Some(ID), options()).is_ok());
}

#[tokio::test]
async fn an_empty_folder_is_no_journal() {
    assert!(matches!(MmapJournal::open(Disk::new(), None, options()), Err(OpenError::Missing)));
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    assert!(matches!(MmapJournal::open_at(&missing, None, options()), Err(OpenError::Missing)));
    assert!(!missing.exists());
}

#[tokio::test]
async fn no_journal_is_made_over_another() {
    let disk = Disk::new();
    closed(created(&disk).await).await;
    assert!(matches!(MmapJournal::create(disk.clone(), ID, Sequence(0), options()), Err(OpenError::Exists)));
    Folder::remove(&*disk, "superblock").unwrap();
    assert!(matches!(MmapJournal::create(disk, ID, Sequence(0), options()), Err(OpenError::Exists)));
}

#[tokio::test]
async fn a_damaged_superblock_and_a_newer_version_are_refused() {
    let disk = Disk::new();
    closed(created(&disk).await).await;
    let whole = disk.bytes("superblock");
    disk.spoil("superblock", 30, &[77]);
    assert!(matches!(MmapJournal::open(disk.clone(), None, options()), Err(OpenError::Damaged)));
    let mut newer = whole.clone();
    newer[4] = 2;
    let covered = newer.len() - 4;
    let crc = dittofs_domain::crc32c::crc32c(&newer[..covered]).to_le_bytes();
    newer[covered..].copy_from_slice(&crc);
    disk.spoil("superblock", 0, &newer);
    assert!(matches!(MmapJournal::open(disk, None, options()), Err(OpenError::Newer(2))));
}

#[tokio::test]
async fn a_journal_is_recovered_once_and_before_it_is_used() {
    let disk = Disk::new();
    let journal = MmapJournal::create(disk, ID, Sequence(0), options()).unwrap();
    assert!(matches!(journal.append(write(9, 1, 10)).await, Err(JournalError::Unavailable(_))));
    journal.recover(Sequence(0)).await.unwrap();
    journal.append(write(9, 1, 10)).await.unwrap();
    assert!(matches!(journal.recover(Sequence(0)).await, Err(JournalError::Unavailable(_))));
}

#[tokio::test]
async fn a_folder_is_locked_until_the_last_reply_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let journal = MmapJournal::create_at(folder.path(), ID, Sequence(0), options()).unwrap();
    journal.recover(Sequence(0)).await.unwrap();
    let at = journal.append(write(9, 1, 5_000)).await.unwrap();
    let reply = journal.read_now(at.place, 10, 100).unwrap();
    closed(journal).await;
    assert!(matches!(MmapJournal::open_at(folder.path(), None, options()), Err(OpenError::InUse)));
    drop(reply);
    MmapJournal::open_at(folder.path(), None, options()).unwrap();
}

#[tokio::test]
async fn a_journal_in_place_of_a_lost_one_gives_greater_numbers() {
    let (disk, known) = (Disk::new(), Sequence(1 << 40));
    let journal = MmapJournal::create(disk.clone(), ID, known, options()).unwrap();
    assert!(journal.recover(Sequence(0)).await.unwrap().is_empty());
    let first = journal.append(write(9, 1, 10)).await.unwrap();
    assert!(first.sequence > known);
    journal.sync(first.sequence).await.unwrap();
    closed(journal).await;
    let (journal, records) = reopened(&disk).await;
    assert_eq!(records, [(first, write(9, 1, 10))]);
    assert!(journal.append(write(9, 2, 10)).await.unwrap().sequence > first.sequence);
}

#[tokio::test]
async fn recovery_tells_how_much_it_has_read() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    fill_segment(&journal, 1).await;
    closed(journal).await;
    let journal = MmapJournal::open(disk, Some(ID), options()).unwrap();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let report = Arc::clone(&calls);
    journal.report_recovery_to(move |read, all| report.lock().push((read, all)));
    journal.recover(Sequence(0)).await.unwrap();
    let calls = calls.lock().clone();
    assert!(calls.len() >= 2 && calls.is_sorted(), "{calls:?}");
    assert!(calls.iter().all(|(_, all)| *all == calls[calls.len() - 1].0), "{calls:?}");
}
