//! Clones: extents of one file in another one.

use bytes::Bytes;
use dittofs_domain::{
    NodeId,
    content::{
        CHUNK_BYTES, PAGE_BYTES,
        map::{self, Piece, Replaced, Source},
    },
    plan::{Change, MapView, PLAN_STEPS_MAX},
};
use proptest::prelude::*;

use crate::{
    model::byte_of,
    store::{NODE, SCALE, Store, stored},
};

/// A file of blocks of a size, one object for each two of them.
fn dense(bytes: u64, block: u32) -> Store {
    let mut store = Store::new();
    let count = bytes / u64::from(block);
    for number in 0..count {
        let piece = stored(u128::from(1 + number / 2), number * u64::from(block), block);
        store.install(vec![piece], 0);
    }
    store
}

#[test]
fn a_whole_file_of_a_gibibyte_is_one_plan() {
    let source = dense(1 << 30, 4 << 20);
    let mut clone = Store::new();
    clone.clone_of(&source, 0..source.size, 0);
    clone.check();
    assert_eq!(clone.version.0, 2, "one plan raises the content version once");
    assert_eq!((clone.size, clone.allocated), (source.size, source.allocated));
    assert_eq!(clone.references, source.references);
    assert_eq!(clone.resolve(0, clone.size), source.resolve(0, source.size));
}

#[test]
fn a_huge_file_is_cloned_in_bounded_plans() {
    let source = dense(5 << 30, 4 << 20);
    let mut clone = Store::new();
    clone.clone_of(&source, 0..source.size, 0);
    clone.check();
    assert_eq!(clone.references, source.references);
    assert!(clone.version.0 <= 4, "{} plans", clone.version.0 - 1);
    assert!(clone.steps_max > SCALE.plan_rows as usize, "plans of {} steps", clone.steps_max);
}

#[test]
fn a_sparse_file_of_an_exbibyte_is_cloned_with_a_few_rows() {
    let mut source = Store::new();
    for at in [7, 1 << 40, (1 << 60) - 1] {
        source.install(vec![stored(at.into(), at, 1)], 0);
    }
    let mut clone = dense(10 * PAGE_BYTES, 1 << 20);
    clone.clone_of(&source, 0..source.size, 0);
    clone.check();
    assert!(clone.rows.len() < 10, "{} rows", clone.rows.len());
    assert_eq!(clone.references, source.references);
    clone.punch(0, 1 << 60);
    clone.check();
    assert_eq!((clone.size, clone.rows.len(), clone.allocated), (1 << 60, 1, 0));
}

#[test]
fn a_page_never_gets_too_many_extents() {
    let mut store = dense(2 * PAGE_BYTES, 1 << 20);
    let hole = |number: u64| Piece { offset: 2_000 * number, len: 1_000, source: Source::Hole };
    let mut crowded = None;
    for number in 0..200 {
        let view = store.view(&map::replace_query(&store.facts(), &(0..PAGE_BYTES)));
        match map::replace(&view, &store.facts(), &[hole(number)]).unwrap() {
            Replaced::Edit { edit, .. } => store.apply(edit),
            Replaced::Crowded { end } => {
                assert_eq!(end, hole(number).end());
                crowded.get_or_insert(number);
            }
        }
    }
    assert_eq!(crowded, Some(SCALE.page_extents_bound() as u64 / 2));
    store.check();
    // Pieces that reach beyond the page stop at its end.
    let mut other = dense(3 * PAGE_BYTES, 1 << 20);
    let view = other.view(&map::replace_query(&other.facts(), &(0..other.size)));
    let facts = store.facts();
    let pieces =
        map::clone_pieces(&store.view(&map::clone_query(NODE, &(0..store.size), &SCALE)), &facts, 0..store.size, 500);
    let replaced = map::replace(&view, &other.facts(), &pieces.unwrap()).unwrap();
    assert_eq!(replaced, Replaced::Crowded { end: PAGE_BYTES });
    // Fewer than before are never too many.
    other.punch(0, 1_000);
    assert_eq!(other.resolve(0, 1)[0].source, Source::Hole);
}

/// A file whose pages have as many extents as they may, each of an object of its own.
fn crowded(pages: u64) -> Store {
    let mut store = Store::new();
    let count = SCALE.page_extents_bound() as u64;
    for page in 0..pages {
        let len = (PAGE_BYTES / count) as u32;
        let piece = |n: u64| stored(u128::from(1 + page * count + n), page * PAGE_BYTES + n * u64::from(len), len);
        store.install((0..count - 1).map(piece).collect(), 0);
        let last = PAGE_BYTES as u32 - (count as u32 - 1) * len;
        let offset = (page + 1) * PAGE_BYTES - u64::from(last);
        store.install(vec![stored(u128::from((page + 1) * count), offset, last)], 0);
    }
    store
}

#[test]
fn many_objects_in_a_range_make_more_plans_and_none_that_is_too_large() {
    let source = crowded(192);
    let mut clone = Store::new();
    clone.clone_of(&source, 0..source.size, 0);
    clone.check();
    assert_eq!(clone.references.len(), 192 * SCALE.page_extents_bound());
    assert!(clone.version.0 > 3);
    clone.punch(5, clone.size - 5);
    clone.check();
    assert!(clone.steps_max < PLAN_STEPS_MAX);
}

#[test]
fn whatever_is_done_to_crowded_pages_fits_into_a_plan() {
    for size in [0, 7, 64 * PAGE_BYTES, 130 * PAGE_BYTES + 5] {
        let mut store = crowded(192);
        store.steps_max = 0;
        store.truncate(size);
        store.reap();
        store.check();
        assert!(store.steps_max < PLAN_STEPS_MAX, "{} steps", store.steps_max);
    }
    let mut store = crowded(192);
    store.steps_max = 0;
    loop {
        let step = map::reap_node(&store.view(&map::reap_node_query(NODE, &SCALE)), NODE, &SCALE).unwrap();
        store.apply(step.edit);
        if step.done {
            break;
        }
    }
    assert!(store.steps_max < PLAN_STEPS_MAX, "{} steps", store.steps_max);
}

#[test]
fn pieces_that_do_not_follow_each_other_are_refused() {
    let store = dense(PAGE_BYTES, 1 << 20);
    let view = store.view(&map::replace_query(&store.facts(), &(0..PAGE_BYTES)));
    for pieces in [vec![], vec![stored(9, 0, 10), stored(9, 11, 10)], vec![stored(9, u64::MAX - 5, 5)]] {
        assert!(map::replace(&view, &store.facts(), &pieces).is_err(), "{pieces:?}");
    }
    let nothing = MapView { rows: vec![], complete: false };
    assert!(map::clone_pieces(&nothing, &store.facts(), 0..5, 0).is_err());
    assert!(map::punch(&view, &store.facts(), PAGE_BYTES..PAGE_BYTES + 1).is_err());
}

#[test]
fn where_the_objects_are_those_of_before_no_reference_changes() {
    let mut store = dense(4 * PAGE_BYTES, 1 << 20);
    let view = store.view(&map::replace_query(&store.facts(), &(0..PAGE_BYTES)));
    let pieces = [Piece { offset: 100, ..stored(1, 0, 50) }];
    let Replaced::Edit { edit, end } = map::replace(&view, &store.facts(), &pieces).unwrap() else { panic!() };
    let referenced = |change: &Change| matches!(change, Change::InsertReference(_) | Change::DeleteReference(_));
    assert!(!edit.changes.iter().any(referenced));
    assert_eq!(end, 150);
    store.apply(edit);
    store.check();
}

fn offset() -> impl Strategy<Value = u64> {
    let edge = prop_oneof![
        4 => (0u64..5).prop_map(|page| page * PAGE_BYTES),
        1 => Just(CHUNK_BYTES),
        1 => Just(20 * CHUNK_BYTES),
    ];
    (edge, prop_oneof![Just(0i64), -5_000i64..5_000]).prop_map(|(edge, near)| edge.saturating_add_signed(near))
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize, u64, u32, bool),
    Truncate(usize, u64),
    Punch(usize, u64, u64),
    Clone(usize, usize, u64, u64, u64),
    Reap(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let file = || 0usize..2;
    prop_oneof![
        4 => (file(), offset(), 1u32..(3 << 20), any::<bool>()).prop_map(|(f, o, l, i)| Step::Write(f, o, l, i)),
        2 => (file(), offset()).prop_map(|(f, size)| Step::Truncate(f, size)),
        2 => (file(), offset(), offset()).prop_map(|(f, a, b)| Step::Punch(f, a.min(b), a.max(b))),
        5 => (file(), file(), offset(), offset(), offset())
            .prop_map(|(s, d, a, b, to)| Step::Clone(s, d, a.min(b), a.max(b), to)),
        1 => file().prop_map(Step::Reap),
    ]
}

/// Where something may differ: at the edges of what is there.
fn edges(store: &Store) -> Vec<u64> {
    store.resolve(0, store.size).iter().flat_map(|piece| [piece.offset, piece.end() - 1]).collect()
}

fn byte(store: &Store, at: u64) -> crate::model::Byte {
    let pieces = store.resolve(at, at + 1);
    byte_of(&pieces[0], at)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_clone_reads_as_its_source_did_and_nothing_else_changes(steps in prop::collection::vec(step(), 1..14)) {
        let mut files = [Store::new(), Store::new()];
        let mut objects = 0;
        for step in steps {
            match step {
                Step::Write(of, offset, len, inline) => {
                    objects += 1;
                    let bytes = || Bytes::from(vec![objects as u8; 1 + len as usize % 900]);
                    let piece = match inline {
                        true => Piece { offset, len: bytes().len() as u64, source: Source::Inline(bytes()) },
                        false => stored(objects, offset, len),
                    };
                    files[of].install(vec![piece], 0);
                }
                Step::Truncate(of, size) => {
                    files[of].truncate(size);
                }
                Step::Punch(of, start, end) => files[of].punch(start, end),
                Step::Reap(of) => {
                    files[of].reap();
                }
                Step::Clone(source, of, start, end, to) => {
                    let end = end.min(files[source].size);
                    if start >= end || source == of && start < to + (end - start) && to < end {
                        continue;
                    }
                    let was = snapshot(&files[source]);
                    let before = snapshot(&files[of]);
                    files[of].clone_of(&was, start..end, to);
                    let until = to + (end - start);
                    assert_eq!(files[of].size, before.size.max(until));
                    for at in edges(&files[of]) {
                        let expected = match at {
                            at if (to..until).contains(&at) => byte(&was, at - to + start),
                            at if at < before.size => byte(&before, at),
                            _ => crate::model::Byte::Zero,
                        };
                        assert_eq!(byte(&files[of], at), expected, "byte {at}");
                    }
                }
            }
            files.iter().for_each(Store::check);
        }
    }
}

fn snapshot(store: &Store) -> Store {
    Store { rows: store.rows.clone(), references: store.references.clone(), ..*store }
}

#[test]
fn a_query_for_a_clone_is_about_its_source() {
    assert_eq!(map::clone_query(NodeId(5), &(0..1), &SCALE).node, NodeId(5));
}
