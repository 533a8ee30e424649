use std::future::Future;

use dittofs_domain::{ObjectId, ShareId};
use dittofs_ports::{ContentError, ContentStore};

use super::*;

const SHARE: ShareId = ShareId(7);

/// Nothing here ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a memory store waited"),
    }
}

fn parts(parts: &[&'static str]) -> Vec<Bytes> {
    parts.iter().map(|part| Bytes::from_static(part.as_bytes())).collect()
}

#[test]
fn every_range_is_the_same_as_of_the_whole_however_it_is_divided() {
    let whole = b"abcdefghijkl";
    for divided in [parts(&["abcdefghijkl"]), parts(&["a", "", "bcd", "efghij", "kl", ""])] {
        let object = Object::new(divided);
        for start in 0..whole.len() {
            for end in start + 1..=whole.len() {
                let read = object.range(start as u64..end as u64).unwrap().concat();
                assert_eq!(read, whole[start..end]);
            }
        }
        assert_eq!(object.range(0..13), None);
        assert_eq!(object.range(12..13), None);
        assert_eq!(object.range(3..3), None);
    }
}

#[test]
fn slices_are_handed_out_without_a_copy() {
    let store = MemoryContentStore::new();
    let part = Bytes::from(vec![5; 1_000]);
    let address = part.as_ptr() as usize;
    now(store.put(SHARE, ObjectId(1), vec![part])).unwrap();
    let read = now(store.get(SHARE, ObjectId(1), 100..200)).unwrap();
    assert_eq!(read[0].as_ptr() as usize, address + 100);
}

#[test]
fn the_same_bytes_divided_otherwise_are_the_same_object() {
    let store = MemoryContentStore::new();
    now(store.put(SHARE, ObjectId(1), parts(&["ab", "cdef"]))).unwrap();
    now(store.put(SHARE, ObjectId(1), parts(&["abc", "", "d", "ef"]))).unwrap();
    for other in [parts(&["ab", "cdeX"]), parts(&["abcde"]), parts(&["abcdefg"]), parts(&[])] {
        assert!(matches!(now(store.put(SHARE, ObjectId(1), other)), Err(ContentError::Exists)));
    }
    assert_eq!(store.used(), 6);
}

#[test]
fn a_full_store_takes_nothing_and_deleting_makes_room() {
    let store = MemoryContentStore::with_capacity(10);
    now(store.put(SHARE, ObjectId(1), parts(&["123456"]))).unwrap();
    now(store.put(ShareId(8), ObjectId(1), parts(&["1234"]))).unwrap();
    assert!(matches!(now(store.put(SHARE, ObjectId(2), parts(&["1"]))), Err(ContentError::Full)));
    assert!(matches!(now(store.get(SHARE, ObjectId(2), 0..1)), Err(ContentError::NotFound)));
    now(store.put(SHARE, ObjectId(1), parts(&["123", "456"]))).unwrap();
    now(store.delete(SHARE, ObjectId(1))).unwrap();
    now(store.delete(SHARE, ObjectId(1))).unwrap();
    now(store.put(SHARE, ObjectId(2), parts(&["123456"]))).unwrap();
    assert_eq!(store.used(), 10);
}
