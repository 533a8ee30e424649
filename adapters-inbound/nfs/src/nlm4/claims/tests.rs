use dittofs_domain::ClientId;
use dittofs_ports::Presented;

use super::*;
use crate::nlm4::origin::Sender;

const IDLE: Duration = Duration::from_secs(60);

fn origin(last: u8, name: &'static str) -> Origin {
    let address = [192, 0, 2, last].into();
    let presented = Presented { identity: None, address, port: 700, client: ClientId::Nfs3(address) };
    Sender { presented, local: [192, 0, 2, 254].into() }.named(Bytes::from_static(name.as_bytes()))
}

fn claim(number: usize) -> Claim {
    Claim { file: Bytes::from(number.to_be_bytes().to_vec()), by: By::Owner(Bytes::from_static(b"owner")) }
}

/// Enters and settles with so many locks.
fn take(claims: &Claims, origin: &Origin, claim: &Claim, locks: usize) -> Result<(), Full> {
    let now = Instant::now();
    let held = claims.enter(origin, claim, now)?;
    claims.settle(&origin.host(), claim, &held, locks, now);
    Ok(())
}

#[test]
fn what_has_no_locks_is_forgotten_and_what_another_call_works_on_stays() {
    let (claims, origin) = (Claims::default(), origin(1, "pc"));
    let host = origin.host();
    take(&claims, &origin, &claim(1), 1).unwrap();
    let first = claims.find(&host, &claim(1)).unwrap();
    let second = claims.enter(&origin, &claim(1), Instant::now()).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    drop(second);
    let another = claims.enter(&origin, &claim(1), Instant::now()).unwrap();
    // The first call leaves nothing, but the other one may.
    claims.settle(&host, &claim(1), &first, 0, Instant::now());
    drop(first);
    assert!(claims.find(&host, &claim(1)).is_some_and(|found| Arc::ptr_eq(&found, &another)));
    claims.settle(&host, &claim(1), &another, 0, Instant::now());
    assert!(claims.find(&host, &claim(1)).is_none());
    assert_eq!(claims.0.lock().locks, 0);
}

#[test]
fn a_network_and_all_have_their_bounds_and_get_room_back() {
    let claims = Claims::default();
    let greedy = origin(1, "greedy");
    take(&claims, &greedy, &claim(0), NETWORK_MAX).unwrap();
    assert_eq!(take(&claims, &greedy, &claim(1), 1), Err(Full));
    assert_eq!(take(&claims, &origin(1, "behind the same address"), &claim(1), 1), Err(Full));
    // What it has it may work on, and others have room.
    take(&claims, &greedy, &claim(0), NETWORK_MAX).unwrap();
    let others = u8::try_from(ALL_MAX / NETWORK_MAX).unwrap();
    for last in 2..=others {
        take(&claims, &origin(last, "pc"), &claim(0), NETWORK_MAX).unwrap();
    }
    assert_eq!(take(&claims, &origin(100, "late"), &claim(0), 1), Err(Full));
    take(&claims, &greedy, &claim(0), NETWORK_MAX - 1).unwrap();
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
    for (origin, locks) in [(&busy, 1), (&idle, 0)] {
        take(&claims, origin, &claim(1), locks).unwrap();
        assert!(!claims.is_remembered(&origin.host()));
        claims.remembered(&origin.host(), origin.lock_client());
        assert!(claims.is_remembered(&origin.host()));
    }
    claims.recall(earlier.lock_client(), now);
    assert!(claims.is_remembered(&earlier.host()));
    let mut forgotten = claims.drop_idle(IDLE, now + 2 * IDLE);
    forgotten.sort();
    assert_eq!(forgotten, [idle.lock_client(), earlier.lock_client()]);
    assert!(claims.is_remembered(&busy.host()));
}
