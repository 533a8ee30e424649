use bytes::Bytes;
use dittofs_domain::ClientId;
use dittofs_ports::Presented;

use super::*;
use crate::nlm4::{
    claims::By,
    origin::Sender,
    wire::{netobj, nlm4_lock},
};

fn claim(owner: &'static str) -> Claim {
    Claim { file: Bytes::from_static(b"file"), by: By::Owner(Bytes::from_static(owner.as_bytes())) }
}

fn range(offset: u64) -> LockRange {
    LockRange::exact(offset, 10).unwrap()
}

fn blocked(last: u8, owner: &'static str, offset: u64) -> Blocked {
    let address = [192, 0, 2, last].into();
    let presented = Presented { identity: None, address, port: 700, client: ClientId::Nfs3(address) };
    let origin = Sender { presented, local: address }.named(Bytes::from_static(b"pc"));
    let opaque = || netobj(Bytes::new());
    let caller_name = Bytes::from_static(b"pc");
    let alock = nlm4_lock { caller_name, fh: opaque(), oh: opaque(), svid: 1, l_offset: offset, l_len: 10 };
    let granted = nlm4_testargs { cookie: opaque(), exclusive: true, alock };
    Blocked { origin, claim: claim(owner), range: range(offset), granted }
}

fn asked(claim: &Claim, offset: u64) -> Asked<'_> {
    Asked { claim, range: range(offset), exclusive: true }
}

#[test]
fn a_request_that_is_sent_again_waits_once_and_a_like_one_is_another() {
    let (waiting, own) = (Waiting::default(), claim("a"));
    for (token, blocked) in [(1, blocked(1, "a", 0)), (2, blocked(1, "a", 0)), (3, blocked(1, "a", 10))] {
        waiting.enter(WaitToken(token), blocked).unwrap();
    }
    let shared = nlm4_testargs { exclusive: false, ..blocked(1, "a", 0).granted };
    waiting.enter(WaitToken(4), Blocked { granted: shared, ..blocked(1, "a", 0) }).unwrap();
    waiting.replace(WaitToken(2), asked(&own, 0));
    assert_eq!(waiting.of(asked(&own, 0)), [WaitToken(2)]);
    assert_eq!((waiting.count(&own), waiting.count(&claim("b"))), (3, 0));
    assert!(waiting.granted(WaitToken(1)).is_none(), "the other one has its place");
    waiting.leave(WaitToken(2));
    assert_eq!(waiting.count(&own), 2);
}

#[test]
fn who_learns_or_unlocks_is_not_told_but_of_that_range_only() {
    let (waiting, own) = (Waiting::default(), claim("a"));
    for token in 0..4 {
        waiting.enter(WaitToken(token), blocked(1, "a", token * 10)).unwrap();
        assert!(waiting.granted(WaitToken(token)).is_some() && waiting.is_untold(WaitToken(token)));
    }
    assert_eq!(waiting.count(&own), 0, "their locks are held");
    waiting.learnt(asked(&own, 0));
    waiting.unlocked(&own, LockRange::exact(15, 1).unwrap());
    waiting.unlocked(&claim("b"), LockRange::to_end(0));
    let untold = |waiting: &Waiting| (0..4).filter(|token| waiting.is_untold(WaitToken(*token))).collect::<Vec<_>>();
    assert_eq!(untold(&waiting), [2, 3]);
    waiting.forget(&own);
    assert_eq!(untold(&waiting), []);
}

#[test]
fn requests_are_bounded_by_network_until_nobody_tells_their_clients() {
    let waiting = Waiting::default();
    let number = |token: usize| WaitToken(token as u64);
    for token in 0..NETWORK_MAX {
        waiting.enter(number(token), blocked(1, "a", token as u64 * 10)).unwrap();
    }
    let one_more = || waiting.enter(number(NETWORK_MAX), blocked(1, "a", 0));
    assert_eq!(one_more(), Err(Full));
    waiting.enter(number(NETWORK_MAX + 1), blocked(2, "a", 0)).unwrap();
    // Its client knows, but somebody is about to call it still.
    waiting.granted(number(5)).unwrap();
    waiting.learnt(asked(&claim("a"), 50));
    assert_eq!(one_more(), Err(Full));
    waiting.finished(number(5));
    one_more().unwrap();
    waiting.forget(&claim("a"));
    assert!(waiting.0.lock().networks.is_empty());
}
