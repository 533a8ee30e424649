use std::net::Ipv4Addr;

use super::*;

const UNADMITTED: usize = 4;
/// Before that nobody who waits gives up, and after it those that were seated may be displaced.
const GRACE: Duration = Duration::from_secs(1);

fn network(last: u8) -> ClientNetwork {
    ClientNetwork::of(Ipv4Addr::new(192, 0, 2, last).into())
}

fn connections() -> Arc<Connections> {
    Connections::new(ConnectionBounds { all_max: 1000, address_max: 1000, unadmitted_max: UNADMITTED })
}

/// Newcomers that are known by their clients, at a front desk with so many places for unadmitted connections.
struct Desk {
    connections: Arc<Connections>,
    newcomers: Newcomers<u8>,
    seats: Vec<(u8, Seat)>,
    refused: Vec<u8>,
}

impl Desk {
    fn new() -> Desk {
        Desk { connections: connections(), newcomers: Newcomers::default(), seats: Vec::new(), refused: Vec::new() }
    }

    fn receive(&mut self, client: u8, now: Instant) {
        let who = (network(client), Arc::default());
        let received = self.newcomers.receive(&self.connections, who, client, now);
        self.note(received);
    }

    fn serve(&mut self, now: Instant) {
        let received = self.newcomers.serve(&self.connections, now);
        self.note(received);
    }

    fn note(&mut self, received: impl IntoIterator<Item = Received<u8>>) {
        for received in received {
            match received {
                Received::Seated(client, seat) => self.seats.push((client, seat)),
                Received::Refused(client, _) => self.refused.push(client),
            }
        }
    }

    fn seated(&self) -> Vec<u8> {
        self.seats.iter().map(|(client, _)| *client).collect()
    }
}

#[test]
fn newcomers_of_one_client_all_have_a_place_once_others_are_heard() {
    let (mut desk, now) = (Desk::new(), Instant::now());
    for _ in 0..60 {
        desk.receive(1, now);
    }
    assert_eq!((desk.seats.len(), desk.refused.len()), (2, 0));
    for _ in 0..30 {
        desk.seats.iter_mut().for_each(|(_, seat)| seat.admit());
        desk.serve(now);
    }
    assert_eq!((desk.seats.len(), desk.refused.len(), desk.connections.displaced()), (60, 0, 0));
    assert!(desk.newcomers.is_empty());
}

#[test]
fn who_has_fewest_unadmitted_comes_first_and_those_of_one_client_in_their_order() {
    let (mut desk, now) = (Desk::new(), Instant::now());
    for client in [1, 1, 2, 2, 1, 1, 2, 3] {
        desk.receive(client, now);
    }
    assert_eq!(desk.seated(), [1, 1, 2, 2]);
    desk.serve(now);
    assert_eq!(desk.seats.len(), 4, "nobody is displaced in its grace");
    // The place that becomes free is for the client that has none, though it came last.
    desk.seats[3].1.admit();
    desk.serve(now);
    assert_eq!(desk.seated(), [1, 1, 2, 2, 3]);
    // Who waits is seated in place of those that had their time.
    desk.serve(now + GRACE);
    assert_eq!(desk.seats.len(), 8);
    assert!(desk.newcomers.is_empty());
}

#[test]
fn who_waits_for_too_long_is_refused() {
    let (mut desk, now) = (Desk::new(), Instant::now());
    for client in [1, 1, 1] {
        desk.receive(client, now);
    }
    // All places of this client go to others that come later than the second of grace.
    desk.seats.clear();
    for _ in 0..2 {
        let seat = desk.connections.take(network(1), Arc::default(), now + PATIENCE).expect("there is room");
        desk.seats.push((9, seat));
    }
    desk.serve(now + PATIENCE - Duration::from_millis(1));
    assert!(desk.refused.is_empty());
    desk.serve(now + PATIENCE);
    assert_eq!((desk.refused.as_slice(), desk.newcomers.is_empty()), (&[1][..], true));
}

#[test]
fn where_too_many_wait_the_newest_of_the_client_that_has_most_is_refused() {
    let (mut desk, now) = (Desk::new(), Instant::now());
    for _ in 0..ConnectionBounds::NEWCOMERS_MAX + 2 {
        desk.receive(1, now);
    }
    assert_eq!((desk.seats.len(), desk.refused.len()), (2, 0));
    for client in [1, 2, 3, 2] {
        desk.receive(client, now);
    }
    assert_eq!(desk.refused, [1, 1, 1, 1]);
    desk.serve(now);
    assert_eq!(desk.seated(), [1, 1, 2, 3], "the others have places of their own");
}

#[test]
fn a_bound_at_which_all_are_busy_refuses_at_once() {
    let bounds = ConnectionBounds { all_max: 1, address_max: 1, unadmitted_max: 9 };
    let mut desk = Desk { connections: Connections::new(bounds), ..Desk::new() };
    let now = Instant::now();
    desk.receive(1, now);
    desk.seats[0].1.busy();
    desk.receive(2, now);
    assert_eq!((desk.seated(), desk.refused.as_slice()), (vec![1], &[2][..]));
}
