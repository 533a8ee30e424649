use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use bytes::Bytes;
use dittofs_nfs::transport::{Drained, Limits};

use dittofs_transport::Bounds;

use crate::toy::{Client, ECHO, READ, Running, SPIN, SPUN, WAIT, WRITE, call, start, start_bounded};

fn assert_others_go_on(running: &Running) {
    Client::connect(running.address).echo(77);
}

#[test]
fn an_oversize_record_closes_its_connection_only() {
    let running = start(Limits::default());
    let mut other = Client::connect(running.address);
    let mut client = Client::connect(running.address);
    client.send(&[0xff; 4]);
    assert!(client.is_closed());
    other.echo(1);
    assert_others_go_on(&running);
}

#[test]
fn replies_that_are_due_precede_the_close() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    client.send(&[call(1, WAIT, &100u32), vec![0xff; 4]].concat());
    assert_eq!(client.reply().unwrap().0, 1);
    assert!(client.is_closed());
}

#[test]
fn endless_fragments_close_the_connection() {
    let running = start(Limits::default());
    for fragment in [&[0, 0, 0, 0][..], &[0, 0, 0, 1, 7][..], &[&[0, 1, 0, 0][..], &[7; 65_536]].concat()[..]] {
        let mut client = Client::connect(running.address);
        let mut sender = client.socket.try_clone().unwrap();
        let fragment = fragment.repeat(64);
        let sending = std::thread::spawn(move || while sender.write_all(&fragment).is_ok() {});
        assert!(client.is_closed());
        drop(client);
        sending.join().unwrap();
    }
    assert_others_go_on(&running);
}

#[test]
fn what_is_not_rpc_closes_the_connection_and_a_reply_is_ignored() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    client.send(b"\x80\0\0\x08\0\0\0\x01\0\0\0\x01");
    client.echo(3);
    client.send(b"GET / HTTP/1.0\r\n\r\n");
    assert!(client.is_closed());
}

#[test]
fn a_client_that_takes_nothing_is_bounded_then_closed_while_others_go_on() {
    let limits = Limits { slow_reader_timeout: Duration::from_secs(1), output_bytes_max: 1 << 20, ..Limits::default() };
    let running = start(limits);
    let slow = Client::connect(running.address);
    let mut sender = slow.socket.try_clone().unwrap();
    sender.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    let sending = std::thread::spawn(move || {
        let batch = call(1, READ, &(1u32 << 20)).repeat(100);
        let mut sent = 0u64;
        while sender.write_all(&batch).is_ok() && sent < 1 << 30 {
            sent += batch.len() as u64;
        }
        sent
    });
    let mut other = Client::connect(running.address);
    let begun = Instant::now();
    while running.server.connections() == 2 || begun.elapsed() < Duration::from_millis(500) {
        other.echo(5);
        assert!(begun.elapsed() < Duration::from_secs(15), "the slow reader was not closed");
    }
    // Reading stopped: the calls piled up in the kernel's buffers, not in the server.
    assert!(sending.join().unwrap() < 64 << 20);
    drop(slow);
    other.echo(6);
}

#[test]
fn a_half_received_record_does_not_wait_for_ever() {
    let limits = Limits { partial_record_timeout: Duration::from_millis(200), ..Limits::default() };
    let running = start(limits);
    for bytes in [3, 60, 30_000] {
        let mut client = Client::connect(running.address);
        client.echo(1);
        client.send(&call(2, WRITE, &Bytes::from(vec![1; 40_000]))[..bytes]);
        assert!(client.is_closed());
    }
    let mut idle = Client::connect(running.address);
    idle.echo(1);
    std::thread::sleep(Duration::from_millis(600));
    idle.echo(2);
}

#[test]
fn a_byte_now_and_then_keeps_no_half_received_record() {
    let limits = Limits { partial_record_timeout: Duration::from_millis(300), ..Limits::default() };
    let running = start(limits);
    for bytes in [3, 60, 30_000] {
        let mut client = Client::connect(running.address);
        client.echo(1);
        let record = call(2, WRITE, &Bytes::from(vec![1; 40_000]));
        client.send(&record[..bytes]);
        let begun = Instant::now();
        for byte in &record[bytes..] {
            std::thread::sleep(Duration::from_millis(50));
            if client.socket.write_all(&[*byte]).is_err() {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "the bytes kept the record");
        }
        assert!(client.is_closed());
    }
}

#[test]
fn records_that_follow_each_other_closely_have_a_time_each() {
    let limits = Limits { partial_record_timeout: Duration::from_millis(400), ..Limits::default() };
    let running = start(limits);
    let mut client = Client::connect(running.address);
    let record = call(2, WRITE, &Bytes::from(vec![1; 1000]));
    // Never does the stream end with a record, for longer than one may take.
    client.send(&record[..500]);
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(100));
        client.send(&[&record[500..], &record[..500]].concat());
        assert!(client.reply().is_some());
    }
}

#[test]
fn a_client_that_leaves_a_record_half_sent_and_takes_no_replies_is_closed() {
    let limits = Limits {
        partial_record_timeout: Duration::from_millis(300),
        slow_reader_timeout: Duration::from_secs(1),
        bytes_in_flight_max: 256 << 20,
        output_bytes_max: 256 << 20,
        ..Limits::default()
    };
    let running = start(limits);
    let mut client = Client::connect(running.address);
    client.echo(0);
    // More than the kernel's buffers hold.
    client.send(&call(1, READ, &(1u32 << 20)).repeat(40));
    client.send(&call(2, WRITE, &Bytes::from(vec![1; 40_000]))[..60]);
    let begun = Instant::now();
    while running.server.connections() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody waits for its replies any more");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn calls_in_flight_are_bounded_and_all_are_answered() {
    for limits in [
        Limits { calls_in_flight_max: 4, ..Limits::default() },
        Limits { bytes_in_flight_max: 200, ..Limits::default() },
    ] {
        carries_few_calls_out_at_once(&start(limits));
    }
}

#[test]
fn a_server_that_carries_all_calls_out_at_once_is_found() {
    let unbounded = start(Limits { calls_in_flight_max: usize::MAX, ..Limits::default() });
    assert!(catch_unwind(AssertUnwindSafe(|| carries_few_calls_out_at_once(&unbounded))).is_err());
}

fn carries_few_calls_out_at_once(running: &Running) {
    const MILLIS: u32 = 200;
    let mut client = Client::connect(running.address);
    let begun = Instant::now();
    client.send(&(0..20u32).flat_map(|xid| call(xid, WAIT, &MILLIS)).collect::<Vec<_>>());
    let mut xids: Vec<u32> = (0..20).map(|_| client.reply().unwrap().0).collect();
    xids.sort_unstable();
    assert_eq!(xids, (0..20).collect::<Vec<_>>());
    assert!(begun.elapsed() >= Duration::from_millis(750), "20 calls of 200 ms, at most 5 at a time");
}

#[test]
fn a_drain_answers_what_is_in_flight_and_then_closes() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    let mut idle = Client::connect(running.address);
    idle.echo(1);
    client.send(&[call(1, WAIT, &300u32), call(2, ECHO, &1u32)].concat());
    assert_eq!(client.reply().unwrap().0, 2);
    let server = running.server.clone();
    let draining = running.runtime.spawn(async move { server.drain(Duration::from_secs(10)).await });
    assert_eq!(client.reply().unwrap().0, 1);
    assert!(client.is_closed());
    assert!(idle.is_closed());
    drop((client, idle));
    assert_eq!(futures_of(draining), Drained { cut: 0 });
    assert!(std::net::TcpStream::connect(running.address).is_err() || running.server.connections() == 0);
}

#[test]
fn a_drain_cuts_what_is_not_done_within_its_bound() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    client.send(&[call(1, WAIT, &60_000u32), call(2, ECHO, &1u32)].concat());
    assert_eq!(client.reply().unwrap().0, 2);
    let server = running.server.clone();
    let draining = running.runtime.spawn(async move { server.drain(Duration::from_millis(100)).await });
    assert_eq!(futures_of(draining), Drained { cut: 1 });
    assert!(client.is_closed());
    assert_eq!(running.server.connections(), 0);
}

#[test]
fn calls_of_one_receive_do_not_keep_the_front() {
    gives_others_their_turn(&start_bounded(Limits::default(), Bounds::default(), 1));
}

#[test]
fn a_connection_that_keeps_its_front_is_found() {
    let limits = Limits { slice: Duration::from_secs(3600), ..Limits::default() };
    let selfish = start_bounded(limits, Bounds::default(), 1);
    assert!(catch_unwind(AssertUnwindSafe(|| gives_others_their_turn(&selfish))).is_err());
}

/// Of a server with one front.
fn gives_others_their_turn(running: &Running) {
    // As many as one receive can bring.
    const CALLS: u32 = 1200;
    let (mut heavy, mut neighbour) = (Client::connect(running.address), Client::connect(running.address));
    neighbour.echo(0);
    heavy.send(&(0..CALLS).flat_map(|xid| call(xid, SPIN, &2u32)).collect::<Vec<_>>());
    heavy.reply().expect("the first is answered");
    let mut before = 0;
    for xid in 1..=3 {
        neighbour.send(&call(xid, SPUN, &()));
        let (_, spun) = neighbour.reply().unwrap();
        let spun = u32::from_be_bytes(spun.try_into().unwrap());
        // A few may pass while the neighbour's call is on its way, but not all that the receive has brought.
        assert!(spun < CALLS && spun > before, "{spun} after {before}");
        before = spun;
    }
}

fn futures_of<T>(task: tokio::task::JoinHandle<T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(task).unwrap()
}
