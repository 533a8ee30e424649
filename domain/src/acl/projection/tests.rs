use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::{
    access::{NodeSecurity, granted},
    acl::{AclFlags, tests::strategy},
    credentials::Credentials,
    node::NodeKind,
    users::Sid,
};

const OWNER: (u32, u32) = (1_000, 100);
const R: AccessMask = AccessMask::READ_DATA;
const W: AccessMask = AccessMask::WRITE_DATA.union(AccessMask::APPEND_DATA);
const X: AccessMask = AccessMask::EXECUTE;

fn allow(who: Who, mask: AccessMask) -> Ace {
    Ace::allow(who, mask)
}

/// RFC 8881, 6.3.2: OWNER@, GROUP@ and EVERYONE@ are evaluated each for itself, with EVERYONE@; the write bit needs
/// both of its rights.
#[rstest]
#[case(vec![], 0)]
#[case(vec![allow(Who::Owner, R), allow(Who::Group, W), allow(Who::Everyone, X)], 0o531)]
#[case(vec![allow(Who::Everyone, R.union(W).union(X))], 0o777)]
#[case(vec![allow(Who::Everyone, AccessMask::WRITE_DATA)], 0)]
#[case(vec![allow(Who::Everyone, AccessMask::APPEND_DATA)], 0)]
#[case(vec![allow(Who::Owner, AccessMask::WRITE_DATA), allow(Who::Everyone, AccessMask::APPEND_DATA)], 0o200)]
#[case(vec![Ace::deny(Who::Owner, R), allow(Who::Everyone, R)], 0o044)]
#[case(vec![allow(Who::Everyone, R), Ace::deny(Who::Owner, R)], 0o444)]
#[case(vec![Ace::deny(Who::Everyone, R), allow(Who::Owner, R)], 0)]
#[case(vec![allow(Who::User(5), R), allow(Who::NamedGroup(5), R)], 0)]
#[case(vec![allow(Who::User(1_000), R), allow(Who::NamedGroup(100), X)], 0o410)]
#[case(vec![allow(Who::Everyone, R).with_flags(AceFlags::FILE_INHERIT.union(AceFlags::INHERIT_ONLY))], 0)]
fn a_list_has_the_mode_of_the_standard(#[case] entries: Vec<Ace>, #[case] bits: u16) {
    assert_eq!(Acl::new(entries, AclFlags::empty()).unwrap().permission_bits(OWNER), bits);
    assert_eq!(Acl::unrestricted(AclFlags::empty()).permission_bits(OWNER), 0o777);
}

fn callers() -> Vec<Credentials> {
    let with = |uid, groups: &[u32]| Credentials { uid, gid: 9, groups: groups.iter().copied().collect() };
    let (owner, group) = OWNER;
    vec![
        with(owner, &[]),
        with(owner, &[group]),
        with(77, &[group]),
        with(77, &[]),
        Credentials::user(77, group),
        Credentials::root(),
    ]
}

/// A list that says what a mode says grants what the mode grants, to everyone and for every mode.
#[rstest]
#[case(NodeKind::File)]
#[case(NodeKind::Directory)]
fn entries_of_a_mode_grant_what_the_mode_grants(#[case] kind: NodeKind) {
    // Of nobody here, so that the list stays one.
    let other = allow(Who::User(5), R | W | X);
    let is_directory = kind == NodeKind::Directory;
    for bits in 0..0o1000 {
        let acl = Acl::new(vec![other.clone()], AclFlags::empty()).unwrap();
        let Some(acl) = acl.with_mode(bits, OWNER, is_directory) else {
            assert_eq!(bits & 0o070, 0, "nothing is left of the entry");
            continue;
        };
        for caller in callers() {
            let by_mode = NodeSecurity { kind, mode: bits, uid: OWNER.0, gid: OWNER.1, acl: None };
            let by_list = NodeSecurity { acl: Some(&acl), ..by_mode };
            assert_eq!(granted(&by_list, &caller), granted(&by_mode, &caller), "{bits:03o} for {caller:?}");
        }
    }
}

#[test]
fn a_list_of_which_nothing_is_left_goes() {
    let entries = vec![allow(Who::Owner, R), Ace::deny(Who::NamedGroup(100), W), allow(Who::User(5), R)];
    let acl = Acl::new(entries, AclFlags::PROTECTED).unwrap();
    assert_eq!(acl.with_mode(0o600, OWNER, false), None);
    let left = acl.with_mode(0o640, OWNER, false).unwrap();
    assert_eq!(left.entries().first(), Some(&allow(Who::User(5), R)));
    assert_eq!(left.flags(), AclFlags::PROTECTED);
    assert_eq!(Acl::unrestricted(AclFlags::empty()).with_mode(0o640, OWNER, false), None);
}

#[test]
fn what_is_inherited_outlives_chmod() {
    let passes_on = allow(Who::User(5), R | W).with_flags(AceFlags::INHERITABLE | AceFlags::INHERITED);
    let creator = allow(Who::CreatorOwner, X).with_flags(AceFlags::INHERITABLE | AceFlags::INHERIT_ONLY);
    let acl = Acl::new(vec![passes_on.clone(), creator.clone()], AclFlags::empty()).unwrap();
    let left = acl.with_mode(0o740, OWNER, true).unwrap();
    let expected = [
        allow(Who::User(5), R),
        allow(Who::User(5), R | W).with_flags(AceFlags::INHERITABLE | AceFlags::INHERIT_ONLY),
        creator,
    ];
    assert_eq!(left.entries()[..3], expected);
}

#[test]
fn chmod_gives_nobody_what_was_denied_to_him() {
    let denials = [Who::Everyone, Who::Group, Who::NamedGroup(OWNER.1), Who::Other(Box::new(Sid::users()))];
    for denied in denials {
        let entries = vec![
            allow(Who::User(4), R | W),
            Ace::deny(denied.clone(), W),
            allow(Who::User(5), R | W).with_flags(AceFlags::INHERITABLE),
        ];
        let left = Acl::new(entries, AclFlags::empty()).unwrap().with_mode(0o770, OWNER, true).unwrap();
        let passes_on = allow(Who::User(5), R | W).with_flags(AceFlags::INHERITABLE | AceFlags::INHERIT_ONLY);
        assert_eq!(left.entries()[..3], [allow(Who::User(4), R | W), allow(Who::User(5), R), passes_on], "{denied:?}");
    }
}

#[test]
fn whom_the_group_s_digit_lets_write_nothing_may_change_nothing() {
    let others = [Who::User(5), Who::NamedGroup(5)];
    let acl = Acl::new(others.map(|who| allow(who, AccessMask::all())).to_vec(), AclFlags::empty()).unwrap();
    let left =
        |bits| acl.with_mode(bits, OWNER, false).unwrap().entries().iter().map(|ace| ace.mask).collect::<Vec<_>>();
    let reads = R | X | AccessMask::READ_NAMED_ATTRS | AccessMask::READ_ATTRIBUTES | AccessMask::READ_ACL;
    let reads = reads | AccessMask::SYNCHRONIZE;
    assert_eq!(left(0o750)[..2], [reads; 2]);
    assert_eq!(left(0o770)[..2], [AccessMask::all(); 2]);
}

#[test]
fn a_list_before_its_mode_grants_nothing_and_is_then_as_with_the_mode_at_once() {
    let acl = Acl::new(vec![allow(Who::User(5), R | W), allow(Who::Everyone, R)], AclFlags::PROTECTED).unwrap();
    let waits = acl.clone().before_mode();
    assert_eq!((waits.permission_bits(OWNER), waits.flags()), (0, AclFlags::PROTECTED));
    for bits in 0..0o1000 {
        assert_eq!(waits.with_mode(bits, OWNER, false), acl.with_mode(bits, OWNER, false), "{bits:03o}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// RFC 8881, 6.4.1.1.
    #[test]
    fn chmod_leads_to_that_mode(acl in strategy::acl(), bits in 0..0o1000_u16, is_directory in any::<bool>()) {
        let Some(after) = acl.with_mode(bits, OWNER, is_directory) else { return Ok(()) };
        prop_assert_eq!(after.permission_bits(OWNER), bits);
        for (right, bit) in [(R, 0o040), (W, 0o020), (X, 0o010)] {
            if bits & bit != 0 {
                continue;
            }
            let listed = |ace: &&Ace| matches!(ace.who, Who::User(_) | Who::NamedGroup(_) | Who::Other(_));
            let grants = |ace: &Ace| ace.is_effective() && ace.kind == AceKind::Allow && ace.mask.intersects(right);
            prop_assert!(!after.entries().iter().filter(listed).any(grants), "{:?} {:?}", right, after);
        }
        let only_inherited = |acl: &Acl| -> Vec<Ace> {
            acl.entries().iter().filter(|ace| !ace.is_effective()).cloned().collect()
        };
        let left = only_inherited(&after);
        prop_assert!(only_inherited(&acl).iter().all(|ace| left.contains(ace)));
        prop_assert!(after.entries().len() <= 2 * acl.entries().len() + 5);
    }

    /// Nobody gets by it what neither the list nor the mode grants. Owners may give themselves all.
    #[test]
    fn chmod_grants_no_more_than_the_list_and_the_mode(
        acl in strategy::acl(),
        bits in 0..0o1000_u16,
        kind in prop::sample::select(vec![NodeKind::File, NodeKind::Directory]),
        caller in strategy::callers(),
    ) {
        prop_assume!(caller.uid != OWNER.0);
        let by_mode = NodeSecurity { kind, mode: bits, uid: OWNER.0, gid: OWNER.1, acl: None };
        let after = acl.with_mode(bits, OWNER, kind == NodeKind::Directory);
        let after = granted(&NodeSecurity { acl: after.as_ref(), ..by_mode }, &caller);
        let before = granted(&NodeSecurity { acl: Some(&acl), ..by_mode }, &caller);
        let more = after - before - granted(&by_mode, &caller);
        prop_assert!(more.is_empty(), "{:?}", more);
    }

    /// Doing it twice does what doing it once does.
    #[test]
    fn chmod_to_the_same_mode_changes_nothing(acl in strategy::acl(), bits in 0..0o1000_u16) {
        let Some(once) = acl.with_mode(bits, OWNER, true) else { return Ok(()) };
        prop_assert_eq!(once.with_mode(bits, OWNER, true), Some(once));
    }
}
