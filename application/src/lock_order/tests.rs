use std::{future::ready, panic::AssertUnwindSafe};

use futures_util::{FutureExt, future::join};

use super::*;

async fn take(rank: Rank) -> Ordered<()> {
    Ordered::take(rank, ready(())).await
}

fn node(id: u64) -> Rank {
    Rank::Node(NodeId(id))
}

/// Takes two locks one after the other; answers whether that was allowed.
fn may(first: Rank, second: Rank) -> bool {
    let both = strand(async {
        let _first = take(first).await;
        let _second = take(second).await;
    });
    matches!(AssertUnwindSafe(both).catch_unwind().now_or_never(), Some(Ok(())))
}

#[test]
fn locks_are_taken_downwards_only() {
    let order = [Rank::Collecting, Rank::Gate, Rank::Flushing, node(1), node(2), Rank::Cloning];
    for (place, first) in order.iter().enumerate() {
        for (other, second) in order.iter().enumerate() {
            assert_eq!(may(*first, *second), place < other, "{first:?}, then {second:?}");
        }
    }
}

#[test]
fn who_holds_a_node_lock_waits_for_no_room_and_nothing_outside() {
    let held = |rank, wait: fn()| {
        let work = strand(async move {
            let _held = take(rank).await;
            wait();
        });
        matches!(AssertUnwindSafe(work).catch_unwind().now_or_never(), Some(Ok(())))
    };
    assert!(!held(node(1), || may_wait_for(Rank::Room)));
    assert!(!held(Rank::Flushing, || may_wait_for(Rank::Room)));
    assert!(held(Rank::Gate, || may_wait_for(Rank::Room)));
    assert!(!held(node(1), may_wait_outside));
    assert!(held(Rank::Flushing, may_wait_outside));
}

#[test]
fn a_lock_that_was_let_go_is_not_held() {
    let work = strand(async {
        drop(take(node(2)).await);
        let _again = take(node(1)).await;
    });
    work.now_or_never().unwrap();
}

#[test]
fn branches_hold_what_their_strand_held_and_nothing_of_each_other() {
    let beside = |id| {
        branch(async move {
            let _lock = take(node(id)).await;
            tokio::task::yield_now().await;
        })
    };
    let work = strand(async {
        let _flushing = take(Rank::Flushing).await;
        join(beside(2), beside(1)).await;
        branch(async { may_wait_for(Rank::Gate) }).await;
    });
    let mut work = Box::pin(AssertUnwindSafe(work).catch_unwind());
    let ended = loop {
        if let Some(ended) = work.as_mut().now_or_never() {
            break ended;
        }
    };
    assert!(ended.is_err(), "the strand holds the flusher's lock");
}

#[test]
fn outside_of_strands_nothing_is_asserted() {
    let work = async {
        let _second = take(node(2)).await;
        let _first = take(node(1)).await;
    };
    work.now_or_never().unwrap();
}
