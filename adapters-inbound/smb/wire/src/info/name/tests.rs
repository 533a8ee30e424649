use proptest::prelude::*;

use super::*;

#[test]
fn flaws_of_a_component_are_told_apart() {
    let cases = [
        ("name.txt", NameFlaws::empty()),
        ("", NameFlaws::EMPTY),
        ("a:b", NameFlaws::ILLEGAL_CHARACTER),
        ("a*\u{5}", NameFlaws::ILLEGAL_CHARACTER | NameFlaws::CONTROL_CHARACTER),
        ("a\0b", NameFlaws::NUL),
        (".", NameFlaws::DOT_COMPONENT | NameFlaws::TRAILING_DOT),
        ("..", NameFlaws::DOT_COMPONENT | NameFlaws::TRAILING_DOT),
        ("a.", NameFlaws::TRAILING_DOT),
        ("a. ", NameFlaws::TRAILING_SPACE),
    ];
    for (name, flaws) in cases {
        assert_eq!(NameFlaws::of_component(name), flaws, "{name:?}");
    }
    for illegal in ['"', '\\', '/', ':', '|', '<', '>', '*', '?'] {
        assert_eq!(NameFlaws::of_component(&format!("a{illegal}b")), NameFlaws::ILLEGAL_CHARACTER);
    }
}

#[test]
fn length_counts_utf16_units() {
    assert_eq!(NameFlaws::of_component(&"é".repeat(255)), NameFlaws::empty());
    assert_eq!(NameFlaws::of_component(&"é".repeat(256)), NameFlaws::TOO_LONG);
    assert_eq!(NameFlaws::of_component(&"😀".repeat(127)), NameFlaws::empty());
    assert_eq!(NameFlaws::of_component(&"😀".repeat(128)), NameFlaws::TOO_LONG);
}

/// The names of smbtorture's `smb2.streams.names` and `names2`.
#[test]
fn a_stream_name_may_hold_wildcards_and_control_characters() {
    for stream in ["\u{5}Stream\n One", "?Stream*", "Stream\"<>|"] {
        let text = format!("file:{stream}:$DATA");
        let expected = FileName { name: "file", stream, stream_type: Some(StreamType::Data) };
        assert_eq!(FileName::parse(&text), Ok(expected));
    }
    for stream in ["Stream/", "Stream\\", "Stream\0", "Stream:", ":"] {
        assert_eq!(FileName::parse(&format!("file:{stream}:$DATA")), Err(InvalidName), "{stream:?}");
    }
}

#[test]
fn a_component_is_taken_apart() {
    let cases = [
        ("file", "file", "", None, false),
        ("file:stream", "file", "stream", None, true),
        ("file:stream:$DaTa", "file", "stream", Some(StreamType::Data), true),
        ("file::$DATA", "file", "", Some(StreamType::Data), false),
        (":stream", "", "stream", None, true),
        ("dir::$INDEX_ALLOCATION", "dir", "", Some(StreamType::IndexAllocation), false),
        ("dir:$I30:$Index_Allocation", "dir", "$I30", Some(StreamType::IndexAllocation), false),
        ("", "", "", None, false),
    ];
    for (text, name, stream, stream_type, is_named_stream) in cases {
        let parsed = FileName::parse(text).unwrap();
        assert_eq!(parsed, FileName { name, stream, stream_type }, "{text}");
        assert_eq!(parsed.is_named_stream(), is_named_stream, "{text}");
    }
}

#[test]
fn a_stream_without_a_name_or_with_another_type_is_refused() {
    for text in ["file:", "file::", "file:stream:", "file:stream:$FOO", "file:stream:?D*a", "a:b:c:d", ":", "::"] {
        assert_eq!(FileName::parse(text), Err(InvalidName), "{text}");
    }
    assert_eq!(FileName::parse(&format!("file:{}", "s".repeat(256))), Err(InvalidName));
}

proptest! {
    #[test]
    fn what_is_parsed_makes_up_the_text(text in "[a:$DATA]{0,12}") {
        if let Ok(parsed) = FileName::parse(&text) {
            prop_assert!(text.starts_with(parsed.name));
            prop_assert!(!parsed.stream.contains(':'));
            prop_assert_eq!(text.contains(':'), !parsed.stream.is_empty() || parsed.stream_type.is_some());
        }
    }
}
