use super::*;
use crate::open::tests::pipe;

const KEY: Key = (Guid([1; 16]), Guid([2; 16]));
const SESSION: u64 = 5;

fn begin_new(replays: &Replays) -> Pending<'_> {
    match replays.begin(KEY, (SESSION, false), |_| false) {
        Ok(Begun::New(pending)) => pending,
        _ => panic!("it is known already"),
    }
}

#[test]
fn one_that_is_carried_out_has_to_be_asked_for_later() {
    let replays = Replays::default();
    let pending = begin_new(&replays);
    assert_eq!(replays.begin(KEY, (SESSION, true), |_| false).err(), Some(NtStatus::FILE_NOT_AVAILABLE));
    drop(pending);
    drop(begin_new(&replays));
}

#[test]
fn one_that_was_carried_out_is_answered_again_to_its_session_alone() {
    let replays = Replays::default();
    let open = Arc::new(pipe(1));
    begin_new(&replays).complete(&open, SESSION, CreateAction::CREATED);
    match replays.begin(KEY, (SESSION, true), |_| false) {
        Ok(Begun::Again(found, CreateAction::CREATED)) => assert!(Arc::ptr_eq(&found, &open)),
        _ => panic!("it is not known"),
    }
    assert_eq!(replays.begin(KEY, (SESSION, false), |_| false).err(), Some(NtStatus::DUPLICATE_OBJECTID));
    assert_eq!(replays.begin(KEY, (SESSION + 1, true), |_| false).err(), Some(NtStatus::DUPLICATE_OBJECTID));
    assert!(matches!(replays.begin(KEY, (SESSION, true), |_| true), Ok(Begun::New(_))), "it has no session");
    drop(open);
    drop(begin_new(&replays));
}

#[test]
fn one_whose_open_was_used_is_not_answered_again() {
    let replays = Replays::default();
    let (first, second) = (Arc::new(pipe(1)), Arc::new(pipe(1)));
    begin_new(&replays).complete(&first, SESSION, CreateAction::CREATED);
    replays.forget_open(KEY, &second);
    assert!(matches!(replays.begin(KEY, (SESSION, true), |_| false), Ok(Begun::Again(..))), "that is another one");
    replays.forget_open(KEY, &first);
    drop(begin_new(&replays));
}

#[test]
fn those_that_are_closed_are_forgotten() {
    let replays = Replays::default();
    for number in 0..10_000_u16 {
        let guid = Guid(std::array::from_fn(|i| number.to_le_bytes()[i % 2]));
        let Ok(Begun::New(pending)) = replays.begin((KEY.0, guid), (SESSION, false), |_| false) else { panic!() };
        pending.complete(&Arc::new(pipe(1)), SESSION, CreateAction::CREATED);
    }
    assert!(replays.0.lock().made.len() <= SWEEP_AT);
}
