//! Rights against MS-DTYP, 2.5.3.2, written down as it stands there: over security identifiers, and one request at a
//! time.

use proptest::prelude::*;

use super::{
    strategy::{acl, callers, mask},
    *,
};
use crate::users::{MachineId, Principal};

const MACHINE: MachineId = MachineId([1, 2, 9]);

fn sid(principal: Principal) -> Sid {
    MACHINE.sid_of(principal)
}

/// The identifiers of a caller. One for the owner or the group of the node is not among them: those are resolved where
/// an entry is looked at.
fn token(caller: &Credentials) -> Vec<Sid> {
    let groups = caller.groups.iter().chain([&caller.gid]).map(|gid| sid(Principal::Group(*gid)));
    let mut sids: Vec<Sid> = groups.collect();
    sids.push(sid(Principal::User(caller.uid)));
    sids.push(Sid::everyone());
    if caller.uid != NOBODY {
        sids.extend([Sid::authenticated_users(), Sid::network(), Sid::users()]);
    }
    sids
}

fn owner_rights() -> Sid {
    Sid::new(3, &[4]).unwrap()
}

fn sid_of_entry(ace: &Ace) -> Sid {
    match &ace.who {
        Who::Owner | Who::User(1_000) => sid(Principal::User(OWNER.0)),
        Who::Group => sid(Principal::Group(OWNER.1)),
        Who::Everyone => Sid::everyone(),
        Who::OwnerRights => owner_rights(),
        Who::CreatorOwner => Sid::creator_owner(),
        Who::CreatorGroup => Sid::creator_group(),
        Who::User(uid) => sid(Principal::User(*uid)),
        Who::NamedGroup(gid) => sid(Principal::Group(*gid)),
        Who::Other(sid) => Sid::clone(sid),
    }
}

/// EvaluateTokenAgainstDescriptor.
fn may(acl: &Acl, caller: &Credentials, request: AccessMask) -> bool {
    let (token, owner) = (token(caller), sid(Principal::User(OWNER.0)));
    let owns = token.contains(&owner);
    let effective: Vec<&Ace> = acl.entries().iter().filter(|ace| !ace.flags.contains(AceFlags::INHERIT_ONLY)).collect();
    let mut remaining = request;
    if owns && !effective.iter().any(|ace| sid_of_entry(ace) == owner_rights()) {
        remaining -= AccessMask::READ_ACL | AccessMask::WRITE_ACL;
    }
    for ace in effective {
        let of_entry = sid_of_entry(ace);
        let is_meant = token.contains(&of_entry) || owns && of_entry == owner_rights();
        match ace.kind {
            AceKind::Allow if is_meant => remaining -= ace.mask,
            AceKind::Deny if is_meant && remaining.intersects(ace.mask) => return false,
            AceKind::Allow | AceKind::Deny => {}
        }
        if remaining.is_empty() {
            return true;
        }
    }
    remaining.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn rights_are_those_of_the_standard(acl in acl(), caller in callers(), request in mask()) {
        // Granted to everybody: see `Acl::granted`.
        let request = request - AccessMask::READ_ATTRIBUTES;
        prop_assert_eq!(rights(&acl, &caller).contains(request), may(&acl, &caller, request));
        for bit in 0..21 {
            let right = AccessMask::from_bits_truncate(1 << bit) - AccessMask::READ_ATTRIBUTES;
            prop_assert_eq!(rights(&acl, &caller).contains(right), may(&acl, &caller, right), "{:?}", right);
        }
    }
}
