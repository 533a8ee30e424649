use super::{Wait, Waiting};

#[test]
fn only_so_many_wait_and_whoever_leaves_makes_room() {
    let waiting = Waiting::default();
    let (first, mut cancelled) = waiting.enter(7, Wait::Endless, 2).unwrap();
    waiting.enter(8, Wait::Endless, 2).unwrap();
    assert!(waiting.enter(9, Wait::Endless, 2).is_none());
    waiting.leave(first);
    assert!(waiting.enter(9, Wait::Endless, 2).is_some());
    // What has left is not cancelled any more: its sender is gone.
    waiting.cancel_all();
    assert!(cancelled.try_recv().is_err());
}

#[test]
fn who_reads_nothing_more_gives_up_only_what_has_no_end() {
    let waiting = Waiting::default();
    let (_, mut lock) = waiting.enter(7, Wait::Endless, 9).unwrap();
    let (_, mut open) = waiting.enter(8, Wait::Bounded, 9).unwrap();
    waiting.cancel_endless();
    assert!(lock.try_recv().is_ok());
    assert!(open.try_recv().is_err(), "it goes on");
    assert!(waiting.enter(9, Wait::Endless, 9).is_none(), "nobody would end it");
    assert!(waiting.enter(9, Wait::Bounded, 9).is_some());
    waiting.cancel_all();
    assert!(open.try_recv().is_ok());
}
