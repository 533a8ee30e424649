use super::*;
use crate::{
    id::{ContentVersion, Cookie, NodeId, Sequence, Tree},
    node::{Device, NodeFlags, NodeKind, Parent},
};

fn at(nanos: i128) -> Timestamp {
    Timestamp::from_unix_nanos(nanos)
}

fn node() -> Node {
    Node {
        id: NodeId(9),
        kind: NodeKind::File,
        mode: 0o644,
        uid: 1,
        gid: 2,
        links: 1,
        size: 10,
        allocated: 10,
        atime: at(100),
        mtime: at(100),
        ctime: at(100),
        birth: at(100),
        change: ChangeId(5),
        permission_version: 0,
        content_version: ContentVersion(0),
        content_seq: Sequence(4),
        times_seq: Sequence(4),
        since: Tree::FIRST,
        parent: Parent { directory: NodeId::ROOT, cookie: Cookie(4) },
        device: Device::default(),
        dos_attributes: 0,
        acl: None,
        create_verifier: None,
        target: None,
        flags: NodeFlags::default(),
        xattr_bytes: 0,
        pending_truncation: None,
        replay_exclusions: Default::default(),
    }
}

/// The living tree, after two snapshots.
const TREE: Tree = Tree(3);

#[test]
fn an_update_of_nothing_changes_nothing() {
    let mut changed = node();
    update(&mut changed, &NodeUpdate::default(), at(900), TREE).unwrap();
    assert_eq!(changed, Node { since: TREE, ..node() });
}

#[test]
fn ctime_and_change_rise_whatever_the_clock_says() {
    for (now, expected) in [(50, 101), (100, 101), (101, 101), (900, 900)] {
        for ctime in [TimeChange::Advance, TimeChange::Set(at(now))] {
            let mut changed = node();
            let changes = NodeUpdate { ctime, mtime: TimeChange::Advance, ..NodeUpdate::default() };
            update(&mut changed, &changes, at(now), TREE).unwrap();
            assert_eq!((changed.ctime, changed.mtime, changed.change), (at(expected), at(expected), ChangeId(6)));
        }
    }
}

#[test]
fn a_flush_publishes_what_was_shown_and_lowers_nothing() {
    for (shown, change, expected) in [(90, 2, (100, 6)), (120, 50, (120, 50))] {
        let mut changed = node();
        let changes = NodeUpdate {
            ctime: TimeChange::AtLeast(at(shown)),
            change_at_least: Some(ChangeId(change)),
            content_seq: Some(Sequence(3)),
            times_seq: Some(Sequence(7)),
            ..NodeUpdate::default()
        };
        update(&mut changed, &changes, at(900), TREE).unwrap();
        assert_eq!((changed.ctime, changed.change), (at(expected.0), ChangeId(expected.1)));
        assert_eq!((changed.content_seq, changed.times_seq), (Sequence(4), Sequence(7)));
    }
}

#[test]
fn times_are_set_to_the_past_but_for_ctime() {
    let mut changed = node();
    let past = TimeChange::Set(at(-7));
    update(&mut changed, &NodeUpdate { atime: past, mtime: past, ..NodeUpdate::changed() }, at(0), TREE).unwrap();
    assert_eq!((changed.atime, changed.mtime, changed.ctime), (at(-7), at(-7), at(101)));
}

#[test]
fn a_count_out_of_range_changes_nothing() {
    let changes = [
        NodeUpdate { links: LinkChange::Add(-2), ..NodeUpdate::changed() },
        NodeUpdate { allocated: -11, ..NodeUpdate::changed() },
        NodeUpdate { allocated: i64::MIN, links: LinkChange::Set(7), ..NodeUpdate::changed() },
    ];
    for changes in changes {
        let mut changed = node();
        assert_eq!(update(&mut changed, &changes, at(900), TREE), Err(OutOfRange));
        assert_eq!(changed, node());
    }
}
