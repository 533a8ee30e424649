use dittofs_domain::{
    Credentials, FsError,
    credentials::{Groups, IdentityPolicy, Squash, check_owner, shown_owner},
};
use proptest::prelude::*;
use rstest::rstest;

const NOBODY: u32 = 65_534;
const NONE: u32 = u32::MAX;

fn policy(squash: Squash) -> IdentityPolicy {
    IdentityPolicy { squash, ..IdentityPolicy::default() }
}

fn presented(uid: u32, gid: u32, groups: &[u32]) -> Credentials {
    Credentials { uid, gid, groups: Groups::from_slice(groups) }
}

#[rstest]
#[case(Squash::None, presented(0, 0, &[0, 5]), presented(0, 0, &[0, 5]))]
#[case(Squash::None, presented(7, 8, &[9]), presented(7, 8, &[9]))]
#[case(Squash::Root, presented(0, 0, &[0, 5]), presented(NOBODY, NOBODY, &[NOBODY, 5]))]
#[case(Squash::Root, presented(0, 8, &[9]), presented(NOBODY, 8, &[9]))]
#[case(Squash::Root, presented(7, 0, &[9, 0]), presented(7, NOBODY, &[9, NOBODY]))]
#[case(Squash::Root, presented(7, 8, &[9]), presented(7, 8, &[9]))]
#[case(Squash::All, presented(0, 0, &[0]), presented(NOBODY, NOBODY, &[]))]
#[case(Squash::All, presented(7, 8, &[9]), presented(NOBODY, NOBODY, &[]))]
#[case(Squash::None, presented(NONE, 8, &[NONE, 5]), presented(NOBODY, 8, &[NOBODY, 5]))]
#[case(Squash::None, presented(0, NONE, &[]), presented(0, NOBODY, &[]))]
#[case(Squash::Root, presented(NONE, NONE, &[9, NONE]), presented(NOBODY, NOBODY, &[9, NOBODY]))]
#[case(Squash::All, presented(NONE, NONE, &[NONE]), presented(NOBODY, NOBODY, &[]))]
fn identity_is_squashed_in_every_position(#[case] squash: Squash, #[case] from: Credentials, #[case] to: Credentials) {
    assert_eq!(policy(squash).map(Some(&from)), to);
}

#[test]
fn nobody_is_the_privileged_user_by_accident() {
    for squash in [Squash::None, Squash::Root, Squash::All] {
        let nobody = policy(squash).map(None);
        assert_eq!(nobody, Credentials::user(NOBODY, NOBODY), "{squash:?}");
        assert!(!nobody.is_privileged());
    }
    assert_eq!(IdentityPolicy::default().squash, Squash::Root);
}

#[test]
fn groups_of_a_caller_are_its_primary_one_and_the_others() {
    let caller = presented(7, 8, &[9, 10]);
    let member: Vec<u32> = (0..12).filter(|gid| caller.in_group(*gid)).collect();
    assert_eq!(member, [8, 9, 10]);
    assert!(Credentials::root().is_privileged() && !caller.is_privileged());
}

#[test]
fn no_id_is_no_owner_however_a_share_maps_owners() {
    for squash in [Squash::None, Squash::Root, Squash::All] {
        let policy = policy(squash);
        let (uid, gid) = (policy.map_uid(NONE), policy.map_gid(NONE));
        assert_eq!(check_owner(Some(uid), None), Err(FsError::Invalid), "{squash:?}");
        assert_eq!(check_owner(None, Some(gid)), Err(FsError::Invalid), "{squash:?}");
    }
    assert_eq!(check_owner(Some(0), Some(NONE - 1)), Ok(()));
    assert_eq!([0, NOBODY, NONE - 1, NONE].map(shown_owner), [0, NOBODY, NONE - 1, NOBODY]);
}

proptest! {
    #[test]
    fn owners_that_are_set_are_mapped_as_identities_are(uid in 0..3_u32, gid in 0..3_u32) {
        for squash in [Squash::None, Squash::Root, Squash::All] {
            let policy = IdentityPolicy { squash, anonymous_uid: 77, anonymous_gid: 88 };
            let mapped = policy.map(Some(&Credentials::user(uid, gid)));
            prop_assert_eq!((policy.map_uid(uid), policy.map_gid(gid)), (mapped.uid, mapped.gid));
            prop_assert!(squash == Squash::None || !mapped.is_privileged());
        }
    }
}
