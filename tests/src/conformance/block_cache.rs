//! Block caches: bounded, and never wrong.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use dittofs_domain::ObjectId;
use dittofs_ports::{BlockCache, FrameKey};
use tokio::task::JoinSet;

use super::payload::bytes;

/// Stamps the suite of block caches on an adapter; the factory is an `async |bytes: u64| -> Arc<dyn BlockCache>`.
#[macro_export]
macro_rules! block_cache_conformance {
    ($adapter:ident, $open:expr) => {
        mod $adapter {
            use super::*;
            $crate::conformance_cases! {
                block_cache, $open;
                a_frame_is_what_was_inserted_or_nothing,
                keys_that_differ_in_one_field_do_not_mix,
                what_it_pins_is_bounded,
                a_frame_beyond_the_bound_does_no_harm,
                concurrent_use_never_answers_another_frame,
            }
        }
    };
}

const FRAME: usize = 32 << 10;
const CAPACITY: u64 = 4 << 20;

fn key(number: u64) -> FrameKey {
    FrameKey {
        object: ObjectId(u128::from(number / 100) << 64),
        block: number / 10 % 10 * 4_096,
        frame: (number % 10) as u32,
    }
}

pub async fn a_frame_is_what_was_inserted_or_nothing(open: impl AsyncFn(u64) -> Arc<dyn BlockCache>) {
    let cache = open(CAPACITY).await;
    assert_eq!(cache.frame(&key(1)), None);
    for number in 0..300 {
        let len = 1 + number as usize * 700 % FRAME;
        cache.insert(key(number), bytes(number, len));
        for earlier in 0..=number {
            if let Some(frame) = cache.frame(&key(earlier)) {
                assert_eq!(frame, bytes(earlier, 1 + earlier as usize * 700 % FRAME));
            }
        }
    }
}

pub async fn keys_that_differ_in_one_field_do_not_mix(open: impl AsyncFn(u64) -> Arc<dyn BlockCache>) {
    let cache = open(CAPACITY).await;
    let mut inserted = HashMap::new();
    for object in [0, 1, 1 << 64, u128::MAX] {
        for block in [0, 1, 1 << 40] {
            for frame in [0, 1, u32::MAX] {
                let key = FrameKey { object: ObjectId(object), block, frame };
                let data = bytes(inserted.len() as u64, 100);
                cache.insert(key, data.clone());
                inserted.insert(key, data);
            }
        }
    }
    for (key, data) in inserted {
        assert!(cache.frame(&key).is_none_or(|frame| frame == data), "{key:?}");
    }
}

/// A buffer that counts into the memory that is kept alive.
struct Counted {
    bytes: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl Counted {
    fn buffer(bytes: Vec<u8>, alive: &Arc<AtomicUsize>) -> Bytes {
        alive.fetch_add(bytes.len(), Ordering::SeqCst);
        Bytes::from_owner(Counted { bytes, alive: alive.clone() })
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(self.bytes.len(), Ordering::SeqCst);
    }
}

pub async fn what_it_pins_is_bounded(open: impl AsyncFn(u64) -> Arc<dyn BlockCache>) {
    // Caches may evict later than they insert, but only a bounded number of frames later.
    const LATE: usize = 256;
    let cache = open(CAPACITY).await;
    let alive = Arc::new(AtomicUsize::new(0));
    let bound = CAPACITY as usize + LATE * FRAME;
    for number in 0..1_500 {
        cache.insert(key(number), Counted::buffer(bytes(number, FRAME).to_vec(), &alive));
        cache.frame(&key(number / 2));
        assert!(alive.load(Ordering::SeqCst) <= bound, "{alive:?} bytes are kept");
    }
    let found = (0..1_500).filter(|number| cache.frame(&key(*number)).is_some()).count();
    assert!(found * FRAME <= bound, "{found} frames of {FRAME} bytes are kept");
}

pub async fn a_frame_beyond_the_bound_does_no_harm(open: impl AsyncFn(u64) -> Arc<dyn BlockCache>) {
    let cache = open(CAPACITY).await;
    cache.insert(key(1), bytes(1, 100));
    let huge = bytes(2, 2 * CAPACITY as usize);
    for number in 2..5 {
        cache.insert(key(number), huge.clone());
    }
    assert!(cache.frame(&key(1)).is_none_or(|frame| frame == bytes(1, 100)));
    for number in 2..5 {
        assert!(cache.frame(&key(number)).is_none_or(|frame| frame == huge));
    }
}

pub async fn concurrent_use_never_answers_another_frame(open: impl AsyncFn(u64) -> Arc<dyn BlockCache>) {
    let cache = open(1 << 20).await;
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        let cache = cache.clone();
        tasks.spawn(async move {
            for round in 0..2_000 {
                let number = (round * 31 + task * 17) % 97;
                match cache.frame(&key(number)) {
                    Some(frame) => assert_eq!(frame, bytes(number, 20_000)),
                    None => cache.insert(key(number), bytes(number, 20_000)),
                }
            }
        });
    }
    tasks.join_all().await;
}
