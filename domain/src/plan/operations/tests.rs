use std::collections::hash_map::RandomState;

use super::*;

fn operations(count: usize, seconds: u64) -> Operations<u32, RandomState> {
    Operations::new(OperationsKept { count, age: Duration::from_secs(seconds) })
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_operation_is_remembered_until_its_age_and_not_a_moment_longer() {
    let mut operations = operations(10, 120);
    operations.note(1, 7, Some(NodeId(70)), at(5));
    assert_eq!(operations.find(&7, at(124)), Some(Remembered { made: Some(NodeId(70)), batch: 1 }));
    assert_eq!(operations.find(&7, at(125)), None);
    assert_eq!(operations.find(&8, at(5)), None);
    assert!(operations.outdated(0, at(124)).batches.is_empty());
    let outdated = operations.outdated(0, at(125));
    assert_eq!(outdated.batches, [1]);
    operations.forget(&outdated);
    assert!(operations.is_empty() && operations.by_key.is_empty());
}

#[test]
fn the_oldest_batches_make_room_and_go_as_a_whole() {
    let mut operations = operations(5, 120);
    for key in 0..5 {
        operations.note(if key < 3 { 1 } else { 2 }, key, None, at(0));
    }
    assert!(operations.outdated(0, at(0)).batches.is_empty());
    let outdated = operations.outdated(1, at(0));
    assert_eq!(outdated.batches, [1]);
    operations.forget(&outdated);
    assert_eq!(operations.len(), 2);
    assert_eq!((0..5).filter(|key| operations.find(key, at(0)).is_some()).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(operations.outdated(100, at(0)).batches, [2], "more than may be kept at all");
}

#[test]
fn what_is_noted_again_outlives_the_first_note() {
    let mut operations = operations(10, 10);
    operations.note(1, 7, Some(NodeId(70)), at(0));
    operations.note(2, 7, Some(NodeId(71)), at(8));
    let outdated = operations.outdated(0, at(10));
    assert_eq!(outdated.batches, [1]);
    operations.forget(&outdated);
    assert_eq!(operations.find(&7, at(10)), Some(Remembered { made: Some(NodeId(71)), batch: 2 }));
}

#[test]
fn a_clock_that_goes_back_forgets_nothing() {
    let mut operations = operations(10, 10);
    operations.note(1, 7, None, at(100));
    assert!(operations.find(&7, at(0)).is_some());
    assert!(operations.outdated(0, at(0)).batches.is_empty());
}
