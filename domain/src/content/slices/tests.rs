use proptest::prelude::*;

use super::*;

const SPAN: u64 = 400;
const SCALE: Scale = Scale::TINY;
const REGION_BYTES: u64 = SCALE.region_bytes as u64;

/// The content of a byte: its record, and which byte of the payload it is.
type Cell = Option<(u64, u64)>;

#[derive(Clone, Debug)]
enum Step {
    Insert { offset: u64, len: u32, skip: u32, seq: u64 },
    Truncate(u64),
    Punch(Range<u64>),
    Remove(Range<u64>, u64),
}

fn range() -> impl Strategy<Value = Range<u64>> {
    (0..SPAN, 0..SPAN).prop_map(|(a, b)| a.min(b)..a.max(b))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..SPAN, 1u32..100, 0u32..50, 1u64..1_000)
            .prop_map(|(offset, len, skip, seq)| Step::Insert { offset, len, skip, seq }),
        1 => (0..SPAN).prop_map(Step::Truncate),
        1 => range().prop_map(Step::Punch),
        1 => (range(), 0u64..1_000).prop_map(|(range, seq)| Step::Remove(range, seq)),
    ]
}

/// A place that identifies its record.
fn place(seq: u64) -> Place {
    Place { segment: seq / 7, at: seq * 1_000 }
}

fn apply(index: &mut SliceIndex, cells: &mut [Cell], step: Step) {
    match step {
        Step::Insert { offset, len, skip, seq } => {
            index.insert(offset, len, Sequence(seq), place(seq), skip);
            for i in 0..u64::from(len) {
                let cell = &mut cells[(offset + i) as usize];
                if cell.is_none_or(|(old, _)| old <= seq) {
                    *cell = Some((seq, u64::from(skip) + i));
                }
            }
        }
        Step::Truncate(size) => {
            index.truncate(size);
            cells[size as usize..].fill(None);
        }
        Step::Punch(range) => {
            index.punch(range.clone());
            cells[range.start as usize..range.end as usize].fill(None);
        }
        Step::Remove(range, seq) => {
            index.remove(std::slice::from_ref(&range), Sequence(seq));
            let cells = &mut cells[range.start as usize..range.end as usize];
            cells.iter_mut().filter(|cell| cell.is_some_and(|(old, _)| old <= seq)).for_each(|cell| *cell = None);
        }
    }
}

/// The oldest record of which a byte counts.
fn oldest(index: &SliceIndex) -> Option<Sequence> {
    index.iter().map(|slice| slice.seq).min()
}

fn cells_of(parts: &[Part], start: u64) -> Vec<Cell> {
    let mut out: Vec<Cell> = Vec::new();
    for part in parts {
        match part {
            Part::Gap { offset, len } => {
                assert_eq!(*offset, start + out.len() as u64);
                assert!(*len > 0);
                out.extend(std::iter::repeat_n(None, *len as usize));
            }
            Part::Slice(slice) => {
                assert_eq!(slice.offset, start + out.len() as u64);
                assert_eq!(slice.place, place(slice.seq.0));
                let skip = u64::from(slice.skip);
                out.extend((0..u64::from(slice.len)).map(|i| Some((slice.seq.0, skip + i))));
            }
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn the_newest_record_wins_whatever_the_order(steps in prop::collection::vec(step(), 1..40), window in range()) {
        let mut index = SliceIndex::default();
        let mut cells = vec![None; SPAN as usize + 200];
        for step in steps {
            apply(&mut index, &mut cells, step);
            let whole = index.read(0..cells.len() as u64);
            prop_assert_eq!(&cells_of(&whole, 0), &cells);
        }
        let (start, end) = (window.start as usize, window.end as usize);
        prop_assert_eq!(&cells_of(&index.read(window.clone()), window.start), &cells[start..end]);

        let live: Vec<u64> = cells.iter().flatten().map(|(seq, _)| *seq).collect();
        prop_assert_eq!(index.bytes(), live.len() as u64);
        prop_assert_eq!(oldest(&index).map(|seq| seq.0), live.iter().min().copied());
        prop_assert_eq!(index.newest().map(|seq| seq.0), live.iter().max().copied());
        prop_assert_eq!(index.is_empty(), live.is_empty());
        let end = cells.iter().rposition(Option::is_some).map_or(0, |at| at as u64 + 1);
        prop_assert_eq!(index.end(), end);
    }

    #[test]
    fn what_a_flush_leaves_tells_the_sequence_to_publish(
        steps in prop::collection::vec(step(), 1..30),
        window in range(),
    ) {
        let mut index = SliceIndex::default();
        let mut cells = vec![None; SPAN as usize + 200];
        steps.into_iter().for_each(|step| apply(&mut index, &mut cells, step));
        let up_to = index.newest().unwrap_or_default();
        let taken: Vec<_> = index.iter().filter_map(|slice| slice.cut(&window)).collect();
        let ranges: Vec<_> = taken.iter().map(|slice| slice.offset..slice.end()).collect();

        let content_seq = index.content_seq_after(&ranges, up_to);
        index.remove(&ranges, up_to);
        let expected = oldest(&index).map_or(up_to, |oldest| Sequence(oldest.0 - 1));
        prop_assert_eq!(content_seq, expected);
        let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        prop_assert_eq!(index.bytes(), cells.iter().flatten().count() as u64 - bytes);
    }

    #[test]
    fn regions_are_taken_whole_and_in_order_and_have_all_slices(
        inserts in prop::collection::vec((0..6 * REGION_BYTES, 1..2 * REGION_BYTES as u32), 1..20),
        from in 0..7 * REGION_BYTES,
    ) {
        let mut index = SliceIndex::default();
        for (seq, (offset, len)) in (1..).zip(inserts) {
            index.insert(offset, len, Sequence(seq), place(seq), 0);
        }
        let start = from - from % REGION_BYTES;
        let expected: Vec<_> = index.iter().filter_map(|slice| slice.cut(&(start..u64::MAX))).collect();
        let (mut at, mut found) = (from, Vec::new());
        while let Some(region) = index.region_from(at, &SCALE) {
            prop_assert!(region.start.is_multiple_of(REGION_BYTES) && region.start + REGION_BYTES > at);
            prop_assert!(region.slices.iter().all(|slice| slice.offset >= region.start && slice.end() <= region.end));
            prop_assert!(region.changed().windows(2).all(|pair| pair[0].end < pair[1].start));
            let bytes: u64 = region.slices.iter().map(|slice| u64::from(slice.len)).sum();
            prop_assert_eq!(region.changed().iter().map(|range| range.end - range.start).sum::<u64>(), bytes);
            at = region.end;
            found.extend(region.slices);
        }
        let bytes = |slices: &[Slice]| slices.iter().map(|slice| u64::from(slice.len)).sum::<u64>();
        prop_assert_eq!(bytes(&found), bytes(&expected));
    }
}

#[test]
fn what_was_written_during_a_flush_stays() {
    let mut index = SliceIndex::default();
    index.insert(0, 100, Sequence(1), place(1), 0);
    let taken = index.region_from(0, &SCALE).unwrap().changed();
    index.insert(50, 10, Sequence(2), place(2), 0);
    assert_eq!(index.content_seq_after(&taken, Sequence(1)), Sequence(1));
    index.remove(&taken, Sequence(1));
    assert_eq!(index.iter().map(|slice| (slice.offset, slice.len, slice.seq.0)).collect::<Vec<_>>(), vec![(50, 10, 2)]);
}

#[test]
fn what_was_truncated_or_punched_during_a_flush_is_not_installed() {
    let mut index = SliceIndex::default();
    index.insert(0, 60, Sequence(1), place(1), 0);
    index.insert(60, 40, Sequence(2), place(2), 0);
    index.punch(20..30);
    index.truncate(80);
    index.insert(25, 10, Sequence(3), place(3), 0);
    index.insert(90, 10, Sequence(4), place(4), 0);
    let taken = index.region_from(0, &SCALE).unwrap().slices;
    let old = taken.iter().filter(|slice| slice.seq <= Sequence(2));
    assert_eq!(old.map(|slice| slice.offset..slice.end()).collect::<Vec<_>>(), vec![0..20, 35..60, 60..80]);
}

#[test]
fn a_slice_over_the_end_of_a_region_is_cut_there() {
    let mut index = SliceIndex::default();
    index.insert(REGION_BYTES - 10, 20, Sequence(1), place(1), 5);
    index.insert(REGION_BYTES + 10, 10, Sequence(2), place(2), 0);
    index.insert(REGION_BYTES + 21, 10, Sequence(3), place(3), 0);
    let first = index.region_from(0, &SCALE).unwrap();
    let changed = std::iter::once(REGION_BYTES - 10..REGION_BYTES).collect();
    assert_eq!((first.start, first.changed()), (0, changed));
    let second = index.region_from(first.end, &SCALE).unwrap();
    assert_eq!(second.changed(), vec![REGION_BYTES..REGION_BYTES + 20, REGION_BYTES + 21..REGION_BYTES + 31]);
    assert_eq!(second.slices[0].skip, 15);
    assert_eq!(index.region_from(second.end, &SCALE), None);
}

#[test]
fn an_empty_index_has_nothing() {
    let mut index = SliceIndex::default();
    index.insert(5, 0, Sequence(1), place(1), 0);
    index.remove(std::slice::from_ref(&(0..9)), Sequence(9));
    assert_eq!((index.len(), index.end(), oldest(&index)), (0, 0, None));
    assert_eq!(index.region_from(0, &SCALE), None);
    assert_eq!(index.read(3..3), vec![]);
    assert_eq!(index.content_seq_after(&[], Sequence(4)), Sequence(4));
}

#[test]
fn an_entry_is_small() {
    assert!(size_of::<Entry>() + size_of::<u64>() <= 40);
}
