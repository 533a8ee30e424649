use dittofs_domain::{FoldTable, Name, crc32c::crc32c};
use proptest::prelude::*;
use rstest::rstest;

const V1: FoldTable = FoldTable::V1;

/// Every pair of letters that version 1 folds, as bytes. If this fails after an update of the compiler, its
/// characters are those of a newer Unicode: let the new letters fold to themselves in version 1, and give them a
/// version of their own. The indexes on disks rest on version 1.
const CHECKSUM_V1: u32 = 2_830_108_246;
const PAIRS_V1: usize = 1_509;

fn name(bytes: &[u8]) -> Name {
    Name::new(bytes).unwrap()
}

fn folded(text: &str) -> String {
    String::from_utf8(V1.folded(&name(text.as_bytes())).as_bytes().to_vec()).unwrap()
}

fn letters() -> impl Iterator<Item = char> {
    (char::MIN..=char::MAX).filter(|letter| !matches!(letter, '\0' | '/' | '.'))
}

fn folded_letter(letter: char) -> char {
    let mut folded = folded(letter.encode_utf8(&mut [0; 4]));
    let first = folded.remove(0);
    assert!(folded.is_empty(), "{letter:?} folds to one character");
    first
}

#[test]
fn table_1_is_the_same_for_ever() {
    let pairs: Vec<(char, char)> =
        letters().map(|letter| (letter, folded_letter(letter))).filter(|(letter, folded)| letter != folded).collect();
    let bytes: Vec<u8> = pairs.iter().flat_map(|(a, b)| [*a, *b]).flat_map(|c| u32::from(c).to_le_bytes()).collect();
    assert_eq!((pairs.len(), crc32c(&bytes)), (PAIRS_V1, CHECKSUM_V1));
}

#[test]
fn what_is_folded_stays_as_it_is() {
    for letter in letters() {
        let once = folded_letter(letter);
        assert_eq!(folded_letter(once), once, "{letter:?}");
    }
}

#[rstest]
#[case::ascii("README.TXT", "readme.txt")]
#[case::mixed("ReadMe", "readme")]
#[case::lower("readme_1~.txt", "readme_1~.txt")]
#[case::latin("ÄÖÜ ÉÇØ Ÿ", "äöü éçø ÿ")]
#[case::greek("ΟΔΟΣ", "οδοσ")]
#[case::final_sigma("οδος", "οδοσ")]
#[case::accents("Ά", "ά")]
#[case::cyrillic("ЁЖ", "ёж")]
#[case::armenian("ԱՖ", "աֆ")]
#[case::georgian("ᲐᲑ", "აბ")]
#[case::cherokee("Ꭰ", "ꭰ")]
#[case::full_width("ＡＺ", "ａｚ")]
#[case::roman_number("Ⅻ", "ⅻ")]
#[case::in_a_circle("Ⓐ", "ⓐ")]
#[case::beyond_16_bits("𐐀", "𐐨")]
#[case::long_s("ſ", "s")]
#[case::kelvin("\u{212a}", "k")]
#[case::angstrom("\u{212b}", "å")]
#[case::micro("\u{b5}", "μ")]
#[case::title_case("ǅ", "ǆ")]
#[case::sharp_s("Straße", "straße")]
#[case::capital_sharp_s("ẞ", "ß")]
#[case::dotless_i("ı", "ı")]
#[case::dotted_i("İ", "İ")]
#[case::no_case("東京 ١٢٣", "東京 ١٢٣")]
#[case::no_normalization("É E\u{301}", "é e\u{301}")]
fn names_fold(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(folded(text), expected);
    assert_eq!(V1.fold(&name(text.as_bytes())).is_none(), text == expected);
}

#[test]
fn only_ascii_folds_where_a_name_is_no_utf_8() {
    assert_eq!(V1.folded(&name(b"\xffAB\xc3\x84")), name(b"\xffab\xc3\x84"));
    assert_eq!(V1.fold(&name(b"\xff\xfe")), None);
}

#[test]
fn name_whose_form_would_be_too_long_is_its_own() {
    // Two bytes as a capital letter, three as a small one.
    let longest = "Ⱥ".repeat(85);
    assert_eq!(folded(&longest), "ⱥ".repeat(85));
    let too_long = "Ⱥ".repeat(86);
    assert_eq!(folded(&too_long), too_long);
}

#[test]
fn tables_are_found_by_their_numbers() {
    assert_eq!(FoldTable::of(FoldTable::NEWEST.number()), Some(FoldTable::NEWEST));
    assert_eq!([FoldTable::of(0), FoldTable::of(2)], [None, None]);
}

proptest! {
    #[test]
    fn folded_form_is_a_name_that_folds_to_itself(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
        if let Ok(name) = Name::new(&bytes) {
            let folded = V1.folded(&name);
            prop_assert!(Name::new(folded.as_bytes()).is_ok());
            prop_assert_eq!(V1.fold(&folded), None);
            prop_assert!(!name.is_plain() || folded == name);
        }
    }

    #[test]
    fn upper_and_lower_case_of_a_name_fold_alike(text in "[a-zà-öα-ωа-я0-9 ._-]{1,40}") {
        if let (Ok(lower), Ok(upper)) = (Name::new(text.as_bytes()), Name::new(text.to_uppercase().as_bytes())) {
            prop_assert_eq!(V1.folded(&lower), V1.folded(&upper));
        }
    }
}

/// NTFS compares names by the upper case of each UTF-16 unit, where that is one unit: a part of these pairs.
#[test]
fn letters_of_one_upper_case_are_one_letter() {
    for letter in letters().filter(|letter| *letter != 'ı') {
        let upper: Vec<char> = letter.to_uppercase().collect();
        if let [upper] = upper[..] {
            assert_eq!(folded_letter(letter), folded_letter(upper), "{letter:?} and {upper:?}");
        }
    }
}
