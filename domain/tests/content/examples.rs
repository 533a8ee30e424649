//! The effects of single edits.

use std::{collections::BTreeMap, ops::Range};

use bytes::Bytes;
use dittofs_domain::{
    ContentVersion, FsError, NodeId,
    content::{
        CHUNK_BYTES, Extent, FILE_BYTES_MAX, MapRow, PAGE_BYTES, PendingTruncation,
        map::{self, Facts, MapError, Piece, Source, Truncation},
        page,
    },
    plan::{Change, MapView, NodeUpdate, PLAN_STEPS_MAX, Plan},
};
use rstest::rstest;

use crate::store::{NODE, SCALE, Store, stored};

const EIB: u64 = 1 << 60;

/// A file of so many pages, each with a block of its own.
fn dense(pages: u64) -> Store {
    let mut store = Store::new();
    let pieces = (0..pages).map(|page| stored(u128::from(page) + 1, page * PAGE_BYTES, PAGE_BYTES as u32)).collect();
    store.install(pieces, pages * PAGE_BYTES);
    store
}

#[test]
fn a_sparse_file_of_an_exbibyte_with_three_bytes_takes_fewer_than_ten_rows() {
    let mut store = Store::new();
    store.truncate(EIB);
    for (object, offset) in [(1, 5), (2, EIB / 2 + 123), (3, EIB - 1)] {
        store.install(vec![stored(object, offset, 1)], EIB);
        store.check();
    }
    assert!(store.rows.len() < 10, "{} rows", store.rows.len());
    assert_eq!(store.allocated, 3);
    let pieces = store.resolve(0, EIB);
    assert_eq!(pieces.iter().map(|piece| piece.len).sum::<u64>(), EIB);
    assert_eq!(pieces.iter().filter(|piece| piece.source != Source::Hole).count(), 3);
}

#[test]
fn a_file_that_grows_by_writing_behind_its_end_has_a_hole_in_between() {
    let mut store = Store::new();
    store.install(vec![stored(1, 0, 10)], 10);
    store.install(vec![stored(2, CHUNK_BYTES * 3 + 100, 10)], CHUNK_BYTES * 3 + 110);
    store.check();
    assert_eq!(store.rows.len(), 3);
    assert_eq!(store.resolve(10, CHUNK_BYTES * 3 + 100).len(), 1);
}

#[test]
fn truncating_a_tebibyte_of_blocks_is_one_small_plan_and_the_reaper_removes_them_in_bounded_ones() {
    let mut store = dense(2_000);
    assert!(store.truncate(PAGE_BYTES + 10));
    assert_eq!(
        store.pending_truncation,
        Some(PendingTruncation { offset: PAGE_BYTES + 10, version: ContentVersion(2), end_page: 2_000 })
    );
    assert_eq!(store.rows.len(), 2_000);
    store.check();
    assert_eq!(store.allocated, 2_000 * PAGE_BYTES as i64);
    store.steps_max = 0;
    let steps = store.reap();
    store.check();
    assert!((4..20).contains(&steps), "{steps} steps");
    assert!(store.steps_max <= PLAN_STEPS_MAX, "{} changes in a plan", store.steps_max);
    assert_eq!((store.rows.len(), store.references.len()), (2, 2));
    assert_eq!(store.allocated, PAGE_BYTES as i64 + 10);
}

#[test]
fn truncating_few_rows_removes_them_at_once() {
    let mut store = dense(60);
    assert!(store.truncate(PAGE_BYTES * 2 + 10));
    store.check();
    assert_eq!((store.pending_truncation, store.rows.len(), store.references.len()), (None, 3, 3));
    assert_eq!(store.version, ContentVersion(2));
}

#[test]
fn a_pending_truncation_is_replaced_by_a_lower_one_and_a_higher_one_waits_for_the_reaper() {
    let mut store = dense(300);
    store.truncate(200 * PAGE_BYTES);
    store.truncate(100 * PAGE_BYTES);
    assert_eq!(
        store.pending_truncation.map(|pending| (pending.offset, pending.end_page)),
        Some((100 * PAGE_BYTES, 300))
    );
    store.truncate(290 * PAGE_BYTES);
    store.check();
    assert_eq!(store.resolve(99 * PAGE_BYTES, 290 * PAGE_BYTES).last().map(|piece| piece.len), Some(190 * PAGE_BYTES));
    assert!(!store.truncate(150 * PAGE_BYTES));
    store.check();
    assert_eq!(store.pending_truncation, None);
}

#[test]
fn truncating_to_the_same_size_raises_the_content_version_and_nothing_else() {
    let mut store = dense(2);
    let rows = store.rows.clone();
    store.truncate(2 * PAGE_BYTES);
    assert_eq!((store.rows == rows, store.version, store.size), (true, ContentVersion(2), 2 * PAGE_BYTES));
}

#[test]
fn growing_while_a_truncation_is_pending_leaves_no_page_uncovered() {
    let mut store = dense(200);
    store.truncate(10);
    store.truncate(500 * PAGE_BYTES);
    store.check();
    assert_eq!(map::cover(1..500, ContentVersion(3), store.pending_truncation).len(), 1);
    assert_eq!(map::cover(1..150, ContentVersion(3), store.pending_truncation), vec![]);
    assert_eq!(store.resolve(10, 500 * PAGE_BYTES).len(), 1);
}

#[test]
fn a_write_into_truncated_pages_does_not_bring_old_bytes_back() {
    let mut store = dense(200);
    store.truncate(100 * PAGE_BYTES + 10);
    store.install(vec![stored(999, 100 * PAGE_BYTES + 20, 10)], 101 * PAGE_BYTES);
    store.check();
    let pieces = store.resolve(100 * PAGE_BYTES, 101 * PAGE_BYTES);
    assert_eq!(pieces.iter().map(|piece| piece.len).collect::<Vec<_>>(), vec![10, 10, 10, PAGE_BYTES - 30]);
    store.reap();
    store.check();
    assert_eq!(pieces, store.resolve(100 * PAGE_BYTES, 101 * PAGE_BYTES));
}

#[test]
fn a_shrink_to_the_pending_truncations_own_offset_does_not_bring_old_bytes_back() {
    let mut store = dense(100);
    store.truncate(5_000);
    store.truncate(60_000);
    store.reap_step(None);
    store.truncate(5_000);
    assert_eq!(store.pending_truncation, None);
    store.truncate(PAGE_BYTES);
    store.check();
    assert_eq!(store.resolve(5_000, PAGE_BYTES)[0].source, Source::Hole);
}

#[test]
fn punching_a_huge_range_takes_several_bounded_plans() {
    let mut store = dense(1_000);
    store.steps_max = 0;
    store.punch(5, 999 * PAGE_BYTES + 5);
    store.check();
    assert_eq!(store.rows.len(), 3);
    assert_eq!(store.allocated, PAGE_BYTES as i64);
    assert!(store.steps_max <= PLAN_STEPS_MAX / 2, "{}", store.steps_max);
    store.punch(PAGE_BYTES, 10 * PAGE_BYTES);
    store.punch(EIB, EIB + 1);
    store.check();
}

#[test]
fn reaping_a_node_removes_all_rows_and_references_in_bounded_plans() {
    let mut store = dense(1_000);
    store.truncate(EIB);
    let mut steps = 0;
    loop {
        let view = store.view(&map::reap_node_query(NODE, &SCALE));
        let reaped = map::reap_node(&view, NODE, &SCALE).unwrap();
        assert!(reaped.edit.changes.len() <= PLAN_STEPS_MAX);
        store.apply(reaped.edit);
        steps += 1;
        if reaped.done {
            break;
        }
    }
    assert!((2..12).contains(&steps), "{steps}");
    assert_eq!((store.rows.len(), store.references.len(), store.allocated), (0, 0, 0));
    assert!(map::reap_node(&MapView { rows: vec![], complete: true }, NODE, &SCALE).unwrap().done);
    assert!(!map::reap_node(&MapView { rows: vec![], complete: false }, NODE, &SCALE).unwrap().done);
}

#[test]
fn a_reference_is_kept_until_the_last_extent_of_the_chunk_goes() {
    let mut store = Store::new();
    store.install(vec![stored(1, 0, 4 << 20)], 4 << 20);
    store.install(vec![stored(2, 0, 3 << 20)], 4 << 20);
    assert_eq!(store.references.len(), 2);
    store.install(vec![stored(3, 3 << 20, 1 << 20)], 4 << 20);
    store.check();
    assert!(store.references.iter().all(|(object, _)| object.0 != 1));
}

#[test]
fn a_missing_row_is_an_error_and_never_zeros() {
    let mut store = dense(10);
    store.rows.remove(&4);
    let view = store.view(&map::resolve_query(NODE, &(0..10 * PAGE_BYTES), &SCALE));
    let range = 0..10 * PAGE_BYTES;
    assert_eq!(map::resolve(&view, &store.facts(), range.clone()), Err(MapError::Uncovered { page: 4 }));
    let short = MapView { rows: view.rows[..3].to_vec(), complete: false };
    assert_eq!(map::resolve(&short, &store.facts(), range), Err(MapError::Incomplete { page: 3 }));
    assert_eq!(map::page(&view, &store.facts(), 4), Err(MapError::Uncovered { page: 4 }));
    assert_eq!(map::page(&view, &store.facts(), 400), Ok(page::hole(SCALE.page_bytes)));
    assert_eq!(FsError::from(MapError::Uncovered { page: 4 }), FsError::Io);
    for edit in [
        map::install(&view, &store.facts(), &[stored(50, 2 * PAGE_BYTES, 10)], store.size).map(|_| ()),
        map::install(&view, &store.facts(), &[stored(50, 4 * PAGE_BYTES, 10)], store.size).map(|_| ()),
        map::punch(&view, &store.facts(), 0..store.size).map(|_| ()),
        map::truncate(&view, &store.facts(), PAGE_BYTES).map(|_| ()),
    ] {
        assert_eq!(edit, Err(MapError::Uncovered { page: 4 }));
    }
}

#[test]
fn a_view_that_is_too_small_is_told_from_a_damaged_map() {
    let store = dense(100);
    let mut query = map::replace_query(&store.facts(), &(0..store.size));
    query.rows_max = 10;
    let view = store.view(&query);
    let facts = store.facts();
    assert_eq!(map::punch(&view, &facts, 0..store.size), Err(MapError::Incomplete { page: 0 }));
    assert!(matches!(map::reap_node(&view, NODE, &SCALE), Err(MapError::Incomplete { .. })));
    let install = map::install(&view, &facts, &[stored(500, 20 * PAGE_BYTES, 10)], store.size);
    assert_eq!(install, Err(MapError::Incomplete { page: 20 }));
    let nothing = MapView { rows: vec![], complete: false };
    assert_eq!(map::punch(&nothing, &facts, 0..1), Err(MapError::Incomplete { page: 0 }));
}

#[rstest]
#[case::too_short(vec![Extent::Hole { len: 5 }])]
#[case::nothing(vec![])]
fn a_page_that_its_extents_do_not_tile_is_damage(#[case] extents: Vec<Extent>) {
    let row = MapRow::Page { version: ContentVersion(1), extents };
    let view = MapView { rows: vec![(0, row)], complete: true };
    let facts = Facts {
        node: NODE,
        size: PAGE_BYTES,
        content_version: ContentVersion(1),
        pending_truncation: None,
        scale: SCALE,
    };
    let malformed = MapError::Malformed { page: 0 };
    assert_eq!(map::resolve(&view, &facts, 0..PAGE_BYTES), Err(malformed));
    assert_eq!(map::page(&view, &facts, 0), Err(malformed));
    assert_eq!(map::truncate(&view, &facts, 3), Err(malformed));
}

#[test]
fn pieces_that_cannot_be_are_refused() {
    let store = dense(1);
    let view = store.view(&map::install_query(NODE, &[], &SCALE));
    let mut outside = stored(1, 0, 10);
    outside.len = 11;
    let empty = Piece { offset: 3, len: 0, source: Source::Hole };
    let short = Piece { offset: 4, len: 2, source: Source::Inline(Bytes::from_static(b"a")) };
    for (piece, offset) in [(outside, 0), (empty, 3), (short, 4), (stored(1, PAGE_BYTES, 1), PAGE_BYTES)] {
        let refused = map::install(&view, &store.facts(), &[piece], PAGE_BYTES);
        assert_eq!(refused, Err(MapError::BadPiece { offset }));
    }
    for size in [PAGE_BYTES - 1, FILE_BYTES_MAX + 1] {
        let refused = map::install(&view, &store.facts(), &[], size);
        assert_eq!(refused, Err(MapError::BadPiece { offset: size }));
    }
    let size = FILE_BYTES_MAX + 1;
    assert_eq!(map::truncate(&view, &store.facts(), size), Err(MapError::BadPiece { offset: size }));
}

#[test]
fn the_greatest_file_reads_as_one_hole() {
    let mut store = Store::new();
    store.truncate(FILE_BYTES_MAX);
    store.install(vec![stored(1, FILE_BYTES_MAX - 1, 1)], FILE_BYTES_MAX);
    store.check();
    assert_eq!(store.resolve(0, u64::MAX).last().map(Piece::end), Some(FILE_BYTES_MAX));
    store.punch(0, u64::MAX);
    store.check();
    assert_eq!(store.resolve(0, u64::MAX).len(), 1);
}

#[test]
fn reaping_without_a_pending_truncation_does_nothing() {
    let store = dense(1);
    assert_eq!(map::reap_truncation_query(&store.facts(), None), None);
    let reaped = map::reap_truncation(&MapView::default(), &store.facts(), None).unwrap();
    assert!(reaped.edit.is_empty() && reaped.next.is_none());
}

#[test]
fn a_crowded_page_is_reported() {
    let mut store = dense(1);
    let pieces = (0..17).map(|i| stored(100 + u128::from(i), i * 8192, 100)).collect();
    assert_eq!(store.install(pieces, PAGE_BYTES), vec![0]);
}

#[test]
fn pieces_far_apart_are_installed_by_plans_of_their_own() {
    let pieces = vec![stored(1, 0, 1), stored(2, CHUNK_BYTES * 7, 1), stored(3, CHUNK_BYTES * 8, 1), stored(4, 3, 1)];
    let batches = map::batches(pieces, &SCALE);
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), vec![3, 1]);
}

#[test]
fn a_piece_is_cut_to_a_range() {
    let piece = stored(1, 100, 50).cut(&(110..120)).unwrap();
    let Source::Stored(from) = piece.source else { panic!("stored") };
    assert_eq!((piece.offset, piece.len, from.skip), (110, 10, 10));
    let inline = Piece { offset: 5, len: 3, source: Source::Inline(Bytes::from_static(b"abc")) };
    assert_eq!(inline.cut(&(0..7)).map(|piece| piece.source), Some(Source::Inline(Bytes::from_static(b"ab"))));
    let hole = Piece { offset: 5, len: 3, source: Source::Hole };
    assert_eq!(hole.cut(&(6..u64::MAX)).map(|piece| piece.len), Some(2));
    assert_eq!(hole.cut(&(8..9)), None);
}

/// A piece of 100 bytes at 1000, of which some were written.
#[rstest]
#[case::up_to_its_end(1_000..1_100, 0, Some(100))]
#[case::beyond_its_end(1_000..4_000, 0, Some(100))]
#[case::less(1_000..1_040, 0, Some(40))]
#[case::less_but_the_file_is_longer(1_000..1_040, 1_060, Some(60))]
#[case::less_but_the_file_is_as_long(1_000..1_040, 1_100, Some(100))]
#[case::nothing(5..6, 0, None)]
fn no_piece_ends_behind_the_file_or_what_was_written(
    #[case] written: Range<u64>,
    #[case] size: u64,
    #[case] left: Option<u64>,
) {
    let ranges = [0..5, written, 8_000..9_000];
    let pieces = map::cut_behind_written(vec![stored(1, 1_000, 100)], &ranges, size);
    assert_eq!(pieces.first().map(|piece| piece.len), left);
}

#[test]
fn an_edit_and_its_node_go_into_one_plan() {
    let mut store = dense(1);
    let view = store.view(&map::truncate_query(&store.facts(), 1));
    let Truncation::Edit(edit) = map::truncate(&view, &store.facts(), 1).unwrap() else { panic!("one edit") };
    let mut plan = Plan::default();
    edit.clone().add_to(&mut plan, NODE, NodeUpdate::changed());
    let updates: BTreeMap<NodeId, NodeUpdate> = plan.changes.iter().filter_map(update).collect();
    let update = &updates[&NODE];
    assert_eq!((update.size, update.allocated), (Some(1), 1 - PAGE_BYTES as i64));
    assert_eq!((update.content_version, update.pending_truncation), (Some(ContentVersion(2)), None));
    assert_eq!(plan.changes.len(), edit.changes.len() + 1);
    store.apply(edit);
    store.check();
}

fn update(change: &Change) -> Option<(NodeId, NodeUpdate)> {
    match change {
        Change::UpdateNode(node, update) => Some((*node, update.clone())),
        _ => None,
    }
}

#[test]
fn bytes_that_a_pending_truncation_hides_are_written_though_the_row_has_the_same_ones() {
    let mut store = Store::new();
    let count = SCALE.truncate_rows() as u64 + 10;
    let pieces: Vec<Piece> =
        (0..count).map(|page| stored(u128::from(page), page * PAGE_BYTES, PAGE_BYTES as u32)).collect();
    store.install(pieces.clone(), count * PAGE_BYTES);
    store.truncate(PAGE_BYTES + 5);
    assert!(store.pending_truncation.is_some(), "it was too large to be cut at once");
    // A clone that was made before brings the same bytes back.
    store.install(pieces.clone(), count * PAGE_BYTES);
    assert_eq!(store.resolve(0, store.size), pieces);
    store.reap();
    store.check();
    assert_eq!(store.resolve(0, store.size), pieces);
}
