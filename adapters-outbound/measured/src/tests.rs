use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_domain::{NodeId, ObjectId, Sequence, ShareId, Timestamp, plan::Plan};
use dittofs_ports::{
    ApplyError, ContentError, FrameKey, JournalError, JournalUsage,
    mocks::{MockBlockCache, MockContentStore, MockJournal, MockShareMetadata},
    statistics::StoreCalls,
};

use super::*;

/// A clock that goes on by a millisecond whenever somebody looks.
#[derive(Default)]
struct Ticking(AtomicU64);

#[async_trait]
impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_nanos(0)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }

    async fn sleep(&self, _: Duration) {}
}

fn meters(journal: MockJournal) -> Arc<ShareMeters> {
    ShareMeters::new(Arc::new(journal), Arc::new(Ticking::default()))
}

fn some(calls: &StoreCalls) -> (Vec<(&'static str, u64)>, u64, u64) {
    let results = calls.results.iter().filter(|(_, count)| *count > 0).copied().collect();
    (results, calls.latencies.count(), calls.latencies.nanoseconds / 1_000_000)
}

fn quiet_journal() -> MockJournal {
    let mut journal = MockJournal::new();
    journal.expect_usage().return_const(JournalUsage { used: 3, limit: 10 });
    journal.expect_lost().returning(|| vec![(NodeId(4), Sequence(9))]);
    journal
}

#[tokio::test]
async fn calls_of_the_content_store_are_counted_by_result_with_their_bytes() {
    let mut store = MockContentStore::new();
    store.expect_put().times(1).returning(|_, _, _| Ok(()));
    store.expect_put().returning(|_, _, _| Err(ContentError::Unavailable("gone".into())));
    store.expect_get().returning(|_, _, range| Ok(vec![Bytes::from(vec![0; range.end as usize]), Bytes::new()]));
    store.expect_delete().returning(|_, _| Err(ContentError::Corrupt("bad".into())));
    store.expect_list().returning(|_, _, _| Ok(Vec::new()));
    let meters = meters(quiet_journal());
    let store = meters.content(Arc::new(store));
    let (share, object) = (ShareId(1), ObjectId(2));
    let parts = || vec![Bytes::from_static(b"abc"), Bytes::from_static(b"de")];
    store.put(share, object, parts()).await.unwrap();
    store.put(share, object, parts()).await.unwrap_err();
    store.get(share, object, 0..7).await.unwrap();
    store.delete(share, object).await.unwrap_err();
    store.list(share, None, 1).await.unwrap();
    let counts = meters.stores();
    assert_eq!((counts.content_bytes_written, counts.content_bytes_read), (5, 7), "what failed has no bytes");
    let of = |operation| counts.content.iter().find(|calls| calls.operation == operation).map(some).unwrap();
    assert_eq!(of("put"), (vec![("ok", 1), ("unavailable", 1)], 2, 2));
    assert_eq!(of("get"), (vec![("ok", 1)], 1, 1));
    assert_eq!(of("delete"), (vec![("corrupt", 1)], 1, 1));
    assert_eq!(of("list"), (vec![("ok", 1)], 1, 1));
}

#[tokio::test]
async fn conflicts_of_plans_are_told_from_successes() {
    let mut store = MockShareMetadata::new();
    store.expect_apply().times(2).returning(|_, _| Err(ApplyError::Conflict));
    store.expect_apply().returning(|_, _| Ok(Default::default()));
    let meters = meters(quiet_journal());
    let store = meters.metadata(Arc::new(store));
    for _ in 0..3 {
        drop(store.apply(Plan::default(), None).await);
    }
    assert_eq!(some(&meters.stores().metadata[0]), (vec![("ok", 1), ("conflict", 2)], 3, 3));
}

#[tokio::test]
async fn syncs_and_what_the_journal_holds_are_seen() {
    let mut journal = quiet_journal();
    journal.expect_sync().times(1).returning(|_| Ok(()));
    journal.expect_sync().returning(|_| Err(JournalError::SyncFailed("disk".into())));
    let meters = meters(journal);
    let journal = meters.journal();
    journal.sync(Sequence(1)).await.unwrap();
    journal.sync(Sequence(1)).await.unwrap_err();
    let counts = meters.stores();
    assert_eq!(some(&counts.journal_syncs), (vec![("ok", 1), ("sync_failed", 1)], 2, 2));
    assert_eq!((counts.journal_usage, counts.journal_lost), (JournalUsage { used: 3, limit: 10 }, 1));
}

#[test]
fn frames_that_are_cached_are_told_from_those_that_are_not() {
    let mut cache = MockBlockCache::new();
    cache.expect_frame().returning(|key| (key.frame == 1).then(|| Bytes::from_static(b"x")));
    let meters = meters(quiet_journal());
    let cache = meters.cache(Arc::new(cache));
    for frame in [1, 2, 1, 1] {
        cache.frame(&FrameKey { object: ObjectId(1), block: 0, frame });
    }
    assert_eq!((meters.stores().cache_hits, meters.stores().cache_misses), (3, 1));
}
