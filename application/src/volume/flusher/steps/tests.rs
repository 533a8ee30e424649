use super::{STEP_BYTES_MIN, Steps};

#[test]
fn steps_become_less_until_there_is_room_and_more_again_after_that() {
    let most = 64 << 20;
    let mut steps = Steps::default();
    assert_eq!(steps.next(most), most);
    // The bytes that found no room may have been less than a whole step.
    assert!(!steps.found_no_room(1 << 20));
    assert_eq!(steps.next(most), 256 << 10);
    assert!(!steps.found_no_room(256 << 10));
    assert!(steps.found_no_room(steps.next(most)));
    assert_eq!(steps.next(most), STEP_BYTES_MIN);
    for _ in 0..4 {
        steps.found_room(most);
    }
    assert_eq!(steps.next(most), 16 << 20);
    steps.found_room(most);
    assert_eq!(steps.next(most), most);
}
