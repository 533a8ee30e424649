use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::info::posix::PosixFileType;
use crate::info::strategies;
use crate::security::Sid;

/// Facts whose numbers are all different.
fn facts() -> FileFacts {
    FileFacts {
        metadata: FileMetadata {
            times: strategies::times(0x11, 0x12, 0x13, 0x14),
            allocation_size: 0x15,
            end_of_file: 0x16,
            attributes: FileAttributes::ARCHIVE,
            reparse_tag: 0x17,
            file_id: 0x18,
            ea_size: 0x19,
        },
        volume_id: 0x1a,
        links: 0x1b,
        delete_pending: true,
        directory: false,
        open: OpenFacts { access: AccessMask::FILE_GENERIC_READ, mode: 0x1c, alignment: 0x1d, position: 0x1e },
        path: "\\dir\\a".to_owned(),
        alternate_name: Some("A~1".to_owned()),
        streams: vec![
            StreamFacts { name: String::new(), size: 0x1f, allocation_size: 0x20 },
            StreamFacts { name: "s".to_owned(), size: 0x21, allocation_size: 0x22 },
        ],
        posix: Some(PosixFacts {
            links: 0x23,
            device: 0x24,
            mode: PosixFileType::Directory.mode(0o755),
            owner: Sid::unix_user(1000),
            group: Sid::unix_group(100),
        }),
    }
}

fn encoded(class: FileClass) -> Vec<u8> {
    encode(class, &facts(), 65535).unwrap().bytes.to_vec()
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

#[test]
fn classes_have_their_numbers_and_no_others_exist() {
    for code in 0..=u8::MAX {
        assert!(FileClass::from_code(code).is_none_or(|class| class.code() == code));
    }
    let known = (0..=u8::MAX).filter(|code| FileClass::from_code(*code).is_some()).count();
    assert_eq!(known, FileClass::ALL.len());
}

#[test]
fn basic_has_times_and_attributes() {
    let bytes = encoded(FileClass::Basic);
    assert_eq!(bytes.len(), 40);
    assert_eq!([0, 8, 16, 24].map(|offset| u64_at(&bytes, offset)), [0x11, 0x12, 0x13, 0x14]);
    assert_eq!((u32_at(&bytes, 32), u32_at(&bytes, 36)), (0x20, 0));
}

#[test]
fn standard_has_sizes_links_and_state() {
    let bytes = encoded(FileClass::Standard);
    assert_eq!(
        bytes,
        [0x15, 0, 0, 0, 0, 0, 0, 0, 0x16, 0, 0, 0, 0, 0, 0, 0, 0x1b, 0, 0, 0, 1, 0, 0, 0],
        "allocation size, end of file, links, delete pending, directory, reserved"
    );
}

#[test]
fn all_is_made_of_the_others_at_their_offsets() {
    let bytes = encoded(FileClass::All);
    assert_eq!(bytes[..40], encoded(FileClass::Basic));
    assert_eq!(bytes[40..64], encoded(FileClass::Standard));
    assert_eq!(bytes[64..72], encoded(FileClass::Internal));
    assert_eq!(bytes[72..76], encoded(FileClass::Ea));
    assert_eq!(bytes[76..80], encoded(FileClass::Access));
    assert_eq!(bytes[80..88], encoded(FileClass::Position));
    assert_eq!(bytes[88..92], encoded(FileClass::Mode));
    assert_eq!(bytes[92..96], encoded(FileClass::Alignment));
    assert_eq!(bytes[96..], encoded(FileClass::Name));
    assert_eq!(u32_at(&bytes, 76), 0x0012_0089);
    assert_eq!(bytes[100..], utf16("\\dir\\a"));
}

#[test]
fn all_with_an_empty_path_is_as_long_as_the_structure() {
    let facts = FileFacts { path: String::new(), ..facts() };
    let answer = encode(FileClass::All, &facts, 104).unwrap();
    assert_eq!((answer.bytes.len(), answer.overflow, u32_at(&answer.bytes, 96)), (104, false, 0));
}

#[test]
fn names_have_their_length_in_front() {
    assert_eq!(encoded(FileClass::Name), [&[12, 0, 0, 0], utf16("\\dir\\a").as_slice()].concat());
    assert_eq!(encoded(FileClass::NormalizedName), [&[10, 0, 0, 0], utf16("dir\\a").as_slice()].concat());
    assert_eq!(encoded(FileClass::AlternateName), [&[6, 0, 0, 0], utf16("A~1").as_slice()].concat());
}

#[test]
fn a_file_without_alternate_name_or_posix_facts_has_no_such_class() {
    let facts = FileFacts::default();
    assert_eq!(encode(FileClass::AlternateName, &facts, 100), Err(QueryError::ObjectNameNotFound));
    assert_eq!(encode(FileClass::Posix, &facts, 1000), Err(QueryError::InvalidInfoClass));
}

#[test]
fn network_open_attribute_tag_compression_and_id_have_their_layouts() {
    let bytes = encoded(FileClass::NetworkOpen);
    assert_eq!([0, 8, 16, 24, 32, 40].map(|offset| u64_at(&bytes, offset)), [0x11, 0x12, 0x13, 0x14, 0x15, 0x16]);
    assert_eq!((u64_at(&bytes, 48), bytes.len()), (0x20, 56));
    assert_eq!(encoded(FileClass::AttributeTag), [0x20, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(encoded(FileClass::Compression), [0x16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let bytes = encoded(FileClass::Id);
    assert_eq!([0, 8, 16].map(|offset| u64_at(&bytes, offset)), [0x1a, 0x18, 0]);
}

#[test]
fn attributes_of_a_file_without_any_are_normal_and_a_reparse_point_has_its_tag() {
    let mut facts = facts();
    facts.metadata.attributes = FileAttributes::empty();
    assert_eq!(u32_at(&encode(FileClass::Basic, &facts, 40).unwrap().bytes, 32), 0x80);
    facts.metadata.attributes = FileAttributes::NORMAL | FileAttributes::REPARSE_POINT;
    assert_eq!(encode(FileClass::AttributeTag, &facts, 8).unwrap().bytes[..], [0, 4, 0, 0, 0x17, 0, 0, 0]);
}

#[test]
fn streams_are_chained_and_aligned() {
    let bytes = encoded(FileClass::Stream);
    assert_eq!((u32_at(&bytes, 0), u32_at(&bytes, 4)), (40, 14));
    assert_eq!((u64_at(&bytes, 8), u64_at(&bytes, 16)), (0x1f, 0x20));
    assert_eq!(bytes[24..38], utf16("::$DATA"));
    assert_eq!(bytes[38..40], [0, 0]);
    assert_eq!((u32_at(&bytes, 40), u32_at(&bytes, 44)), (0, 16));
    assert_eq!(bytes[64..], utf16(":s:$DATA"));
}

#[test]
fn streams_that_do_not_fit_are_left_out() {
    let answer = encode(FileClass::Stream, &facts(), 79).unwrap();
    assert_eq!((answer.bytes.len(), answer.overflow, u32_at(&answer.bytes, 0)), (38, true, 0));
}

#[test]
fn posix_has_the_layout_of_the_linux_client() {
    let bytes = encoded(FileClass::Posix);
    assert_eq!([0, 24, 32, 40].map(|offset| u64_at(&bytes, offset)), [0x11, 0x14, 0x16, 0x15]);
    assert_eq!((u32_at(&bytes, 48), u64_at(&bytes, 52)), (0x20, 0x18));
    assert_eq!([60, 64, 68, 72].map(|offset| u32_at(&bytes, offset)), [0x24, 0, 0x23, 0x17]);
    assert_eq!(u32_at(&bytes, 76), 0o10755);
    assert_eq!(bytes[80..96], [1, 2, 0, 0, 0, 0, 0, 22, 1, 0, 0, 0, 0xe8, 3, 0, 0]);
    assert_eq!(bytes[96..], [1, 2, 0, 0, 0, 0, 0, 22, 2, 0, 0, 0, 100, 0, 0, 0]);
}

/// As smbtorture's `smb2.getinfo.qfile_buffercheck` does it.
#[test]
fn too_little_room_is_a_mismatch_and_less_than_all_an_overflow() {
    for class in FileClass::ALL {
        let full = encode(class, &facts(), 65535).unwrap().bytes;
        for limit in 0..=full.len() {
            let answer = encode(class, &facts(), limit);
            if limit < class.minimum_length() || (limit < full.len() && !class.is_truncatable()) {
                assert_eq!(answer, Err(QueryError::LengthMismatch), "{class:?} in {limit}");
            } else {
                let answer = answer.unwrap();
                assert_eq!(answer.overflow, limit < full.len(), "{class:?} in {limit}");
                assert!(answer.bytes.len() <= limit && answer.bytes.len().is_multiple_of(2));
            }
        }
    }
}

prop_compose! {
    fn arbitrary_facts()(
        metadata in strategies::metadata(),
        (volume_id, links, delete_pending, directory) in any::<(u64, u32, bool, bool)>(),
        (access, mode, alignment, position) in any::<(u32, u32, u32, u64)>(),
        path in strategies::name(),
        alternate_name in "[A-Z0-9~]{1,12}",
        streams in vec((strategies::name(), any::<u64>(), any::<u64>()), 0..4),
        posix in strategies::posix(),
    ) -> FileFacts {
        FileFacts {
            metadata,
            volume_id,
            links,
            delete_pending,
            directory,
            open: OpenFacts { access: AccessMask::from_bits_retain(access), mode, alignment, position },
            path,
            alternate_name: Some(alternate_name),
            streams: streams
                .into_iter()
                .map(|(name, size, allocation_size)| StreamFacts { name, size, allocation_size })
                .collect(),
            posix: Some(posix),
        }
    }
}

proptest! {
    #[test]
    fn what_is_decoded_encodes_to_the_same_bytes(
        facts in arbitrary_facts(),
        class in proptest::sample::select(FileClass::ALL.to_vec()),
    ) {
        let answer = encode(class, &facts, usize::MAX / 2).unwrap();
        prop_assert!(!answer.overflow);
        let decoded = decode(class, &answer.bytes).unwrap();
        prop_assert_eq!(encode(class, &decoded, usize::MAX / 2).unwrap().bytes, answer.bytes);
    }

    #[test]
    fn an_answer_is_never_longer_than_its_limit(
        facts in arbitrary_facts(),
        class in proptest::sample::select(FileClass::ALL.to_vec()),
        limit in 0..300usize,
    ) {
        if let Ok(answer) = encode(class, &facts, limit) {
            prop_assert!(answer.bytes.len() <= limit);
        }
    }
}
