//! Connections that no share has answered a call of.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dittofs_nfs::transport::Limits;
use dittofs_transport::{Bounds, MemoryBudget};

use crate::all_connections::{admitted, bounds, impatient, wait_until};
use crate::toy::{Client, READ, Running, call, start_bounded};

const NULL: u32 = 0;

#[test]
fn who_has_no_admitted_call_is_bounded_apart() {
    let running = start_bounded(Limits::default(), bounds(100, 100, 4), 2);
    let mut known = admitted(running.address);
    // From two machines, as one may have half of the places.
    let connect = |number: u8| Client::connect_from_host(2 + number % 2, running.address);
    let mut newcomers: Vec<Client> = (0..8).map(connect).collect();
    wait_until("all are accepted", || running.server.connection_counts().accepted == 9);
    known.echo(1);
    for newcomer in &mut newcomers[..4] {
        assert!(newcomer.is_closed());
    }
    for newcomer in &mut newcomers[4..] {
        newcomer.echo(0);
    }
    assert_eq!(running.bounds.connections.displaced(), 4);
}

#[test]
fn clients_that_all_connect_at_once_are_all_served() {
    // Behind one address, and with an address each.
    let hosts: [fn(u8) -> u8; 2] = [|_| 2, |number| 2 + number];
    for host_of in hosts {
        let running = start_bounded(Limits::default(), bounds(100, 100, 4), 2);
        std::thread::scope(|scope| {
            for number in 0..60 {
                let address = running.address;
                scope.spawn(move || {
                    let mut client = Client::connect_from_host(host_of(number), address);
                    client.echo(0);
                    std::thread::sleep(Duration::from_millis(300));
                    client.echo(0);
                });
            }
        });
        assert_eq!(running.bounds.connections.displaced(), 0);
    }
}

/// Has so many connections of a machine say NULL again and again, and come again when they are closed, beside
/// `neighbour`.
fn beside_unadmitted_of(hosts: &[u8], running: &Running, neighbour: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for host in hosts.iter().flat_map(|host| [host; 8]) {
            let is_over = &is_over;
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let mut client = Client::connect_from_host(*host, running.address);
                    client.socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
                    while client.socket.write_all(&call(1, NULL, &())).is_ok() && !is_over.load(Ordering::Relaxed) {
                        std::thread::sleep(Duration::from_millis(50));
                        let _ = client.reply();
                    }
                }
            });
        }
        // Until all places that they may have are theirs, and have been for longer than a newcomer's grace.
        std::thread::sleep(Duration::from_millis(1500));
        let _over = Over(&is_over);
        neighbour();
    });
}

/// Says that it is over, also where what is beside it panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn the_unadmitted_of_one_machine_keep_nobody_out() {
    let running = start_bounded(Limits::default(), bounds(100, 100, 4), 2);
    beside_unadmitted_of(&[2], &running, || {
        for _ in 0..10 {
            let begun = Instant::now();
            admitted(running.address).echo(1);
            assert!(begun.elapsed() < Duration::from_secs(1), "a newcomer waited {:?}", begun.elapsed());
        }
    });
}

#[test]
fn where_the_unadmitted_have_all_places_a_newcomer_has_the_next() {
    let running = start_bounded(Limits::default(), bounds(100, 100, 4), 2);
    beside_unadmitted_of(&[2, 3], &running, || {
        for _ in 0..3 {
            // Otherwise it is closed after two seconds.
            admitted(running.address).echo(1);
        }
    });
}

#[test]
fn an_idle_connection_is_closed_and_an_unadmitted_one_sooner() {
    let limits = Limits {
        idle_timeout: Duration::from_millis(1500),
        admission_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let running = start_bounded(limits, bounds(10, 10, 10), 2);
    let (mut known, mut newcomer) = (admitted(running.address), Client::connect(running.address));
    let begun = Instant::now();
    assert!(newcomer.is_closed());
    let took = begun.elapsed();
    assert!(known.is_closed());
    assert!(took < begun.elapsed() && begun.elapsed() >= Duration::from_millis(1400));
}

#[test]
fn calls_that_no_share_answers_keep_no_connection() {
    let limits = Limits { admission_timeout: Duration::from_millis(500), ..Limits::default() };
    let running = start_bounded(limits, bounds(10, 10, 10), 2);
    let mut known = admitted(running.address);
    // One call now and then, and as many as it can send.
    for (calls, pause) in [(1, Duration::from_millis(50)), (1000, Duration::ZERO)] {
        let mut newcomer = Client::connect(running.address);
        let mut receiver = newcomer.socket.try_clone().unwrap();
        let receiving = std::thread::spawn(move || std::io::copy(&mut receiver, &mut std::io::sink()));
        let calls = call(1, NULL, &()).repeat(calls);
        let begun = Instant::now();
        while newcomer.socket.write_all(&calls).is_ok() {
            std::thread::sleep(pause);
            assert!(begun.elapsed() < Duration::from_secs(10), "its calls keep it");
        }
        assert!(begun.elapsed() > Duration::from_millis(400));
        let _ = receiving.join().unwrap();
    }
    known.echo(1);
}

#[test]
fn a_displaced_connection_that_takes_no_replies_goes_soon() {
    // So much that the connection waits for nobody but itself.
    let memory = MemoryBudget::new(256 << 20);
    let running = start_bounded(impatient(), Bounds { memory, ..bounds(100, 100, 2) }, 2);
    let mut silent = Client::connect_from_host(2, running.address);
    silent.send(&call(1, READ, &(1u32 << 20)).repeat(32));
    wait_until("it is seated", || running.server.connections() == 1);
    let _others = [3, 4].map(|host| Client::connect_from_host(host, running.address));
    wait_until("it is displaced", || running.bounds.connections.displaced() == 1);
    wait_until("it stays", || running.server.connections() == 2);
}
