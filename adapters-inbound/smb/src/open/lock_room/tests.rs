use std::sync::Arc;

use dittofs_smb_wire::NtStatus;

use super::LockRoom;
use crate::holdings::{Holding, LOCKS_MAX};

#[test]
fn locks_of_a_user_are_bounded_over_all_opens() {
    let holding = Arc::<Holding>::default();
    let opens: Vec<LockRoom> = (0..100).map(|_| LockRoom::new(Arc::clone(&holding))).collect();
    let mut given = 0;
    while opens[given % opens.len()].take().is_ok() {
        given += 1;
        assert!(given <= LOCKS_MAX, "no end of locks");
    }
    assert_eq!(given, LOCKS_MAX);
    assert_eq!(opens[0].take(), Err(NtStatus::INSUFFICIENT_RESOURCES));
    assert_eq!(LockRoom::new(Arc::default()).take(), Ok(()), "another user has its own");
    opens[1].give_back();
    assert_eq!(opens[0].take(), Ok(()), "what is unlocked makes room");
    drop(opens);
    assert_eq!(holding.locks(), 0, "what is closed gives all back");
}

#[test]
fn an_open_gives_back_only_what_it_has_taken() {
    let holding = Arc::<Holding>::default();
    let (first, second) = (LockRoom::new(Arc::clone(&holding)), LockRoom::new(Arc::clone(&holding)));
    first.take().unwrap();
    second.give_back();
    assert_eq!(holding.locks(), 1);
    first.give_back();
    first.give_back();
    assert_eq!(holding.locks(), 0);
}
