use dittofs_domain::Name;
use dittofs_smb_wire::NtStatus;

use super::Path;

#[test]
fn a_path_is_split_at_both_separators() {
    let path = Path::parse("a\\b/c d").unwrap();
    let names: Vec<Name> = [&b"a"[..], b"b"].into_iter().map(|name| Name::new(name).unwrap()).collect();
    assert_eq!(path.split(), Some((&names[..], &Name::new(b"c d").unwrap())));
    assert_eq!(Path::parse("").unwrap().split(), None);
    assert_eq!(Path::parse("a\\"), Path::parse("a"));
    assert_eq!(Path::parse("a::$DATA"), Path::parse("a"));
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
        ("a:stream", NtStatus::OBJECT_NAME_INVALID),
    ] {
        assert_eq!(Path::parse(text), Err(status), "{text:?}");
    }
    let long = "ä".repeat(128);
    assert_eq!(Path::parse(&long), Err(NtStatus::OBJECT_NAME_INVALID));
    assert_eq!(Path::parse(&"a\\".repeat(300)), Err(NtStatus::OBJECT_NAME_INVALID));
}
