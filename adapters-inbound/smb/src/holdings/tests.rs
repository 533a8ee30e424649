use dittofs_domain::users::UserName;

use super::{Holdings, KIB_MAX, OPEN_KIB, PIPE_KIB};

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

#[test]
fn a_user_has_one_bound_in_all_sessions_and_others_have_theirs() {
    let holdings = Holdings::default();
    let (first, second) = (holdings.of(&name("alice")), holdings.of(&name("alice")));
    let most = first.take(KIB_MAX - OPEN_KIB).unwrap();
    let last = second.take(OPEN_KIB).unwrap();
    assert!(first.take(OPEN_KIB).is_err() && second.take(PIPE_KIB).is_err());
    assert!(holdings.of(&name("bob")).take(PIPE_KIB).is_ok());
    drop(last);
    assert!(first.take(OPEN_KIB).is_ok(), "what is closed makes room");
    drop(most);
    assert!(second.take(KIB_MAX).is_ok());
}

#[test]
fn who_has_no_session_and_nothing_open_is_forgotten() {
    let holdings = Holdings::default();
    let held = holdings.of(&name("alice")).take(KIB_MAX).unwrap();
    assert!(holdings.of(&name("alice")).take(OPEN_KIB).is_err(), "what is open counts when its session is gone");
    drop(held);
    holdings.of(&name("bob"));
    assert_eq!(holdings.0.lock().len(), 1);
}
