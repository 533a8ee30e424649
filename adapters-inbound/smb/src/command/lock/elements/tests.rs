use dittofs_domain::{
    ClientId,
    opens::{Lock, LockHolder, LockKind, LockRange, OpenToken},
};
use dittofs_smb_wire::{
    NtStatus,
    lock::{LockElement, LockFlags},
};
use proptest::prelude::*;

use super::{are_unlocks, lock, may_wait, unlock};

const HOLDER: LockHolder = LockHolder::Open { client: ClientId::Smb(1), open: OpenToken(2) };

fn element(flags: u32) -> LockElement {
    LockElement { offset: 10, length: 5, flags: LockFlags::from_bits_retain(flags) }
}

fn kind(flags: u32, is_only: bool) -> Result<LockKind, NtStatus> {
    lock(&element(flags), is_only, HOLDER).map(|lock| lock.kind)
}

#[test]
fn only_four_combinations_of_flags_are_locks() {
    for flags in (0..=0x3F).chain([0x8000_0001, u32::MAX]) {
        let expected = match flags {
            0x01 | 0x11 => Ok(LockKind::Shared),
            0x02 | 0x12 => Ok(LockKind::Exclusive),
            _ => Err(NtStatus::INVALID_PARAMETER),
        };
        assert_eq!(kind(flags, true), expected, "{flags:#x}");
    }
}

#[test]
fn a_lock_among_several_has_to_fail_at_once() {
    for (flags, is_good) in [(0x01, false), (0x02, false), (0x11, true), (0x12, true)] {
        assert_eq!(kind(flags, false).is_ok(), is_good, "{flags:#x}");
        assert_eq!(may_wait(&element(flags)), !is_good, "{flags:#x}");
    }
}

#[test]
fn an_unlock_has_no_other_flag() {
    for flags in 0..=0x3F {
        let expected =
            if flags == 0x04 { Ok(LockRange::exact(10, 5).unwrap()) } else { Err(NtStatus::INVALID_PARAMETER) };
        assert_eq!(unlock(&element(flags)), expected, "{flags:#x}");
    }
}

#[test]
fn the_first_element_decides() {
    assert!(are_unlocks(&[element(4), element(1)]));
    assert!(are_unlocks(&[element(6)]));
    assert!(!are_unlocks(&[element(1), element(4)]));
    assert!(!are_unlocks(&[element(0), element(4)]));
}

proptest! {
    #[test]
    fn ranges_end_with_the_last_of_2_to_the_64_bytes(offset: u64, length: u64) {
        let element = LockElement { offset, length, flags: LockFlags::EXCLUSIVE_LOCK };
        let fits = length == 0 || u128::from(offset) + u128::from(length) <= 1 << 64;
        let expected = LockRange::exact(offset, length).map(|range| Lock { range, kind: LockKind::Exclusive, holder: HOLDER });
        prop_assert_eq!(expected.is_some(), fits);
        prop_assert_eq!(lock(&element, true, HOLDER), expected.ok_or(NtStatus::INVALID_LOCK_RANGE));
    }
}
