//! Reading and syncing.

use std::sync::Arc;

use dittofs_domain::Sequence;
use dittofs_ports::Journal;
use tokio::task::JoinSet;

use super::{AMPLE, bytes, read, start, write};

pub async fn appended_bytes_read_back(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let mut appended = Vec::new();
    for (seed, len) in [1, 511, 512, 4_096, 65_537, 1 << 20].into_iter().enumerate() {
        let at = journal.append(write(4, 0, bytes(seed as u64, len))).await.unwrap();
        assert_eq!(read(&journal, &at, 0, len).await.unwrap(), bytes(seed as u64, len), "before a sync");
        appended.push((at, seed as u64, len));
    }
    journal.sync(appended[appended.len() - 1].0.sequence).await.unwrap();
    for (at, seed, len) in appended {
        assert_eq!(read(&journal, &at, 0, len).await.unwrap(), bytes(seed, len), "after a sync");
    }
}

pub async fn any_part_of_a_record_reads_back(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    const LEN: usize = 40;
    let journal = start(&open, AMPLE).await;
    let data = bytes(1, LEN);
    journal.append(write(4, 0, bytes(2, 100))).await.unwrap();
    let at = journal.append(write(4, 0, data.clone())).await.unwrap();
    journal.append(write(4, 0, bytes(3, 100))).await.unwrap();
    for skip in 0..LEN {
        for len in 1..=LEN - skip {
            assert_eq!(read(&journal, &at, skip, len).await.unwrap(), data[skip..skip + len]);
        }
    }
}

pub async fn a_range_beyond_a_record_is_refused(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let at = journal.append(write(4, 0, bytes(1, 40))).await.unwrap();
    journal.append(write(4, 0, bytes(2, 40))).await.unwrap();
    for (skip, len) in [(0, 41), (40, 1), (39, 2), (41, 1), (u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX)] {
        assert_eq!(journal.read_now(at.place, skip, len), None, "skip {skip}, len {len}");
        assert!(journal.read(at.place, skip, len).await.is_err(), "skip {skip}, len {len}");
    }
}

pub async fn concurrent_reads_and_appends_do_not_mix_records_up(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let mut tasks = JoinSet::new();
    for node in 4..12 {
        let journal = journal.clone();
        tasks.spawn(async move {
            let mut earlier = Vec::new();
            for index in 0..100_u64 {
                let (seed, len) = (node * 1_000 + index, 1 + (index as usize * 37) % 3_000);
                let at = journal.append(write(node, 0, bytes(seed, len))).await.unwrap();
                earlier.push((at, seed, len));
                let (at, seed, len) = earlier[(index as usize * 31) % earlier.len()];
                assert_eq!(read(&journal, &at, 0, len).await.unwrap(), bytes(seed, len));
                if index % 3 == 2 {
                    let (at, ..) = earlier.swap_remove(0);
                    journal.release(&[at]).await.unwrap();
                }
            }
            for (at, seed, len) in earlier {
                assert_eq!(read(&journal, &at, 0, len).await.unwrap(), bytes(seed, len));
            }
        });
    }
    tasks.join_all().await;
}

pub async fn syncs_of_many_tasks_cover_their_records(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    let mut tasks = JoinSet::new();
    for node in 4..36 {
        let journal = journal.clone();
        tasks.spawn(async move {
            for index in 0..10 {
                let at = journal.append(write(node, index * 100, bytes(node, 100))).await.unwrap();
                journal.sync(at.sequence).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}

pub async fn a_sync_of_what_is_durable_already_succeeds(open: impl AsyncFn(u64) -> Arc<dyn Journal>) {
    let journal = start(&open, AMPLE).await;
    journal.sync(Sequence(0)).await.unwrap();
    let first = journal.append(write(4, 0, bytes(1, 100))).await.unwrap();
    let second = journal.append(write(4, 0, bytes(2, 100))).await.unwrap();
    for sequence in [second.sequence, second.sequence, first.sequence, Sequence(0)] {
        journal.sync(sequence).await.unwrap();
    }
    journal.release(&[first, second]).await.unwrap();
    journal.sync(second.sequence).await.unwrap();
    assert_eq!((journal.failures(), journal.lost()), (0, Vec::new()), "no sync has failed");
}
