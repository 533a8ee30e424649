use std::{ops::Range, time::Duration};

use dittofs_domain::{ChangeId, Node, Sequence, Timestamp, content::Place, quota::Quota};
use dittofs_ports::Appended;

use super::{NodePending, Replayed};
use crate::volume::ledger::Ledger;

fn record(sequence: u64) -> Appended {
    Appended { sequence: Sequence(sequence), place: Place { segment: 0, at: sequence } }
}

#[test]
fn the_part_of_a_flush_that_ends_last_says_that_all_of_it_is_done() {
    let stored = Node::root(0, 0, 0o644, Timestamp::EPOCH);
    let mut pending = NodePending::new(Ledger::new(Quota::NONE).nothing());
    for (sequence, range) in [(1, 0..10), (2, 20..30)] {
        pending.replay(
            &stored,
            Replayed {
                offset: range.start,
                length: 10,
                left: std::slice::from_ref(&range),
                appended: record(sequence),
                credits: None,
                time: Timestamp::EPOCH,
                stamp: ChangeId(1),
                at: Duration::ZERO,
            },
        );
    }
    let done = |pending: &NodePending, range: Range<u64>, up_to| {
        pending.content_seq_after(std::slice::from_ref(&range), Sequence(up_to)).0
    };
    // The bytes that were taken before the second record came are not stored yet, and then they are.
    assert_eq!((done(&pending, 20..30, 2), done(&pending, 0..10, 1)), (0, 1));
    pending.slices.remove(std::slice::from_ref(&(20..30)), Sequence(2));
    assert_eq!(done(&pending, 0..10, 1), 2);
}
