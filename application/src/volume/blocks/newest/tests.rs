use dittofs_domain::ObjectId;

use super::*;

fn key(frame: u32) -> FrameKey {
    FrameKey { object: ObjectId(1), block: 0, frame }
}

#[test]
fn the_newest_are_kept_and_their_memory_is_bounded() {
    let mut newest = Newest::new(100_000);
    for frame in 0..1_000 {
        newest.put(key(frame), Bytes::from(vec![frame as u8; 1_000]));
        newest.put(key(frame), Bytes::from(vec![frame as u8; 900]));
        assert!(newest.find(&key(frame)).is_some_and(|bytes| bytes.len() == 900));
        let held: usize = newest.entries.values().map(Bytes::len).sum();
        assert!(held <= 100_000 && newest.order.len() == newest.entries.len());
    }
    assert!(newest.find(&key(920)).is_some() && newest.find(&key(800)).is_none());
    newest.put(key(1), Bytes::from(vec![0; 200_000]));
    assert!(newest.entries.is_empty() && newest.bytes == 0);
}
