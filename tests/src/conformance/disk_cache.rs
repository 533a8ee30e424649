//! Disk caches: bounded, never wrong, and there again after a restart.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::ObjectId;
use dittofs_ports::{DiskCache, FrameKey};
use tokio::task::JoinSet;

use super::payload::bytes;

/// Stamps the suite of disk caches on an adapter; the factory is an `async |bytes: u64| -> Arc<dyn DiskCache>`. It opens
/// the same folder whenever it is called, once the one before was dropped.
#[macro_export]
macro_rules! disk_cache_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                disk_cache, $open;
                a_frame_is_what_was_inserted_or_nothing,
                keys_that_differ_in_one_field_do_not_mix,
                what_was_kept_is_there_after_a_restart,
                what_it_holds_is_bounded,
                odd_frames_do_no_harm,
                concurrent_use_never_answers_another_frame,
            }
        }
    };
}

const FRAME: usize = 32 << 10;
const CAPACITY: u64 = 16 << 20;

fn key(number: u64) -> FrameKey {
    FrameKey {
        object: ObjectId(u128::from(number / 100) << 64),
        block: number / 10 % 10 * 4_096,
        frame: (number % 10) as u32,
    }
}

/// Inserts and asks until it is there: a cache keeps sooner or later, or drops.
async fn kept(cache: &dyn DiskCache, key: FrameKey, frame: &Bytes) -> Bytes {
    for _ in 0..1_000 {
        if let Some(found) = cache.frames(&[key]).await.pop().unwrap() {
            return found;
        }
        cache.insert(key, frame.clone());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{key:?} is never kept: {:?}", cache.usage());
}

pub async fn a_frame_is_what_was_inserted_or_nothing(open: impl AsyncFn(u64) -> Arc<dyn DiskCache>) {
    let cache = open(CAPACITY).await;
    assert_eq!(cache.frames(&[key(1), key(2)]).await, [None, None]);
    assert!(cache.frames(&[]).await.is_empty());
    let length = |number: u64| 1 + number as usize * 700 % FRAME;
    for number in 0..100 {
        let frame = bytes(number, length(number));
        assert!(kept(&*cache, key(number), &frame).await == frame);
    }
    let keys: Vec<FrameKey> = (0..120).rev().map(key).collect();
    for (number, found) in (0..120).rev().zip(cache.frames(&keys).await) {
        assert_eq!(found.is_some(), number < 100);
        assert!(found.is_none_or(|found| found == bytes(number, length(number))));
    }
    let usage = cache.usage();
    assert!(usage.hits >= 200 && usage.misses >= 22 && usage.used > 0 && !usage.is_off, "{usage:?}");
}

pub async fn keys_that_differ_in_one_field_do_not_mix(open: impl AsyncFn(u64) -> Arc<dyn DiskCache>) {
    let cache = open(CAPACITY).await;
    let mut inserted = Vec::new();
    for object in [0, 1, 1 << 64, u128::MAX] {
        for block in [0, 1, 1 << 40] {
            for frame in [0, 1, u32::MAX] {
                let key = FrameKey { object: ObjectId(object), block, frame };
                inserted.push((key, bytes(inserted.len() as u64, 100)));
            }
        }
    }
    for (key, frame) in &inserted {
        kept(&*cache, *key, frame).await;
    }
    for (key, frame) in &inserted {
        assert_eq!(cache.frames(&[*key]).await, [Some(frame.clone())], "{key:?}");
    }
}

pub async fn what_was_kept_is_there_after_a_restart(open: impl AsyncFn(u64) -> Arc<dyn DiskCache>) {
    for round in 0..3 {
        let cache = open(CAPACITY).await;
        for number in 0..round * 40 {
            assert_eq!(cache.frames(&[key(number)]).await, [Some(bytes(number, FRAME))], "{number}");
        }
        for number in round * 40..(round + 1) * 40 {
            kept(&*cache, key(number), &bytes(number, FRAME)).await;
        }
    }
}

pub async fn what_it_holds_is_bounded(open: impl AsyncFn(u64) -> Arc<dyn DiskCache>) {
    let cache = open(CAPACITY).await;
    for number in 0..3_000 {
        cache.insert(key(number), bytes(number, FRAME));
        assert!(cache.usage().used <= CAPACITY, "{:?}", cache.usage());
    }
    kept(&*cache, key(5_000), &bytes(5_000, FRAME)).await;
    let usage = cache.usage();
    assert!(usage.used <= CAPACITY && usage.limit == CAPACITY, "{usage:?}");
    let mut found = 0;
    for number in 0..3_000 {
        found += cache.frames(&[key(number)]).await.iter().flatten().count();
    }
    assert!(found * FRAME <= CAPACITY as usize, "{found}");
}

pub async fn odd_frames_do_no_harm(open: impl AsyncFn(u64) -> Arc<dyn DiskCache>) {
    let cache = open(CAPACITY).await;
    cache.insert(key(1), Bytes::new());
    cache.insert(key(2), bytes(2, 2 * CAPACITY as usize));
    cache.insert(key(3), bytes(3, 100));
    cache.insert(key(3), bytes(3, 100));
    kept(&*cache, key(3), &bytes(3, 100)).await;
    assert_eq!(cache.frames(&[key(1)]).await, [None]);
    assert!(!cache.usage().is_off);
}

pub async fn concurrent_use_never_answers_another_frame(open: impl AsyncFn(u64) -> Arc<dyn DiskCache>) {
    let cache = open(CAPACITY).await;
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        let cache = cache.clone();
        tasks.spawn(async move {
            for round in 0..1_500 {
                let number = (round * 31 + task * 17) % 1_297;
                match cache.frames(&[key(number)]).await.pop().unwrap() {
                    Some(frame) => assert!(frame == bytes(number, 20_000)),
                    None => cache.insert(key(number), bytes(number, 20_000)),
                }
            }
        });
    }
    tasks.join_all().await;
}
