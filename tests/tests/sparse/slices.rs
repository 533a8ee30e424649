//! Many small writes that are not flushed.

use std::{
    future::{Future, poll_fn},
    pin::pin,
};

use dittofs_ports::BlockService;

use crate::share::Share;

const SLICES: u64 = 20_000;
/// How much of them is gone through between two pauses, at most.
const AT_ONCE: u64 = 1_024;

#[tokio::test(start_paused = true)]
async fn a_read_over_many_slices_lets_others_work() {
    let share = Share::new().await;
    let file = share.create("slices", 0o644).await;
    for number in 0..SLICES {
        share.write(file, number * 2, vec![b'x']).await;
    }
    let mut pauses = 0;
    let mut read = pin!(share.world.share.read(&share.caller, file, 0, SLICES as u32 * 2));
    let reply = poll_fn(|context| {
        let polled = read.as_mut().poll(context);
        pauses += u64::from(polled.is_pending());
        polled
    });
    let segments = reply.await.unwrap().data;
    // A reference to each slice, and to each hole between two, would take 64 times the memory of the reply.
    assert_eq!(segments.len(), 1);
    let data = segments.concat();
    assert_eq!(data.len() as u64, SLICES * 2 - 1);
    assert!(data.chunks(2).all(|pair| matches!(pair, b"x\0" | b"x")));
    // Holes lie between them.
    assert!(pauses >= SLICES * 2 / AT_ONCE, "{pauses} pauses");
    share.flush().await;
    assert_eq!(share.read(file, 0..SLICES * 2).await, data);
}

#[tokio::test(start_paused = true)]
async fn many_slices_over_content_that_was_flushed_are_read_as_they_were_written() {
    let share = Share::new().await;
    let file = share.create("slices", 0o644).await;
    let mut bytes: Vec<u8> = (0..300_000_u32).map(|at| (at % 253) as u8).collect();
    share.write(file, 0, bytes.clone()).await;
    // Behind these there is a hole.
    bytes.resize(400_000, 0);
    share.write(file, 399_999, vec![0]).await;
    share.flush().await;
    // Crowds with single slices between them, and a range that is written over and over.
    for at in (7_000..90_000).step_by(3).chain((100_000..290_000).step_by(4_096)).chain(295_000..305_000) {
        bytes[at] = 254;
        share.write(file, at as u64, vec![254]).await;
    }
    for range in [0..400_000_u64, 6_999..7_001, 89_000..300_001, 7_001..90_000, 295_500..304_000, 304_990..400_000] {
        assert_eq!(share.read(file, range.clone()).await, bytes[range.start as usize..range.end as usize], "{range:?}");
    }
    share.flush().await;
    assert_eq!(share.read(file, 0..400_000).await, bytes);
}
