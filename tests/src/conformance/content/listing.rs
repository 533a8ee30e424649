//! Listing.

use std::{collections::BTreeMap, sync::Arc};

use dittofs_domain::ObjectId;
use dittofs_ports::{ContentError, ContentStore};

use super::{OTHER_SHARE, SHARE, bytes, object, parts};

/// How often a page is asked for.
const TRIES: u32 = 5;

async fn put(store: &Arc<dyn ContentStore>, number: u128) {
    store.put(SHARE, object(number), parts(&bytes(number as u64, number as usize))).await.unwrap();
}

/// A page, asked for again where a store that changes meanwhile says that it is away.
async fn list_page(store: &Arc<dyn ContentStore>, after: Option<ObjectId>, max: usize) -> Vec<(ObjectId, u64)> {
    for _ in 1..TRIES {
        match store.list(SHARE, after, max).await {
            Err(ContentError::Unavailable(_)) => {}
            page => return page.unwrap(),
        }
    }
    store.list(SHARE, after, max).await.unwrap()
}

/// All pages of a listing, each with at most `max` objects.
async fn list_all(store: &Arc<dyn ContentStore>, max: usize) -> Vec<(ObjectId, u64)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = list_page(store, after, max).await;
        assert!(page.len() <= max);
        all.extend_from_slice(&page);
        match page.last() {
            Some((last, _)) if page.len() == max => after = Some(*last),
            _ => return all,
        }
    }
}

pub async fn a_listing_has_all_objects_in_order_with_their_lengths(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    assert!(store.list(SHARE, None, 10).await.unwrap().is_empty());
    for number in [5, 3, 9, 1, 200, 70] {
        put(&store, number).await;
    }
    let expected: Vec<_> = [1, 3, 5, 9, 70, 200].map(|number| (object(number), number as u64)).into();
    for max in [1, 2, 3, 5, 6, 7, 1_000] {
        assert_eq!(list_all(&store, max).await, expected, "in pages of {max}");
    }
}

pub async fn a_listing_goes_on_after_an_object_that_is_gone(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    for number in [1, 2, 3] {
        put(&store, number).await;
    }
    assert_eq!(store.list(SHARE, None, 2).await.unwrap().len(), 2);
    store.delete(SHARE, object(2)).await.unwrap();
    assert_eq!(store.list(SHARE, Some(object(2)), 2).await.unwrap(), [(object(3), 3)]);
    assert!(store.list(SHARE, Some(object(3)), 2).await.unwrap().is_empty());
    assert!(store.list(SHARE, Some(ObjectId(u128::MAX)), 2).await.unwrap().is_empty());
}

pub async fn a_listing_shorter_than_its_limit_is_the_last(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    for number in 1..=2_500 {
        put(&store, number).await;
    }
    for max in [100, 999, 1_000, 2_499, 2_500] {
        assert_eq!(store.list(SHARE, None, max).await.unwrap().len(), max);
    }
    assert_eq!(store.list(SHARE, None, 10_000).await.unwrap().len(), 2_500);
}

pub async fn a_listing_has_what_is_there_all_the_while_exactly_once(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    for number in (10..=1_000).step_by(10) {
        put(&store, number).await;
    }
    let busy = tokio::spawn({
        let store = store.clone();
        async move {
            for round in 0..600 {
                let number = 1 + (round * 7_919) % 1_000;
                if number % 10 != 0 {
                    put(&store, number).await;
                    store.delete(SHARE, object(1 + (round * 104_729) % 1_000 / 10 * 10)).await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let mut rounds = 0;
    while !busy.is_finished() || rounds == 0 {
        let mut seen = BTreeMap::new();
        for (id, _) in list_all(&store, 7).await {
            *seen.entry(id).or_insert(0) += 1;
        }
        assert!(seen.values().all(|times| *times == 1), "listed twice");
        for number in (10..=1_000).step_by(10) {
            assert!(seen.contains_key(&object(number)), "object {number} was skipped");
        }
        rounds += 1;
    }
    busy.await.unwrap();
}

pub async fn shares_do_not_see_each_others_objects(open: impl AsyncFn() -> Arc<dyn ContentStore>) {
    let store = open().await;
    put(&store, 1).await;
    store.put(OTHER_SHARE, object(1), parts(&bytes(99, 50))).await.unwrap();
    store.put(OTHER_SHARE, object(2), parts(&bytes(98, 60))).await.unwrap();
    assert_eq!(store.list(SHARE, None, 10).await.unwrap(), [(object(1), 1)]);
    assert_eq!(store.list(OTHER_SHARE, None, 10).await.unwrap(), [(object(1), 50), (object(2), 60)]);
}
