use super::*;
use crate::{Sequence, content::Place};

fn index(lengths: &[u32]) -> SliceIndex {
    let mut index = SliceIndex::default();
    for (number, length) in (1..).zip(lengths) {
        index.insert(number << 20, *length, Sequence(number), Place { segment: number, at: 0 }, 0);
    }
    index
}

#[test]
fn little_in_few_slices_goes_inline() {
    for (lengths, expected) in [
        (&[][..], false),
        (&[1], true),
        (&[16_384], true),
        (&[16_385], false),
        (&[8_192, 8_192], true),
        (&[8_192, 8_193], false),
        (&[1; INLINE_SLICES_MAX], true),
        (&[1; INLINE_SLICES_MAX + 1], false),
    ] {
        assert_eq!(goes_inline(&index(lengths), 16_384), expected, "{lengths:?}");
    }
    assert!(!goes_inline(&index(&[1]), 0), "never");
}

#[test]
fn a_commit_is_done_with_its_newest_record_and_outdoes_flushes_that_took_less() {
    for (in_map, other, committed, outdone) in [(0, 0, true, false), (0, 1, false, true), (1, 1, true, false)] {
        let (in_map, other) = (Sequence(in_map), Sequence(other));
        assert_eq!((is_committed(in_map, other), is_outdone(in_map, other)), (committed, outdone));
    }
}
