use std::collections::BTreeMap;

use dittofs_domain::{FsError, Name};
use proptest::prelude::*;
use rstest::rstest;

#[rstest]
#[case(b"", FsError::Invalid)]
#[case(b".", FsError::Invalid)]
#[case(b"..", FsError::Invalid)]
#[case(b"a/b", FsError::Invalid)]
#[case(b"/", FsError::Invalid)]
#[case(b"a\0", FsError::Invalid)]
#[case(&[b'a'; 256], FsError::NameTooLong)]
#[case(&[b'/'; 256], FsError::NameTooLong)]
fn what_cannot_name_an_entry_is_refused(#[case] bytes: &[u8], #[case] error: FsError) {
    assert_eq!(Name::new(bytes), Err(error));
}

#[rstest]
#[case(b"a")]
#[case(b"...")]
#[case(b".a")]
#[case(b" ")]
#[case(b"\xff\xfe")]
#[case(b"\n")]
#[case(&[b'a'; 255])]
fn names_are_bytes_not_text(#[case] bytes: &[u8]) {
    assert_eq!(Name::new(bytes).unwrap().as_bytes(), bytes);
}

#[test]
fn name_is_printed_without_bytes_that_harm_a_log() {
    let name = Name::new(b"a\n\xff\"").unwrap();
    assert_eq!(name.to_string(), "a\\n\\xff\\\"");
    assert_eq!(format!("{name:?}"), "Name(\"a\\n\\xff\\\"\")");
}

#[test]
fn name_is_found_by_its_bytes() {
    let names = BTreeMap::from([(Name::new(b"a").unwrap(), 1)]);
    assert_eq!(names.get(&b"a"[..]), Some(&1));
    assert_eq!(names.get(&b"b"[..]), None);
}

proptest! {
    #[test]
    fn name_is_accepted_exactly_by_the_rule(bytes in prop::collection::vec(prop_oneof![
        Just(b'.'), Just(b'/'), Just(0), any::<u8>(), 1..b'.'
    ], 0..300)) {
        let legal = !bytes.is_empty()
            && bytes.len() <= Name::MAX_BYTES
            && !bytes.contains(&0)
            && !bytes.contains(&b'/')
            && bytes != b"."
            && bytes != b"..";
        match Name::new(&bytes) {
            Ok(name) => {
                prop_assert!(legal);
                prop_assert_eq!(name.as_bytes(), &bytes[..]);
            }
            Err(error) => {
                prop_assert!(!legal);
                prop_assert_eq!(error == FsError::NameTooLong, bytes.len() > Name::MAX_BYTES);
            }
        }
    }

    #[test]
    fn names_sort_as_their_bytes(a in "[a-z]{1,5}", b in "[a-z]{1,5}") {
        let (x, y) = (Name::new(a.as_bytes()).unwrap(), Name::new(b.as_bytes()).unwrap());
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        prop_assert_eq!(x.clone() == y, a == b);
    }
}
