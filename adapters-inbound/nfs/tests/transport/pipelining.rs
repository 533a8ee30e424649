use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use dittofs_domain::crc32c::crc32c;
use dittofs_nfs::{duplicate::DuplicateLimits, transport::Limits};

use crate::toy::{
    COUNT, Client, ECHO, READ, Running, WAIT, WRITE, WRITE_LATER, call, record, start, start_blind, start_remembering,
};

#[test]
fn a_ready_reply_overtakes_a_pending_one() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    let calls = [call(1, WAIT, &300u32), call(2, ECHO, &20u32), call(3, WAIT, &100u32), call(4, ECHO, &40u32)];
    client.send(&calls.concat());
    let order: Vec<u32> = (0..4).map(|_| client.reply().unwrap().0).collect();
    assert_eq!(order, [2, 4, 3, 1]);
}

#[test]
fn a_batch_of_small_calls_is_answered_whole() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    for round in 0..200u32 {
        let calls: Vec<u8> = (0..64u32).flat_map(|index| call(index, ECHO, &(round + index))).collect();
        client.send(&calls);
        for index in 0..64u32 {
            assert_eq!(client.reply(), Some((index, (round + index).to_be_bytes().to_vec())));
        }
    }
}

#[test]
fn payloads_of_every_size_arrive_whole_in_any_mixture() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    let sizes = [0, 1, 3, 4096, 16_000, 16_384, 30_001, 65_535, 65_536, 100_000, 262_144, 1_000_000, 1 << 20];
    let mut expected = HashMap::new();
    let mut calls = Vec::new();
    for round in 0..6u32 {
        for (index, size) in sizes.iter().enumerate() {
            let xid = round * 100 + index as u32;
            let data: Vec<u8> = (0..*size).map(|at| (at as u32).wrapping_mul(xid + 7).to_le_bytes()[1]).collect();
            expected.insert(xid, crc32c(&data));
            let procedure = if index % 2 == 0 { WRITE } else { WRITE_LATER };
            calls.extend(call(xid, procedure, &Bytes::from(data)));
        }
    }
    let mut sender = client.socket.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        for piece in calls.chunks(77_777) {
            std::io::Write::write_all(&mut sender, piece).unwrap();
        }
    });
    for _ in 0..expected.len() {
        let (xid, result) = client.reply().unwrap();
        assert_eq!(expected.remove(&xid).map(|sum| sum.to_be_bytes().to_vec()), Some(result), "call {xid}");
    }
    sending.join().unwrap();
}

#[test]
fn long_replies_go_out_whole() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    for size in [0u32, 5, 2047, 2048, 131_072, 1 << 20, (1 << 20) - 1] {
        client.send(&[call(1, READ, &size), call(2, ECHO, &7u32)].concat());
        let (xid, result) = client.reply().unwrap();
        assert_eq!((xid, result.len()), (1, 4 + size.next_multiple_of(4) as usize));
        assert!(result[4..4 + size as usize].iter().all(|byte| *byte == b'r'));
        assert_eq!(client.reply().unwrap().0, 2);
    }
}

#[test]
fn a_record_in_many_fragments_is_one_call() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    let record = record(5, WRITE, &Bytes::from(vec![9; 50_000]));
    let pieces: Vec<&[u8]> = record.chunks(1000).collect();
    for (index, piece) in pieces.iter().enumerate() {
        let last = if index + 1 == pieces.len() { 1u32 << 31 } else { 0 };
        client.send(&(piece.len() as u32 | last).to_be_bytes());
        client.send(piece);
    }
    assert_eq!(client.reply(), Some((5, crc32c(&[9; 50_000]).to_be_bytes().to_vec())));
    client.echo(6);
}

#[test]
fn a_client_that_closes_its_side_still_gets_its_replies() {
    let running = start(Limits::default());
    let mut client = Client::connect(running.address);
    client.send(&[call(1, WAIT, &200u32), call(2, ECHO, &1u32)].concat());
    client.socket.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(client.reply().unwrap().0, 2);
    assert_eq!(client.reply().unwrap().0, 1);
    assert!(client.is_closed());
}

#[test]
fn a_retransmission_is_answered_once_and_over_any_connection_from_its_port() {
    answers_retransmissions_once(&start(Limits::default()));
}

#[test]
fn a_server_that_forgets_its_replies_is_found() {
    let forgetful = start_remembering(Limits::default(), &DuplicateLimits { entries_max: 0, ..Default::default() });
    assert!(catch_unwind(AssertUnwindSafe(|| answers_retransmissions_once(&forgetful))).is_err());
}

#[test]
fn a_server_that_takes_anothers_call_for_a_repetition_is_found() {
    let blind = start_blind();
    assert!(catch_unwind(AssertUnwindSafe(|| answers_retransmissions_once(&blind))).is_err());
}

fn answers_retransmissions_once(running: &Running) {
    let mut client = Client::connect_from_own_host(running.address);
    // The client goes away before its answer is ready; the call is carried out all the same.
    client.send(&call(1, COUNT, &0u32).repeat(3));
    client.send(&call(2, ECHO, &9u32));
    assert_eq!(client.reply().unwrap().0, 2);
    let local = client.reset();
    std::thread::sleep(std::time::Duration::from_millis(100));
    for _ in 0..2 {
        let mut client = Client::connect_from(local, running.address);
        client.send(&call(1, COUNT, &0u32));
        assert_eq!(client.reply(), Some((1, vec![0; 4])));
        client.reset();
    }
    let mut client = Client::connect_from(local, running.address);
    client.send(&call(3, COUNT, &0u32));
    assert_eq!(client.reply(), Some((3, vec![0, 0, 0, 1])));
    // The same bytes from another port are somebody else's.
    let mut client = Client::connect_from_own_host(running.address);
    client.send(&call(1, COUNT, &0u32));
    assert_eq!(client.reply(), Some((1, vec![0, 0, 0, 2])));
}
