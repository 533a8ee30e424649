//! Releasing, and how full a journal is.

use std::sync::Arc;

use dittofs_ports::Journal;

use super::{AMPLE, assert_released, bytes, fill, read, start, write};

pub async fn a_released_record_is_not_found(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let at = journal.append(write(4, 0, bytes(1, 100))).await.unwrap();
    journal.append(write(4, 0, bytes(2, 100))).await.unwrap();
    journal.release(&[at]).await.unwrap();
    assert_released(&journal, &at, 100).await;
}

pub async fn releasing_keeps_the_other_records(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let mut appended = Vec::new();
    for seed in 0..30 {
        appended.push(journal.append(write(4 + seed % 3, 0, bytes(seed, 1_000))).await.unwrap());
    }
    let released: Vec<_> = appended.iter().copied().step_by(2).collect();
    journal.release(&released).await.unwrap();
    for (seed, at) in appended.iter().enumerate() {
        if seed % 2 == 0 {
            assert_released(&journal, at, 1_000).await;
        } else {
            assert_eq!(read(&journal, at, 0, 1_000).await.unwrap(), bytes(seed as u64, 1_000));
        }
    }
}

pub async fn releasing_twice_is_releasing_once(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let first = journal.append(write(4, 0, bytes(1, 1_000))).await.unwrap();
    let second = journal.append(write(4, 0, bytes(2, 1_000))).await.unwrap();
    let both = journal.usage();
    journal.release(&[first]).await.unwrap();
    let one = journal.usage();
    assert!(one.used <= both.used);
    journal.release(&[first]).await.unwrap();
    journal.release(&[first, first]).await.unwrap();
    journal.release(&[]).await.unwrap();
    assert_eq!(journal.usage(), one);
    assert_eq!(read(&journal, &second, 0, 1_000).await.unwrap(), bytes(2, 1_000));
    journal.release(&[first, second, second]).await.unwrap();
    assert_eq!(journal.usage().used, 0);
}

pub async fn usage_counts_up_and_returns_to_zero(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let limit = journal.usage().limit;
    assert!(limit >= AMPLE);
    assert_eq!(journal.usage().used, 0);
    let (mut appended, mut payload, mut last) = (Vec::new(), 0, 0);
    for seed in 0..50 {
        appended.push(journal.append(write(4, 0, bytes(seed, 5_000))).await.unwrap());
        payload += 5_000;
        let usage = journal.usage();
        assert!(usage.used >= payload && usage.used >= last && usage.limit == limit, "{usage:?} with {payload} bytes");
        last = usage.used;
    }
    for chunk in appended.chunks(7) {
        journal.release(chunk).await.unwrap();
        assert!(journal.usage().used <= last);
        last = journal.usage().used;
    }
    assert_eq!(journal.usage().used, 0);
}

pub async fn a_release_makes_room(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, 1 << 20).await;
    let len = (journal.usage().limit / 20) as usize;
    for _ in 0..3 {
        let appended = fill(&journal, len).await;
        assert!(appended.len() >= 10);
        journal.release(&appended).await.unwrap();
        assert_eq!(journal.usage().used, 0);
    }
}

pub async fn numbers_rise_on_after_everything_was_released(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let first = journal.append(write(4, 0, bytes(1, 100))).await.unwrap();
    journal.release(&[first]).await.unwrap();
    let second = journal.append(write(4, 0, bytes(2, 100))).await.unwrap();
    assert!(second.sequence > first.sequence);
    assert_released(&journal, &first, 100).await;
    assert_eq!(read(&journal, &second, 0, 100).await.unwrap(), bytes(2, 100));
}
