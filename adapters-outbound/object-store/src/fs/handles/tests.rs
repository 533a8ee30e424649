use super::*;

const SHARE: ShareId = ShareId(1);

fn handle() -> Arc<Handle> {
    Arc::new(Handle { file: tempfile::tempfile().unwrap(), length: 0 })
}

fn keep(handles: &Handles, object: u128) {
    handles.keep(SHARE, ObjectId(object), &handle(), handles.before());
}

fn found(handles: &Handles) -> Vec<u128> {
    (0..10).filter(|object| handles.find(SHARE, ObjectId(*object)).is_some()).collect()
}

#[test]
fn what_is_used_stays_and_the_number_is_bounded() {
    let handles = Handles::new(3);
    for object in 0..3 {
        keep(&handles, object);
    }
    handles.find(SHARE, ObjectId(0)).unwrap();
    keep(&handles, 3);
    assert_eq!(found(&handles), [0, 2, 3]);
    for object in 4..8 {
        keep(&handles, object);
        keep(&handles, object);
    }
    assert_eq!(found(&handles).len(), 3);
    assert_eq!(handles.open.read().order.len(), 3);
}

#[test]
fn what_was_forgotten_is_not_kept_by_who_opened_it_before() {
    let handles = Handles::new(3);
    let before = handles.before();
    let opened = handle();
    handles.forget(SHARE, ObjectId(1));
    handles.keep(SHARE, ObjectId(1), &opened, before);
    assert_eq!(found(&handles), [0; 0]);
    keep(&handles, 1);
    assert_eq!(found(&handles), [1]);
    handles.forget(SHARE, ObjectId(1));
    assert_eq!(found(&handles), [0; 0]);
    assert!(handles.open.read().order.is_empty());
}

#[test]
fn without_room_nothing_is_kept() {
    let handles = Handles::new(0);
    keep(&handles, 1);
    assert_eq!(found(&handles), [0; 0]);
}
