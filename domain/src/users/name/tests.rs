use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case::empty("", NameFault::Empty)]
#[case::dots("...", NameFault::Empty)]
#[case::spaces("  ", NameFault::Empty)]
#[case::ends_with_dot("alice.", NameFault::EndsWithDot)]
#[case::leading_space(" alice", NameFault::Spaces)]
#[case::trailing_space("alice ", NameFault::Spaces)]
#[case::domain("HOME\\alice", NameFault::Character('\\'))]
#[case::newline("ali\nce", NameFault::Character('\n'))]
#[case::nul("\0", NameFault::Character('\0'))]
#[case::wildcard("alice*", NameFault::Character('*'))]
fn a_text_is_no_name(#[case] text: &str, #[case] fault: NameFault) {
    assert_eq!(UserName::new(text).unwrap_err(), fault);
}

#[test]
fn a_name_has_up_to_104_characters() {
    assert_eq!(UserName::new(&"é".repeat(104)).unwrap().as_str().chars().count(), 104);
    assert_eq!(UserName::new(&"e".repeat(105)), Err(NameFault::TooLong));
}

#[rstest]
#[case("Alice", "aLICE")]
#[case("ÄRGER", "ärger")]
#[case("ΝΊΚΟΣ", "νίκος")]
#[case("ΝΊΚΟΣ", "νίκοσ")]
fn names_that_differ_in_case_are_one(#[case] one: &str, #[case] other: &str) {
    let (one, other) = (UserName::new(one).unwrap(), UserName::new(other).unwrap());
    assert_eq!(one, other);
    assert_eq!(one.folded(), other.folded());
    assert_ne!(one.as_str(), other.as_str());
}

#[test]
fn other_names_are_others() {
    for (one, other) in [("alice", "alicé"), ("straße", "strasse"), ("a b", "ab")] {
        assert_ne!(UserName::new(one).unwrap(), UserName::new(other).unwrap());
    }
}

proptest! {
    #[test]
    fn a_name_is_what_was_written_and_folds_to_itself(text in "\\PC{1,110}") {
        if let Ok(name) = UserName::new(&text) {
            prop_assert_eq!(name.as_str(), &text);
            let folded = UserName::new(name.folded()).unwrap();
            prop_assert_eq!(folded.folded(), name.folded());
            prop_assert_eq!(folded, name);
        }
    }

    #[test]
    fn no_name_has_a_character_that_windows_refuses(text in "[ -~]{1,20}") {
        let refused = text.chars().any(|c| UserName::REFUSED.contains(c));
        prop_assert!(!(refused && UserName::new(&text).is_ok()));
    }

    #[test]
    fn any_case_of_latin_letters_is_the_same_name(text in "[a-z0-9_]{1,20}", capitals: u32) {
        let mixed: String = text
            .chars()
            .enumerate()
            .map(|(at, c)| if capitals >> at & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        prop_assert_eq!(UserName::new(&mixed), UserName::new(&text));
    }
}
