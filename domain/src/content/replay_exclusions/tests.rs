use proptest::prelude::*;

use super::{ReplayExclusion, ReplayExclusions};
use crate::id::Sequence;

fn truncation(up_to: u64, size: u64) -> ReplayExclusion {
    ReplayExclusion { up_to: Sequence(up_to), offset: size, end: u64::MAX }
}

#[test]
fn a_truncation_at_a_lower_offset_replaces_the_earlier_ones() {
    let exclusions =
        ReplayExclusions::default().with(truncation(5, 100)).with(truncation(7, 200)).with(truncation(9, 50));
    assert_eq!(exclusions, [truncation(9, 50)].into_iter().collect());
}

#[test]
fn a_record_between_two_truncations_is_shortened_by_the_second_only() {
    let exclusions = ReplayExclusions::default().with(truncation(5, 100)).with(truncation(7, 200));
    assert_eq!(exclusions.left(Sequence(5), 0..300).to_vec(), vec![0..100]);
    assert_eq!(exclusions.left(Sequence(6), 0..300).to_vec(), vec![0..200]);
    assert_eq!(exclusions.left(Sequence(8), 0..300).to_vec(), vec![0..300]);
}

#[test]
fn what_is_published_needs_no_exclusion() {
    let exclusions = ReplayExclusions::default().with(truncation(5, 100)).with(truncation(7, 200));
    assert_eq!(exclusions.above(Sequence(5)).iter().copied().collect::<Vec<_>>(), vec![truncation(7, 200)]);
    assert!(exclusions.above(Sequence(7)).is_empty());
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Write { offset: u64, len: u64 },
    Remove { offset: u64, end: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..40u64, 1..20u64).prop_map(|(offset, len)| Step::Write { offset, len }),
        (0..60u64).prop_map(|offset| Step::Remove { offset, end: u64::MAX }),
        (0..60u64, 1..20u64).prop_map(|(offset, len)| Step::Remove { offset, end: offset + len }),
    ]
}

#[test]
fn an_exclusion_of_older_records_leaves_that_of_newer_ones_which_may_come_back() {
    let old = ReplayExclusion { up_to: Sequence(14), offset: 1_000, end: u64::MAX };
    let exclusions =
        ReplayExclusions::default().with(old).with(ReplayExclusion { up_to: Sequence(8), offset: 200, end: u64::MAX });
    assert!(exclusions.left(Sequence(9), 1_500..1_600).is_empty());
    assert_eq!(exclusions.above(Sequence(8)).iter().copied().collect::<Vec<_>>(), [old]);
}

proptest! {
    /// Whatever is written and removed: a replay takes those bytes of each record that the removals left.
    #[test]
    fn a_replay_takes_what_the_removals_left(steps in proptest::collection::vec(step(), 1..40)) {
        let mut exclusions = ReplayExclusions::default();
        let mut records: Vec<(u64, Vec<Option<u64>>)> = Vec::new();
        for step in steps {
            match step {
                Step::Write { offset, len } => records.push((offset, (0..len).map(|at| Some(offset + at)).collect())),
                Step::Remove { offset, end } => {
                    let up_to = Sequence(records.len() as u64);
                    for (_, bytes) in &mut records {
                        for byte in bytes.iter_mut().filter(|at| at.is_some_and(|at| at >= offset && at < end)) {
                            *byte = None;
                        }
                    }
                    exclusions = exclusions.with(ReplayExclusion { up_to, offset, end });
                }
            }
        }
        for (index, (offset, bytes)) in records.iter().enumerate() {
            let left = exclusions.left(Sequence(index as u64 + 1), *offset..*offset + bytes.len() as u64);
            let left: Vec<u64> = left.into_iter().flatten().collect();
            let expected: Vec<u64> = bytes.iter().flatten().copied().collect();
            prop_assert_eq!(left, expected);
        }
    }
}
