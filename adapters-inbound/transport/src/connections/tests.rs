use std::net::Ipv4Addr;
use std::task::Waker;
use std::time::Duration;

use super::*;

fn network(last: u8) -> ClientNetwork {
    ClientNetwork::of(Ipv4Addr::new(192, 0, 2, last).into())
}

fn bounds(all_max: usize, address_max: usize, unadmitted_max: usize) -> Arc<Connections> {
    Connections::new(ConnectionBounds { all_max, address_max, unadmitted_max })
}

fn at(connections: &Connections, seconds: u64) -> Instant {
    connections.started + Duration::from_secs(seconds)
}

/// When newcomers come: all others have been there for long.
fn later(connections: &Connections) -> Instant {
    at(connections, 100)
}

/// A connection that has come so many seconds after the start, and done nothing since.
fn sit(connections: &Arc<Connections>, last: u8, seconds: u64) -> (Seat, Arc<Control>) {
    let control = Arc::new(Control::default());
    let seat = connections.take(network(last), Arc::clone(&control), at(connections, seconds));
    (seat.expect("there is room"), control)
}

/// One that a share has answered.
fn sit_admitted(connections: &Arc<Connections>, last: u8, seconds: u64) -> (Seat, Arc<Control>) {
    let mut sitting = sit(connections, last, seconds);
    sitting.0.admit();
    sitting
}

fn wish(of: &(Seat, Arc<Control>)) -> Wish {
    of.1.wish(Waker::noop())
}

#[test]
fn the_idlest_makes_room_and_counts_no_more() {
    let connections = bounds(3, 3, 3);
    let sitting = [(1, 30), (2, 10), (3, 20)].map(|(last, seconds)| sit_admitted(&connections, last, seconds));
    let newest = sit(&connections, 4, 40);
    assert_eq!(sitting.each_ref().map(wish), [Wish::Run, Wish::Drain, Wish::Run]);
    assert_eq!((connections.open(), connections.displaced()), (3, 1));
    drop(sitting);
    assert_eq!(connections.open(), 1);
    drop(newest);
    let state = connections.state.lock();
    assert!(state.open.is_empty() && state.by_network.is_empty() && state.unadmitted.is_empty());
}

#[test]
fn the_busy_stay_and_the_newcomer_is_refused() {
    let connections = bounds(2, 2, 2);
    let sitting = [sit_admitted(&connections, 1, 1), sit_admitted(&connections, 2, 2)];
    sitting.iter().for_each(|(seat, _)| seat.busy());
    let refused = connections.take(network(3), Arc::default(), later(&connections)).map(drop);
    assert_eq!(refused, Err(Full::All));
    assert!(!connections.make_room());
    sitting[0].0.idle_since(connections.started);
    assert!(connections.make_room());
    assert_eq!(wish(&sitting[0]), Wish::Drain);
}

#[test]
fn an_address_at_its_bound_displaces_its_own() {
    let connections = bounds(10, 2, 10);
    let idle_unadmitted = sit(&connections, 9, 0);
    let sitting = [sit_admitted(&connections, 1, 5), sit_admitted(&connections, 1, 4)];
    let _third = sit(&connections, 1, 6);
    assert_eq!((wish(&sitting[0]), wish(&sitting[1]), wish(&idle_unadmitted)), (Wish::Run, Wish::Drain, Wish::Run));
}

#[test]
fn the_unadmitted_displace_each_other_and_the_admitted_stay() {
    let connections = bounds(100, 100, 2);
    let mut admitted = sit_admitted(&connections, 1, 0);
    admitted.0.admit();
    assert!(!admitted.0.is_unadmitted());
    let unadmitted = [sit(&connections, 2, 1), sit(&connections, 3, 2)];
    let _more = sit(&connections, 4, 3);
    assert_eq!((wish(&admitted), wish(&unadmitted[0]), wish(&unadmitted[1])), (Wish::Run, Wish::Drain, Wish::Run));
    assert_eq!(connections.state.lock().unadmitted.len(), 2);
}

#[test]
fn the_unadmitted_have_time_to_speak_before_they_are_displaced() {
    // Also those that come as soon as it has started.
    for begin in [0, 10] {
        let connections = bounds(100, 100, 2);
        let take = |last, graces| {
            connections.take(network(last), Arc::default(), connections.started + graces * UNADMITTED_GRACE)
        };
        let first = [take(1, begin), take(2, begin)];
        assert_eq!(take(3, begin).map(drop), Err(Full::Unadmitted));
        assert!(take(3, begin + 1).is_ok());
        drop(first);
    }
}

#[test]
fn what_an_unadmitted_connection_does_lengthens_neither_its_grace_nor_its_stay() {
    let connections = bounds(100, 100, 2);
    let unadmitted = [sit(&connections, 1, 1), sit(&connections, 2, 1)];
    // One has just sent something, and the other is being answered.
    unadmitted[0].0.idle_since(at(&connections, 2));
    unadmitted[1].0.busy();
    let _third = sit(&connections, 3, 2);
    assert_eq!(unadmitted.each_ref().map(wish), [Wish::Drain, Wish::Run], "the busy one is last");
    let _fourth = sit(&connections, 4, 2);
    assert_eq!(wish(&unadmitted[1]), Wish::Drain);
}

#[test]
fn an_unadmitted_connection_that_is_active_goes_before_an_admitted_one_that_came_later() {
    let connections = bounds(2, 2, 2);
    let (unadmitted, admitted) = (sit(&connections, 1, 1), sit_admitted(&connections, 2, 2));
    unadmitted.0.idle_since(at(&connections, 3));
    let _newcomer = sit(&connections, 3, 3);
    assert_eq!((wish(&unadmitted), wish(&admitted)), (Wish::Drain, Wish::Run));
}

#[test]
fn one_client_has_half_of_the_places_of_the_unadmitted() {
    let connections = bounds(100, 100, 6);
    let other = sit(&connections, 2, 0);
    let own = [sit(&connections, 1, 1), sit(&connections, 1, 1), sit(&connections, 1, 1)];
    let refused = connections.take(network(1), Arc::default(), at(&connections, 1)).map(drop);
    assert_eq!(refused, Err(Full::Unadmitted));
    let _fourth = sit(&connections, 1, 2);
    assert_eq!(own.each_ref().map(wish), [Wish::Drain, Wish::Run, Wish::Run]);
    assert_eq!(wish(&other), Wish::Run);
    assert_eq!((connections.unadmitted_of(network(1)), connections.unadmitted_of(network(2))), (3, 1));
}

#[test]
fn a_client_displaces_no_unadmitted_connection_of_one_that_has_fewer() {
    let connections = bounds(100, 100, 6);
    let few = [2, 3, 4, 5].map(|last| sit(&connections, last, 0));
    let _own = [sit(&connections, 1, 3), sit(&connections, 1, 3)];
    let refused = connections.take(network(1), Arc::default(), at(&connections, 3)).map(drop);
    assert_eq!(refused, Err(Full::Unadmitted));
    let _another = sit(&connections, 6, 3);
    assert_eq!(few.each_ref().map(wish), [Wish::Drain, Wish::Run, Wish::Run, Wish::Run]);
}

#[test]
fn of_the_unadmitted_one_goes_of_the_client_that_has_most_and_of_none_that_has_fewer() {
    let connections = bounds(100, 100, 6);
    let few = sit(&connections, 1, 0);
    let most = [sit(&connections, 2, 1), sit(&connections, 2, 1), sit(&connections, 2, 3)];
    let some = [sit(&connections, 3, 1), sit(&connections, 3, 1)];
    // The idlest is another client's.
    let newcomer = sit(&connections, 4, 3);
    assert_eq!(most.each_ref().map(wish), [Wish::Drain, Wish::Run, Wish::Run]);
    // Two have two now; the oldest of those goes.
    let _another = sit(&connections, 4, 3);
    assert_eq!((wish(&most[1]), wish(&some[0])), (Wish::Drain, Wish::Run));
    let _third = sit(&connections, 4, 3);
    assert_eq!((wish(&some[0]), wish(&newcomer), wish(&few)), (Wish::Drain, Wish::Run, Wish::Run));
}

#[test]
fn one_that_was_displaced_may_still_be_admitted_and_dropped() {
    let connections = bounds(1, 1, 1);
    let mut first = sit(&connections, 1, 0);
    let _second = sit(&connections, 1, 1);
    first.0.admit();
    drop(first);
    assert_eq!((connections.open(), connections.state.lock().unadmitted.len()), (1, 1));
}

#[test]
fn who_does_not_get_in_displaces_nobody() {
    let connections = bounds(9, 1, 1);
    let busy = sit_admitted(&connections, 2, 1);
    busy.0.busy();
    let unadmitted = sit(&connections, 1, 1);
    let refused = connections.take(network(2), Arc::default(), later(&connections)).map(drop);
    assert_eq!((refused, wish(&unadmitted)), (Err(Full::Address), Wish::Run));
}
