//! Stores that have a bound.

use std::sync::Arc;

use dittofs_ports::{Capacity, ContentError, ContentStore};

use super::{SHARE, assert_not_found, bytes, object, parts, read_all};

const CAPACITY: u64 = 1 << 20;
const OBJECT: usize = 64 << 10;

/// Puts objects until the store is full, and answers how many went in.
async fn fill(store: &Arc<dyn ContentStore>) -> u128 {
    for number in 1.. {
        match store.put(SHARE, object(number), parts(&bytes(number as u64, OBJECT))).await {
            Ok(()) => assert!(number as u64 * OBJECT as u64 <= CAPACITY, "more than the bound went in"),
            Err(ContentError::Full) => return number - 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    unreachable!()
}

pub async fn a_full_store_refuses_and_changes_nothing(open: impl AsyncFn(u64) -> Arc<dyn ContentStore>) {
    let store = open(CAPACITY).await;
    let stored = fill(&store).await;
    assert!(stored > 0);
    let listed = store.list(SHARE, None, 1_000).await.unwrap();
    assert_eq!(listed.len() as u128, stored);
    assert_not_found(&store, SHARE, object(stored + 1), 0..1).await;
    for number in 1..=stored {
        assert_eq!(read_all(&store, SHARE, object(number), OBJECT).await, bytes(number as u64, OBJECT));
        store.put(SHARE, object(number), parts(&bytes(number as u64, OBJECT))).await.unwrap();
    }
    assert_eq!(store.list(SHARE, None, 1_000).await.unwrap(), listed);
}

pub async fn a_deletion_makes_room(open: impl AsyncFn(u64) -> Arc<dyn ContentStore>) {
    let store = open(CAPACITY).await;
    for _ in 0..3 {
        let stored = fill(&store).await;
        store.delete(SHARE, object(1)).await.unwrap();
        store.delete(SHARE, object(1)).await.unwrap();
        store.put(SHARE, object(stored + 1), parts(&bytes(1, OBJECT))).await.unwrap();
        let answer = store.put(SHARE, object(stored + 2), parts(&bytes(1, OBJECT))).await;
        assert!(matches!(answer, Err(ContentError::Full)), "{answer:?}");
        for number in 2..=stored + 1 {
            store.delete(SHARE, object(number)).await.unwrap();
        }
    }
}

pub async fn room_is_what_objects_leave(open: impl AsyncFn(u64) -> Arc<dyn ContentStore>) {
    let store = open(CAPACITY).await;
    let Some(Capacity { total, free }) = store.capacity().await.unwrap() else { return };
    assert_eq!(total, CAPACITY);
    store.put(SHARE, object(1), parts(&bytes(1, OBJECT))).await.unwrap();
    let with_one = store.capacity().await.unwrap().unwrap();
    assert!(with_one.total == total && with_one.free <= free - OBJECT as u64);
    let given_back = store.discard(SHARE, object(1), Vec::from_iter(Some(0..OBJECT as u64))).await.unwrap();
    assert_eq!(store.capacity().await.unwrap().unwrap().free, with_one.free + given_back);
    store.delete(SHARE, object(1)).await.unwrap();
    assert_eq!(store.capacity().await.unwrap(), Some(Capacity { total, free }));
}
