//! What is there when a journal is opened again.

use std::sync::Arc;

use dittofs_domain::Sequence;
use dittofs_ports::{Appended, Journal, Record, Survives};

use super::{AMPLE, bytes, read, start, write};

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
