use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use dittofs_transport::ClientNetwork;

use super::{ADDRESS, ENTRIES_MAX, Throttle, USER};

fn client(number: u32) -> ClientNetwork {
    ClientNetwork::of(IpAddr::V4(Ipv4Addr::from_bits(number)))
}

/// A user whom the throttle tells from another one.
fn other_than(throttle: &Throttle, user: &str) -> String {
    let names = (0..).map(|number| format!("user{number}"));
    names.into_iter().find(|name| throttle.number(name) != throttle.number(user)).unwrap()
}

#[test]
fn who_fails_too_often_waits_and_nobody_else() {
    let (mut throttle, start) = (Throttle::default(), Instant::now());
    let other = other_than(&throttle, "alice");
    (0..USER.failures_max).for_each(|_| throttle.note(client(1), "alice", start));
    assert!(throttle.is_throttled(client(1), "alice", start) && throttle.is_throttled(client(1), "ALICE", start));
    assert!(!throttle.is_throttled(client(2), "alice", start), "an address keeps out no other");
    assert!(!throttle.is_throttled(client(1), &other, start), "a user keeps out no other");
    assert!(!throttle.is_throttled(client(1), "alice", start + Duration::from_secs(2)));
}

#[test]
fn a_few_passwords_for_each_of_many_users_are_too_many_as_well() {
    let (mut throttle, start) = (Throttle::default(), Instant::now());
    (0..ADDRESS.failures_max).for_each(|number| throttle.note(client(1), &format!("user{number}"), start));
    assert!(throttle.is_throttled(client(1), "alice", start));
    assert!(!throttle.is_throttled(client(2), "alice", start));
}

#[test]
fn any_number_of_clients_and_names_takes_bounded_memory() {
    let (mut throttle, now) = (Throttle::default(), Instant::now());
    (0..3 * ENTRIES_MAX as u32).for_each(|number| throttle.note(client(number), &number.to_string(), now));
    assert!(throttle.addresses.0.len() <= ENTRIES_MAX && throttle.users.0.len() <= ENTRIES_MAX);
    (0..3 * ENTRIES_MAX as u32).for_each(|number| throttle.note(client(1), &number.to_string(), now));
    let of_one = throttle.users.0.keys().filter(|(network, _)| *network == client(1)).count();
    assert!(of_one <= 256, "{of_one}");
}
