//! Many small writes that are not flushed.

use std::{
    future::{Future, poll_fn},
    pin::pin,
};

use dittofs_ports::BlockService;

use crate::share::Share;

const SLICES: u64 = 20_000;
/// How much of them is gone through between two pauses, at most.
const AT_ONCE: u64 = 2_048;

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
    let data = reply.await.unwrap().data.concat();
    assert_eq!(data.len() as u64, SLICES * 2 - 1);
    assert!(data.chunks(2).all(|pair| matches!(pair, b"x\0" | b"x")));
    // They are found first, and then fetched; holes lie between them.
    assert!(pauses >= 2 * (SLICES * 2 / AT_ONCE), "{pauses} pauses");
    share.flush().await;
    assert_eq!(share.read(file, 0..SLICES * 2).await, data);
}
