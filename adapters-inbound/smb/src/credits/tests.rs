use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{WINDOW_MAX, Window};

#[test]
fn a_client_holds_no_more_than_the_window() {
    let mut window = Window::default();
    assert!(window.take(0, 1));
    assert_eq!(u64::from(window.grant(u16::MAX)), WINDOW_MAX);
    assert_eq!(window.grant(1), 0);
    // One is left out: the others are used up, and nothing more is given before it is used.
    assert!((2..=WINDOW_MAX).all(|id| window.take(id, 1)));
    assert_eq!(window.grant(100), 0);
    assert!(window.take(1, 1));
    assert_eq!(u64::from(window.grant(u16::MAX)), WINDOW_MAX);
}

#[test]
fn an_id_is_used_once_and_only_if_it_was_given() {
    let mut window = Window::default();
    assert!(!window.take(1, 1));
    assert!(window.take(0, 0));
    assert!(!window.take(0, 1));
    assert_eq!(window.grant(3), 3);
    assert!(!window.take(2, 3), "one more than was given");
    assert!(window.take(2, 2));
    assert!(!window.take(1, 2), "a part was used");
    assert!(!window.take(u64::MAX, 1));
}

proptest! {
    #[test]
    fn a_window_behaves_like_a_set(steps in prop::collection::vec((0u64..40, 0u16..6, 0u16..20), 0..400)) {
        let (mut window, mut free, mut end) = (Window::default(), BTreeSet::from([0u64]), 1u64);
        for (back, charge, asked) in steps {
            let first = end.saturating_sub(back);
            let ids = first..first + u64::from(charge.max(1));
            let is_free = ids.clone().all(|id| free.contains(&id));
            prop_assert_eq!(window.take(first, charge), is_free);
            if is_free {
                ids.for_each(|id| { free.remove(&id); });
            }
            let low = free.first().copied().unwrap_or(end);
            let granted = u64::from(window.grant(asked));
            prop_assert_eq!(granted, u64::from(asked.max(1)).min(WINDOW_MAX - (end - low)));
            free.extend(end..end + granted);
            end += granted;
        }
    }
}
