use std::ops::Range;

use proptest::prelude::*;

use super::append;

/// Ranges in order, some of which touch, and where an answer ends.
fn answers() -> impl Strategy<Value = Vec<Vec<Range<u64>>>> {
    let steps = prop::collection::vec((0..3_u64, 1..5_u64), 0..6);
    prop::collection::vec(steps, 0..5).prop_map(|answers| {
        let mut at = 0;
        let mut range = |(gap, length)| {
            let start = at + gap;
            at = start + length;
            start..at
        };
        answers.into_iter().map(|steps| steps.into_iter().map(&mut range).collect()).collect()
    })
}

proptest! {
    #[test]
    fn ranges_of_several_answers_cover_the_same_bytes_and_do_not_touch(answers in answers()) {
        let mut found = Vec::new();
        for answer in answers.clone() {
            append(&mut found, answer);
        }
        prop_assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start), "{found:?}");
        let bytes = |ranges: Vec<Range<u64>>| ranges.into_iter().flatten().collect::<Vec<_>>();
        prop_assert_eq!(bytes(found), bytes(answers.concat()));
    }
}
