use dittofs_domain::ClientId;
use dittofs_ports::Presented;

use super::*;
use crate::nlm4::origin::Sender;

const IDLE: Duration = Duration::from_secs(60);
const SERVER: [u8; 4] = [192, 0, 2, 254];

fn origin_from(last: u8, port: u16, name: &'static str) -> Origin {
    let address = [192, 0, 2, last].into();
    let presented = Presented { identity: None, address, port, client: ClientId::Nfs3(address) };
    Sender { presented, local: SERVER.into() }.named(Bytes::from_static(name.as_bytes()))
}

fn origin(last: u8, name: &'static str) -> Origin {
    origin_from(last, 700, name)
}

fn claim(number: usize) -> Claim {
    Claim { file: Bytes::from(number.to_be_bytes().to_vec()), by: By::Owner(Bytes::from_static(b"owner")) }
}

/// Enters and leaves with so many locks.
fn take(claims: &Claims, origin: &Origin, claim: &Claim, locks: usize) -> Result<(), Full> {
    let now = Instant::now();
    claims.enter(origin, claim, now)?;
    claims.leave(&origin.host(), claim, Some(locks), now);
    Ok(())
}

/// Leaves with so many locks, after it was found.
fn find_and_leave(claims: &Claims, origin: &Origin, claim: &Claim, locks: usize) {
    claims.find(&origin.host(), claim).unwrap();
    claims.leave(&origin.host(), claim, Some(locks), Instant::now());
}

#[test]
fn a_claim_without_locks_is_forgotten_with_the_last_call_that_works_on_it() {
    let (claims, origin, now) = (Claims::default(), origin(1, "pc"), Instant::now());
    let host = origin.host();
    let first = claims.enter(&origin, &claim(1), now).unwrap();
    let second = claims.enter(&origin, &claim(1), now).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    claims.leave(&host, &claim(1), Some(0), now);
    // The first call has left nothing, and its end is not the second one's.
    assert!(claims.has_locks(&host));
    claims.leave(&host, &claim(1), Some(2), now);
    assert_eq!(claims.0.lock().locks, 2);
    // Who doesn't know changes nothing.
    claims.find(&host, &claim(1)).unwrap();
    claims.leave(&host, &claim(1), None, now);
    assert_eq!(claims.0.lock().locks, 2);
    find_and_leave(&claims, &origin, &claim(1), 0);
    assert!(claims.find(&host, &claim(1)).is_none() && !claims.has_locks(&host));
    assert_eq!(claims.0.lock().locks, 0);
}

#[test]
fn a_network_and_all_have_their_bounds_and_get_room_back() {
    let claims = Claims::default();
    let greedy = origin(1, "greedy");
    take(&claims, &greedy, &claim(0), NETWORK_MAX).unwrap();
    assert_eq!(take(&claims, &greedy, &claim(0), NETWORK_MAX + 1), Err(Full), "nor by what is known already");
    assert_eq!(take(&claims, &origin(1, "behind the same address"), &claim(1), 1), Err(Full));
    assert!(claims.is_full(&greedy.host()) && !claims.is_full(&origin(2, "pc").host()));
    // Others have room.
    let others = u8::try_from(ALL_MAX / NETWORK_MAX).unwrap();
    for last in 2..=others {
        take(&claims, &origin(last, "pc"), &claim(0), NETWORK_MAX).unwrap();
    }
    assert_eq!(take(&claims, &origin(100, "late"), &claim(0), 1), Err(Full));
    find_and_leave(&claims, &greedy, &claim(0), NETWORK_MAX - 1);
    take(&claims, &origin(100, "late"), &claim(0), 1).unwrap();
    assert_eq!(claims.0.lock().locks, ALL_MAX);
}

#[test]
fn names_of_one_network_are_bounded_until_they_are_idle() {
    let claims = Claims::default();
    for number in 0..HOSTS_OF_NETWORK_MAX {
        let name = Box::leak(format!("pc{number}").into_boxed_str());
        take(&claims, &origin(1, name), &claim(0), 0).unwrap();
    }
    assert_eq!(take(&claims, &origin(1, "one more"), &claim(0), 0), Err(Full));
    take(&claims, &origin(2, "another network's"), &claim(0), 1).unwrap();
    assert!(claims.drop_idle(IDLE, Instant::now()).is_empty());
    assert_eq!(claims.0.lock().hosts.len(), HOSTS_OF_NETWORK_MAX + 1);
    claims.drop_idle(IDLE, Instant::now() + 2 * IDLE);
    assert_eq!(claims.0.lock().hosts.len(), 1, "who has locks stays");
    take(&claims, &origin(1, "one more"), &claim(0), 1).unwrap();
}

#[test]
fn who_is_idle_is_forgotten_for_the_next_start_and_who_was_recalled_too() {
    let (claims, now) = (Claims::default(), Instant::now());
    let (busy, idle, earlier) = (origin(1, "busy"), origin(1, "idle"), origin(2, "earlier"));
    let server = SERVER.into();
    for (origin, locks) in [(&busy, 1), (&idle, 0)] {
        take(&claims, origin, &claim(1), locks).unwrap();
        assert!(!claims.is_remembered(&origin.host(), server));
        claims.remembered(&origin.host(), origin.lock_client());
        assert!(claims.is_remembered(&origin.host(), server));
        assert!(!claims.is_remembered(&origin.host(), [192, 0, 2, 253].into()), "it knows another server");
    }
    claims.recall(earlier.lock_client(), now);
    assert!(claims.is_remembered(&earlier.host(), server));
    let mut forgotten = claims.drop_idle(IDLE, now + 2 * IDLE);
    forgotten.sort();
    assert_eq!(forgotten, [idle.lock_client(), earlier.lock_client()]);
    assert!(claims.is_remembered(&busy.host(), server));
}

#[test]
fn a_call_from_any_port_does_not_make_root_of_a_client_less() {
    let claims = Claims::default();
    let is_reserved = |claims: &Claims| claims.hosts_at([192, 0, 2, 1].into())[0].1.is_reserved();
    take(&claims, &origin_from(1, 5_000, "pc"), &claim(1), 1).unwrap();
    assert!(!is_reserved(&claims));
    take(&claims, &origin_from(1, 700, "pc"), &claim(1), 1).unwrap();
    take(&claims, &origin_from(1, 5_000, "pc"), &claim(1), 1).unwrap();
    assert!(is_reserved(&claims));
}
