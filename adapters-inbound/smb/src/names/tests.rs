use proptest::prelude::*;

use super::*;

fn name(bytes: &[u8]) -> Name {
    Name::new(bytes).unwrap()
}

#[test]
fn names_are_shown_as_clients_of_macos_and_linux_expect_them() {
    for (stored_bytes, text) in [
        (&b"plain name.txt"[..], "plain name.txt"),
        (b"a:b", "a\u{f022}b"),
        (b"\"*:<>?\\|", "\u{f020}\u{f021}\u{f022}\u{f023}\u{f024}\u{f025}\u{f026}\u{f027}"),
        (b"tab\t", "tab\u{f009}"),
        (b"end.", "end\u{f029}"),
        (b". ", ".\u{f028}"),
        (b"latin-\xe4", "latin-\u{f0e4}"),
        ("ä😀".as_bytes(), "ä😀"),
        ("\u{f022}".as_bytes(), "\u{f0ef}\u{f080}\u{f0a2}"),
        ("\u{f8ff}".as_bytes(), "\u{f8ff}"),
    ] {
        assert_eq!(shown(&name(stored_bytes)), text);
        assert_eq!(stored(text), Ok(name(stored_bytes)));
    }
}

#[test]
fn what_stands_for_no_name_is_none() {
    assert!(stored("").is_err());
    assert!(stored("\u{f029}").is_err(), "a dot");
    assert!(stored("\u{f029}\u{f029}").is_err());
    assert!(stored(&"\u{f022}".repeat(255)).is_ok());
    assert!(stored(&"\u{f022}".repeat(256)).is_err());
}

proptest! {
    #[test]
    fn each_name_is_found_by_the_text_that_is_shown_of_it(
        bytes in prop_oneof![
            prop::collection::vec(1u8..=255, 1..40),
            "[a-b. :*\u{1f}\u{f001}\u{f022}\u{f028}\u{f0ef}\u{f080}ä😀]{1,12}".prop_map(String::into_bytes),
        ],
    ) {
        let Ok(name) = Name::new(&bytes) else { return Ok(()) };
        let text = shown(&name);
        prop_assert!(!text.contains(|c: char| c.is_control() && u32::from(c) < 0x20 || FORBIDDEN.contains(&c)));
        prop_assert!(!text.ends_with(AT_END));
        prop_assert!(text.encode_utf16().count() <= bytes.len());
        prop_assert_eq!(stored(&text), Ok(name));
    }
}
