//! Each record and key, byte by byte, in every version that a release has written: it must be read for ever.

use std::sync::Arc;

use bytes::Bytes;
use dittofs_domain::{
    Acl, ChangeId, ContentVersion, Cookie, Epoch, HandleKey, KeyId, Name, Node, NodeId, NodeKind, ObjectId, OpId,
    PlaceId, Scale, Sequence, ShareId, Timestamp, Tree,
    access::AccessMask,
    acl::{Ace, AclFlags, Who},
    backup::{BackupId, BackupRecord},
    content::{BlockPlace, Extent, MapRow, PendingTruncation, ReplayExclusion, Stored},
    node::{Device, NodeFlags, Parent},
    ownership::{Lineage, Start},
    plan::{EntryKey, ObjectRecord, ObjectState, Reference, Space, UnlinkedReason},
    xattr::{SetHow, XattrChange, XattrName, Xattrs},
};
use dittofs_ports::{KeysInUse, ShareRecord};

use super::super::*;
use crate::{
    keys::{self, Count},
    operations::Operation,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn time(seconds: i64, nanos: u32) -> Timestamp {
    Timestamp::new(seconds, nanos).unwrap()
}

fn node() -> Node {
    Node {
        id: NodeId(9),
        kind: NodeKind::Symlink,
        mode: 0o755,
        uid: 0x0102_0304,
        gid: 0x0506_0708,
        links: 2,
        size: 0x10,
        allocated: 0x20,
        atime: time(1, 2),
        mtime: time(-1, 3),
        ctime: time(4, 5),
        birth: time(6, 7),
        change: ChangeId(0x31),
        permission_version: 0x32,
        content_version: ContentVersion(0x33),
        content_seq: Sequence(0x34),
        times_seq: Sequence(0x35),
        since: Tree(0x2233),
        parent: Parent { directory: NodeId(3), cookie: Cookie(0x36) },
        device: Device { major: 8, minor: 1 },
        dos_attributes: 0x20,
        create_verifier: Some([1, 2, 3, 4, 5, 6, 7, 8]),
        target: Some(Arc::from(*b"to")),
        flags: NodeFlags::XATTRS,
        xattr_bytes: 0,
        pending_truncation: Some(PendingTruncation { offset: 0x41, version: ContentVersion(0x42), end_page: 0x43 }),
        replay_exclusions: [ReplayExclusion { up_to: Sequence(0x51), offset: 0x52, end: 0x53 }].into_iter().collect(),
        acl: None,
    }
}

/// Both versions of a map's row: the older one did not say in which tree it was written.
fn is_row(row: &MapRow, tag: &str, rest: &str) {
    assert_eq!(hex(&encode_row(row, Tree(0x77)).unwrap()), format!("02{tag}77000000{rest}").replace(' ', ""));
    let old = unhex(&format!("01{tag}{rest}").replace(' ', ""));
    assert_eq!(decode_row(&old).unwrap(), *row);
}

fn unhex(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

#[test]
fn a_node_is_these_bytes() {
    let head = "02 03 0200 3f00 33220000";
    let head_of_version_1 = "01 03 02 3f";
    let fixed = "ed01 04030201 08070605 02000000 1000000000000000 2000000000000000 \
                 0100000000000000 02000000 ffffffffffffffff 03000000 0400000000000000 05000000 \
                 0600000000000000 07000000 3100000000000000 3200000000000000 3300000000000000 \
                 3400000000000000 3500000000000000 0300000000000000 3600000000000000";
    let optional = "08000000 01000000 20000000 0102030405060708 02000000 746f \
                    4100000000000000 4200000000000000 4300000000000000 \
                    01000000 5100000000000000 5200000000000000 5300000000000000";
    assert_eq!(hex(&encode_node(&node())), [head, fixed, optional].concat().replace(' ', ""));
    let old = unhex(&[head_of_version_1, fixed, optional].concat().replace(' ', ""));
    assert_eq!(decode_node(NodeId(9), &old).unwrap(), Node { since: Tree::FIRST, ..node() });
    let bare = Node {
        device: Device::default(),
        dos_attributes: 0,
        create_verifier: None,
        target: None,
        pending_truncation: None,
        replay_exclusions: Default::default(),
        ..node()
    };
    assert_eq!(hex(&encode_node(&bare)), [&head.replacen("3f", "00", 1), fixed].concat().replace(' ', ""));
    let entry = Ace::deny(Who::Everyone, AccessMask::WRITE_DATA);
    let acl = Acl::new(vec![entry], AclFlags::PROTECTED).unwrap();
    let listed = Node { acl: Some(Arc::new(acl)), ..node() };
    let head = "03 03 0200 7f00 33220000";
    let of_list = "09000000 01 01 01 00 02 02000000";
    let expected = [head, fixed, optional, of_list].concat().replace(' ', "");
    assert_eq!(hex(&encode_node(&listed)), expected);
    assert_eq!(decode_node(NodeId(9), &unhex(&expected)).unwrap(), listed);
    let before = unhex(&expected.replacen("03", "02", 1));
    assert!(decode_node(NodeId(9), &before).is_err(), "version 2 had none");
    let with_xattrs = Node { xattr_bytes: 0x0001_0203, ..listed };
    let head = "04 03 0200 ff00 33220000";
    let expected = [head, fixed, optional, of_list, "03020100"].concat().replace(' ', "");
    assert_eq!(hex(&encode_node(&with_xattrs)), expected);
    assert_eq!(decode_node(NodeId(9), &unhex(&expected)).unwrap(), with_xattrs);
    assert!(decode_node(NodeId(9), &unhex(&expected.replacen("04", "03", 1))).is_err(), "version 3 had none");
}

#[test]
fn extended_attributes_are_these_bytes() {
    let name = |text: &'static [u8]| XattrName::new(Bytes::from_static(text)).unwrap();
    let set =
        |text, value| XattrChange::Set { name: name(text), value: Bytes::from_static(value), how: SetHow::Either };
    let changes = [set(b"ab", b"xyz"), set(b"c", b"")];
    let xattrs = Xattrs::changed(None, &changes, ChangeId(0x31)).unwrap().unwrap();
    let expected = "01 01 3100000000000000 0100000000000000 02 03000000 6162 78797a 0200000000000000 01 00000000 63";
    assert_eq!(hex(&encode_xattrs(&xattrs)), expected.replace(' ', ""));
    let bytes = unhex(&expected.replace(' ', ""));
    assert_eq!(decode_xattrs(&bytes).unwrap(), xattrs);
    assert_eq!(decode_xattrs_version(&bytes).unwrap(), ChangeId(0x31));
}

#[test]
fn rows_are_these_bytes() {
    let block = BlockPlace { at: 0x51, stored_len: 0x52, raw_len: 0x100, codec: 0, key_id: KeyId::of_number(0x54) };
    let page = MapRow::Page {
        version: ContentVersion(7),
        extents: vec![
            Extent::Inline(Bytes::from_static(b"abc")),
            Extent::Stored { len: 5, from: Stored { object: ObjectId(0x61), block, skip: 6 } },
            Extent::Hole { len: (1 << 20) - 8 },
        ],
    };
    let expected = "0700000000000000 03000000 01 03000000 616263 02 05000000 \
                    61000000000000000000000000000000 5100000000000000 52000000 00010000 00 54000000 06000000 \
                    00 f8ff0f00";
    is_row(&page, "00", expected);
    let block = BlockPlace { raw_len: (1 << 20) + 6, key_id: KeyId::of_fingerprint(0x55), ..block };
    let page = MapRow::Page {
        version: ContentVersion(7),
        extents: vec![Extent::Stored { len: 1 << 20, from: Stored { object: ObjectId(0x61), block, skip: 6 } }],
    };
    let expected = "0700000000000000 01000000 03 00001000 \
                    61000000000000000000000000000000 5100000000000000 52000000 06001000 00 5500000000000080 06000000";
    is_row(&page, "00", expected);
    let holes = MapRow::Holes { version: ContentVersion(7), pages: 9 };
    is_row(&holes, "01", "0700000000000000 0900000000000000");
}

#[test]
fn the_lineage_of_a_share_is_these_bytes() {
    let start = |epoch, nonce| Start { epoch: Epoch(epoch), nonce };
    let lineage = Lineage::new(vec![start(1, 2), start(3, 4)], Some(start(1, 2)), None);
    let record = ShareRecord { lineage, ..ShareRecord::new(ShareId(1), "/e") };
    let expected = "02 3100 01 01000000000000000200000000000000 \
                    01000000000000000200000000000000 03000000000000000400000000000000";
    let bytes = hex(&encode_share(&record));
    assert!(bytes.contains(&expected.replace(' ', "")), "{bytes}");
    assert_eq!(decode_share(record.id, &encode_share(&record)).unwrap(), record);
}

#[test]
fn a_shares_row_is_these_bytes() {
    let record = ShareRecord {
        handle_key: HandleKey([0xaa; 16]),
        content_owner: 2,
        journal: 3,
        journal_incarnation: 4,
        dirty: true,
        ..ShareRecord::new(ShareId(1), "/e")
    };
    let fixed = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 02000000000000000000000000000000 \
                 03000000000000000000000000000000 0400000000000000 01";
    assert_eq!(hex(&encode_share(&record)), format!("02{fixed}02002f65 040000 06010001").replace(' ', ""));
    let first = unhex(&format!("01{fixed}2f65").replace(' ', ""));
    let keys = KeysInUse { are_all: false, ..KeysInUse::default() };
    let uncounted = ShareRecord { counts_names: false, folding: None, ..record.clone() };
    assert_eq!(decode_share(record.id, &first).unwrap(), ShareRecord { keys, ..uncounted.clone() });
    assert_eq!(hex(&encode_share(&uncounted)), format!("02{fixed}02002f65").replace(' ', ""));
    let tiny = ShareRecord { scale: Scale::TINY, ..record.clone() };
    let sizes = "00100000 00200000 0c000000 04000000 40000000 14000000 \
                 0080000000000000 00a0000000000000 0000010000000000";
    assert_eq!(hex(&encode_share(&tiny)), format!("02{fixed}02002f65 013000 {sizes} 040000 06010001").replace(' ', ""));
    for unknown in ["ff0100 00", "060100 02", "060000"] {
        let unknown = unhex(&format!("02{fixed}02002f65 {unknown}").replace(' ', ""));
        assert!(decode_share(record.id, &unknown).is_err());
    }
}

#[test]
fn the_keys_of_a_share_are_these_bytes() {
    let in_use = [KeyId::of_number(5), KeyId::of_fingerprint(0x66)].into();
    let record = ShareRecord { keys: KeysInUse { in_use, are_all: true }, ..ShareRecord::new(ShareId(1), "/e") };
    let expected = "03 1100 01 0500000000000000 6600000000000080";
    let bytes = hex(&encode_share(&record));
    assert!(bytes.contains(&expected.replace(' ', "")), "{bytes}");
    assert_eq!(decode_share(record.id, &encode_share(&record)).unwrap(), record);
}

#[test]
fn small_records_are_these_bytes() {
    let name = Name::new(b"n").unwrap();
    let entry = "05000000000000000600000000000000";
    assert_eq!(hex(&encode_entry(NodeId(5), Cookie(6), Tree(0x77))), format!("02{entry}77000000"));
    assert_eq!(decode_entry(&unhex(&format!("01{entry}"))).unwrap(), (NodeId(5), Cookie(6)));
    assert_eq!(hex(&encode_listing(NodeId(5), &name)), "0105000000000000006e");
    assert_eq!(hex(&encode_reason(UnlinkedReason::Open)), "0100");
    assert_eq!(hex(&encode_reason(UnlinkedReason::Reaping)), "0101");
    assert_eq!(hex(&encode_count(-2)), "01feffffffffffffff");
    for (state, byte) in [(ObjectState::Writing, "00"), (ObjectState::Live, "01"), (ObjectState::PendingDelete, "02")] {
        let record = ObjectRecord { id: ObjectId(1), state, owner: Epoch(7), bytes: 8, place: PlaceId(9) };
        let fixed = format!("{byte}07000000000000000800000000000000");
        assert_eq!(hex(&encode_object(&record)), format!("02{fixed}09000000"));
        let old = decode_object(record.id, &unhex(&format!("01{fixed}"))).unwrap();
        assert_eq!(old, ObjectRecord { place: PlaceId::HOME, ..record });
    }
}

#[test]
fn operations_are_these_bytes() {
    let made = Operation { share: ShareId(1), op: OpId(2), made: Some(NodeId(5)) };
    let other = Operation { share: ShareId(3), op: OpId(4), made: None };
    let expected = "01 0100000000000000 02000000000000000000000000000000 0500000000000000 \
                    0300000000000000 04000000000000000000000000000000 0000000000000000";
    let bytes = encode_operations(&[made, other]);
    assert_eq!(hex(&bytes), expected.replace(' ', ""));
    assert_eq!(decode_operations(&bytes).unwrap(), [made, other]);
    assert!(decode_operations(&bytes[..bytes.len() - 1]).is_err());
    assert_eq!(hex(&keys::operations(0x1122)), "0000000000001122");
}

#[test]
fn keys_are_these_bytes() {
    let share = ShareId(0x1122);
    let entry = EntryKey { directory: NodeId(3), space: Space::Streams, name: Name::new(b"n").unwrap() };
    let object = ObjectId(0x61);
    let reference = Reference { object, node: NodeId(4), chunk: 7, until: Tree(8) };
    assert_eq!(keys::reference_of(&keys::reference(share, &reference)), Some(reference));
    let old = &keys::reference(share, &Reference { until: Tree::LIVE, ..reference })[..keys::REFERENCE_LEN_OF_FORMAT_3];
    assert_eq!(keys::entry_of(&keys::entry(share, &entry)), Some(entry.clone()));
    assert_eq!(keys::reference_of(old), None);
    assert_eq!(keys::reference_of(&keys::reference_upgraded(old)), Some(Reference { until: Tree::LIVE, ..reference }));
    for (key, rest) in [
        (keys::share(share), ""),
        (keys::count(share, Count::Ids), "01"),
        (keys::count(share, Count::Stamps), "02"),
        (keys::count(share, Count::Epochs), "03"),
        (keys::count(share, Count::Topology), "04"),
        (keys::count(share, Count::Bytes), "05"),
        (keys::count(share, Count::Nodes), "06"),
        (keys::count(share, Count::Trees), "07"),
        (keys::count(share, Count::Transactions), "ff"),
        (keys::node(share, NodeId(4)), "0000000000000004"),
        (keys::entry(share, &entry), "0000000000000003 01 6e"),
        (keys::folded(share, &entry, Cookie(5)), "0000000000000003 01 6e 00 0000000000000005"),
        (keys::listing(share, NodeId(3), Space::Children, Cookie(5)), "0000000000000003 00 0000000000000005"),
        (keys::row(share, NodeId(4), 6), "0000000000000004 0000000000000006"),
        (keys::object(share, object), "00000000000000000000000000000061"),
        (
            keys::reference(share, &reference),
            "00000000000000000000000000000061 0000000000000004 0000000000000007 00000008",
        ),
    ] {
        assert_eq!(hex(&key), format!("0000000000001122{}", rest.replace(' ', "")));
    }
}

#[test]
fn the_backups_of_a_share_are_these_bytes() {
    let at = Timestamp::new(7, 8).unwrap();
    let one = BackupRecord { at, is_kept: true, objects: 2, bytes: 3 };
    let two = BackupRecord { is_kept: false, ..one };
    let backups = [(BackupId::of_bits(5), one), (BackupId::of_bits(6), two)].into();
    let record = ShareRecord { backups, ..ShareRecord::new(ShareId(1), "/e") };
    let rest = "0700000000000000 08000000";
    let expected = format!(
        "05 4a00 0500000000000000 {rest} 01 0200000000000000 0300000000000000 \
         0600000000000000 {rest} 00 0200000000000000 0300000000000000"
    );
    let bytes = hex(&encode_share(&record));
    assert!(bytes.contains(&expected.replace(' ', "")), "{bytes}");
    assert_eq!(decode_share(record.id, &encode_share(&record)).unwrap(), record);
}
