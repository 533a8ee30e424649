use std::sync::Arc;

use dittofs_domain::{Node, NodeId, attributes::overlay, node::Parent};
use dittofs_smb_wire::security::AceFlags as WireFlags;
use proptest::{collection::vec, prelude::*};

use super::*;

const MACHINE: MachineId = MachineId([1, 2, 3]);

fn node(mode: u16, acl: Option<Acl>) -> Attributes {
    let parent = Parent { directory: NodeId::ROOT, cookie: Default::default() };
    let node = Node::bare(NodeId(9), NodeKind::File, parent, dittofs_domain::Timestamp::EPOCH);
    overlay(&Node { mode, uid: 1_000, gid: 100, acl: acl.map(Arc::new), ..node }, None)
}

/// A list with everybody and every flag.
fn any_list() -> Acl {
    let foreign = users::Sid::new(5, &[21, 9, 9, 9, 500]).unwrap();
    let whos = [
        Who::Everyone,
        Who::OwnerRights,
        Who::CreatorOwner,
        Who::CreatorGroup,
        Who::User(1_000),
        Who::User(u32::MAX),
        Who::NamedGroup(100),
        Who::Other(Box::new(users::Sid::authenticated_users())),
        Who::Other(Box::new(foreign)),
    ];
    let entries = whos.into_iter().enumerate().map(|(at, who)| {
        let entry =
            if at % 2 == 0 { Ace::allow(who, AccessMask::all()) } else { Ace::deny(who, AccessMask::READ_DATA) };
        entry.with_flags(AceFlags::from_bits_truncate(3 * at as u8))
    });
    Acl::new(entries.collect(), AclFlags::PROTECTED).unwrap()
}

#[test]
fn a_list_is_read_as_it_was_shown() {
    for acl in [any_list(), Acl::default(), Acl::unrestricted(AclFlags::PROTECTED)] {
        let shown = descriptor(&node(0, Some(acl.clone())));
        assert_eq!(shown.owner, Some(Sid::unix_user(1_000)));
        assert_eq!(shown.dacl.is_none(), acl.is_unrestricted());
        assert_eq!(SecurityDescriptor::decode(&shown.encode().unwrap()), Ok(shown.clone()));
        assert_eq!(list(&shown, MACHINE), Ok(acl));
    }
}

#[test]
fn entries_of_a_mode_name_the_owner_and_the_group_that_there_are() {
    let acl = any_list().with_mode(0o640, (1_000, 100), false).unwrap();
    let shown = list(&descriptor(&node(0o640, Some(acl.clone()))), MACHINE).unwrap();
    let expected = acl.entries().iter().map(|ace| {
        let who = match &ace.who {
            Who::Owner => Who::User(1_000),
            Who::Group => Who::NamedGroup(100),
            who => who.clone(),
        };
        Ace { who, ..ace.clone() }
    });
    assert_eq!(shown.entries(), expected.collect::<Vec<_>>());
}

#[test]
fn inherited_entries_are_marked_by_who_asks_for_it() {
    let shown =
        |control| SecurityDescriptor { control: LISTED | control, ..descriptor(&node(0, Some(Acl::default()))) };
    let (inherited, required) = (Control::DACL_AUTO_INHERITED, Control::DACL_AUTO_INHERIT_REQUIRED);
    let flags = |control| list(&shown(control), MACHINE).unwrap().flags();
    assert_eq!(flags(inherited), AclFlags::empty());
    assert_eq!(flags(required), AclFlags::empty());
    assert_eq!(flags(inherited | required), AclFlags::AUTO_INHERITED);
    assert_eq!(flags(Control::DACL_PROTECTED), AclFlags::PROTECTED);
    let acl = Acl::new(vec![], AclFlags::AUTO_INHERITED).unwrap();
    assert_eq!(descriptor(&node(0, Some(acl))).control, LISTED | inherited);
}

#[test]
fn generic_rights_become_those_of_files() {
    let entry = security::Ace::allowed(Sid::EVERYONE, WireAccess::GENERIC_READ, WireFlags::empty());
    let acl = security::Acl::new(vec![entry]);
    let sd = SecurityDescriptor { control: LISTED, dacl: Some(acl), ..SecurityDescriptor::default() };
    assert_eq!(list(&sd, MACHINE).unwrap().entries()[0].mask.bits(), WireAccess::FILE_GENERIC_READ.bits());
}

#[test]
fn users_and_groups_are_known_by_either_identifier() {
    let wire = |sid: users::Sid| Sid::new(sid.authority(), sid.numbers()).unwrap();
    let (user, of_group) = (wire(MACHINE.sid_of(Principal::User(7))), wire(MACHINE.sid_of(Principal::Group(8))));
    assert_eq!((owner(user, MACHINE), owner(Sid::unix_user(7), MACHINE)), (Ok(7), Ok(7)));
    assert_eq!((group(of_group, MACHINE), group(Sid::unix_group(8), MACHINE)), (Ok(8), Ok(8)));
    assert_eq!(who(user, MACHINE), Ok(Who::User(7)));
    assert_eq!(who(of_group, MACHINE), Ok(Who::NamedGroup(8)));
    for sid in [of_group, Sid::EVERYONE, Sid::ADMINISTRATORS] {
        assert_eq!(owner(sid, MACHINE), Err(NtStatus::INVALID_OWNER));
    }
    for sid in [user, Sid::EVERYONE] {
        assert_eq!(group(sid, MACHINE), Err(NtStatus::INVALID_PRIMARY_GROUP));
    }
}

#[test]
fn conditions_and_long_lists_are_refused() {
    let opaque = security::Ace { ace_type: 0x09, flags: WireFlags::empty(), body: AceBody::Opaque(vec![0; 8].into()) };
    let with = |aces| {
        let dacl = Some(security::Acl::new(aces));
        list(&SecurityDescriptor { control: LISTED, dacl, ..SecurityDescriptor::default() }, MACHINE)
    };
    assert_eq!(with(vec![opaque]), Err(NtStatus::NOT_SUPPORTED));
    let entry = security::Ace::allowed(Sid::unix_user(1), WireAccess::FILE_READ_DATA, WireFlags::empty());
    assert!(with(vec![entry.clone(); 186]).is_ok());
    assert_eq!(with(vec![entry; 187]), Err(NtStatus::INSUFFICIENT_RESOURCES));
}

/// An entry that denies nobody anything would not be what its author wants.
#[test]
fn who_can_t_be_told_is_not_denied() {
    let with = |entry| {
        let dacl = Some(security::Acl::new(vec![entry]));
        list(&SecurityDescriptor { control: LISTED, dacl, ..SecurityDescriptor::default() }, MACHINE)
    };
    let mask = WireAccess::FILE_READ_DATA;
    let below = WireFlags::OBJECT_INHERIT | WireFlags::INHERIT_ONLY;
    for sid in [Sid::ADMINISTRATORS, Sid::GUESTS, Sid::new(5, &[21, 9, 9, 9, 500]).unwrap()] {
        for flags in [WireFlags::empty(), below] {
            assert_eq!(with(security::Ace::denied(sid, mask, flags)), Err(NtStatus::NOT_SUPPORTED), "{sid}");
            assert!(with(security::Ace::allowed(sid, mask, flags)).is_ok(), "{sid}");
        }
    }
    let told = [Sid::EVERYONE, Sid::AUTHENTICATED_USERS, Sid::NETWORK, Sid::USERS, Sid::OWNER_RIGHTS];
    for sid in told.into_iter().chain([Sid::CREATOR_OWNER, Sid::unix_user(7), Sid::unix_group(7)]) {
        assert!(with(security::Ace::denied(sid, mask, WireFlags::empty())).is_ok(), "{sid}");
    }
}

#[test]
fn what_a_mode_says_is_known_as_that() {
    for is_directory in [false, true] {
        for bits in 0..0o1000 {
            let shown = posix_descriptor(Sid::unix_user(5), Sid::unix_group(6), u32::from(bits), is_directory);
            let acl = list(&shown, MACHINE).unwrap();
            assert_eq!(mode_of(&acl, (5, 6), is_directory, MACHINE), Some(bits), "{bits:03o}");
            assert_eq!(mode_of(&acl, (5, 7), is_directory, MACHINE), None, "another group");
        }
    }
    assert_eq!(mode_of(&any_list(), (1_000, 100), false, MACHINE), None);
    assert_eq!(mode_of(&Acl::unrestricted(AclFlags::PROTECTED), (1_000, 100), false, MACHINE), None);
}

proptest! {
    /// A client reads what it wrote, but for rights and flags that there are not. Only users are denied anything.
    #[test]
    fn what_is_set_is_shown(
        aces in vec((any::<bool>(), 0..6_u64, vec(any::<u32>(), 0..6), any::<u32>(), any::<u8>()), 0..20),
        control in any::<u16>(),
    ) {
        let aces = aces.into_iter().map(|(allows, authority, numbers, mask, flags)| {
            let user = Sid::unix_user(numbers.first().copied().unwrap_or_default());
            let sid = if allows { Sid::new(authority, &numbers).unwrap() } else { user };
            let (mask, flags) = (WireAccess::from_bits_retain(mask), WireFlags::from_bits_retain(flags));
            if allows { security::Ace::allowed(sid, mask, flags) } else { security::Ace::denied(sid, mask, flags) }
        });
        let dacl = Some(security::Acl::new(aces.collect()));
        let control = Control::from_bits_retain(control) | LISTED;
        let acl = list(&SecurityDescriptor { control, dacl, ..SecurityDescriptor::default() }, MACHINE).unwrap();
        let shown = descriptor(&node(0, Some(acl.clone())));
        // Whoever marks inherited entries says so anew.
        let again = SecurityDescriptor { control: shown.control | Control::DACL_AUTO_INHERIT_REQUIRED, ..shown };
        prop_assert_eq!(list(&again, MACHINE), Ok(acl));
    }
}
