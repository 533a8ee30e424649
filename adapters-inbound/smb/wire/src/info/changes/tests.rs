use proptest::prelude::*;

use super::*;
use crate::info::strategies::name;

#[test]
fn records_are_as_the_standard_shows_them() {
    let mut list = ChangeList::new(64);
    assert!(list.push(1, "abc"));
    assert!(list.push(2, "d"));
    let expected = [
        &[20, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, b'a', 0, b'b', 0, b'c', 0, 0, 0][..],
        &[0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, b'd', 0][..],
    ];
    assert_eq!(list.finish(), expected.concat());
}

proptest! {
    #[test]
    fn a_list_holds_what_fits_and_is_read_as_it_was_written(
        changes in prop::collection::vec((1..6u32, name()), 0..20),
        limit in 0..600usize,
    ) {
        let mut list = ChangeList::new(limit);
        let held: Vec<_> = changes.into_iter().take_while(|(action, name)| list.push(*action, name)).collect();
        let bytes = list.finish();
        prop_assert!(bytes.len() <= limit);
        prop_assert_eq!(decode_changes(&bytes), Ok(held));
    }

    #[test]
    fn bytes_that_are_no_list_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let all = bytes.len();
        if let Ok(changes) = decode_changes(&Bytes::from(bytes)) {
            prop_assert!(changes.len() * HEAD_BYTES <= all);
        }
    }
}
