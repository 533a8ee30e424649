use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dittofs_xdr::Decoder;
use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::rpc::{AuthSys, Call, Credential};

fn call(xid: u32) -> Call {
    Call {
        peer: "127.0.0.1:700".parse().unwrap(),
        local: [127, 0, 0, 1].into(),
        xid,
        program: 100_003,
        version: 3,
        procedure: 9,
        credential: Credential::None,
        arguments: Decoder::new(Bytes::from_static(&[1; 400])),
        record_bytes: 440,
    }
}

fn key(xid: u32) -> DuplicateKey {
    DuplicateKey::of(&call(xid))
}

fn limits() -> DuplicateLimits {
    DuplicateLimits { entries_max: 8, bytes_max: 100, reply_bytes_max: 40, age_max: Duration::from_secs(120) }
}

fn reply(length: usize) -> Option<Bytes> {
    Some(vec![5; length].into())
}

#[test]
fn a_duplicate_is_dropped_while_the_first_runs_and_replayed_after() {
    let mut table = DuplicateTable::new(limits());
    let now = Instant::now();
    assert_eq!(table.begin(key(1), now), Begin::First);
    assert_eq!(table.begin(key(1), now), Begin::Running);
    assert_eq!(table.begin(key(2), now), Begin::First);
    table.answered(key(1), reply(10), now);
    assert_eq!(table.begin(key(1), now), Begin::Answered(reply(10).unwrap()));
}

#[test]
fn an_answer_is_forgotten_after_its_age_and_a_running_call_never() {
    let mut table = DuplicateTable::new(limits());
    let now = Instant::now();
    table.begin(key(1), now);
    table.begin(key(2), now);
    table.answered(key(1), reply(10), now);
    let later = now + Duration::from_secs(119);
    assert_eq!(table.begin(key(1), later), Begin::Answered(reply(10).unwrap()));
    let later = now + Duration::from_secs(120);
    assert_eq!(table.begin(key(1), later), Begin::First);
    assert_eq!(table.begin(key(2), later), Begin::Running);
    assert_eq!(table.bytes(), 0);
}

#[test]
fn what_was_abandoned_or_too_long_is_carried_out_again() {
    let mut table = DuplicateTable::new(limits());
    let now = Instant::now();
    table.begin(key(1), now);
    table.abandon(&key(1));
    assert_eq!(table.begin(key(1), now), Begin::First);
    table.answered(key(1), reply(41), now);
    assert_eq!(table.begin(key(1), now), Begin::First);
    table.answered(key(1), None, now);
    assert!(table.is_empty());
}

#[test]
fn a_table_full_of_running_calls_tracks_no_more() {
    let mut table = DuplicateTable::new(limits());
    let now = Instant::now();
    for xid in 0..8 {
        assert_eq!(table.begin(key(xid), now), Begin::First);
    }
    assert_eq!(table.begin(key(8), now), Begin::Untracked);
    table.answered(key(3), reply(1), now);
    assert_eq!(table.begin(key(8), now), Begin::First);
    assert_eq!(table.begin(key(3), now), Begin::Untracked);
}

fn key_from(peer: &str, xid: u32) -> DuplicateKey {
    DuplicateKey::of(&Call { peer: peer.parse().unwrap(), ..call(xid) })
}

#[test]
fn a_client_that_sends_much_pushes_out_its_own_calls_only() {
    let mut table = DuplicateTable::new(limits());
    let now = Instant::now();
    let mut answer = |key| {
        assert_eq!(table.begin(key, now), Begin::First);
        table.answered(key, reply(10), now);
    };
    answer(key(1));
    answer(key(2));
    // More than fit, over many connections.
    for xid in 0..1000 {
        answer(key_from(&format!("192.0.2.1:{}", 1 + xid % 500), xid));
    }
    assert_eq!(table.begin(key(1), now), Begin::Answered(reply(10).unwrap()));
    assert_eq!(table.begin(key(2), now), Begin::Answered(reply(10).unwrap()));
    assert_eq!(table.begin(key_from("192.0.2.1:500", 999), now), Begin::Answered(reply(10).unwrap()));
}

#[test]
fn all_addresses_of_a_network_that_one_machine_may_own_are_one_client() {
    let mut table = DuplicateTable::new(limits());
    let now = Instant::now();
    let mut answer = |key, length| {
        assert_eq!(table.begin(key, now), Begin::First);
        table.answered(key, reply(length), now);
    };
    answer(key_from("[2001:db8:0:1::1]:700", 1), 30);
    for xid in 0..100 {
        answer(key_from(&format!("[2001:db8:0:2::{:x}]:700", 1 + xid), xid), 20);
    }
    let kept = Begin::Answered(reply(30).unwrap());
    assert_eq!(table.begin(key_from("[2001:db8:0:1::1]:700", 1), now), kept);
}

#[test]
fn what_is_old_is_forgotten_of_all_clients() {
    let mut table = DuplicateTable::new(limits());
    let now = Instant::now();
    for (peer, seconds) in [("192.0.2.1:1", 0), ("192.0.2.2:1", 1), ("192.0.2.1:1", 60), ("192.0.2.3:1", 61)] {
        let (key, at) = (key_from(peer, seconds), now + Duration::from_secs(u64::from(seconds)));
        table.begin(key, at);
        table.answered(key, reply(10), at);
    }
    assert_eq!((table.len(), table.bytes()), (4, 40));
    table.begin(key(1), now + Duration::from_secs(121));
    assert_eq!((table.len(), table.bytes()), (3, 20));
    table.begin(key(2), now + Duration::from_secs(200));
    assert_eq!((table.len(), table.bytes()), (2, 0));
}

#[test]
fn keys_tell_everything_apart_and_the_port_too() {
    let base = key(1);
    let mapped: SocketAddr = "[::ffff:127.0.0.1]:700".parse().unwrap();
    assert_eq!(DuplicateKey::of(&Call { peer: mapped, ..call(1) }), base);

    let changed_at = |at: usize| {
        let mut arguments = vec![1; 400];
        arguments[at] = 2;
        Call { arguments: Decoder::new(arguments.into()), ..call(1) }
    };
    let with_groups = |gids: &[u32], arguments: &'static [u8]| {
        let sys = AuthSys { machine_name: Bytes::new(), uid: 1, gid: 1, gids: gids.iter().copied().collect() };
        Call { credential: Credential::Sys(sys), arguments: Decoder::new(Bytes::from_static(arguments)), ..call(1) }
    };
    assert_ne!(
        DuplicateKey::of(&with_groups(&[1], &[0; 4])),
        DuplicateKey::of(&with_groups(&[], &[0, 0, 0, 1, 0, 0, 0, 0]))
    );
    let different = [
        DuplicateKey::of(&Call { peer: "127.0.0.1:701".parse().unwrap(), ..call(1) }),
        DuplicateKey::of(&changed_at(0)),
        // The second name of a RENAME may begin behind the first 256 bytes, and so may much of a symlink's target.
        DuplicateKey::of(&changed_at(399)),
        DuplicateKey::of(&Call { peer: "127.0.0.2:700".parse().unwrap(), ..call(1) }),
        key(2),
        DuplicateKey::of(&Call { program: 100_005, ..call(1) }),
        DuplicateKey::of(&Call { version: 4, ..call(1) }),
        DuplicateKey::of(&Call { procedure: 8, ..call(1) }),
        DuplicateKey::of(&Call { record_bytes: 444, ..call(1) }),
        base.with_payload_checksum(1),
    ];
    for key in different {
        assert_ne!(key, base);
        assert_ne!(key.operation(), base.operation());
    }
    // From another port it is the same call by another way.
    let calls = different.map(|key| key.operation().call() == base.operation().call());
    assert_eq!(calls, std::array::from_fn(|index| index == 0));
}

#[test]
fn the_shared_cache_answers_once_and_forgets_dropped_work() {
    let cache = DuplicateRequests::new(&DuplicateLimits::default());
    let answer = |value: u32| cache.answer(key(1), async move { Reply::success(&value) }).now_or_never().unwrap();
    let pending = Box::pin(cache.answer(key(1), std::future::pending()));
    let mut pending = Some(pending);
    assert!(pending.as_mut().unwrap().as_mut().now_or_never().is_none());
    assert!(answer(1).to_bytes().is_none(), "the first still runs");
    pending = None;
    assert!(pending.is_none());
    let unanswered = cache.answer(key(1), async { Reply::disconnect() }).now_or_never().unwrap();
    assert!(unanswered.disconnects() && unanswered.to_bytes().is_none(), "nothing to be sent again");
    let first = answer(2).to_bytes();
    assert!(first.is_some());
    assert_eq!(answer(3).to_bytes(), first);
}

proptest! {
    #[test]
    fn bounds_hold_and_answers_are_never_mixed_up(
        steps in proptest::collection::vec((0u32..16, 0u8..4, 0usize..60, 0u64..90), 1..200),
        clients in 1u32..5,
    ) {
        let mut table = DuplicateTable::new(limits());
        let mut now = Instant::now();
        let key = |xid: u32| key_from(&format!("192.0.2.{}:700", xid % clients), xid);
        for (xid, step, length, seconds) in steps {
            match step {
                0 => now += Duration::from_secs(seconds),
                1 => table.abandon(&key(xid)),
                2 => table.answered(key(xid), Some(vec![xid as u8; length].into()), now),
                _ => if let Begin::Answered(reply) = table.begin(key(xid), now) {
                    prop_assert!(reply.iter().all(|byte| *byte == xid as u8));
                },
            }
            prop_assert!(table.len() <= 8);
            prop_assert!(table.bytes() <= 100);
        }
    }
}
