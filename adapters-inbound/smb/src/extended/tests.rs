#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use rstest::rstest;

use super::*;

fn ea(name: &'static [u8], value: &'static [u8]) -> Ea {
    Ea { flags: 0, name: Bytes::from_static(name), value: Bytes::from_static(value) }
}

#[test]
fn an_empty_value_removes() {
    let name = |text: &'static [u8]| XattrName::new(Bytes::from_static(text)).unwrap();
    let set = XattrChange::Set { name: name(b"Author"), value: Bytes::from_static(b"me"), how: SetHow::Either };
    let expected = [set, XattrChange::RemoveAny(name(b"gone"))];
    assert_eq!(changes(vec![ea(b"Author", b"me"), ea(b"gone", b"")]).unwrap(), expected);
}

#[rstest]
#[case(b"a:b")]
#[case(b"a\\b")]
#[case(b"a*")]
#[case(b"=")]
#[case(b"\x1f")]
#[case(b"")]
fn a_name_that_windows_forbids_is_refused(#[case] name: &'static [u8]) {
    assert_eq!(changes(vec![ea(b"good", b"1"), ea(name, b"1")]), Err(NtStatus::INVALID_EA_NAME));
    assert_eq!(changes(vec![ea(name, b"")]), Err(NtStatus::INVALID_EA_NAME));
}

#[test]
fn names_that_are_no_ascii_are_taken_as_they_are() {
    assert_eq!(changes(vec![ea("gr\u{fc}n.x-1 y".as_bytes(), b"1")]).unwrap().len(), 1);
}
