//! A disk that copies on write, and so may have no room for what has its place already: nothing that was durable is lost,
//! and the journal goes on by itself once there is room.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use super::*;
use disk::Dice;

/// How long something that must come by itself is waited for.
const LONG: Duration = Duration::from_secs(20);

async fn some(journal: &MmapJournal, seeds: std::ops::Range<u64>, len: usize) -> Vec<(Appended, Record)> {
    let mut appended = Vec::new();
    for seed in seeds {
        let record = write(seed % 3 + 4, seed, len);
        appended.push((journal.append(record.clone()).await.unwrap(), record));
    }
    appended
}

fn no_room(disk: &Disk) {
    disk.fail(|faults| {
        faults.writes_fail = Some(ErrorKind::StorageFull);
        faults.syncs_fail = Some(ErrorKind::StorageFull);
    });
}

fn room(disk: &Disk) {
    disk.fail(|faults| {
        faults.writes_fail = None;
        faults.syncs_fail = None;
    });
}

async fn assert_full(journal: &MmapJournal) {
    for len in [10, 1_000, 20_000] {
        let answer = journal.append(write(4, 9, len)).await;
        assert!(matches!(answer, Err(JournalError::DiskFull)), "{answer:?}");
    }
}

/// Appends once that is possible; until then the disk is full, and nothing else.
async fn append_again(journal: &MmapJournal, record: Record) -> Appended {
    let begun = Instant::now();
    loop {
        match journal.append(record.clone()).await {
            Ok(appended) => return appended,
            Err(error) => assert!(matches!(error, JournalError::DiskFull), "{error:?}"),
        }
        assert!(begun.elapsed() < LONG, "there is room again, and the journal does not use it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn numbered(records: &[(Appended, Record)]) -> Vec<(Sequence, Record)> {
    records.iter().map(|(at, record)| (at.sequence, record.clone())).collect()
}

async fn assert_recovered(disk: &Arc<Disk>, all: &[(Appended, Record)]) {
    for seed in 0..20 {
        let (journal, found) = reopened(&disk.after_power_cut(&mut Dice(seed))).await;
        assert_eq!(numbered(&found), numbered(all), "seed {seed}");
        closed(journal).await;
    }
}

#[tokio::test]
async fn records_are_refused_while_there_is_no_room_to_write_over_a_segment() {
    for is_written in [false, true] {
        let disk = Disk::new();
        let journal = created(&disk).await;
        let mut all = some(&journal, 0..3, 1_000).await;
        journal.sync(all[2].0.sequence).await.unwrap();
        wait_until_idle(&journal).await;
        disk.fail(|faults| faults.failed_is_written = is_written);
        for round in 0..4 {
            disk.fail(|faults| faults.writes_fail = Some(ErrorKind::StorageFull));
            assert_full(&journal).await;
            journal.sync(all[2].0.sequence).await.unwrap();
            disk.fail(|faults| faults.writes_fail = None);
            all.extend(some(&journal, 10 * round..10 * round + 2, 20_000).await);
        }
        journal.sync(all.last().unwrap().0.sequence).await.unwrap();
        closed(journal).await;
        assert_recovered(&disk, &all).await;
    }
}

/// A refused record at a segment's end would be taken for the one with its number in the next segment.
#[tokio::test]
async fn a_refused_record_is_wiped_before_the_log_goes_on_elsewhere() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let mut all = some(&journal, 0..3, 14_000).await;
    journal.sync(all[2].0.sequence).await.unwrap();
    wait_until_idle(&journal).await;
    disk.fail(|faults| {
        faults.failed_is_written = true;
        faults.writes_fail = Some(ErrorKind::StorageFull);
    });
    assert!(matches!(journal.append(write(7, 1, 2_000)).await, Err(JournalError::DiskFull)));
    // It does not fit any more, and before it can go elsewhere something must be written here.
    assert!(matches!(journal.append(write(7, 2, 30_000)).await, Err(JournalError::DiskFull)));
    room(&disk);
    let record = write(7, 3, 30_000);
    all.push((journal.append(record.clone()).await.unwrap(), record));
    assert_ne!(all[3].0.place.segment, all[2].0.place.segment);
    journal.sync(all[3].0.sequence).await.unwrap();
    closed(journal).await;
    assert_recovered(&disk, &all).await;
}

#[tokio::test]
async fn after_a_sync_that_found_no_room_the_journal_goes_on_once_there_is_some() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let mut all = some(&journal, 0..3, 1_000).await;
    journal.sync(all[2].0.sequence).await.unwrap();
    for round in 1..4 {
        // More than one segment, so that moving has to begin several.
        all.extend(some(&journal, 100 * round..100 * round + 9, 9_000).await);
        wait_until_idle(&journal).await;
        no_room(&disk);
        let last = all.last().unwrap().0.sequence;
        let answer = journal.sync(last).await;
        assert!(matches!(answer, Err(JournalError::SyncFailed(_))), "bytes may be lost: {answer:?}");
        let answer = journal.sync(last).await;
        assert!(matches!(answer, Err(JournalError::DiskFull)), "{answer:?}");
        journal.sync(all[2].0.sequence).await.unwrap();
        assert_full(&journal).await;
        // It is tried again meanwhile, and finds no room.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        assert_full(&journal).await;
        for (at, record) in &all {
            assert_eq!(journal.read(at.place, 0, record.data.len() as u32).await.unwrap(), record.data);
        }
        room(&disk);
        let record = write(4, round, 500);
        all.push((append_again(&journal, record.clone()).await, record));
        journal.sync(all.last().unwrap().0.sequence).await.unwrap();
        let released: Vec<Appended> = all.drain(..4).map(|(at, _)| at).collect();
        journal.release(&released).await.unwrap();
        journal.sync(Sequence(u64::MAX >> 1)).await.unwrap();
    }
    assert_eq!(journal.lost(), []);
    closed(journal).await;
    assert_recovered(&disk, &all).await;
}

/// Data that the disk forgot while it was full count as another failure, though nobody waited when that was found.
#[tokio::test]
async fn what_a_full_disk_forgot_is_reported_as_lost() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let mut all = some(&journal, 0..2, 1_000).await;
    journal.sync(all[1].0.sequence).await.unwrap();
    all.extend(some(&journal, 2..3, 1_000).await);
    wait_until_idle(&journal).await;
    no_room(&disk);
    disk.fail(|faults| faults.forgets_from = Some(all[2].0.place.at as usize));
    assert!(matches!(journal.sync(all[2].0.sequence).await, Err(JournalError::SyncFailed(_))));
    room(&disk);
    let record = write(4, 8, 500);
    let appended = append_again(&journal, record.clone()).await;
    let lost = all.pop().unwrap();
    assert_eq!(journal.lost(), [(lost.1.node, lost.0.sequence)]);
    assert_eq!(journal.failures(), 2);
    journal.sync(appended.sequence).await.unwrap();
    all.push((appended, record));
    closed(journal).await;
    assert_recovered(&disk, &all).await;
}

/// A disk that fails is not one that is full: the second failure still stops the journal.
#[tokio::test]
async fn a_full_disk_does_not_count_as_a_broken_one() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    for round in 0..3 {
        let record = write(4, round, 1_000);
        let at = append_again(&journal, record).await;
        wait_until_idle(&journal).await;
        disk.fail(|faults| faults.syncs_fail = Some(ErrorKind::StorageFull));
        assert!(journal.sync(at.sequence).await.is_err());
        room(&disk);
    }
    for is_stopped in [false, true] {
        let at = append_again(&journal, write(4, 9, 1_000)).await;
        wait_until_idle(&journal).await;
        disk.fail(|faults| faults.failing_syncs = 1);
        assert!(journal.sync(at.sequence).await.is_err());
        let answer = journal.append(write(4, 10, 100)).await;
        assert_eq!(matches!(answer, Err(JournalError::Unavailable(_))), is_stopped, "{answer:?}");
    }
}
