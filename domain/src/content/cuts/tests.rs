use proptest::prelude::*;

use super::{Cut, Cuts};
use crate::id::Sequence;

fn truncation(up_to: u64, size: u64) -> Cut {
    Cut { up_to: Sequence(up_to), offset: size, end: u64::MAX }
}

#[test]
fn a_truncation_at_a_lower_offset_replaces_the_earlier_ones() {
    let cuts = Cuts::default().with(truncation(5, 100)).with(truncation(7, 200)).with(truncation(9, 50));
    assert_eq!(cuts, [truncation(9, 50)].into_iter().collect());
}

#[test]
fn a_record_between_two_truncations_is_cut_by_the_second_only() {
    let cuts = Cuts::default().with(truncation(5, 100)).with(truncation(7, 200));
    assert_eq!(cuts.left(Sequence(5), 0..300).to_vec(), vec![0..100]);
    assert_eq!(cuts.left(Sequence(6), 0..300).to_vec(), vec![0..200]);
    assert_eq!(cuts.left(Sequence(8), 0..300).to_vec(), vec![0..300]);
}

#[test]
fn what_is_published_needs_no_cut() {
    let cuts = Cuts::default().with(truncation(5, 100)).with(truncation(7, 200));
    assert_eq!(cuts.above(Sequence(5)).iter().copied().collect::<Vec<_>>(), vec![truncation(7, 200)]);
    assert!(cuts.above(Sequence(7)).is_empty());
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Write { offset: u64, len: u64 },
    Cut { offset: u64, end: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..40u64, 1..20u64).prop_map(|(offset, len)| Step::Write { offset, len }),
        (0..60u64).prop_map(|offset| Step::Cut { offset, end: u64::MAX }),
        (0..60u64, 1..20u64).prop_map(|(offset, len)| Step::Cut { offset, end: offset + len }),
    ]
}

#[test]
fn a_cut_of_older_records_leaves_that_of_newer_ones_which_may_come_back() {
    let old = Cut { up_to: Sequence(14), offset: 1_000, end: u64::MAX };
    let cuts = Cuts::default().with(old).with(Cut { up_to: Sequence(8), offset: 200, end: u64::MAX });
    assert!(cuts.left(Sequence(9), 1_500..1_600).is_empty());
    assert_eq!(cuts.above(Sequence(8)).iter().copied().collect::<Vec<_>>(), [old]);
}

proptest! {
    /// Whatever is written and cut: of each byte of each record, what a replay leaves is what the cuts left then.
    #[test]
    fn a_replay_leaves_what_the_cuts_left(steps in proptest::collection::vec(step(), 1..40)) {
        let mut cuts = Cuts::default();
        let mut records: Vec<(u64, Vec<Option<u64>>)> = Vec::new();
        for step in steps {
            match step {
                Step::Write { offset, len } => records.push((offset, (0..len).map(|at| Some(offset + at)).collect())),
                Step::Cut { offset, end } => {
                    let up_to = Sequence(records.len() as u64);
                    for (_, bytes) in &mut records {
                        for byte in bytes.iter_mut().filter(|at| at.is_some_and(|at| at >= offset && at < end)) {
                            *byte = None;
                        }
                    }
                    cuts = cuts.with(Cut { up_to, offset, end });
                }
            }
        }
        for (index, (offset, bytes)) in records.iter().enumerate() {
            let left = cuts.left(Sequence(index as u64 + 1), *offset..*offset + bytes.len() as u64);
            let left: Vec<u64> = left.into_iter().flatten().collect();
            let expected: Vec<u64> = bytes.iter().flatten().copied().collect();
            prop_assert_eq!(left, expected);
        }
    }
}
