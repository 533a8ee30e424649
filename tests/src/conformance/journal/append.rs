//! Appending.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use dittofs_domain::Sequence;
use dittofs_ports::{Journal, JournalError};
use tokio::task::JoinSet;

use super::{AMPLE, bytes, fill, read, start, write};

pub async fn numbers_start_above_zero_and_rise(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let mut last = Sequence(0);
    for index in 0..200 {
        let at = journal.append(write(4 + index % 3, index, bytes(index, 10))).await.unwrap();
        assert!(at.sequence > last, "{:?} after {last:?}", at.sequence);
        last = at.sequence;
    }
}

pub async fn numbers_rise_for_each_node_among_concurrent_appends(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    const NODES: u64 = 16;
    const EACH: u64 = 200;
    let journal = start(&open, AMPLE).await;
    let mut writers = JoinSet::new();
    for node in 4..4 + NODES {
        let journal = journal.clone();
        writers.spawn(async move {
            let mut numbers = Vec::new();
            for index in 0..EACH {
                let at = journal.append(write(node, index * 10, bytes(node * EACH + index, 10))).await.unwrap();
                numbers.push(at.sequence);
            }
            assert!(numbers.is_sorted(), "{numbers:?}");
            numbers
        });
    }
    let all: BTreeSet<Sequence> = writers.join_all().await.into_iter().flatten().collect();
    assert_eq!(all.len() as u64, NODES * EACH, "a number was given twice");
}

pub async fn a_full_journal_refuses_and_changes_nothing(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, 1 << 20).await;
    let len = (journal.usage().limit / 20) as usize;
    let appended = fill(&journal, len).await;
    assert!(appended.len() >= 10, "only {} of 20 went in", appended.len());
    let usage = journal.usage();
    for _ in 0..3 {
        let answer = journal.append(write(5, 0, bytes(99, len))).await;
        assert!(matches!(answer, Err(JournalError::Full)), "{answer:?}");
        assert_eq!(journal.usage(), usage);
    }
    for (seed, at) in appended.iter().enumerate() {
        assert_eq!(read(&journal, at, 0, len).await.unwrap(), bytes(seed as u64, len));
    }
    journal.sync(appended[appended.len() - 1].sequence).await.unwrap();
}

/// A buffer that reports when nobody keeps it any more.
struct Watched {
    bytes: Vec<u8>,
    dropped: Arc<AtomicBool>,
}

impl AsRef<[u8]> for Watched {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

pub async fn a_record_does_not_pin_the_buffer_it_was_cut_from(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    const BUFFER: usize = 4 << 20;
    const LEN: usize = 4_096;
    let journal = start(&open, AMPLE).await;
    let content = bytes(1, BUFFER);
    let dropped = Arc::new(AtomicBool::new(false));
    let buffer = Bytes::from_owner(Watched { bytes: content.to_vec(), dropped: dropped.clone() });
    let at = journal.append(write(4, 0, buffer.slice(100..100 + LEN))).await.unwrap();
    drop(buffer);
    assert!(dropped.load(Ordering::SeqCst), "4 KiB in the journal keep 4 MiB in memory");
    assert_eq!(read(&journal, &at, 0, LEN).await.unwrap(), content[100..100 + LEN]);
}
