use dittofs_domain::{
    Node, NodeId, Timestamp,
    acl::{Ace, AclFlags, Who},
    attributes::overlay,
    node::Parent,
};

use super::*;

#[test]
fn each_part_needs_its_own_right() {
    let all = AccessMask::all();
    let rights = [
        (SecurityInformation::OWNER, AccessMask::WRITE_OWNER),
        (SecurityInformation::GROUP, AccessMask::WRITE_OWNER),
        (SecurityInformation::DACL, AccessMask::WRITE_ACL),
    ];
    for (part, right) in rights {
        assert_eq!(demand(right, part), Ok(()));
        assert_eq!(demand(all - right, part), Err(NtStatus::ACCESS_DENIED));
    }
    assert_eq!(demand(AccessMask::empty(), SecurityInformation::empty()), Ok(()));
    for part in [SecurityInformation::SACL, SecurityInformation::LABEL, SecurityInformation::BACKUP] {
        assert_eq!(demand(all, part), Err(NtStatus::ACCESS_DENIED));
        assert_eq!(demand(all, part | SecurityInformation::DACL), Err(NtStatus::ACCESS_DENIED));
    }
}

const MACHINE: MachineId = MachineId([1, 2, 3]);

fn found(kind: NodeKind, mode: u16, acl: Option<Acl>) -> Attributes {
    let parent = Parent { directory: NodeId::ROOT, cookie: Default::default() };
    let node = Node::bare(NodeId(9), kind, parent, Timestamp::EPOCH);
    overlay(&Node { mode, uid: 1_000, gid: 100, acl: acl.map(Arc::new), ..node }, None)
}

fn others_may(mask: AccessMask) -> Acl {
    Acl::new(vec![Ace::allow(Who::User(5), mask)], AclFlags::empty()).unwrap()
}

/// The list of a node as a client reads it.
fn shown(found: &Attributes) -> Acl {
    descriptors::list(&descriptors::descriptor(found), MACHINE).unwrap()
}

/// Setting a list, where the owner is to be this one.
fn wanted(found: &Attributes, acl: Acl, uid: Option<u32>) -> Result<SetAttributes, NtStatus> {
    let mut wanted = SetAttributes { uid, ..SetAttributes::default() };
    want_list(&mut wanted, found, acl, MACHINE).map(|()| wanted)
}

#[test]
fn who_writes_back_what_it_has_read_changes_nothing() {
    let of_mode = others_may(AccessMask::READ_DATA).with_mode(0o640, (1_000, 100), false).unwrap();
    assert_ne!(shown(&found(NodeKind::File, 0o640, Some(of_mode.clone()))), of_mode, "with names");
    for acl in [None, Some(of_mode), Some(others_may(AccessMask::all())), Some(Acl::default())] {
        let found = found(NodeKind::File, 0o640, acl);
        assert_eq!(wanted(&found, shown(&found), None), Ok(SetAttributes::default()), "{found:?}");
    }
}

#[test]
fn what_is_shown_is_another_list_for_another_owner_or_with_other_flags() {
    let of_mode = others_may(AccessMask::READ_DATA).with_mode(0o640, (1_000, 100), false).unwrap();
    let found = found(NodeKind::File, 0o640, Some(of_mode));
    let same = shown(&found);
    let set = |acl: &Acl, uid| wanted(&found, acl.clone(), uid).unwrap().acl;
    assert_eq!(set(&same, Some(7)), Some(Some(Arc::new(same.clone()))));
    let protected = Acl::new(same.entries().to_vec(), AclFlags::PROTECTED).unwrap();
    assert_eq!(set(&protected, None), Some(Some(Arc::new(protected.clone()))));
}

#[test]
fn a_symlink_has_no_list() {
    let link = found(NodeKind::Symlink, 0o777, None);
    assert_eq!(wanted(&link, shown(&link), None), Ok(SetAttributes::default()));
    let of_mode = shown(&found(NodeKind::Symlink, 0o700, None));
    for acl in [of_mode, others_may(AccessMask::READ_DATA), Acl::unrestricted(AclFlags::empty())] {
        assert_eq!(wanted(&link, acl, None), Err(NtStatus::NOT_SUPPORTED));
    }
}
