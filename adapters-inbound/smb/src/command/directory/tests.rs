use dittofs_domain::{Cookie, FoldTable};
use dittofs_smb_wire::{
    NtStatus,
    identifiers::FileId,
    query_directory::{QueryDirectoryFlags, QueryDirectoryRequest},
};
use proptest::prelude::*;

use super::{begin, class, pattern};
use crate::listing::{Listing, Next};

fn request(flags: QueryDirectoryFlags, pattern: &str) -> QueryDirectoryRequest {
    QueryDirectoryRequest {
        file_information_class: 37,
        flags,
        file_index: 0,
        file_id: FileId::NONE,
        pattern: pattern.into(),
        output_buffer_length: 0x1000,
    }
}

fn begin_with(listing: &mut Listing, request: &QueryDirectoryRequest) -> Result<(), NtStatus> {
    begin(listing, (request, FoldTable::NEWEST), &std::sync::Arc::default())
}

fn fold(letter: char) -> char {
    FoldTable::NEWEST.fold_char(letter)
}

fn matches(listing: &Listing, name: &str) -> bool {
    listing.pattern.as_ref().unwrap().matches(name, &fold)
}

proptest! {
    #[test]
    fn both_cases_of_a_character_are_one(character: char) {
        prop_assert_eq!(fold(fold(character)), fold(character));
        let mut upper = character.to_uppercase();
        if let (Some(upper), None) = (upper.next(), upper.next()) && upper.to_lowercase().eq([character]) {
            prop_assert_eq!(fold(upper), fold(character));
        }
    }
}

#[test]
fn characters_beyond_ascii_have_cases_too() {
    assert_eq!(fold('\u{ff21}'), fold('\u{ff41}'));
    assert_ne!(fold('a'), fold('\u{ff41}'));
    assert_eq!(fold('İ'), 'İ');
}

/// As the look-up of a name takes them for one, so do wildcards.
#[test]
fn a_pattern_takes_letters_for_one_as_the_table_of_the_share_does() {
    for (text, name) in [("ς*", "ΣΥΡΟΣ"), ("*ſ", "maS"), ("\u{212a}?", "kb"), ("?σ", "Ας"), ("ı*", "ıx")] {
        assert!(pattern(&text.into(), FoldTable::NEWEST).unwrap().matches(name, &fold), "{text} {name}");
    }
    for (text, name) in [("i*", "ıx"), ("ß*", "ss"), ("é", "e\u{301}")] {
        assert!(!pattern(&text.into(), FoldTable::NEWEST).unwrap().matches(name, &fold), "{text} {name}");
    }
}

#[test]
fn the_first_pattern_stays_until_the_client_reopens() {
    let mut listing = Listing::default();
    begin_with(&mut listing, &request(QueryDirectoryFlags::RESTART_SCANS, "A*")).unwrap();
    assert!(matches(&listing, "apple") && !matches(&listing, "pear"));
    (listing.next, listing.has_found) = (Next::After(Cookie(7)), true);

    begin_with(&mut listing, &request(QueryDirectoryFlags::INDEX_SPECIFIED, "p*")).unwrap();
    assert!(matches(&listing, "apple") && listing.next == Next::After(Cookie(7)) && listing.has_found);

    begin_with(&mut listing, &request(QueryDirectoryFlags::RESTART_SCANS, "p*")).unwrap();
    assert!(matches(&listing, "apple") && listing.next == Next::This && !listing.has_found);

    listing.next = Next::End;
    begin_with(&mut listing, &request(QueryDirectoryFlags::REOPEN, "p*")).unwrap();
    assert!(matches(&listing, "pear") && listing.next == Next::This);
}

#[test]
fn a_pattern_that_is_none_changes_nothing() {
    let mut listing = Listing::default();
    for bad in ["a\\b", "a/b", "a\0", &"?".repeat(2000)] {
        assert_eq!(
            begin_with(&mut listing, &request(QueryDirectoryFlags::REOPEN, bad)),
            Err(NtStatus::OBJECT_NAME_INVALID)
        );
        assert!(listing.pattern.is_none());
    }
}

#[test]
fn an_empty_pattern_stands_for_all_names() {
    assert!(pattern(&"".into(), FoldTable::NEWEST).unwrap().matches_all());
}

#[test]
fn only_known_classes_are_listed() {
    assert!(class(37).is_ok());
    assert_eq!(class(100), Err(NtStatus::INVALID_INFO_CLASS));
    assert_eq!(class(99), Err(NtStatus::INVALID_INFO_CLASS));
}
