use proptest::prelude::*;
use rstest::rstest;

use super::*;

const MACHINE: MachineId = MachineId([1, 2, 3]);

#[rstest]
#[case(Principal::User(0), "S-1-5-21-1-2-3-1000")]
#[case(Principal::Group(0), "S-1-5-21-1-2-3-1001")]
#[case(Principal::User(1_000), "S-1-5-21-1-2-3-3000")]
#[case(Principal::Group(100), "S-1-5-21-1-2-3-1201")]
#[case(Principal::User(2_147_483_147), "S-1-5-21-1-2-3-4294967294")]
#[case(Principal::User(2_147_483_148), "S-1-22-1-2147483148")]
#[case(Principal::Group(4_000_000_000), "S-1-22-2-4000000000")]
fn ids_have_the_identifiers_that_samba_gives_them(#[case] principal: Principal, #[case] sid: &str) {
    assert_eq!(MACHINE.sid_of(principal).to_string(), sid);
    assert_eq!(MACHINE.principal_of(&sid.parse().unwrap()), Some(principal));
}

#[rstest]
#[case("S-1-5-21-1-2-4-1000")]
#[case("S-1-5-21-1-2-3-999")]
#[case("S-1-5-21-1-2-3-500")]
#[case("S-1-5-21-1-2-3")]
#[case("S-1-5-32-544")]
#[case("S-1-1-0")]
#[case("S-1-22-3-1")]
#[case("S-1-22-1-1-1")]
fn identifiers_of_others_mean_nobody_here(#[case] sid: &str) {
    assert_eq!(MACHINE.principal_of(&sid.parse().unwrap()), None);
}

#[rstest]
#[case("")]
#[case("S-1-")]
#[case("S-2-5-21")]
#[case("S-1-5-+1")]
#[case("S-1-5-1-")]
#[case("S-1-5-4294967296")]
#[case("S-1-0x1000000000000-1")]
#[case("S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16")]
#[case("S-1-5-a")]
fn a_text_is_no_identifier(#[case] text: &str) {
    assert_eq!(text.parse::<Sid>(), Err(NoSid));
}

#[test]
fn well_known_identifiers_are_those_of_the_specification() {
    let known = [
        (Sid::everyone(), "S-1-1-0"),
        (Sid::creator_owner(), "S-1-3-0"),
        (Sid::creator_group(), "S-1-3-1"),
        (Sid::anonymous(), "S-1-5-7"),
        (Sid::authenticated_users(), "S-1-5-11"),
        (Sid::system(), "S-1-5-18"),
        (Sid::administrators(), "S-1-5-32-544"),
        (Sid::users(), "S-1-5-32-545"),
    ];
    known.iter().for_each(|(sid, text)| assert_eq!(sid.to_string(), *text));
}

#[test]
fn bytes_are_those_of_the_wire() {
    let sid: Sid = "S-1-5-32-544".parse().unwrap();
    assert_eq!(sid.to_bytes().as_slice(), [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]);
    for wrong in [&[][..], &[1, 1, 0, 0, 0, 0, 0, 5, 1, 2, 3], &[2, 0, 0, 0, 0, 0, 0, 5], &[1, 16, 0, 0, 0, 0, 0, 5]] {
        assert_eq!(Sid::from_bytes(wrong), Err(NoSid));
    }
}

prop_compose! {
    fn sids()(authority in 0..=AUTHORITY_MAX, numbers in prop::collection::vec(any::<u32>(), 0..=15)) -> Sid {
        Sid::new(authority, &numbers).unwrap()
    }
}

proptest! {
    #[test]
    fn an_identifier_is_read_as_it_was_written(sid in sids(), more in prop::collection::vec(any::<u8>(), 0..9)) {
        prop_assert_eq!(sid.to_string().parse::<Sid>(), Ok(sid.clone()));
        let mut bytes = sid.to_bytes().to_vec();
        let len = bytes.len();
        bytes.extend(more);
        prop_assert_eq!(Sid::from_bytes(&bytes), Ok((sid, len)));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok((sid, len)) = Sid::from_bytes(&bytes) {
            let again = sid.to_bytes();
            prop_assert_eq!(again.as_slice(), &bytes[..len]);
        }
    }

    #[test]
    fn every_id_has_an_identifier_of_its_own(machine: [u32; 3], one: u32, other: u32) {
        let machine = MachineId(machine);
        for principal in [Principal::User(one), Principal::Group(one)] {
            prop_assert_eq!(machine.principal_of(&machine.sid_of(principal)), Some(principal));
        }
        prop_assert_ne!(machine.sid_of(Principal::User(one)), machine.sid_of(Principal::Group(other)));
    }

    #[test]
    fn a_machine_is_read_as_it_was_kept(bits: u128) {
        let machine = MachineId::of_bits(bits);
        prop_assert_eq!(MachineId::from_bytes(machine.to_bytes()), machine);
    }
}
