#![allow(clippy::unwrap_used)]

use dittofs_domain::{
    ContentVersion, Cookie, Epoch, Name, OpId, PlaceId, Timestamp,
    plan::{EntryKey, NodeUpdate, ObjectRecord, ObjectState, Reference},
};
use tokio::sync::oneshot;

use super::*;

const DIRECTORY: Lane = Lane::Directory(NodeId(9));
const OBJECT: ObjectId = ObjectId(1);

fn pending(op: Option<u128>) -> Pending {
    Pending {
        plan: Plan::default(),
        op: op.map(OpId),
        deadline: Instant::now(),
        may_be_applied: false,
        answer: oneshot::channel().0,
    }
}

fn with_changes(op: u128, changes: Vec<Change>) -> Pending {
    Pending { plan: Plan { changes: changes.into(), ..Plan::default() }, ..pending(Some(op)) }
}

/// The names of the plans of each call of a lane that waits for none.
fn calls(lanes: &Lanes, lane: Lane) -> Vec<Vec<u128>> {
    let taken = std::iter::from_fn(|| Some(lanes.take(lane)).filter(|taken| !taken.is_empty()));
    taken.map(|taken| ops(&taken).into_iter().flatten().collect()).collect()
}

fn ops(plans: &[Pending]) -> Vec<Option<u128>> {
    plans.iter().map(|pending| pending.op.map(|op| op.0)).collect()
}

#[test]
fn plans_wait_for_the_call_of_their_directory_and_go_in_the_next_one_in_their_order() {
    let lanes = Lanes::new(3);
    assert!(lanes.enter(DIRECTORY, pending(Some(1))).is_some());
    assert!(lanes.enter(Lane::Directory(NodeId(10)), pending(Some(1))).is_some(), "of another directory");
    for op in [Some(2), None, Some(3), Some(4), Some(4), None] {
        assert!(lanes.enter(DIRECTORY, pending(op)).is_none());
    }
    assert_eq!(ops(&lanes.take(DIRECTORY)), [Some(2), None, Some(3)]);
    // Of two under one name the second one goes in a call of its own.
    assert_eq!(ops(&lanes.take(DIRECTORY)), [Some(4)]);
    assert_eq!(ops(&lanes.take(DIRECTORY)), [Some(4), None]);
    assert!(lanes.take(DIRECTORY).is_empty());
    assert!(lanes.enter(DIRECTORY, pending(None)).is_some(), "the directory is free again");
}

#[test]
fn a_plan_of_many_steps_goes_alone_when_it_is_its_turn() {
    let lanes = Lanes::new(64);
    let lane = Lane::Object(OBJECT);
    assert!(lanes.enter(lane, pending(None)).is_some());
    for (op, steps) in [(1, 1), (2, STEPS_MAX), (3, STEPS_MAX + 1), (4, STEPS_MAX + 1), (5, 1), (6, 1)] {
        assert!(lanes.enter(lane, with_changes(op, vec![put(OBJECT); steps])).is_none());
    }
    assert_eq!(calls(&lanes, lane), [vec![1, 2], vec![3], vec![4], vec![5, 6]]);
}

#[test]
fn a_call_takes_a_bounded_number_of_bytes() {
    let lanes = Lanes::new(64);
    assert!(lanes.enter(DIRECTORY, pending(None)).is_some());
    for (op, bytes) in [(1, BYTES_MAX / 2), (2, BYTES_MAX / 2), (3, 1), (4, BYTES_MAX + 1), (5, 0), (6, 0)] {
        let extents = [Extent::Inline(vec![0; bytes].into())].into_iter().collect();
        let row = MapRow::Page { version: ContentVersion(0), extents };
        let put = Change::PutRow { node: NodeId(30), page: 0, row };
        assert!(lanes.enter(DIRECTORY, with_changes(op, vec![put])).is_none());
    }
    assert_eq!(calls(&lanes, DIRECTORY), [vec![1, 2], vec![3], vec![4], vec![5, 6]]);
}

#[test]
fn only_plans_whose_time_is_over_are_overdue() {
    let lanes = Lanes::new(3);
    let (now, second) = (Instant::now(), std::time::Duration::from_secs(1));
    assert!(lanes.enter(DIRECTORY, pending(None)).is_some());
    for (op, deadline) in [(1, now - second), (2, now), (3, now + second)] {
        assert!(lanes.enter(DIRECTORY, Pending { deadline, ..pending(Some(op)) }).is_none());
    }
    assert_eq!(ops(&lanes.overdue(DIRECTORY, now)), [Some(1), Some(2)]);
    assert_eq!(ops(&lanes.take(DIRECTORY)), [Some(3)]);
    assert!(lanes.take(DIRECTORY).is_empty());
    assert!(lanes.overdue(DIRECTORY, now).is_empty());
    assert!(lanes.enter(DIRECTORY, pending(None)).is_some(), "the directory is free again");
}

#[test]
fn those_who_wait_for_a_call_that_is_given_up_hear_of_it() {
    let lanes = Lanes::new(3);
    let caller = Caller::new(&lanes, DIRECTORY);
    assert!(lanes.enter(DIRECTORY, pending(None)).is_some());
    let (answer, mut answered) = oneshot::channel();
    assert!(lanes.enter(DIRECTORY, Pending { answer, ..pending(None) }).is_none());
    drop(caller);
    assert!(matches!(answered.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
    let mut caller = Caller::new(&lanes, DIRECTORY);
    assert!(lanes.enter(DIRECTORY, pending(None)).is_some(), "the directory is free again");
    assert!(caller.next().is_empty());
    // Another one may have begun before this one's end.
    assert!(lanes.enter(DIRECTORY, pending(None)).is_some());
    drop(caller);
    assert!(lanes.enter(DIRECTORY, pending(None)).is_none());
}

fn entry(directory: u64) -> Change {
    let key = EntryKey::child(NodeId(directory), &Name::new(b"x").unwrap());
    Change::InsertEntry { key, node: NodeId(20), cookie: Cookie(21) }
}

fn put(object: ObjectId) -> Change {
    let (state, owner, place) = (ObjectState::Live, Epoch(1), PlaceId::HOME);
    Change::PutObject(ObjectRecord { id: object, state, owner, bytes: 1, place })
}

#[test]
fn only_plans_of_one_directory_or_one_object_go_together() {
    let update = || Change::UpdateNode(NodeId(30), NodeUpdate::changed());
    let state = Expectation::ObjectState { object: OBJECT, state: ObjectState::Live };
    let usable = |object| Expectation::ObjectUsable { object, epoch: Epoch(1) };
    // The object that had the bytes before is only named.
    let release = || Change::DeleteReference(Reference::live(ObjectId(2), NodeId(30), 0));
    let bytes = Some(Lane::Object(OBJECT));
    for (expectations, changes, expected) in [
        (vec![], vec![entry(9), update(), entry(9)], Some(DIRECTORY)),
        (vec![Expectation::Linked(NodeId(40))], vec![entry(9)], Some(DIRECTORY)),
        (vec![], vec![entry(9), entry(10)], None),
        (vec![], vec![update()], None),
        (vec![], vec![entry(9), Change::RaiseTopology], None),
        (vec![Expectation::Topology(0)], vec![entry(9)], None),
        (vec![state], vec![entry(9)], None),
        (vec![], [vec![update(); STEPS_MAX], vec![entry(9)]].concat(), Some(DIRECTORY)),
        (vec![usable(OBJECT), Expectation::Exists(NodeId(30))], vec![put(OBJECT), release(), update()], bytes),
        (vec![usable(ObjectId(2))], vec![put(OBJECT), update()], None),
        (vec![], vec![put(OBJECT), put(ObjectId(2))], None),
        (vec![], vec![put(OBJECT), entry(9)], None),
        (vec![Expectation::Unreferenced(OBJECT)], vec![put(OBJECT)], None),
        (vec![], [vec![update(); STEPS_MAX], vec![put(OBJECT)]].concat(), bytes),
    ] {
        let plan = Plan { expectations: expectations.into(), changes: changes.into(), now: Timestamp::EPOCH };
        assert_eq!(lane_of(&plan), expected, "{plan:?}");
    }
}
