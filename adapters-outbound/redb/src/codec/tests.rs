#![allow(clippy::unwrap_used)]

mod golden;
mod strategy;

use dittofs_domain::{
    Cookie, NodeId, ObjectId, PlaceId, ShareId,
    content::{Extent, MapRow},
    plan::{ObjectRecord, UnlinkedReason},
    users::MachineId,
};
use proptest::prelude::*;

use super::*;
use strategy::{name, node, object_state, row, share_record, user};

/// Every decoder, on any bytes: an answer or a fault, never a panic.
fn decode_as_everything(bytes: &[u8]) {
    let _ = decode_node(NodeId(4), bytes);
    let _ = decode_row(bytes);
    let _ = decode_share(ShareId(1), bytes);
    let _ = decode_entry(bytes);
    let _ = decode_listing(bytes);
    let _ = decode_reason(bytes);
    let _ = decode_object(ObjectId(1), bytes);
    let _ = decode_count(bytes);
    let _ = decode_user(bytes);
    let _ = decode_machine(bytes);
    let _ = decode_xattrs(bytes);
    let _ = decode_xattrs_version(bytes);
}

proptest! {
    #[test]
    fn a_node_comes_back_as_it_was(node in node()) {
        prop_assert_eq!(decode_node(node.id, &encode_node(&node)).unwrap(), node);
    }

    #[test]
    fn a_row_comes_back_as_it_was(row in row()) {
        prop_assert_eq!(decode_row(&encode_row(&row, Tree(7)).unwrap()).unwrap(), row);
    }

    #[test]
    fn a_shares_row_comes_back_as_it_was(record in share_record()) {
        prop_assert_eq!(decode_share(record.id, &encode_share(&record)).unwrap(), record);
    }

    #[test]
    fn small_records_come_back_as_they_were(
        (node, cookie, count) in any::<(u64, u64, i64)>(),
        name in name(),
        (id, state, owner, bytes) in (any::<u128>(), object_state(), any::<u64>(), any::<u64>()),
    ) {
        let (node, cookie) = (NodeId(node), Cookie(cookie));
        prop_assert_eq!(decode_entry(&encode_entry(node, cookie, Tree(7))).unwrap(), (node, cookie));
        prop_assert_eq!(decode_listing(&encode_listing(node, &name)).unwrap(), (node, name));
        prop_assert_eq!(decode_count(&encode_count(count)).unwrap(), count);
        let record = ObjectRecord { id: ObjectId(id), state, owner: dittofs_domain::Epoch(owner), bytes, place: PlaceId(id as u32) };
        prop_assert_eq!(decode_object(record.id, &encode_object(&record)).unwrap(), record);
        for reason in [UnlinkedReason::Open, UnlinkedReason::Reaping] {
            prop_assert_eq!(decode_reason(&encode_reason(reason)).unwrap(), reason);
        }
    }

    #[test]
    fn a_user_comes_back_as_it_was(user in user(), machine: [u32; 3]) {
        let kept = decode_user(&encode_user(&user).unwrap()).unwrap();
        prop_assert_eq!(kept.user.name.as_str(), user.user.name.as_str());
        prop_assert_eq!(kept, user);
        let machine = MachineId(machine);
        prop_assert_eq!(decode_machine(&encode_machine(machine)).unwrap(), machine);
    }

    #[test]
    fn garbage_is_refused_and_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        decode_as_everything(&bytes);
        if let Some(version) = bytes.first_mut() {
            *version = 1 + *version % 2;
        }
        decode_as_everything(&bytes);
    }

    #[test]
    fn a_record_that_is_cut_or_longer_is_refused(node in node(), row in row(), at in any::<prop::sample::Index>()) {
        let (mut node_bytes, mut row_bytes) = (encode_node(&node), encode_row(&row, Tree(7)).unwrap());
        prop_assert!(decode_node(node.id, &node_bytes[..at.index(node_bytes.len())]).is_err());
        prop_assert!(decode_row(&row_bytes[..at.index(row_bytes.len())]).is_err());
        node_bytes.push(0);
        row_bytes.push(0);
        prop_assert!(decode_node(node.id, &node_bytes).is_err());
        prop_assert!(decode_row(&row_bytes).is_err());
    }

    #[test]
    fn a_flipped_bit_never_panics(node in node(), row in row(), at in any::<prop::sample::Index>(), bit in 0..8u32) {
        let (mut node_bytes, mut row_bytes) = (encode_node(&node), encode_row(&row, Tree(7)).unwrap());
        let (in_node, in_row) = (at.index(node_bytes.len()), at.index(row_bytes.len()));
        node_bytes[in_node] ^= 1 << bit;
        row_bytes[in_row] ^= 1 << bit;
        decode_as_everything(&node_bytes);
        decode_as_everything(&row_bytes);
    }
}

#[test]
fn a_newer_record_is_refused_and_says_so() {
    let error = decode_count(&[2, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap_err().to_string();
    assert!(error.contains("a count of version 2, where 1 is known"), "{error}");
    assert!(decode_count(&[0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
}

#[test]
fn a_page_whose_extents_make_no_sense_is_refused_in_both_directions() {
    let version = dittofs_domain::ContentVersion(1);
    for extents in [vec![], vec![Extent::Hole { len: 0 }]] {
        assert_eq!(encode_row(&MapRow::Page { version, extents }, Tree(7)), None);
    }
    assert_eq!(encode_row(&MapRow::Holes { version, pages: 0 }, Tree(7)), None);
    let whole = MapRow::Page { version, extents: vec![Extent::Hole { len: 1 << 20 }] };
    let mut bytes = encode_row(&whole, Tree(7)).unwrap();
    assert_eq!(decode_row(&bytes).unwrap(), whole);
    let len = bytes.len();
    bytes[len - 4..].fill(0);
    assert!(decode_row(&bytes).is_err());
}
