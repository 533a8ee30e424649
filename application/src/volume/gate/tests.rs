use futures_util::FutureExt;

use super::Gate;

#[test]
fn changes_pass_side_by_side_while_the_gate_is_open() {
    let gate = Gate::default();
    let _first = gate.pass().now_or_never().unwrap();
    let _second = gate.pass().now_or_never().unwrap();
}

#[test]
fn closing_waits_for_what_has_passed_and_holds_up_what_comes_then() {
    let gate = Gate::default();
    let first = gate.pass().now_or_never().unwrap();
    let mut close = Box::pin(gate.close());
    assert!((&mut close).now_or_never().is_none());
    let mut second = Box::pin(gate.pass());
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    let closed = (&mut close).now_or_never().unwrap();
    assert!((&mut second).now_or_never().is_none());
    drop(closed);
    assert!((&mut second).now_or_never().is_some());
}

#[test]
fn a_gate_that_could_not_be_closed_in_time_is_open_again() {
    let gate = Gate::default();
    let _first = gate.pass().now_or_never().unwrap();
    let mut close = Box::pin(gate.close());
    assert!((&mut close).now_or_never().is_none());
    drop(close);
    assert!(gate.pass().now_or_never().is_some());
}
