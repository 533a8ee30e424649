use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::info::strategies;

fn named(head: [u8; 8], root_directory: u64, length: u32, name: &[u8]) -> Bytes {
    [&head[..], &root_directory.to_le_bytes(), &length.to_le_bytes(), name].concat().into()
}

#[test]
fn a_buffer_shorter_than_its_class_is_a_length_mismatch() {
    for class in 0..=u8::MAX {
        match minimum_length(class) {
            None => assert_eq!(decode(class, &Bytes::from_static(&[0; 64])), Err(SetError::InvalidInfoClass)),
            Some(minimum) => {
                let short = Bytes::from(vec![0; minimum - 1]);
                assert_eq!(decode(class, &short), Err(SetError::LengthMismatch), "{class}");
                let enough = Bytes::from(vec![0; minimum]);
                assert_ne!(decode(class, &enough), Err(SetError::LengthMismatch), "{class}");
            }
        }
    }
}

#[test]
fn basic_tells_times_apart_from_orders() {
    let mut bytes = Vec::new();
    for time in [0u64, u64::MAX, u64::MAX - 1, 0x0123_4567] {
        bytes.extend_from_slice(&time.to_le_bytes());
    }
    bytes.extend_from_slice(&[0x21, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    let change = BasicChange {
        creation: TimeChange::Unchanged,
        last_access: TimeChange::StopUpdates,
        last_write: TimeChange::ResumeUpdates,
        change: TimeChange::Set(FileTime(0x0123_4567)),
        attributes: Some(FileAttributes::READONLY | FileAttributes::ARCHIVE),
    };
    assert_eq!(decode(4, &bytes.clone().into()), Ok(SetFile::Basic(change)));

    bytes[32] = 0;
    let change = BasicChange { attributes: None, ..change };
    assert_eq!(decode(4, &bytes.clone().into()), Ok(SetFile::Basic(change)));

    bytes[..8].copy_from_slice(&(u64::MAX - 2).to_le_bytes());
    assert_eq!(decode(4, &bytes.into()), Err(SetError::InvalidParameter));
}

#[test]
fn a_rename_has_a_byte_and_an_extended_one_has_flags() {
    let name = b"d\0\\\0e\0";
    let bytes = named([1, 9, 9, 9, 9, 9, 9, 9], 0, 6, name);
    let rename = Rename { flags: RenameFlags::REPLACE_IF_EXISTS, root_directory: 0, name: "d\\e".to_owned() };
    assert_eq!(decode(10, &bytes), Ok(SetFile::Rename(rename.clone())));
    let link = Link { replace_if_exists: true, root_directory: 0, name: "d\\e".to_owned() };
    assert_eq!(decode(11, &bytes), Ok(SetFile::Link(link)));

    let bytes = named([0x43, 0, 0, 0, 9, 9, 9, 9], 7, 6, name);
    let flags = RenameFlags::REPLACE_IF_EXISTS | RenameFlags::POSIX_SEMANTICS | RenameFlags::IGNORE_READONLY_ATTRIBUTE;
    assert_eq!(decode(65, &bytes), Ok(SetFile::Rename(Rename { flags, root_directory: 7, ..rename })));
}

#[test]
fn a_name_of_one_character_is_padded() {
    let bytes = named([0; 8], 0, 2, b"x\0");
    assert_eq!(decode(10, &bytes), Err(SetError::LengthMismatch));
    let bytes = named([0; 8], 0, 2, b"x\0??");
    assert!(matches!(decode(10, &bytes), Ok(SetFile::Rename(rename)) if rename.name == "x"));
}

#[test]
fn a_name_that_is_empty_odd_too_long_or_not_utf16_is_refused() {
    for length in [0, 3, 6, u32::MAX] {
        assert_eq!(decode(10, &named([0; 8], 0, length, b"a\0b\0")), Err(SetError::InvalidParameter), "{length}");
    }
    assert_eq!(decode(11, &named([0; 8], 0, 4, b"a\0\0\xd8")), Err(SetError::ObjectNameInvalid));
}

#[test]
fn numbers_have_their_size() {
    let bytes = Bytes::from_static(&[0x11, 0, 0, 0, 0, 0, 0, 0x80]);
    let number = 0x8000_0000_0000_0011;
    assert_eq!(decode(14, &bytes), Ok(SetFile::Position(number)));
    assert_eq!(decode(19, &bytes), Ok(SetFile::Allocation(number)));
    assert_eq!(decode(20, &bytes), Ok(SetFile::EndOfFile(number)));
    assert_eq!(decode(39, &bytes), Ok(SetFile::ValidDataLength(number)));
    assert_eq!(decode(16, &bytes), Ok(SetFile::Mode(0x11)));
    assert_eq!(decode(13, &bytes), Ok(SetFile::Disposition(true)));
    let flags = DispositionFlags::DELETE | DispositionFlags::IGNORE_READONLY_ATTRIBUTE;
    assert_eq!(decode(64, &bytes), Ok(SetFile::DispositionEx(flags)));
}

#[test]
fn an_inconsistent_ea_list_has_its_own_error() {
    let list = Bytes::from_static(b"\0\0\0\0\0\x02\x01\0XY\0v");
    let ea = Ea { flags: 0, name: Bytes::from_static(b"XY"), value: Bytes::from_static(b"v") };
    assert_eq!(decode(15, &list), Ok(SetFile::FullEa(vec![ea])));
    assert_eq!(decode(15, &list.slice(..11)), Err(SetError::EaListInconsistent));
}

fn time() -> impl Strategy<Value = TimeChange> {
    prop_oneof![
        Just(TimeChange::Unchanged),
        Just(TimeChange::StopUpdates),
        Just(TimeChange::ResumeUpdates),
        (1..=FileTime::MAX.0).prop_map(|time| TimeChange::Set(FileTime(time))),
    ]
}

fn change() -> impl Strategy<Value = SetFile> {
    let name = || strategies::name().prop_filter("a name has characters", |name| !name.is_empty());
    prop_oneof![
        (time(), time(), time(), time(), proptest::option::of(1u32..)).prop_map(
            |(creation, last_access, last_write, change, attributes)| {
                let attributes = attributes.map(FileAttributes::from_bits_retain);
                SetFile::Basic(BasicChange { creation, last_access, last_write, change, attributes })
            }
        ),
        (any::<u32>(), any::<u64>(), name()).prop_map(|(flags, root_directory, name)| {
            SetFile::Rename(Rename { flags: RenameFlags::from_bits_retain(flags), root_directory, name })
        }),
        (any::<bool>(), any::<u64>(), name()).prop_map(|(replace_if_exists, root_directory, name)| {
            SetFile::Link(Link { replace_if_exists, root_directory, name })
        }),
        any::<bool>().prop_map(SetFile::Disposition),
        any::<u32>().prop_map(|flags| SetFile::DispositionEx(DispositionFlags::from_bits_retain(flags))),
        any::<u64>().prop_map(SetFile::Position),
        any::<u64>().prop_map(SetFile::Allocation),
        any::<u64>().prop_map(SetFile::EndOfFile),
        any::<u64>().prop_map(SetFile::ValidDataLength),
        any::<u32>().prop_map(SetFile::Mode),
        vec((any::<u8>(), vec(1u8.., 1..9), vec(any::<u8>(), 0..9)), 1..4).prop_map(|list| {
            let ea =
                |(flags, name, value): (u8, Vec<u8>, Vec<u8>)| Ea { flags, name: name.into(), value: value.into() };
            SetFile::FullEa(list.into_iter().map(ea).collect())
        }),
    ]
}

proptest! {
    #[test]
    fn a_change_comes_back(change in change()) {
        prop_assert_eq!(decode(change.class(), &change.encode()), Ok(change));
    }
}
