//! Putting, reading and deleting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use bytes::Bytes;
use dittofs_ports::{ContentError, ContentStore, Survives};
use futures_util::{FutureExt, poll};
use tokio::task::JoinSet;

use super::{OTHER_SHARE, SHARE, assert_not_found, bytes, join, object, parts, read_all};

pub async fn an_object_reads_back_as_it_was_put(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    for (number, len) in [1, 2, 4_095, 4_096, 4_097, 1 << 20].into_iter().enumerate() {
        let (id, data) = (object(number as u128 + 1), bytes(number as u64, len));
        store.put(SHARE, id, parts(&data)).await.unwrap();
        assert_eq!(read_all(&store, SHARE, id, len).await, data);
    }
    let mut with_empty_parts = parts(&bytes(7, 1_000));
    with_empty_parts.insert(0, Bytes::new());
    with_empty_parts.insert(2, Bytes::new());
    with_empty_parts.push(Bytes::new());
    store.put(SHARE, object(90), with_empty_parts).await.unwrap();
    assert_eq!(read_all(&store, SHARE, object(90), 1_000).await, bytes(7, 1_000));
}

pub async fn any_range_of_an_object_reads_back(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    let data = bytes(1, 45);
    store.put(SHARE, object(1), parts(&data)).await.unwrap();
    for start in 0..data.len() {
        for end in start + 1..=data.len() {
            let got = store.get(SHARE, object(1), start as u64..end as u64).await.unwrap();
            assert_eq!(got.iter().map(Bytes::len).sum::<usize>(), end - start);
            assert_eq!(join(&got), data[start..end]);
        }
    }
}

pub async fn a_range_beyond_the_end_is_not_found(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    store.put(SHARE, object(1), parts(&bytes(1, 100))).await.unwrap();
    for range in [99..101, 100..101, 0..101, 5_000..5_001, 0..u64::MAX, u64::MAX - 1..u64::MAX] {
        assert_not_found(&store, SHARE, object(1), range).await;
    }
}

pub async fn an_unknown_object_is_not_found(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    assert_not_found(&store, SHARE, object(1), 0..1).await;
    store.put(SHARE, object(1), parts(&bytes(1, 10))).await.unwrap();
    assert_not_found(&store, SHARE, object(2), 0..1).await;
    assert_not_found(&store, OTHER_SHARE, object(1), 0..1).await;
}

pub async fn putting_the_same_bytes_again_succeeds(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    let data = bytes(1, 70_000);
    store.put(SHARE, object(1), parts(&data)).await.unwrap();
    store.put(SHARE, object(1), parts(&data)).await.unwrap();
    store.put(SHARE, object(1), vec![data.clone()]).await.unwrap();
    assert_eq!(read_all(&store, SHARE, object(1), data.len()).await, data);
    assert_eq!(store.list(SHARE, None, 10).await.unwrap(), [(object(1), 70_000)]);
}

pub async fn other_bytes_under_a_known_id_change_nothing(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    let data = bytes(1, 5_000);
    store.put(SHARE, object(1), parts(&data)).await.unwrap();
    for other in [bytes(2, 5_000), bytes(2, 4_999), bytes(2, 5_001), bytes(1, 100)] {
        let answer = store.put(SHARE, object(1), parts(&other)).await;
        assert!(matches!(answer, Ok(()) | Err(ContentError::Exists)), "{answer:?}");
        assert_eq!(read_all(&store, SHARE, object(1), data.len()).await, data);
        assert_not_found(&store, SHARE, object(1), 0..5_001).await;
        assert_eq!(store.list(SHARE, None, 10).await.unwrap(), [(object(1), 5_000)]);
    }
}

pub async fn of_concurrent_puts_of_one_object_one_is_left_whole(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    const LEN: usize = 50_000;
    let store = open().await;
    for round in 1..=10 {
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            let store = store.clone();
            writers.spawn(async move { store.put(SHARE, object(round), parts(&bytes(writer, LEN))).await });
        }
        for answer in writers.join_all().await {
            assert!(matches!(answer, Ok(()) | Err(ContentError::Exists)), "{answer:?}");
        }
        let left = read_all(&store, SHARE, object(round), LEN).await;
        assert!((0..8).any(|writer| left == bytes(writer, LEN)), "a mixture of several puts");
    }
}

pub async fn nobody_reads_a_part_of_an_object(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    const LEN: usize = 1 << 20;
    let store = open().await;
    let stop = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move {
            let mut round = 1;
            while !stop.load(Ordering::Relaxed) {
                let first = store.get(SHARE, object(round), 0..1).await;
                let all = store.get(SHARE, object(round), 0..LEN as u64).await;
                match (first, all) {
                    (_, Ok(parts)) => {
                        assert_eq!(join(&parts), bytes(round as u64, LEN));
                        round += 1;
                    }
                    (Err(ContentError::NotFound), Err(ContentError::NotFound)) => {}
                    (first, all) => panic!("first byte: {first:?}, the whole: {:?}", all.err()),
                }
                tokio::task::yield_now().await;
            }
        }
    });
    for round in 1..=20 {
        let data = bytes(round as u64, LEN);
        store.put(SHARE, object(round), data.chunks(1_000).map(Bytes::copy_from_slice).collect()).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    reader.await.unwrap();
}

pub async fn an_abandoned_put_leaves_all_or_nothing(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    const LEN: usize = 300_000;
    let store = open().await;
    for polls in 0..8_u64 {
        let (id, data) = (object(u128::from(polls) + 1), bytes(polls, LEN));
        let mut put = store.put(SHARE, id, parts(&data)).boxed();
        for _ in 0..polls {
            if let Poll::Ready(answer) = poll!(&mut put) {
                answer.unwrap();
                break;
            }
        }
        drop(put);
        match store.get(SHARE, id, 0..1).await {
            Ok(_) => assert_eq!(read_all(&store, SHARE, id, LEN).await, data),
            Err(error) => assert!(matches!(error, ContentError::NotFound), "{error:?}"),
        }
        store.put(SHARE, id, parts(&data)).await.unwrap();
        assert_eq!(read_all(&store, SHARE, id, LEN).await, data);
    }
}

pub async fn an_object_of_64_mib_in_many_parts_reads_back(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    const PART: usize = 16_384;
    const LEN: usize = 64 << 20;
    let store = open().await;
    let pattern = bytes(1, PART + LEN / PART);
    let part = |index: usize| pattern.slice(index..index + PART);
    store.put(SHARE, object(1), (0..LEN / PART).map(part).collect()).await.unwrap();
    for index in [0, 1, 2_047, 4_094] {
        let start = (index * PART) as u64 + 100;
        let expected = [&part(index)[100..], &part(index + 1)[..100]].concat();
        let got = store.get(SHARE, object(1), start..start + PART as u64).await.unwrap();
        assert_eq!(join(&got), expected);
    }
    let all = join(&store.get(SHARE, object(1), 0..LEN as u64).await.unwrap());
    assert!(all.chunks(PART).enumerate().all(|(index, chunk)| chunk == part(index)));
    assert_not_found(&store, SHARE, object(1), LEN as u64 - 1..LEN as u64 + 1).await;
}

pub async fn a_deleted_object_is_gone_and_can_be_deleted_again(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    store.delete(SHARE, object(1)).await.unwrap();
    store.put(SHARE, object(1), parts(&bytes(1, 100))).await.unwrap();
    for _ in 0..2 {
        store.delete(SHARE, object(1)).await.unwrap();
        assert_not_found(&store, SHARE, object(1), 0..1).await;
        assert!(store.list(SHARE, None, 10).await.unwrap().is_empty());
    }
}

pub async fn deleting_an_object_keeps_the_others(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    for number in 1..=3 {
        store.put(SHARE, object(number), parts(&bytes(number as u64, 100))).await.unwrap();
    }
    store.put(OTHER_SHARE, object(2), parts(&bytes(20, 100))).await.unwrap();
    store.delete(SHARE, object(2)).await.unwrap();
    assert_not_found(&store, SHARE, object(2), 0..1).await;
    assert_eq!(read_all(&store, SHARE, object(1), 100).await, bytes(1, 100));
    assert_eq!(read_all(&store, SHARE, object(3), 100).await, bytes(3, 100));
    assert_eq!(read_all(&store, OTHER_SHARE, object(2), 100).await, bytes(20, 100));
}

pub async fn what_was_put_survives_what_the_store_says(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    if store.survives() == Survives::Nothing {
        return;
    }
    store.put(SHARE, object(1), parts(&bytes(1, 10_000))).await.unwrap();
    store.put(SHARE, object(2), parts(&bytes(2, 10_000))).await.unwrap();
    store.delete(SHARE, object(2)).await.unwrap();
    store.claim(SHARE, &super::claim::mark(11, 1), None).await.unwrap();
    drop(store);
    let store = open().await;
    assert_eq!(read_all(&store, SHARE, object(1), 10_000).await, bytes(1, 10_000));
    assert_not_found(&store, SHARE, object(2), 0..1).await;
    assert_eq!(store.owner(SHARE).await.unwrap().unwrap().mark, super::claim::mark(11, 1));
}
