//! Letting others work: what goes through much, and never waits, would else keep its thread.

use std::{future::poll_fn, task::Poll};

/// Comes back when the others of its thread have had their turn.
pub(super) async fn breathe() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
