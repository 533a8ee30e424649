//! The bounds over all connections.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dittofs_nfs::transport::Limits;
use dittofs_transport::{Bounds, BoundsOptions, ConnectionBounds, MemoryBudget};

use crate::toy::{Client, READ, Running, WRITE_LATER, call, start_bounded};

const MIB: u64 = 1 << 20;
/// The memory that connections share in these tests.
const SHARED: u64 = 16 * MIB;
/// The bytes that may exceed the budget for a moment: only the part of a reply that was not foreseen.
const SLACK: u64 = 64 << 10;

pub(crate) fn bounds(all_max: usize, address_max: usize, unadmitted_max: usize) -> Bounds {
    let connections = ConnectionBounds { all_max, address_max, unadmitted_max };
    let own = all_max as u64 * MemoryBudget::OWN_BYTES;
    // Own bytes are at most three quarters.
    let memory_bytes = (own + SHARED).max(own.div_ceil(3) * 4);
    Bounds::new(&BoundsOptions { memory_bytes, connections, descriptors: None })
}

fn roomy() -> Bounds {
    let memory = MemoryBudget::new(SHARED);
    Bounds { memory, ..bounds(1000, 1000, 1000) }
}

/// Limits whose times pass while a test waits.
pub(crate) fn impatient() -> Limits {
    let stall_when_short = Duration::from_millis(300);
    Limits { timeout_when_short: Duration::from_secs(2), stall_when_short, ..Limits::default() }
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A client that a share has answered.
pub(crate) fn admitted(address: SocketAddr) -> Client {
    let mut client = Client::connect(address);
    client.echo(0);
    client
}

fn assert_nothing_leaked(running: &Running) {
    wait_until("connections stay", || running.server.connections() == 0);
    let usage = running.bounds.memory.usage();
    assert_eq!((usage.taken, usage.waiting, running.bounds.connections.open()), (0, 0, 0));
    assert!(usage.taken_max <= SHARED + SLACK, "{usage:?}");
}

#[test]
fn the_idlest_connection_makes_room() {
    let running = start_bounded(Limits::default(), bounds(3, 3, 3), 2);
    let mut clients: Vec<Client> = (0..3).map(|_| admitted(running.address)).collect();
    std::thread::sleep(Duration::from_millis(20));
    clients[0].echo(1);
    clients[2].echo(1);
    admitted(running.address).echo(2);
    assert!(clients[1].is_closed());
    clients[0].echo(3);
    clients[2].echo(3);
}

#[test]
fn an_address_has_a_bound_of_its_own() {
    let running = start_bounded(Limits::default(), bounds(100, 2, 100), 2);
    let mut other = Client::connect_from_host(2, running.address);
    other.echo(0);
    let mut clients: Vec<Client> = (0..3).map(|_| admitted(running.address)).collect();
    assert!(clients[0].is_closed());
    other.echo(1);
    clients[1].echo(1);
}

#[test]
fn half_records_of_many_connections_are_bounded_and_make_way() {
    let running = start_bounded(impatient(), roomy(), 2);
    let record = call(1, WRITE_LATER, &Bytes::from(vec![1; 1 << 20]));
    let halves: Vec<Client> = (0..200)
        .map(|_| {
            let mut client = admitted(running.address);
            client.send(&record[..60_000]);
            client
        })
        .collect();
    wait_until("the budget is used", || running.bounds.memory.is_short());
    // Small calls go on, from the same address; so does everything, from another one.
    admitted(running.address).echo(5);
    let mut other = Client::connect_from_host(2, running.address);
    let begun = Instant::now();
    for xid in 0..4 {
        other.send(&[&record[..4], &xid_of(xid), &record[8..]].concat());
        assert!(other.reply().is_some());
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "another address waited {:?}", begun.elapsed());
    // From the same address as soon as those that stand still have lost their patience.
    let mut same = admitted(running.address);
    same.send(&record);
    assert!(same.reply().is_some());
    drop((halves, other, same));
    assert_nothing_leaked(&running);
}

fn xid_of(xid: u32) -> [u8; 4] {
    xid.to_be_bytes()
}

#[test]
fn replies_that_many_clients_do_not_take_are_bounded_and_make_way() {
    let running = start_bounded(impatient(), roomy(), 2);
    let calls = call(1, READ, &(1u32 << 20)).repeat(64);
    let silent: Vec<Client> = (0..100)
        .map(|_| {
            let mut client = admitted(running.address);
            client.send(&calls);
            client
        })
        .collect();
    wait_until("the budget is used", || running.bounds.memory.is_short());
    admitted(running.address).echo(5);
    let mut other = Client::connect_from_host(2, running.address);
    other.send(&call(3, READ, &(1u32 << 20)));
    assert_eq!(other.reply().map(|(xid, _)| xid), Some(3));
    let mut same = admitted(running.address);
    same.send(&call(4, READ, &(1u32 << 20)));
    assert_eq!(same.reply().map(|(xid, _)| xid), Some(4));
    drop((silent, other, same));
    assert_nothing_leaked(&running);
}

#[test]
fn small_replies_that_nobody_takes_are_bounded_too() {
    let running = start_bounded(impatient(), roomy(), 2);
    let calls = call(1, crate::toy::ECHO, &7u32).repeat(20_000);
    let senders: Vec<_> = (0..20)
        .map(|_| {
            let client = admitted(running.address);
            let mut sender = client.socket.try_clone().unwrap();
            let calls = calls.clone();
            sender.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
            (client, std::thread::spawn(move || while sender.write_all(&calls).is_ok() {}))
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    admitted(running.address).echo(5);
    for (client, sending) in senders {
        sending.join().unwrap();
        drop(client);
    }
    assert_nothing_leaked(&running);
}

#[test]
fn writers_at_full_depth_all_get_their_answers_within_the_budget() {
    const WRITES: u32 = 8;
    let running = start_bounded(Limits::default(), roomy(), 2);
    let data = Bytes::from(vec![3; 1 << 20]);
    std::thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                let mut client = admitted(running.address);
                let mut sender = client.socket.try_clone().unwrap();
                let calls: Vec<u8> = (0..WRITES).flat_map(|xid| call(xid, WRITE_LATER, &data)).collect();
                scope.spawn(move || sender.write_all(&calls).unwrap());
                for _ in 0..WRITES {
                    assert!(client.reply().is_some());
                }
            });
        }
    });
    let usage = running.bounds.memory.usage();
    assert!(usage.taken_max > SHARED / 4, "they shared it: {usage:?}");
    assert_nothing_leaked(&running);
}
