use dittofs_smb_wire::{
    create::{LeaseFlags, LeaseState, LeaseVersion2},
    identifiers::LeaseKey as WireKey,
};
use rstest::rstest;

use super::*;

const R: Rights = Rights::READ;
const RH: Rights = Rights::READ.union(Rights::HANDLE);
const RWH: Rights = Rights::all();
const LEASING: Capabilities = Capabilities::LEASING;

fn lease(is_version_2: bool) -> Lease {
    Lease {
        key: WireKey([3; 16]),
        state: LeaseState::READ_CACHING | LeaseState::HANDLE_CACHING | LeaseState::WRITE_CACHING,
        flags: LeaseFlags::empty(),
        version_2: is_version_2.then_some(LeaseVersion2 { parent_key: WireKey::default(), epoch: 9 }),
    }
}

#[rstest]
#[case(OplockLevel::NONE, Asked::Nothing)]
#[case(OplockLevel::LEVEL_II, Asked::Oplock(R))]
#[case(OplockLevel::EXCLUSIVE, Asked::Oplock(R | Rights::WRITE))]
#[case(OplockLevel::BATCH, Asked::Oplock(RWH))]
#[case(OplockLevel::LEASE, Asked::Lease(lease(false), RWH))]
#[case(OplockLevel(0x42), Asked::Nothing)]
fn levels_of_files(#[case] level: OplockLevel, #[case] expected: Asked) {
    assert_eq!(Asked::read((level, Some(&lease(false))), LEASING, false), expected);
}

#[test]
fn lease_needs_its_context_and_a_dialect_that_has_it() {
    assert_eq!(Asked::read((OplockLevel::LEASE, None), LEASING, false), Asked::Nothing);
    assert_eq!(Asked::read((OplockLevel::LEASE, Some(&lease(true))), Capabilities::empty(), false), Asked::Nothing);
    let level = Asked::read((OplockLevel::BATCH, Some(&lease(true))), LEASING, false);
    assert_eq!(level, Asked::Oplock(RWH), "the context counts with its level only");
}

#[test]
fn directories_have_leases_of_version_2_without_writing() {
    let both = LEASING | Capabilities::DIRECTORY_LEASING;
    for (version_2, capabilities, expected) in
        [(true, both, Asked::Lease(lease(true), RH)), (false, both, Asked::Nothing), (true, LEASING, Asked::Nothing)]
    {
        assert_eq!(Asked::read((OplockLevel::LEASE, Some(&lease(version_2))), capabilities, true), expected);
    }
    assert_eq!(Asked::read((OplockLevel::BATCH, None), both, true), Asked::Nothing);
}

#[test]
fn key_of_the_parent_counts_where_directories_are_cached_and_the_client_says_that_it_is_set() {
    let both = LEASING | Capabilities::DIRECTORY_LEASING;
    let parent_key = WireKey([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    let asked = Lease {
        flags: LeaseFlags::PARENT_LEASE_KEY_SET,
        version_2: Some(LeaseVersion2 { parent_key, epoch: 9 }),
        ..lease(true)
    };
    let key = |lease: &Lease, capabilities| parent_key_of(OplockLevel::LEASE, lease, capabilities);
    assert_eq!(key(&asked, both), Some(0x0001_0203_0405_0607_0809_0A0B_0C0D_0E0F));
    assert_eq!(key(&asked, LEASING), None);
    assert_eq!(key(&Lease { flags: LeaseFlags::empty(), ..asked }, both), None);
    assert_eq!(key(&Lease { version_2: None, ..asked }, both), None);
    assert_eq!(parent_key_of(OplockLevel::BATCH, &asked, both), None, "the context counts with its level only");
}

fn parent_key_of(level: OplockLevel, lease: &Lease, capabilities: Capabilities) -> Option<u128> {
    parent_key((level, Some(lease)), capabilities)
}
