use std::future::{pending, ready};

use super::*;

fn is_read(moved: &Moved<u8, u8>) -> bool {
    matches!(moved, Moved::Received(_))
}

#[tokio::test]
async fn what_is_here_is_taken_before_answers_leave_and_nothing_waits_for_what_is_not() {
    let both = |reads_first| exchange((ready(1), true), (ready(2), true), reads_first);
    assert!(is_read(&both(true).await) && !is_read(&both(false).await));
    assert!(!is_read(&exchange((ready(1), true), (pending(), true), true).await));
    assert!(is_read(&exchange((pending(), true), (ready(2), true), false).await));
    assert!(!is_read(&exchange((ready(1), true), (ready(2), false), true).await));
    assert!(is_read(&exchange((ready(1), false), (ready(2), true), false).await));
}
