use std::net::Ipv4Addr;
use std::task::Waker;
use std::time::Duration;

use super::*;

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

fn bounds(all_max: usize, address_max: usize, strangers_max: usize) -> Arc<Connections> {
    Connections::new(ConnectionBounds { all_max, address_max, strangers_max })
}

/// When newcomers come: all others have been there for long.
fn later(connections: &Connections) -> Instant {
    connections.started + Duration::from_secs(100)
}

/// A connection that was last active so many seconds after the start.
fn sit(connections: &Arc<Connections>, last: u8, seconds: u64) -> (Seat, Arc<Control>) {
    let control = Arc::new(Control::default());
    let seat = connections.take(address(last), Arc::clone(&control), later(connections)).expect("there is room");
    seat.idle_since(connections.started + Duration::from_secs(seconds));
    (seat, control)
}

fn wish(of: &(Seat, Arc<Control>)) -> Wish {
    of.1.wish(Waker::noop())
}

#[test]
fn the_idlest_makes_room_and_counts_no_more() {
    let connections = bounds(3, 3, 3);
    let sitting = [sit(&connections, 1, 30), sit(&connections, 2, 10), sit(&connections, 3, 20)];
    let newest = sit(&connections, 4, 40);
    assert_eq!(sitting.each_ref().map(wish), [Wish::Run, Wish::Drain, Wish::Run]);
    assert_eq!((connections.open(), connections.displaced()), (3, 1));
    drop(sitting);
    assert_eq!(connections.open(), 1);
    drop(newest);
    let state = connections.state.lock();
    assert!(state.open.is_empty() && state.by_address.is_empty() && state.strangers == 0);
}

#[test]
fn the_busy_stay_and_the_newcomer_is_refused() {
    let connections = bounds(2, 2, 2);
    let sitting = [sit(&connections, 1, 1), sit(&connections, 2, 2)];
    sitting.iter().for_each(|(seat, _)| seat.busy());
    let refused = connections.take(address(3), Arc::default(), later(&connections)).map(drop);
    assert_eq!(refused, Err(Full::Strangers));
    assert!(!connections.make_room());
    sitting[0].0.idle_since(connections.started);
    assert!(connections.make_room());
    assert_eq!(wish(&sitting[0]), Wish::Drain);
}

#[test]
fn an_address_at_its_bound_displaces_its_own() {
    let connections = bounds(10, 2, 10);
    let idle_stranger = sit(&connections, 9, 0);
    let sitting = [sit(&connections, 1, 5), sit(&connections, 1, 4)];
    let _third = sit(&connections, 1, 6);
    assert_eq!((wish(&sitting[0]), wish(&sitting[1]), wish(&idle_stranger)), (Wish::Run, Wish::Drain, Wish::Run));
}

#[test]
fn strangers_displace_strangers_and_the_admitted_stay() {
    let connections = bounds(100, 100, 2);
    let mut admitted = sit(&connections, 1, 0);
    admitted.0.admit();
    admitted.0.admit();
    assert!(!admitted.0.is_stranger());
    let strangers = [sit(&connections, 2, 1), sit(&connections, 3, 2)];
    let _more = sit(&connections, 4, 3);
    assert_eq!((wish(&admitted), wish(&strangers[0]), wish(&strangers[1])), (Wish::Run, Wish::Drain, Wish::Run));
    assert_eq!(connections.state.lock().strangers, 2);
}

#[test]
fn strangers_have_time_to_speak_before_they_are_displaced() {
    // Also those that come as soon as it has started.
    for begin in [0, 10] {
        let connections = bounds(100, 100, 2);
        let take = |graces| connections.take(address(9), Arc::default(), connections.started + graces * STRANGER_GRACE);
        let first = [take(begin), take(begin)];
        assert_eq!(take(begin).map(drop), Err(Full::Strangers));
        assert!(take(begin + 1).is_ok());
        drop(first);
    }
}

#[test]
fn one_that_was_displaced_may_still_be_admitted_and_dropped() {
    let connections = bounds(1, 1, 1);
    let mut first = sit(&connections, 1, 0);
    let _second = sit(&connections, 1, 1);
    first.0.admit();
    drop(first);
    assert_eq!((connections.open(), connections.state.lock().strangers), (1, 1));
}
