use dittofs_domain::ObjectId;

use super::*;

fn key(n: u32) -> FrameKey {
    FrameKey { object: ObjectId(7), block: 4_096, frame: n }
}

#[test]
fn what_is_kept_stays_within_the_bound() {
    let cache = MokaBlockCache::new(1 << 20);
    for n in 0..1_000 {
        cache.insert(key(n), Bytes::from(vec![n as u8; 10_000]));
    }
    cache.frames.run_pending_tasks();
    assert!(cache.used() <= 1 << 20);
    let usage = cache.usage();
    assert_eq!((usage.used, usage.limit), (cache.used(), 1 << 20));
    assert!((800..1_000).contains(&usage.evicted), "{usage:?}");
    let kept: Vec<u32> = (0..1_000).filter(|n| cache.frame(&key(*n)).is_some()).collect();
    assert!(!kept.is_empty() && kept.len() <= (1 << 20) / 10_000);
    for n in kept {
        assert_eq!(cache.frame(&key(n)).unwrap(), vec![n as u8; 10_000]);
    }
}

#[test]
fn a_frame_is_found_by_object_block_and_number() {
    let cache = MokaBlockCache::new(1 << 20);
    cache.insert(key(1), Bytes::from_static(b"one"));
    assert_eq!(cache.frame(&key(1)).unwrap(), "one");
    for other in [key(2), FrameKey { object: ObjectId(8), ..key(1) }, FrameKey { block: 0, ..key(1) }] {
        assert_eq!(cache.frame(&other), None);
    }
}

#[test]
fn a_frame_greater_than_the_cache_is_not_kept() {
    let cache = MokaBlockCache::new(1_000);
    cache.insert(key(1), Bytes::from(vec![1; 10_000]));
    cache.frames.run_pending_tasks();
    assert_eq!(cache.used(), 0);
}
