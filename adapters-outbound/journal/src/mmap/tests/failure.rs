//! Syncs and writes that fail.

use super::*;

async fn some(journal: &MmapJournal, seeds: std::ops::Range<u64>, len: usize) -> Vec<(Appended, Record)> {
    let mut appended = Vec::new();
    for seed in seeds {
        let record = write(seed % 3 + 4, seed, len);
        appended.push((journal.append(record.clone()).await.unwrap(), record));
    }
    appended
}

async fn assert_readable(journal: &MmapJournal, records: &[(Appended, Record)]) {
    for (at, record) in records {
        assert_eq!(journal.read(at.place, 0, record.data.len() as u32).await.unwrap(), record.data);
    }
}

fn without_places(records: &[(Appended, Record)]) -> Vec<(Sequence, Record)> {
    records.iter().map(|(at, record)| (at.sequence, record.clone())).collect()
}

/// The last sync that failed.
fn last_loss(journal: &MmapJournal) -> SyncLoss {
    journal.shared.log.lock().failed.as_deref().cloned().unwrap()
}

#[tokio::test]
async fn what_can_still_be_read_after_a_failed_sync_is_moved_and_durable() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let mut all = some(&journal, 0..5, 9_000).await;
    journal.sync(all[4].0.sequence).await.unwrap();
    // More than the rest of the segment.
    all.extend(some(&journal, 5..15, 9_000).await);
    wait_until_idle(&journal).await;
    disk.fail(|faults| faults.failing_syncs = 1);
    let waiting = all[14].0.sequence;
    let (one, other) = tokio::join!(journal.sync(waiting), journal.sync(all[6].0.sequence));
    assert!(matches!(one, Err(JournalError::SyncFailed(_))), "{one:?}");
    assert!(matches!(other, Err(JournalError::SyncFailed(_))), "{other:?}");
    let loss = last_loss(&journal);
    assert_eq!((loss.first, loss.last, loss.lost.len()), (all[5].0.sequence, waiting, 0));
    journal.sync(waiting).await.unwrap();
    assert_readable(&journal, &all).await;
    journal.release(&[all[7].0]).await.unwrap();
    let released = all.remove(7);
    assert!(matches!(journal.read(released.0.place, 0, 1).await, Err(JournalError::NotFound)));
    all.extend(some(&journal, 15..17, 100).await);
    journal.sync(all[15].0.sequence).await.unwrap();
    closed(journal).await;
    for seed in 0..10 {
        let disk = disk.after_power_cut(&mut disk::Dice(seed));
        let (journal, found) = reopened(&disk).await;
        assert_eq!(without_places(&found), without_places(&all));
        assert_readable(&journal, &found).await;
        closed(journal).await;
    }
}

#[tokio::test]
async fn what_can_not_be_read_after_a_failed_sync_is_reported_as_lost() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let mut all = some(&journal, 0..6, 1_000).await;
    journal.sync(all[1].0.sequence).await.unwrap();
    all.extend(some(&journal, 6..10, 1_000).await);
    wait_until_idle(&journal).await;
    disk.fail(|faults| {
        faults.failing_syncs = 1;
        faults.forgets_from = Some(all[8].0.place.at as usize + 10);
    });
    let last = all[9].0.sequence;
    let Err(JournalError::SyncFailed(loss)) = journal.sync(last).await else { panic!("the sync did not fail") };
    let loss = loss.downcast::<SyncLoss>().unwrap();
    let lost: Vec<_> = all.drain(8..).map(|(at, record)| (record.node, at.sequence)).collect();
    assert_eq!(loss.lost, lost);
    assert_eq!((journal.failures(), journal.lost()), (1, lost), "who asks hears what is lost");
    // Nobody is refused for what others have lost.
    for up_to in [last, all[7].0.sequence, Sequence(u64::MAX >> 1)] {
        journal.sync(up_to).await.unwrap();
    }
    assert_readable(&journal, &all).await;
    all.extend(some(&journal, 20..22, 1_000).await);
    journal.sync(all[9].0.sequence).await.unwrap();
    closed(journal).await;
    let (_, found) = reopened(&disk.after_power_cut(&mut disk::Dice(1))).await;
    assert_eq!(without_places(&found), without_places(&all));
}

#[tokio::test]
async fn what_a_sync_loses_that_nobody_waits_for_is_counted() {
    const MIB: usize = 1 << 20;
    let disk = Disk::new();
    let options = JournalOptions { limit_bytes: 128 << 20, segment_bytes: 32 << 20, accept_loss: false };
    let journal = MmapJournal::create(disk.clone(), ID, Sequence(0), options).unwrap();
    journal.recover(Sequence(0)).await.unwrap();
    let all = some(&journal, 0..15, MIB).await;
    wait_until_idle(&journal).await;
    disk.fail(|faults| {
        faults.failing_syncs = 1;
        faults.forgets_from = Some(all[14].0.place.at as usize);
    });
    // The journal syncs by itself.
    journal.append(write(4, 15, MIB)).await.unwrap();
    wait_until_idle(&journal).await;
    assert_eq!(journal.failures(), 1);
    let lost = journal.lost();
    assert!(lost.starts_with(&[(all[14].1.node, all[14].0.sequence)]), "{lost:?}");
    let next = journal.append(write(4, 16, 1_000)).await.unwrap();
    for up_to in [next.sequence, all[14].0.sequence, Sequence(u64::MAX >> 1)] {
        journal.sync(up_to).await.unwrap();
    }
    assert_eq!((journal.failures(), journal.lost()), (1, lost));
    assert_readable(&journal, &all[..14]).await;
    closed(journal).await;
}

#[tokio::test]
async fn a_second_failure_stops_writes_and_nothing_else() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let first = some(&journal, 0..2, 1_000).await;
    wait_until_idle(&journal).await;
    disk.fail(|faults| faults.failing_syncs = 1);
    assert!(journal.sync(first[1].0.sequence).await.is_err());
    let second = some(&journal, 2..4, 1_000).await;
    wait_until_idle(&journal).await;
    disk.fail(|faults| faults.failing_syncs = 1);
    let answer = journal.sync(second[1].0.sequence).await;
    assert!(matches!(answer, Err(JournalError::SyncFailed(_))), "{answer:?}");
    assert_eq!(last_loss(&journal).lost.len(), 2);
    assert!(matches!(journal.append(write(4, 0, 10)).await, Err(JournalError::Unavailable(_))));
    assert!(journal.sync(second[1].0.sequence).await.is_err());
    assert_readable(&journal, &first).await;
    assert_readable(&journal, &second).await;
    journal.release(&[first[0].0]).await.unwrap();
    closed(journal).await;
    let (_, found) = reopened(&disk.after_power_cut(&mut disk::Dice(0))).await;
    assert!(without_places(&found).starts_with(&without_places(&first)));
}

#[tokio::test]
async fn a_write_that_fails_leaves_nothing() {
    use std::io::ErrorKind;
    let disk = Disk::new();
    let journal = created(&disk).await;
    let before = some(&journal, 0..2, 1_000).await;
    wait_until_idle(&journal).await;
    let usage = journal.usage();
    disk.fail(|faults| faults.writes_fail = Some(ErrorKind::StorageFull));
    let answer = journal.append(write(4, 9, 1_000)).await;
    assert!(matches!(answer, Err(JournalError::DiskFull)), "{answer:?}");
    assert_eq!(journal.usage(), usage);
    assert_readable(&journal, &before).await;
    closed(journal).await;
    disk.fail(|faults| faults.writes_fail = None);
    let (_, found) = reopened(&disk).await;
    assert_eq!(found, before);
}

#[test]
fn too_many_open_files_are_a_journal_that_is_full_for_the_moment() {
    for code in [libc::EMFILE, libc::ENFILE] {
        let failed = super::super::log::as_journal_error(std::io::Error::from_raw_os_error(code));
        assert!(matches!(failed, JournalError::Full), "{failed}");
    }
    let failed = super::super::log::as_journal_error(std::io::Error::from_raw_os_error(libc::EIO));
    assert!(matches!(failed, JournalError::Unavailable(_)), "{failed}");
}
