mod check;
mod inheritance;
mod kept;
pub(super) mod strategy;

use super::*;
use crate::{
    access::{AccessMask, NodeSecurity, granted},
    credentials::{Credentials, NOBODY},
    node::NodeKind,
    users::Sid,
};

const OWNER: (u32, u32) = (1_000, 100);

fn list(entries: Vec<Ace>) -> Acl {
    Acl::new(entries, AclFlags::empty()).unwrap()
}

fn rights(acl: &Acl, who: &Credentials) -> AccessMask {
    let node = NodeSecurity { kind: NodeKind::File, mode: 0, uid: OWNER.0, gid: OWNER.1, acl: Some(acl) };
    granted(&node, who)
}

#[test]
fn the_first_entry_that_names_a_right_decides() {
    let (read, write) = (AccessMask::READ_DATA, AccessMask::WRITE_DATA);
    let user = Credentials::user(7, 70);
    let denied_first = list(vec![Ace::deny(Who::User(7), read), Ace::allow(Who::Everyone, read | write)]);
    assert_eq!(rights(&denied_first, &user) & (read | write), write);
    let allowed_first = list(vec![Ace::allow(Who::Everyone, read), Ace::deny(Who::User(7), read | write)]);
    assert_eq!(rights(&allowed_first, &user) & (read | write), read);
    assert_eq!(rights(&list(vec![]), &user), AccessMask::READ_ATTRIBUTES, "an empty list grants nothing");
}

#[test]
fn owners_change_the_list_unless_an_entry_limits_them() {
    let own = AccessMask::READ_ACL | AccessMask::WRITE_ACL;
    let owner = Credentials::user(OWNER.0, 9);
    let denies = list(vec![Ace::deny(Who::Everyone, AccessMask::all())]);
    assert_eq!(rights(&denies, &owner), own | AccessMask::READ_ATTRIBUTES);
    assert_eq!(rights(&denies, &Credentials::user(7, OWNER.1)), AccessMask::READ_ATTRIBUTES);
    let limits = list(vec![Ace::allow(Who::OwnerRights, AccessMask::READ_ACL)]);
    assert_eq!(rights(&limits, &owner), AccessMask::READ_ACL | AccessMask::READ_ATTRIBUTES);
    assert_eq!(rights(&limits, &Credentials::user(7, OWNER.1)), AccessMask::READ_ATTRIBUTES);
    let inherited_only =
        Ace::allow(Who::OwnerRights, AccessMask::READ_ACL).with_flags(AceFlags::FILE_INHERIT | AceFlags::INHERIT_ONLY);
    assert!(rights(&list(vec![inherited_only]), &owner).contains(own), "it limits others, below");
}

#[test]
fn no_list_grants_all_and_the_privileged_user_needs_none() {
    let nobody = Credentials::user(NOBODY, NOBODY);
    assert_eq!(rights(&Acl::unrestricted(AclFlags::PROTECTED), &nobody), AccessMask::all());
    let denies = list(vec![Ace::deny(Who::Everyone, AccessMask::all())]);
    assert_eq!(rights(&denies, &Credentials::root()), AccessMask::all() - AccessMask::EXECUTE, "nobody may execute");
}

#[test]
fn those_who_have_logged_on_are_all_but_nobody() {
    for sid in [Sid::authenticated_users(), Sid::network(), Sid::users()] {
        let entry = Ace::allow(Who::Other(Box::new(sid)), AccessMask::READ_DATA);
        let acl = list(vec![entry.clone()]);
        assert!(rights(&acl, &Credentials::user(7, 7)).contains(AccessMask::READ_DATA));
        assert!(!rights(&acl, &Credentials::user(NOBODY, 7)).contains(AccessMask::READ_DATA));
        let denied = Ace { kind: AceKind::Deny, ..entry };
        let denies = list(vec![denied, Ace::allow(Who::Everyone, AccessMask::READ_DATA)]);
        assert!(!rights(&denies, &Credentials::user(7, 7)).contains(AccessMask::READ_DATA));
        assert!(rights(&denies, &Credentials::user(NOBODY, 7)).contains(AccessMask::READ_DATA));
    }
    let administrators = Who::Other(Box::new(Sid::administrators()));
    let acl = list(vec![Ace::allow(administrators, AccessMask::READ_DATA)]);
    assert!(!rights(&acl, &Credentials::user(7, 7)).contains(AccessMask::READ_DATA));
}

#[test]
fn the_privileged_user_executes_what_a_list_lets_somebody_execute() {
    let execute = AccessMask::EXECUTE;
    let executes = |acl: &Acl| rights(acl, &Credentials::root()).contains(execute);
    // No digit of the mode shows this one.
    assert!(executes(&list(vec![Ace::allow(Who::User(7), execute)])));
    assert!(executes(&Acl::unrestricted(AclFlags::empty())));
    assert!(!executes(&list(vec![Ace::deny(Who::User(7), execute), Ace::allow(Who::User(7), AccessMask::READ_DATA)])));
    let below = AceFlags::INHERITABLE | AceFlags::INHERIT_ONLY;
    assert!(!executes(&list(vec![Ace::allow(Who::User(7), execute).with_flags(below)])));
}

#[test]
fn a_list_is_bounded() {
    let entry = Ace::allow(Who::User(1), AccessMask::READ_DATA);
    let most = (ACL_BYTES_MAX - 2) / 11;
    assert!(Acl::new(vec![entry.clone(); most], AclFlags::empty()).is_ok());
    assert_eq!(Acl::new(vec![entry; most + 1], AclFlags::empty()), Err(TooLong));
}

#[test]
fn entries_are_small() {
    assert!(size_of::<Ace>() <= 24, "a listing has many of them");
}
