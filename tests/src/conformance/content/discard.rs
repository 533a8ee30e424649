//! Giving back what nobody needs inside an object.

use std::{ops::Range, sync::Arc};

use dittofs_ports::{Capacity, ContentStore};

use super::{SHARE, bytes, join, object, parts, read_all};

const OBJECT: usize = 1 << 20;

pub async fn discarding_keeps_everything_else(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    let whole = bytes(7, OBJECT);
    for number in 1..=2 {
        store.put(SHARE, object(number), parts(&whole)).await.unwrap();
    }
    let end = OBJECT as u64;
    // At no boundary of anything, too short for anything, over most of it, up to the end.
    let dead: Vec<Range<u64>> = vec![1_001..70_003, 80_000..80_001, 100_000..900_001, 1_000_000..end];
    let before = store.capacity().await.unwrap();
    let given_back = store.discard(SHARE, object(1), dead.clone()).await.unwrap();
    assert!(given_back <= dead.iter().map(|range| range.end - range.start).sum());
    store.discard(SHARE, object(1), dead.clone()).await.unwrap();
    let mut at = 0;
    for range in dead.iter().chain([&(end..end)]) {
        if at < range.start {
            let read = join(&store.get(SHARE, object(1), at..range.start).await.unwrap());
            assert!(read == whole[at as usize..range.start as usize], "{at}..{}", range.start);
        }
        at = range.end;
    }
    assert_eq!(join(&store.get(SHARE, object(1), 0..end).await.unwrap()).len(), OBJECT);
    assert!(read_all(&store, SHARE, object(2), OBJECT).await == whole, "another object has changed");
    assert_eq!(store.list(SHARE, None, 10).await.unwrap(), [(object(1), end), (object(2), end)]);
    if let (Some(before), Some(after)) = (before, store.capacity().await.unwrap()) {
        assert_eq!(before.total, after.total);
    }
    // The deletion does not give back again the bytes that the discard gave back.
    store.delete(SHARE, object(1)).await.unwrap();
    store.delete(SHARE, object(2)).await.unwrap();
    store.put(SHARE, object(3), parts(&whole)).await.unwrap();
    assert!(read_all(&store, SHARE, object(3), OBJECT).await == whole);
}

pub async fn the_room_of_a_store_makes_sense(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    if let Some(Capacity { total, free }) = store.capacity().await.unwrap() {
        assert!(free <= total, "{free} of {total}");
    }
}
