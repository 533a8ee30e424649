//! Space: who gets the last of it, and when segments are used again.

use super::*;

#[tokio::test]
async fn a_full_journal_still_takes_the_release_of_its_records() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let mut all = Vec::new();
    while let Ok(at) = journal.append(write(4, 0, 2_000)).await {
        all.push(at);
    }
    assert!(matches!(journal.append(write(4, 0, 2_000)).await, Err(JournalError::Full)));
    journal.release(&all).await.unwrap();
    assert_eq!(journal.usage().used, 0);
    journal.append(write(4, 0, 2_000)).await.unwrap();
}

#[tokio::test]
async fn segments_are_used_again_in_order_only() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let all: Vec<Appended> = {
        let mut all = fill_segment(&journal, 0).await;
        all.extend(fill_segment(&journal, 100).await);
        all.into_iter().map(|(at, _)| at).collect()
    };
    let used = journal.usage().used;
    journal.release(&all[1..]).await.unwrap();
    assert_eq!(journal.usage().used, used, "the first record keeps all that follow");
    journal.release(&all[..1]).await.unwrap();
    assert_eq!(journal.usage().used, 0);
}

#[tokio::test]
async fn the_same_files_are_used_for_ever() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    for round in 0..40 {
        let all: Vec<Appended> = fill_segment(&journal, round).await.into_iter().map(|(at, _)| at).collect();
        journal.release(&all).await.unwrap();
    }
    wait_until_idle(&journal).await;
    assert!(Folder::names(&*disk).unwrap().len() <= 8, "{:?}", Folder::names(&*disk));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_that_is_being_read_is_not_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = MmapJournal::create_at(folder.path(), ID, Sequence(0), options()).unwrap();
    journal.recover(Sequence(0)).await.unwrap();
    let record = write(4, 77, 8_000);
    let at = journal.append(record.clone()).await.unwrap();
    let reply = journal.read_now(at.place, 100, 5_000).unwrap();
    journal.release(&[at]).await.unwrap();
    for round in 0..40 {
        let all: Vec<Appended> = fill_segment(&journal, round).await.into_iter().map(|(at, _)| at).collect();
        journal.release(&all).await.unwrap();
    }
    assert_eq!(reply, record.data.slice(100..5_100));
    assert_eq!(journal.read_now(at.place, 0, 1), None);
}

#[tokio::test]
async fn a_record_longer_than_a_segment_is_refused() {
    let disk = Disk::new();
    let journal = created(&disk).await;
    let answer = journal.append(write(4, 0, SEGMENT as usize)).await;
    assert!(matches!(answer, Err(JournalError::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn data_from_the_page_cache_are_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let journal = MmapJournal::create_at(folder.path(), ID, Sequence(0), options()).unwrap();
    journal.recover(Sequence(0)).await.unwrap();
    let at = journal.append(write(4, 0, 20_000)).await.unwrap();
    let one = journal.read_now(at.place, 0, 20_000).unwrap();
    let other = journal.read_now(at.place, 5, 100).unwrap();
    assert_eq!(one[5..].as_ptr(), other.as_ptr());
}
