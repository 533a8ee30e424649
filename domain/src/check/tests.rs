use proptest::prelude::*;

use super::*;
use crate::{
    content::{
        Extent, MapRow, PAGE_BYTES, PendingTruncation, Stored,
        block::{BlockSpec, build, head_len},
        map::Facts,
    },
    id::{ContentVersion, NodeId, ObjectId, Sequence},
    node::{Node, NodeKind},
    scale::Scale,
    time::Timestamp,
};

fn node(id: u64, kind: NodeKind) -> Node {
    Node { id: NodeId(id), kind, ..Node::root(0, 0, 0o755, Timestamp::EPOCH) }
}

fn file(size: u64, allocated: u64) -> Node {
    Node { size, allocated, links: 1, ..node(9, NodeKind::File) }
}

fn facts(size: u64) -> Facts {
    Facts::of(&file(size, 0), &Scale::PRODUCTION)
}

fn holes(pages: u64) -> MapRow {
    MapRow::Holes { version: ContentVersion(0), pages }
}

fn page(version: u64, data: u32) -> MapRow {
    let inline = Extent::Inline(vec![1; data as usize].into());
    let extents = vec![inline, Extent::Hole { len: PAGE_BYTES as u32 - data }];
    MapRow::Page { version: ContentVersion(version), extents }
}

fn classes(node: &Node, rows: &[(u64, MapRow)]) -> Vec<&'static str> {
    let mut fold = MapFold::new(node, &Scale::PRODUCTION);
    rows.iter().for_each(|(page, row)| fold.row(*page, row, |_| {}));
    fold.finish().iter().map(Finding::class).collect()
}

#[test]
fn what_is_kept_of_a_node_and_an_object_is_small() {
    assert_eq!((size_of::<NodeFacts>(), size_of::<ObjectFacts>()), (40, 48));
}

#[test]
fn maps_that_tile_are_right_and_others_are_found() {
    let three = file(3 * PAGE_BYTES - 7, 5);
    assert!(classes(&three, &[(0, page(0, 5)), (1, holes(2))]).is_empty());
    assert_eq!(classes(&three, &[(0, page(0, 5)), (2, holes(1))]), ["uncovered"]);
    assert_eq!(classes(&three, &[(0, page(0, 5)), (1, holes(1))]), ["uncovered"]);
    assert_eq!(classes(&three, &[(0, holes(2)), (1, page(0, 5)), (2, holes(1))]), ["overlap"]);
    assert_eq!(classes(&three, &[(0, page(0, 5)), (1, holes(3))]), ["behind-end"]);
    assert_eq!(classes(&three, &[(0, page(0, 4)), (1, holes(2))]), ["allocated"]);
    assert_eq!(classes(&three, &[(0, page(0, 5)), (1, holes(0)), (1, holes(2))]), ["malformed"]);
    assert_eq!(classes(&file(4, 5), &[(0, page(0, 5))]), ["behind-end"]);
    assert_eq!(classes(&node(9, NodeKind::Fifo), &[(0, holes(1))]), ["no-content"]);
    assert_eq!(classes(&file(0, 0), &[]), [""; 0]);
}

#[test]
fn bytes_behind_a_pending_truncation_are_no_bytes_behind_the_end() {
    let pending_truncation = Some(PendingTruncation { offset: 3, version: ContentVersion(2), end_page: 2 });
    let truncated = Node { pending_truncation, ..file(4, 10) };
    assert!(classes(&truncated, &[(0, page(1, 5)), (1, page(1, 5))]).is_empty());
    assert_eq!(classes(&truncated, &[(0, page(2, 5)), (1, page(1, 5))]), ["behind-end"]);
    assert_eq!(classes(&truncated, &[(0, page(1, 10))]), ["uncovered"]);
}

#[test]
fn a_damaged_node_may_have_entries_and_is_suspected_of_nothing() {
    let mut table = NodeTable::default();
    table.push_damaged(NodeId(4));
    table.push_damaged(NodeId(5));
    table.push(&node(6, NodeKind::Directory));
    table.push(&node(7, NodeKind::File));
    // Of a circle with one that may be no directory nothing is known.
    for (directory, child) in [(4, 6), (6, 4), (6, 4)] {
        table.count_entry(NodeId(directory), NodeId(child));
    }
    assert_eq!((table.len(), table.damaged()), (4, 2));
    let (mut with_entries, mut after) = (Vec::new(), NodeId(0));
    while let Some(facts) = table.with_entries_after(after) {
        after = facts.id;
        with_entries.push((facts.id.0, facts.has_streams()));
    }
    assert_eq!(with_entries, [(4, true), (5, true), (6, false)]);
    let suspicious: Vec<u64> = table.iter().filter(|facts| facts.is_suspicious()).map(|facts| facts.id.0).collect();
    assert_eq!(suspicious, [7]);
    assert!(table.circles().is_empty());
}

#[test]
fn circles_are_found_once_each_and_trees_are_none() {
    let mut table = NodeTable::default();
    for id in 3..20_000 {
        table.push(&node(id, NodeKind::Directory));
    }
    for id in 4..20_000 {
        table.count_entry(NodeId(id / 2 + 1), NodeId(id));
    }
    assert!(table.circles().is_empty());
    let mut table = NodeTable::default();
    for id in 3..12 {
        table.push(&node(id, NodeKind::Directory));
    }
    for (directory, child) in [(3, 4), (6, 5), (5, 6), (6, 7), (9, 8), (10, 9), (8, 10), (11, 11)] {
        table.count_entry(NodeId(directory), NodeId(child));
    }
    let mut circles = table.circles();
    circles.iter_mut().for_each(|circle| circle.sort());
    assert_eq!(circles, [vec![NodeId(5), NodeId(6)], vec![NodeId(8), NodeId(9), NodeId(10)], vec![NodeId(11)]]);
}

const OBJECT: ObjectId = ObjectId(77);

fn stored(seed: u8, raw_len: u32) -> (UsedBlock, Vec<u8>) {
    let payload: Vec<u8> = (0..raw_len).map(|at| (at as u8).wrapping_mul(seed)).collect();
    let spec = BlockSpec { node: NodeId(9), offset: 0, seq: Sequence(1) };
    let built = build(spec, &[payload.into()]).unwrap();
    let place = built.place(64);
    let mut bytes = built.head.encode_in(OBJECT, place.at);
    built.segments.iter().skip(1).for_each(|piece| bytes.extend_from_slice(piece));
    (UsedBlock { place, frames: u128::MAX }, bytes)
}

proptest! {
    /// One flipped bit loses the frame that it is in, or all of them where it is in the head.
    #[test]
    fn every_flipped_bit_is_found(seed in 1u8.., raw_len in 1u32..600_000, at in any::<prop::sample::Index>(), bit in 0..8) {
        let (block, mut bytes) = stored(seed, raw_len);
        prop_assert!(verify_block(OBJECT, &block, &bytes, |_, _| true).is_ok());
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        let damaged = verify_block(OBJECT, &block, &bytes, |_, _| true).unwrap_err();
        match (at as u32).checked_sub(head_len(raw_len)) {
            Some(behind) => prop_assert_eq!(damaged.frames, 1 << (behind / crate::content::FRAME_BYTES)),
            None => prop_assert_eq!(damaged.frames, block.frames),
        }
        let unused = UsedBlock { frames: 0, ..block };
        prop_assert_eq!(verify_block(OBJECT, &unused, &bytes, |_, _| true).is_ok(), at as u32 >= head_len(raw_len));
    }

    /// Whatever a map says of places, windows hold each block once, and none is read that can't be.
    #[test]
    fn windows_have_every_block_once(places in prop::collection::vec((any::<u64>(), any::<u32>(), any::<u32>(), any::<u32>()), 0..40)) {
        let object = ObjectId(5);
        let extents = places.iter().map(|(at, stored_len, raw_len, skip)| {
            let block = crate::content::BlockPlace { at: *at, stored_len: *stored_len, raw_len: *raw_len, codec: 0, key_id: crate::id::KeyId::NONE };
            Extent::Stored { len: 10, from: Stored { object, block, skip: *skip } }
        });
        let rows = [(0, MapRow::Page { version: ContentVersion(0), extents: extents.collect() })];
        let mut uses = BlockUses::default();
        uses.add(&facts(PAGE_BYTES), &rows, object);
        let windows = uses.windows();
        let different: std::collections::BTreeSet<_> = places.iter().map(|(at, stored, raw, _)| (at, stored, raw)).collect();
        prop_assert_eq!(windows.iter().flatten().count(), different.len());
        for window in windows.iter().filter(|window| window.len() > 1) {
            let span = UsedBlock::span(window);
            prop_assert!(span.end - span.start <= 8 << 20);
        }
    }
}

#[test]
fn lost_frames_are_reported_as_bytes_of_the_file() {
    let (block, mut bytes) = stored(3, 100_000);
    let frame = crate::content::FRAME_BYTES;
    for lost in [0, 2, 3] {
        bytes[(head_len(100_000) + lost * frame) as usize] ^= 1;
    }
    let damaged = verify_block(OBJECT, &block, &bytes, |_, _| true).unwrap_err();
    assert_eq!(damaged.frames, 0b1101);
    let from = Stored { object: ObjectId(5), block: block.place, skip: 25_000 };
    let extents = vec![
        Extent::Hole { len: 1_000 },
        Extent::Stored { len: 75_000, from },
        Extent::Hole { len: PAGE_BYTES as u32 - 76_000 },
    ];
    let rows = [(2, MapRow::Page { version: ContentVersion(0), extents })];
    let ranges = |size| {
        let ranges = damaged_ranges(&facts(size), &rows, ObjectId(5), std::slice::from_ref(&damaged));
        ranges
            .into_iter()
            .map(|(range, _)| range.start - 2 * PAGE_BYTES..range.end - 2 * PAGE_BYTES)
            .collect::<Vec<_>>()
    };
    let (frame, shift) = (u64::from(frame), 1_000 - 25_000i64);
    let third = (2 * frame).checked_add_signed(shift).unwrap();
    assert_eq!(ranges(3 * PAGE_BYTES), [1_000..frame.checked_add_signed(shift).unwrap(), third..76_000]);
    assert_eq!(ranges(2 * PAGE_BYTES + 2_000).first(), Some(&(1_000..2_000)), "what is cut off is read by nobody");
    assert!(damaged_ranges(&facts(3 * PAGE_BYTES), &rows, ObjectId(6), std::slice::from_ref(&damaged)).is_empty());
}

#[test]
fn a_nameless_file_may_lack_its_first_rows_and_no_others() {
    let nameless = Node { flags: crate::node::NodeFlags::UNLINKED, links: 0, ..file(10 * PAGE_BYTES, 0) };
    assert_eq!(classes(&nameless, &[]), Vec::<&str>::new());
    assert_eq!(classes(&nameless, &[(4, holes(6))]), Vec::<&str>::new());
    assert_eq!(classes(&nameless, &[(4, holes(3)), (8, holes(2))]).len(), 1);
    assert_eq!(classes(&file(10 * PAGE_BYTES, 0), &[(4, holes(6))]).len(), 1);
}
