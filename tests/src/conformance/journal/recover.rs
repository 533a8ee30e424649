//! The records that are there when a journal is opened again.

use std::sync::Arc;

use dittofs_domain::Sequence;
use dittofs_ports::{Appended, Journal, Record, Survives};

use super::{AMPLE, assert_released, bytes, read, start, write};

pub async fn a_new_journal_recovers_nothing(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = open(AMPLE).await;
    assert!(journal.recover(Sequence(0)).await.unwrap().is_empty());
    assert_eq!(journal.usage().used, 0);
}

/// Appends records of two files, and makes them durable.
async fn append_some(journal: &Arc<dyn Journal>) -> Vec<(Appended, Record)> {
    let records = [
        write(4, 0, bytes(1, 10_000)),
        write(5, 77, bytes(2, 1)),
        write(4, 1 << 62, bytes(9, 1)),
        write(4, 4_999, bytes(3, 300_000)),
        write(5, 0, bytes(4, 77)),
    ];
    let mut appended = Vec::new();
    for record in records {
        appended.push((journal.append(record.clone()).await.unwrap(), record));
    }
    journal.sync(appended.iter().map(|(at, _)| at.sequence).max().unwrap()).await.unwrap();
    appended
}

async fn assert_recovered(journal: &Arc<dyn Journal>, expected: &[(Appended, Record)]) {
    let recovered = journal.recover(Sequence(0)).await.unwrap();
    let numbers =
        |records: &[(Appended, Record)]| -> Vec<Sequence> { records.iter().map(|(at, _)| at.sequence).collect() };
    assert_eq!(numbers(&recovered), numbers(expected));
    for ((at, found), (_, record)) in recovered.iter().zip(expected) {
        assert_eq!(found, record);
        assert_eq!(read(journal, at, 0, record.data.len()).await.unwrap(), record.data);
    }
}

pub async fn synced_records_are_recovered_in_order(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let appended = append_some(&journal).await;
    let survives = journal.survives();
    drop(journal);
    let journal = open(AMPLE).await;
    assert_recovered(&journal, if survives == Survives::Nothing { &[] } else { &appended }).await;
}

pub async fn released_records_are_not_recovered(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let appended = append_some(&journal).await;
    let all: Vec<Appended> = appended.iter().map(|(at, _)| *at).collect();
    journal.release(&all).await.unwrap();
    drop(journal);
    let journal = open(AMPLE).await;
    assert_recovered(&journal, &[]).await;
    assert_eq!(journal.usage().used, 0);
}

pub async fn numbers_rise_on_after_recovery(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    if journal.survives() == Survives::Nothing {
        return;
    }
    let mut last = Sequence(0);
    for at in append_some(&journal).await.iter().map(|(at, _)| *at) {
        last = last.max(at.sequence);
        journal.release(&[at]).await.unwrap();
    }
    drop(journal);
    let journal = start(&open, AMPLE).await;
    let at = journal.append(write(4, 0, bytes(1, 10))).await.unwrap();
    assert!(at.sequence > last, "{:?} was given before the restart", at.sequence);
}

async fn copy(journal: &Arc<dyn Journal>, (at, record): &(Appended, Record)) -> (Appended, Record) {
    let copy = Record { copy_of: Some(at.sequence), ..record.clone() };
    (journal.append(copy.clone()).await.unwrap(), copy)
}

pub async fn a_copy_has_the_number_of_its_record(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let appended = append_some(&journal).await;
    let (first, last) = (&appended[0], &appended[4]);
    let (at, record) = copy(&journal, first).await;
    assert_eq!(at.sequence, first.0.sequence);
    assert_ne!(at.place, first.0.place);
    journal.sync(Sequence(u64::MAX >> 1)).await.unwrap();
    // One is given up without the other.
    journal.release(&[first.0]).await.unwrap();
    assert_released(&journal, &first.0, first.1.data.len()).await;
    assert_eq!(read(&journal, &at, 0, record.data.len()).await.unwrap(), record.data);
    let next = journal.append(write(4, 0, bytes(1, 10))).await.unwrap();
    assert!(next.sequence > last.0.sequence, "a copy does not set numbers back");
    journal.release(&[at]).await.unwrap();
    assert_released(&journal, &at, record.data.len()).await;
}

pub async fn copies_are_recovered_where_their_records_were(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let appended = append_some(&journal).await;
    if journal.survives() == Survives::Nothing {
        return;
    }
    // Of the first there is the record too; the second is a copy alone, the third one of a copy.
    let first = copy(&journal, &appended[0]).await;
    let second = copy(&journal, &appended[1]).await;
    let between = copy(&journal, &appended[3]).await;
    let third = copy(&journal, &between).await;
    journal.release(&[appended[1].0, appended[3].0, between.0]).await.unwrap();
    journal.sync(Sequence(u64::MAX >> 1)).await.unwrap();
    drop(journal);
    let expected = [appended[0].clone(), first, second, appended[2].clone(), third, appended[4].clone()];
    let journal = open(AMPLE).await;
    assert_recovered(&journal, &expected).await;
    // Nor are they given up as one.
    journal.release(&[expected[0].0]).await.unwrap();
    let (at, record) = &expected[1];
    assert_eq!(read(&journal, at, 0, record.data.len()).await.unwrap(), record.data);
}
