//! Lists at random, of few users and groups, so that entries meet.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

pub(crate) fn who() -> impl Strategy<Value = Who> {
    select(vec![
        Who::Owner,
        Who::Group,
        Who::Everyone,
        Who::OwnerRights,
        Who::CreatorOwner,
        Who::CreatorGroup,
        Who::User(OWNER.0),
        Who::User(2_000),
        Who::NamedGroup(OWNER.1),
        Who::NamedGroup(200),
        Who::Other(Box::new(Sid::authenticated_users())),
        Who::Other(Box::new(Sid::network())),
        Who::Other(Box::new(Sid::users())),
        Who::Other(Box::new(Sid::administrators())),
        Who::Other(Box::new(Sid::new(5, &[21, 1, 2, 3, 1_000]).unwrap())),
    ])
}

pub(crate) fn mask() -> impl Strategy<Value = AccessMask> {
    prop_oneof![
        any::<u32>().prop_map(AccessMask::from_bits_truncate),
        (0..21_u32).prop_map(|bit| { AccessMask::from_bits_truncate(1 << bit) })
    ]
}

pub(crate) fn ace() -> impl Strategy<Value = Ace> {
    (any::<bool>(), who(), any::<u8>(), mask()).prop_map(|(allows, who, flags, mask)| Ace {
        kind: if allows { AceKind::Allow } else { AceKind::Deny },
        who,
        flags: AceFlags::from_bits_truncate(flags),
        mask,
    })
}

pub(crate) fn acl() -> impl Strategy<Value = Acl> {
    (vec(ace(), 0..8), any::<bool>(), any::<bool>()).prop_map(|(entries, protected, marks)| {
        let mut flags = AclFlags::empty();
        flags.set(AclFlags::PROTECTED, protected);
        flags.set(AclFlags::AUTO_INHERITED, marks);
        Acl::new(entries, flags).unwrap()
    })
}

/// Users of each class of the mode, and more than one class.
pub(crate) fn callers() -> impl Strategy<Value = Credentials> {
    let ids = [OWNER.0, 2_000, 3_000, NOBODY];
    let groups = [OWNER.1, 200, 300];
    (select(ids.to_vec()), select(groups.to_vec()), vec(select(groups.to_vec()), 0..3))
        .prop_map(|(uid, gid, groups)| Credentials { uid, gid, groups: groups.into_iter().collect() })
}
