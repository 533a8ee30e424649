//! Inheritance, by the tables of MS-DTYP, 2.5.3.4, and RFC 8881, 6.4.3.1.

use proptest::prelude::*;
use rstest::rstest;

use super::{strategy::acl, *};

const NONE: AceFlags = AceFlags::empty();
const FI: AceFlags = AceFlags::FILE_INHERIT;
const DI: AceFlags = AceFlags::DIRECTORY_INHERIT;
const NP: AceFlags = AceFlags::NO_PROPAGATE;
const IO: AceFlags = AceFlags::INHERIT_ONLY;
const BOTH: AceFlags = AceFlags::INHERITABLE;

/// The flags of an entry, and those that it has in a file and in a directory below; none if it isn't inherited.
#[rstest]
#[case(NONE, None, None)]
#[case(FI, Some(NONE), Some(FI.union(IO)))]
#[case(DI, None, Some(DI))]
#[case(BOTH, Some(NONE), Some(BOTH))]
#[case(NP, None, None)]
#[case(NP.union(FI), Some(NONE), None)]
#[case(NP.union(DI), None, Some(NONE))]
#[case(NP.union(BOTH), Some(NONE), Some(NONE))]
#[case(IO, None, None)]
#[case(IO.union(FI), Some(NONE), Some(FI.union(IO)))]
#[case(IO.union(DI), None, Some(DI))]
#[case(IO.union(BOTH), Some(NONE), Some(BOTH))]
#[case(IO.union(NP), None, None)]
#[case(IO.union(NP).union(FI), Some(NONE), None)]
#[case(IO.union(NP).union(DI), None, Some(NONE))]
#[case(IO.union(NP).union(BOTH), Some(NONE), Some(NONE))]
fn flags_say_what_is_inherited(
    #[case] flags: AceFlags,
    #[case] of_file: Option<AceFlags>,
    #[case] of_directory: Option<AceFlags>,
) {
    for marks in [false, true] {
        let entry = Ace::deny(Who::User(5), AccessMask::WRITE_DATA).with_flags(flags);
        let above = if marks { AclFlags::AUTO_INHERITED } else { AclFlags::empty() };
        let directory = Acl::new(vec![entry.clone()], above | AclFlags::PROTECTED).unwrap();
        for (kind, expected) in [(NodeKind::File, of_file), (NodeKind::Directory, of_directory)] {
            let inherited = directory.inherited(kind, OWNER);
            let mark = if marks { AceFlags::INHERITED } else { NONE };
            let expected = expected.map(|flags| {
                let entries = vec![entry.clone().with_flags(flags | mark)];
                Acl::new(entries, above).unwrap()
            });
            assert_eq!(inherited, expected, "{kind:?} below {flags:?}");
        }
    }
}

#[rstest]
#[case(Who::CreatorOwner, Who::User(OWNER.0))]
#[case(Who::CreatorGroup, Who::NamedGroup(OWNER.1))]
fn creators_get_their_own_entry_and_pass_the_other_on(#[case] creator: Who, #[case] becomes: Who) {
    let entry = |who: &Who, flags| Ace::allow(who.clone(), AccessMask::WRITE_DATA).with_flags(flags);
    let below = |flags, kind| list(vec![entry(&creator, flags)]).inherited(kind, OWNER).map(|acl| acl.entries);
    let own = entry(&becomes, NONE);
    assert_eq!(below(BOTH, NodeKind::File), Some(vec![own.clone()]));
    assert_eq!(below(BOTH, NodeKind::Directory), Some(vec![own.clone(), entry(&creator, BOTH | IO)]));
    assert_eq!(below(DI, NodeKind::Directory), Some(vec![own.clone(), entry(&creator, DI | IO)]));
    assert_eq!(below(FI, NodeKind::Directory), Some(vec![entry(&creator, FI | IO)]));
    assert_eq!(below(NP | BOTH, NodeKind::Directory), Some(vec![own]));
}

#[test]
fn the_order_stays_and_no_list_is_not_inherited() {
    let entries = vec![
        Ace::deny(Who::User(1), AccessMask::READ_DATA).with_flags(FI),
        Ace::allow(Who::User(2), AccessMask::READ_DATA),
        Ace::allow(Who::Owner, AccessMask::READ_DATA).with_flags(BOTH),
    ];
    let file = list(entries.clone()).inherited(NodeKind::Fifo, OWNER).unwrap();
    assert_eq!(file.entries, [entries[0].clone().with_flags(NONE), entries[2].clone().with_flags(NONE)]);
    assert_eq!(Acl::unrestricted(AclFlags::empty()).inherited(NodeKind::File, OWNER), None);
}

proptest! {
    #[test]
    fn generations_do_not_grow(acl in acl()) {
        let Some(child) = acl.inherited(NodeKind::Directory, OWNER) else { return Ok(()) };
        prop_assert!(child.entries.len() <= 2 * acl.entries.len());
        let mut before = child;
        for _ in 0..3 {
            let Some(next) = before.inherited(NodeKind::Directory, OWNER) else { return Ok(()) };
            prop_assert!(next.entries.len() <= before.entries.len());
            before = next;
        }
    }

    #[test]
    fn files_pass_nothing_on(acl in acl()) {
        let Some(file) = acl.inherited(NodeKind::File, OWNER) else { return Ok(()) };
        prop_assert_eq!(file.inherited(NodeKind::Directory, OWNER), None);
        prop_assert!(file.entries.iter().all(Ace::is_effective));
    }
}
