use proptest::prelude::*;

use super::*;
use crate::{
    acl::AclFlags,
    id::{ContentVersion, Cookie, Tree},
    node::{NodeFlags, Parent},
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::new(seconds, 0).unwrap()
}

fn list() -> Arc<Acl> {
    Arc::new(Acl::unrestricted(AclFlags::PROTECTED))
}

fn node() -> Node {
    Node {
        id: NodeId(42),
        kind: NodeKind::File,
        mode: 0o640,
        uid: 1,
        gid: 2,
        links: 3,
        size: 4_500,
        allocated: 4096,
        atime: at(10),
        mtime: at(20),
        ctime: at(30),
        birth: at(5),
        change: ChangeId(7),
        permission_version: 0,
        content_version: ContentVersion(0),
        content_seq: Sequence(0),
        times_seq: Sequence(50),
        since: Tree::FIRST,
        parent: Parent { directory: NodeId::ROOT, cookie: Cookie(9) },
        device: Device { major: 8, minor: 1 },
        dos_attributes: 0x20,
        acl: Some(list()),
        create_verifier: None,
        target: None,
        flags: NodeFlags::empty(),
        xattr_bytes: 17,
        pending_truncation: None,
        replay_exclusions: Default::default(),
    }
}

#[test]
fn without_pending_bytes_attributes_are_the_stored_ones() {
    let expected = Attributes {
        node: NodeId(42),
        file: NodeId(42),
        kind: NodeKind::File,
        mode: 0o640,
        uid: 1,
        gid: 2,
        links: 3,
        size: 4_500,
        used: 4096,
        atime: at(10),
        mtime: at(20),
        ctime: at(30),
        birth: at(5),
        change: ChangeId(7),
        device: Device { major: 8, minor: 1 },
        dos_attributes: 0x20,
        xattr_bytes: 17,
        acl: Some(list()),
    };
    assert_eq!(overlay(&node(), None), expected);
}

#[test]
fn a_file_uses_no_more_than_its_size_while_what_was_cut_off_is_still_there() {
    assert_eq!(overlay(&Node { size: 7, ..node() }, None).used, 7);
    let over_stored_ones = Pending { size: 4_500, bytes: 900, times: None, shown: None, atime: None };
    assert_eq!(overlay(&node(), Some(&over_stored_ones)).used, 4_500);
}

#[test]
fn pending_bytes_lay_size_and_times_over_the_stored_ones() {
    let pending = Pending {
        size: 6_000,
        bytes: 900,
        times: Some((at(25), Sequence(51))),
        shown: Some((ChangeId(9), at(35))),
        atime: Some(at(12)),
    };
    let shown = overlay(&node(), Some(&pending));
    assert_eq!((shown.size, shown.used), (6_000, 4_996));
    assert_eq!((shown.mtime, shown.ctime, shown.atime), (at(25), at(35), at(12)));
    assert_eq!(shown.change, ChangeId(9));
    assert_eq!((shown.mode, shown.links, shown.birth), (0o640, 3, at(5)));
}

#[test]
fn restored_times_are_not_overwritten_by_older_records() {
    for (seq, mtime) in [(49, at(20)), (50, at(20)), (51, at(1))] {
        let pending = Pending { times: Some((at(1), Sequence(seq))), ..Pending::default() };
        assert_eq!(overlay(&node(), Some(&pending)).mtime, mtime, "record {seq}");
    }
}

#[test]
fn used_does_not_wrap() {
    let pending = Pending { size: u64::MAX, bytes: u64::MAX, ..Pending::default() };
    assert_eq!(overlay(&node(), Some(&pending)).used, u64::MAX);
}

proptest! {
    #[test]
    fn what_clients_compare_never_goes_back(
        change in any::<u64>(),
        ctime in any::<i64>(),
        atime in prop::option::of(any::<i64>()),
        bytes in any::<u64>(),
    ) {
        let stored = node();
        let shown = Some((ChangeId(change), at(ctime)));
        let pending = Pending { size: stored.size, shown, atime: atime.map(at), bytes, ..Pending::default() };
        let shown = overlay(&stored, Some(&pending));
        prop_assert!(shown.change >= stored.change && shown.change.0 >= change);
        prop_assert!(shown.ctime >= stored.ctime && shown.ctime >= at(ctime));
        prop_assert!(shown.atime >= stored.atime);
        prop_assert!(bytes == 0 || shown.used > 0);
    }
}
