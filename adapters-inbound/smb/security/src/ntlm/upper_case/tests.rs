use proptest::prelude::*;

use super::*;
use crate::ntlm::message::{text, utf16};

fn upper(name: &str) -> String {
    text(&upper_case(&utf16(name))).unwrap()
}

#[test]
fn letters_with_one_capital_are_mapped() {
    assert_eq!(upper("user"), "USER");
    assert_eq!(upper("jürgen"), "JÜRGEN");
    assert_eq!(upper("łukasz"), "ŁUKASZ");
    assert_eq!(upper("σωκράτης"), "ΣΩΚΡΆΤΗΣ");
    assert_eq!(upper("наташа"), "НАТАША");
    assert_eq!(upper("ÿ"), "Ÿ");
}

#[test]
fn letters_that_windows_does_not_map_stay() {
    for letter in ["ß", "ı", "ſ", "µ", "ŉ", "ǅ", "ა", "ꭰ", "𐐨", "ﬁ", "東", "ᾳ\u{345}".get(3..).unwrap()]
    {
        assert_eq!(upper(letter), letter);
    }
}

#[test]
fn mapping_keeps_every_unit_in_place() {
    for unit in 0..=u16::MAX {
        assert_eq!(upper_case(&unit.to_le_bytes()).len(), 2);
        assert_eq!(upper_case_unit(upper_case_unit(unit)), upper_case_unit(unit));
    }
}

proptest! {
    #[test]
    fn ascii_is_mapped_as_ascii(name in "[ -~]{0,40}") {
        prop_assert_eq!(upper(&name), name.to_ascii_uppercase());
    }

    #[test]
    fn any_name_stays_a_name_of_the_same_length(name in ".{0,40}") {
        prop_assert_eq!(utf16(&upper(&name)).len(), utf16(&name).len());
    }
}
