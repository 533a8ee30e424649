use dittofs_domain::Name;
use dittofs_smb_wire::NtStatus;

use super::{Path, PathPart};

#[test]
fn a_path_is_split_at_both_separators() {
    let path = Path::parse("a\\b/c d").unwrap();
    let names: Vec<Name> = [&b"a"[..], b"b"].into_iter().map(|name| Name::new(name).unwrap()).collect();
    assert_eq!(path.split(), Some((&names[..], &Name::new(b"c d").unwrap())));
    assert_eq!(Path::parse("").unwrap().split(), None);
    assert_eq!(Path::parse("a\\"), Path::parse("a"));
}

#[test]
fn the_last_name_may_be_that_of_a_stream() {
    let stream = |name: &str| PathPart::Stream(Name::new(name.as_bytes()).unwrap());
    for (text, file, part) in [
        ("d\\a", "a", PathPart::Whole),
        ("d\\a::$data", "a", PathPart::Content),
        ("d\\a::$INDEX_ALLOCATION", "a", PathPart::Index),
        ("d\\a:$I30:$INDEX_ALLOCATION", "a", PathPart::Index),
        ("d\\a:s", "a", stream("s")),
        ("d\\a:?S*\u{5}\n:$DaTa", "a", stream("?S*\u{5}\n")),
        ("d\\a:s\u{f022}", "a", stream("s\u{f022}")),
    ] {
        let path = Path::parse(text).unwrap();
        assert_eq!(path.split().map(|(_, name)| name.as_bytes()), Some(file.as_bytes()), "{text:?}");
        assert_eq!(path.part, part, "{text:?}");
    }
    let of_root = Path::parse(":s").unwrap();
    assert_eq!((of_root.split(), of_root.part.clone()), (None, stream("s")));
}

#[test]
fn what_is_no_name_is_refused_with_its_status() {
    for (text, status) in [
        ("\\a", NtStatus::INVALID_PARAMETER),
        ("..\\a", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        ("a\\.", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        ("a\\\\b", NtStatus::OBJECT_NAME_INVALID),
        ("a*", NtStatus::OBJECT_NAME_INVALID),
        ("a\u{1}", NtStatus::OBJECT_NAME_INVALID),
        ("a:", NtStatus::OBJECT_NAME_INVALID),
        ("a:s:", NtStatus::OBJECT_NAME_INVALID),
        ("a:s:$FOO", NtStatus::OBJECT_NAME_INVALID),
        ("a:s:$INDEX_ALLOCATION", NtStatus::OBJECT_NAME_INVALID),
        ("a*:s", NtStatus::OBJECT_NAME_INVALID),
        ("a\\:s", NtStatus::OBJECT_NAME_INVALID),
        ("a:s\\b", NtStatus::OBJECT_NAME_INVALID),
    ] {
        assert_eq!(Path::parse(text), Err(status), "{text:?}");
    }
    let long = "ä".repeat(128);
    assert_eq!(Path::parse(&long), Err(NtStatus::OBJECT_NAME_INVALID));
    assert_eq!(Path::parse(&"a\\".repeat(300)), Err(NtStatus::OBJECT_NAME_INVALID));
}
