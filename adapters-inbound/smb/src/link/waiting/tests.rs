use super::Waiting;

#[test]
fn only_so_many_wait_and_whoever_leaves_makes_room() {
    let waiting = Waiting::default();
    let (first, mut cancelled) = waiting.enter(7, 2).unwrap();
    waiting.enter(8, 2).unwrap();
    assert!(waiting.enter(9, 2).is_none());
    waiting.leave(first);
    assert!(waiting.enter(9, 2).is_some());
    // What has left is not cancelled any more: its sender is gone.
    waiting.cancel_all();
    assert!(cancelled.try_recv().is_err());
}
