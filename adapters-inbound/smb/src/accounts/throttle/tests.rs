use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use dittofs_transport::ClientNetwork;

use super::{CLIENTS_MAX, FAILURES_MAX, Throttle};

fn client(number: u32) -> ClientNetwork {
    ClientNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
}

#[test]
fn who_fails_too_often_waits_and_nobody_else() {
    let (mut throttle, start) = (Throttle::default(), Instant::now());
    (0..FAILURES_MAX).for_each(|_| throttle.note(client(1), start));
    assert!(throttle.is_throttled(client(1), start) && !throttle.is_throttled(client(2), start));
    assert!(!throttle.is_throttled(client(1), start + Duration::from_secs(2)));
}

#[test]
fn any_number_of_clients_takes_bounded_memory() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    (0..3 * CLIENTS_MAX as u32).for_each(|number| throttle.note(client(number), now));
    assert!(throttle.0.len() <= CLIENTS_MAX);
}
