use std::borrow::Cow;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::attributes::FileAttributes;
use crate::info::strategies;
use crate::info::{FileMetadata, PosixFacts};
use crate::security::Sid;

fn entry(name: &str) -> DirectoryEntry<'_> {
    DirectoryEntry {
        name: Cow::Borrowed(name),
        short_name: Cow::Borrowed("AB~1"),
        file_index: 0,
        metadata: FileMetadata {
            times: strategies::times(0x11, 0x12, 0x13, 0x14),
            allocation_size: 0x15,
            end_of_file: 0x16,
            attributes: FileAttributes::ARCHIVE,
            reparse_tag: 0x17,
            file_id: 0x18,
            ea_size: 0x19,
        },
        posix: Some(PosixFacts {
            links: 0x1a,
            device: 0x1b,
            mode: 0o644,
            owner: Sid::unix_user(1),
            group: Sid::unix_group(2),
        }),
        apple: None,
    }
}

fn single(class: DirectoryClass, entry: &DirectoryEntry<'_>) -> Bytes {
    let mut page = DirectoryPage::new(class, 4096).unwrap();
    assert_eq!(page.push(entry), Push::Fits);
    page.finish()
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap())
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Those that have times, sizes and attributes at the same offsets.
const COMMON: [DirectoryClass; 6] = [
    DirectoryClass::Directory,
    DirectoryClass::FullDirectory,
    DirectoryClass::BothDirectory,
    DirectoryClass::IdBothDirectory,
    DirectoryClass::IdFullDirectory,
    DirectoryClass::IdExtdDirectory,
];

#[test]
fn classes_start_alike_and_end_with_the_name() {
    for class in COMMON {
        let bytes = single(class, &entry("aé"));
        assert_eq!((u32_at(&bytes, 0), u32_at(&bytes, 4)), (0, 0));
        assert_eq!([8, 16, 24, 32].map(|offset| u64_at(&bytes, offset)), [0x11, 0x12, 0x13, 0x14]);
        assert_eq!((u64_at(&bytes, 40), u64_at(&bytes, 48)), (0x16, 0x15), "end of file, then allocation size");
        assert_eq!((u32_at(&bytes, 56), u32_at(&bytes, 60)), (0x20, 4));
        assert_eq!(bytes[class.fixed_length()..], utf16("aé"), "{class:?}");
    }
}

#[test]
fn fields_between_length_and_name_have_their_layouts() {
    let short_name = [utf16("AB~1"), vec![0; 16]].concat();
    assert_eq!(u32_at(&single(DirectoryClass::FullDirectory, &entry("a")), 64), 0x19);

    let bytes = single(DirectoryClass::BothDirectory, &entry("a"));
    assert_eq!((u32_at(&bytes, 64), &bytes[68..70], &bytes[70..94]), (0x19, &[8, 0][..], &short_name[..]));

    let bytes = single(DirectoryClass::IdBothDirectory, &entry("a"));
    assert_eq!((u32_at(&bytes, 64), &bytes[68..70], &bytes[70..94]), (0x19, &[8, 0][..], &short_name[..]));
    assert_eq!((&bytes[94..96], u64_at(&bytes, 96)), (&[0, 0][..], 0x18));

    let bytes = single(DirectoryClass::IdFullDirectory, &entry("a"));
    assert_eq!((u32_at(&bytes, 64), u32_at(&bytes, 68), u64_at(&bytes, 72)), (0x19, 0, 0x18));

    let bytes = single(DirectoryClass::IdExtdDirectory, &entry("a"));
    assert_eq!((u32_at(&bytes, 64), u32_at(&bytes, 68)), (0x19, 0x17));
    assert_eq!((u64_at(&bytes, 72), u64_at(&bytes, 80)), (0x18, 0));
}

#[test]
fn names_class_has_names_only() {
    assert_eq!(single(DirectoryClass::Names, &entry("ab"))[..], [0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 97, 0, 98, 0]);
}

#[test]
fn posix_class_has_the_name_behind_the_sids() {
    let bytes = single(DirectoryClass::Posix, &entry("ab"));
    assert_eq!((u64_at(&bytes, 8), u64_at(&bytes, 40), u64_at(&bytes, 48)), (0x11, 0x16, 0x15));
    assert_eq!((u32_at(&bytes, 56), u64_at(&bytes, 60), u32_at(&bytes, 68)), (0x20, 0x18, 0x1b));
    assert_eq!([72, 76, 80, 84].map(|offset| u32_at(&bytes, offset)), [0, 0x1a, 0x17, 0o644]);
    assert_eq!(bytes[88..90], [1, 2]);
    assert_eq!(u32_at(&bytes, 120), 4);
    assert_eq!(bytes[124..], utf16("ab"));
}

#[test]
fn the_tag_of_a_reparse_point_takes_the_place_of_the_ea_size() {
    let mut link = entry("a");
    link.metadata.attributes = FileAttributes::REPARSE_POINT;
    for class in [DirectoryClass::FullDirectory, DirectoryClass::BothDirectory, DirectoryClass::IdBothDirectory] {
        assert_eq!(u32_at(&single(class, &link), 64), 0x17);
    }
    let bytes = single(DirectoryClass::IdExtdDirectory, &link);
    assert_eq!((u32_at(&bytes, 64), u32_at(&bytes, 68)), (0x19, 0x17));
}

#[test]
fn facts_for_apple_take_the_place_of_others() {
    let apple =
        AppleFacts { maximal_access: 0x31, resource_fork_length: 0x32, finder_info: [0x33; 16], unix_mode: 0x34 };
    let bytes = single(DirectoryClass::IdBothDirectory, &DirectoryEntry { apple: Some(apple), ..entry("a") });
    assert_eq!((u32_at(&bytes, 64), &bytes[68..70], u64_at(&bytes, 70)), (0x31, &[24, 0][..], 0x32));
    assert_eq!((&bytes[78..94], &bytes[94..96], u64_at(&bytes, 96)), (&[0x33; 16][..], &[0x34, 0][..], 0x18));
    assert_eq!(bytes[104..], utf16("a"));
}

#[test]
fn an_entry_without_posix_facts_is_refused_by_the_posix_class() {
    let mut page = DirectoryPage::new(DirectoryClass::Posix, 4096).unwrap();
    assert_eq!(page.push(&DirectoryEntry { posix: None, ..entry("a") }), Push::NoPosixFacts);
    assert!(page.is_empty());
}

#[test]
fn entries_are_chained_and_aligned() {
    let mut page = DirectoryPage::new(DirectoryClass::Names, 4096).unwrap();
    for name in ["a", "bcd", "e"] {
        assert_eq!(page.push(&entry(name)), Push::Fits);
    }
    assert_eq!(page.entries(), 3);
    let bytes = page.finish();
    assert_eq!([0, 16, 40].map(|offset| u32_at(&bytes, offset)), [16, 24, 0]);
    assert_eq!(bytes.len(), 54, "no padding behind the last");
}

#[test]
fn a_page_refuses_what_does_not_fit_and_stays_whole() {
    assert_eq!(DirectoryPage::new(DirectoryClass::Names, 11).unwrap_err(), QueryError::LengthMismatch);
    let mut page = DirectoryPage::new(DirectoryClass::Names, 31).unwrap();
    assert_eq!(page.push(&entry("a name of ten")), Push::FirstTooLong);
    assert_eq!(page.push(&entry("a")), Push::Fits);
    assert_eq!(page.push(&entry("bc")), Push::Full, "16 bytes with padding, and 16 more");
    assert_eq!(page.push(&entry("b")), Push::Fits);
    assert_eq!(page.finish().len(), 30);
}

#[test]
fn a_short_name_is_cut_at_its_field() {
    let mut long = entry("a");
    long.short_name = Cow::Borrowed("ABCDEFGHIJKLMNOP");
    let bytes = single(DirectoryClass::BothDirectory, &long);
    assert_eq!((bytes[68], &bytes[70..94]), (24, &utf16("ABCDEFGHIJKL")[..]));
}

#[test]
fn a_chain_that_overlaps_or_leaves_the_page_is_refused() {
    let mut page = single(DirectoryClass::Names, &entry("abcd")).to_vec();
    page.extend_from_slice(&page.clone());
    for next in [4u32, 12, 19, 41, u32::MAX] {
        page[..4].copy_from_slice(&next.to_le_bytes());
        assert!(decode_page(DirectoryClass::Names, &Bytes::copy_from_slice(&page)).is_err(), "{next}");
    }
}

prop_compose! {
    fn arbitrary_entry()(
        name in strategies::name(),
        short_name in "[A-Z0-9~.]{0,12}",
        file_index in any::<u32>(),
        metadata in strategies::metadata(),
        posix in strategies::posix(),
    ) -> DirectoryEntry<'static> {
        DirectoryEntry {
            name: Cow::Owned(name),
            short_name: Cow::Owned(short_name),
            file_index,
            metadata,
            posix: Some(posix),
            apple: None,
        }
    }
}

proptest! {
    #[test]
    fn a_page_keeps_its_limit_and_every_entry_decodes_back(
        entries in vec(arbitrary_entry(), 0..20),
        class in proptest::sample::select(DirectoryClass::ALL.to_vec()),
        limit in 0..2000usize,
    ) {
        let Ok(mut page) = DirectoryPage::new(class, limit) else { return Ok(()) };
        let mut pushed = Vec::new();
        for entry in &entries {
            match page.push(entry) {
                Push::Fits => pushed.push(entry),
                Push::FirstTooLong => prop_assert!(pushed.is_empty()),
                Push::Full => prop_assert!(!pushed.is_empty()),
                Push::NoPosixFacts => prop_assert!(false),
            }
        }
        prop_assert_eq!(page.entries(), pushed.len());
        let bytes = page.finish();
        prop_assert!(bytes.len() <= limit);

        let decoded = decode_page(class, &bytes).unwrap();
        prop_assert_eq!(decoded.len(), pushed.len());
        let mut again = DirectoryPage::new(class, limit).unwrap();
        for (decoded, pushed) in decoded.iter().zip(pushed) {
            prop_assert_eq!(&decoded.name, &pushed.name);
            prop_assert_eq!(decoded.file_index, pushed.file_index);
            prop_assert_eq!(again.push(decoded), Push::Fits);
        }
        prop_assert_eq!(again.finish(), bytes);
    }
}
