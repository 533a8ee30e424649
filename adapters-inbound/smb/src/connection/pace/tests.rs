use std::{future::pending, net::IpAddr, time::Duration};

use dittofs_transport::{ClientNetwork, MemoryBudget};
use tokio::time::{Instant, advance, sleep};

use super::Pace;
use crate::calls::Broken;

const USUAL: Duration = Duration::from_secs(30);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn client(last: u8) -> ClientNetwork {
    ClientNetwork::of(IpAddr::from([10, 0, 0, last]))
}

#[tokio::test(start_paused = true)]
async fn single_bytes_do_not_begin_the_time_anew() {
    let (mut pace, begun) = (Pace::new(), Instant::now());
    for _ in 0..10 {
        assert_eq!(pace.wait(USUAL, false), begun + USUAL);
        pace.moved(1);
        advance(seconds(1)).await;
    }
    pace.moved(64 << 10);
    assert_eq!(pace.wait(USUAL, false), begun + seconds(40));
}

#[tokio::test(start_paused = true)]
async fn who_stands_still_has_a_second_where_others_wait_for_room() {
    let (mut pace, begun) = (Pace::new(), Instant::now());
    assert_eq!(pace.wait(USUAL, true), begun + seconds(1));
    for second in 1..=10 {
        advance(seconds(1)).await;
        pace.moved(1 << 10);
        let until = begun + seconds(second + 1).min(seconds(5));
        assert_eq!(pace.wait(USUAL, true), until, "a step each second is too slow in the end");
    }
    assert_eq!(pace.wait(USUAL, false), begun + USUAL);
}

#[tokio::test(start_paused = true)]
async fn the_time_stands_while_it_is_not_the_client_who_is_waited_for() {
    let mut pace = Pace::new();
    pace.wait(USUAL, false);
    pace.end();
    advance(seconds(100)).await;
    assert_eq!(pace.wait(USUAL, false), Instant::now() + USUAL);
}

#[tokio::test(start_paused = true)]
async fn it_is_noticed_that_others_begin_to_wait_for_room() {
    let budget = MemoryBudget::new(1 << 20);
    let (holder, other) = (budget.account(client(1)), budget.account(client(2)));
    let (_held, _all) = (holder.try_charge(300 << 10), budget.account(client(3)).try_charge(300 << 10));
    let ask = |account: dittofs_transport::Account| async move {
        std::future::poll_fn(|context| account.poll_charge(1 << 20, context)).await;
    };
    let (mut pace, begun) = (Pace::new(), Instant::now());
    let waits = async {
        sleep(seconds(10)).await;
        ask(other).await;
    };
    tokio::select! {
        ended = pace.within::<()>(USUAL, &holder, pending()) => assert_eq!(ended, Err(Broken)),
        () = waits => unreachable!("there is no room"),
    }
    let took = begun.elapsed();
    assert!(took >= seconds(10) && took < seconds(12), "{took:?}");
}
