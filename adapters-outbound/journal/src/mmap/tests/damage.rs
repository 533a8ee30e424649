//! Tests what recovery takes for a torn tail, and what for damage.

use super::*;

/// The file and offset of a record's data; segments go into new files one after another.
fn file_of(at: &Appended) -> (String, usize) {
    (format!("segment-{:06}", at.place.segment), at.place.at as usize)
}

/// Two segments of records and a few in a third; the last two are not synced.
async fn three_segments(disk: &Arc<Disk>) -> Vec<(Appended, Record)> {
    let journal = created(disk).await;
    let mut all = fill_segment(&journal, 0).await;
    all.extend(fill_segment(&journal, 100).await);
    for seed in 200..202 {
        let record = write(8, seed, 500);
        all.push((journal.append(record.clone()).await.unwrap(), record));
    }
    closed(journal).await;
    all
}

async fn refused(disk: &Arc<Disk>) -> LostRun {
    damage(disk).await.lost
}

async fn damage(disk: &Arc<Disk>) -> Box<Damage> {
    let journal = MmapJournal::open(disk.clone(), Some(ID), options()).unwrap();
    match journal.recover(Sequence(0)).await {
        Err(JournalError::Corrupt(damage)) => damage.downcast::<Damage>().unwrap(),
        other => panic!("{:?}", other.map(|records| records.len())),
    }
}

async fn accepted(disk: &Arc<Disk>) -> (Vec<(Appended, Record)>, Recovery) {
    let options = JournalOptions { accept_loss: true, ..options() };
    let journal = MmapJournal::open(disk.clone(), Some(ID), options).unwrap();
    let records = journal.recover(Sequence(0)).await.unwrap();
    let recovery = journal.recovery();
    closed(journal).await;
    (records, recovery)
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_stays_cut_off() {
    let disk = Disk::new();
    let mut all = three_segments(&disk).await;
    let last = all.pop().unwrap();
    let (torn, _) = all.pop().unwrap();
    let (file, at) = file_of(&torn);
    disk.spoil(&file, at + 20, &[0xaa; 9]);
    let (journal, found) = reopened(&disk).await;
    assert_eq!(found, all);
    assert_eq!(journal.recovery(), Recovery { torn: 2, ..Recovery::default() });
    let record = write(4, 1, 700);
    let at = journal.append(record.clone()).await.unwrap();
    assert!(at.sequence.0 > last.0.sequence.0 + 1_000_000);
    assert!(at.place.segment > torn.place.segment);
    journal.sync(at.sequence).await.unwrap();
    closed(journal).await;
    all.push((at, record));
    for _ in 0..3 {
        let (journal, found) = reopened(&disk).await;
        assert_eq!(found, all);
        closed(journal).await;
    }
}

#[tokio::test]
async fn a_bad_record_that_had_been_durable_is_damage() {
    for head in [false, true] {
        let disk = Disk::new();
        let mut all = three_segments(&disk).await;
        let (bad, _) = all.remove(2);
        let (file, at) = file_of(&bad);
        disk.spoil(&file, if head { at - 60 } else { at + 60 }, &[0xaa; 3]);
        let lost = LostRun { segment: bad.place.segment, first: bad.sequence.0, count: 1 };
        assert_eq!(refused(&disk).await, lost);
        let again = damage(&disk).await;
        assert_eq!(again.lost, lost, "a refusal changes nothing");
        let (found, recovery) = accepted(&disk).await;
        assert_eq!(found, all);
        assert_eq!(recovery.lost, [lost]);
        assert_eq!(recovery.nodes, if head { vec![] } else { vec![NodeId(9)] });
        assert_eq!(again.nodes, recovery.nodes);
        let (journal, found) = reopened(&disk).await;
        assert_eq!(found, all, "an accepted loss is accepted for good");
        closed(journal).await;
    }
}

#[tokio::test]
async fn a_missing_segment_is_damage() {
    let disk = Disk::new();
    let all = three_segments(&disk).await;
    let missing = all[0].0.place.segment + 1;
    Folder::remove(&*disk, &format!("segment-{missing:06}")).unwrap();
    let left: Vec<_> = all.into_iter().filter(|(at, _)| at.place.segment != missing).collect();
    assert_eq!(
        refused(&disk).await.first,
        left.iter().rfind(|(at, _)| at.place.segment < missing).unwrap().0.sequence.0 + 1
    );
    let (found, recovery) = accepted(&disk).await;
    assert_eq!(found, left);
    assert_eq!(recovery.lost.len(), 1);
    for _ in 0..2 {
        let (journal, found) = reopened(&disk).await;
        assert_eq!(found, left);
        closed(journal).await;
    }
}

#[tokio::test]
async fn a_missing_first_or_last_segment_is_damage() {
    for last in [false, true] {
        let disk = Disk::new();
        let all = three_segments(&disk).await;
        let missing = if last { all[all.len() - 1].0 } else { all[0].0 }.place.segment;
        Folder::remove(&*disk, &format!("segment-{missing:06}")).unwrap();
        refused(&disk).await;
        let left: Vec<_> = all.into_iter().filter(|(at, _)| at.place.segment != missing).collect();
        assert_eq!(accepted(&disk).await.0, left);
    }
}

#[tokio::test]
async fn a_segments_head_that_is_gone_is_damage() {
    let disk = Disk::new();
    let all = three_segments(&disk).await;
    disk.spoil(&file_of(&all[0].0).0, 0, &[0; 4_096]);
    assert_eq!(refused(&disk).await.segment, all[0].0.place.segment);
}

#[tokio::test]
async fn records_of_a_kind_that_is_not_known_are_refused() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let head = RecordHead::bare(64, 0, 0);
    let at = journal.shared.append(&head, &[]).await.unwrap();
    journal.sync(at.sequence).await.unwrap();
    closed(journal).await;
    let journal = MmapJournal::open(disk, Some(ID), options()).unwrap();
    assert!(matches!(journal.recover(Sequence(0)).await, Err(JournalError::Corrupt(_))));
}
