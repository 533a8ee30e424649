use rstest::rstest;

use super::*;
use crate::{
    attributes::overlay,
    content::PendingTruncation,
    id::{ChangeId, ContentVersion, Cookie, NodeId, Sequence, Tree},
    node::{Device, NodeFlags, Parent},
    time::Timestamp,
};

const OWNER: u32 = 1000;
const GROUP: u32 = 2000;

fn security(kind: NodeKind, mode: u16) -> NodeSecurity<'static> {
    NodeSecurity { kind, mode, uid: OWNER, gid: GROUP, acl: None }
}

fn member(uid: u32, groups: &[u32]) -> Credentials {
    Credentials { uid, gid: 9, groups: groups.iter().copied().collect() }
}

/// Callers, with the place of their class's digit in a mode; `None` for the privileged one.
fn callers() -> Vec<(Credentials, Option<u32>)> {
    vec![
        (Credentials::root(), None),
        (Credentials::user(OWNER, 9), Some(2)),
        (Credentials::user(OWNER, GROUP), Some(2)),
        (Credentials::user(77, GROUP), Some(1)),
        (member(77, &[5, GROUP]), Some(1)),
        (Credentials::user(77, 9), Some(0)),
        (member(GROUP, &[OWNER]), Some(0)),
    ]
}

/// The digit of a mode that decides, as three letters.
fn letters(mode: u16, place: u32) -> [bool; 3] {
    let digit = mode / 8_u16.pow(place) % 8;
    [digit >= 4, digit % 4 >= 2, digit % 2 == 1]
}

#[rstest]
#[case(NodeKind::File)]
#[case(NodeKind::Directory)]
fn one_class_decides_for_every_mode(#[case] kind: NodeKind) {
    let directory = kind == NodeKind::Directory;
    for mode in 0..0o1000 {
        for (caller, place) in callers() {
            let [read, write, execute] = match place {
                Some(place) => letters(mode, place),
                None => [true, true, directory || (0..3).any(|place| letters(mode, place)[2])],
            };
            let (root, owner) = (place.is_none(), place == Some(2));
            let mask = granted(&security(kind, mode), &caller);
            let expected = [
                (AccessMask::READ_DATA, read),
                (AccessMask::LIST_DIRECTORY, read),
                (AccessMask::READ_NAMED_ATTRS, read),
                (AccessMask::WRITE_DATA, write),
                (AccessMask::ADD_FILE, write),
                (AccessMask::APPEND_DATA, write),
                (AccessMask::ADD_SUBDIRECTORY, write),
                (AccessMask::WRITE_NAMED_ATTRS, write),
                (AccessMask::DELETE_CHILD, root || directory && write),
                (AccessMask::EXECUTE, execute),
                (AccessMask::READ_ATTRIBUTES, true),
                (AccessMask::READ_ACL, true),
                (AccessMask::SYNCHRONIZE, true),
                (AccessMask::WRITE_ATTRIBUTES, root || owner),
                (AccessMask::WRITE_ACL, root || owner),
                (AccessMask::WRITE_OWNER, root || owner),
                (AccessMask::DELETE, root),
            ];
            for (right, has) in expected {
                assert_eq!(mask.contains(right), has, "{right:?} of {caller:?} with mode {mode:03o}");
            }
        }
    }
}

#[test]
fn bits_above_the_permissions_grant_nothing() {
    for mode in 0..0o1000 {
        for (caller, _) in callers() {
            for high in [mode::SUID, mode::SGID, mode::STICKY, mode::ALL & !0o777] {
                let plain = granted(&security(NodeKind::File, mode), &caller);
                assert_eq!(granted(&security(NodeKind::File, mode | high), &caller), plain);
            }
        }
    }
}

#[test]
fn demand_is_refused_if_one_right_is_missing() {
    let node = security(NodeKind::File, 0o640);
    let both = AccessMask::READ_DATA | AccessMask::WRITE_DATA;
    assert_eq!(demand(&node, &Credentials::user(OWNER, 9), both), Ok(()));
    assert_eq!(demand(&node, &Credentials::user(7, GROUP), AccessMask::READ_DATA), Ok(()));
    assert_eq!(demand(&node, &Credentials::user(7, GROUP), both), Err(FsError::Access));
    assert_eq!(demand(&node, &Credentials::user(7, 9), AccessMask::empty()), Ok(()));
}

#[test]
fn sticky_directory_keeps_entries_for_owners() {
    for sticky in [false, true] {
        for caller in [0, 1, 2, 3] {
            for entry_owner in [0, 1, 3] {
                let directory =
                    NodeSecurity { uid: 2, ..security(NodeKind::Directory, if sticky { 0o1777 } else { 0o777 }) };
                let entry = NodeSecurity { uid: entry_owner, ..security(NodeKind::File, 0o666) };
                let allowed = !sticky || caller == 0 || caller == entry_owner || caller == 2;
                let forbids = sticky_forbids(&directory, &entry, &Credentials::user(caller, 0));
                assert_eq!(forbids, !allowed, "sticky {sticky}, caller {caller}, entry of {entry_owner}");
            }
        }
    }
}

#[test]
fn security_is_the_same_of_a_node_and_of_its_attributes() {
    let node = Node {
        id: NodeId(7),
        kind: NodeKind::Fifo,
        mode: 0o2751,
        uid: OWNER,
        gid: GROUP,
        links: 1,
        size: 0,
        allocated: 0,
        atime: Timestamp::EPOCH,
        mtime: Timestamp::EPOCH,
        ctime: Timestamp::EPOCH,
        birth: Timestamp::EPOCH,
        change: ChangeId(1),
        permission_version: 0,
        content_version: ContentVersion(0),
        content_seq: Sequence(0),
        times_seq: Sequence(0),
        since: Tree::FIRST,
        parent: Parent { directory: NodeId::ROOT, cookie: Cookie(9) },
        device: Device::default(),
        dos_attributes: 0,
        acl: None,
        create_verifier: None,
        target: None,
        flags: NodeFlags::empty(),
        xattr_bytes: 0,
        pending_truncation: None::<PendingTruncation>,
        replay_exclusions: Default::default(),
    };
    let expected = NodeSecurity { kind: NodeKind::Fifo, mode: 0o2751, uid: OWNER, gid: GROUP, acl: None };
    assert_eq!(NodeSecurity::from(&node), expected);
    assert_eq!(NodeSecurity::from(&overlay(&node, None)), expected);
}
