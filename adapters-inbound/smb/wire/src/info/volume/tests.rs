use proptest::prelude::*;

use super::*;
use crate::info::strategies;

fn facts() -> VolumeFacts {
    VolumeFacts {
        created: FileTime(0x11),
        serial_number: 0x12,
        label: "label".to_owned(),
        object_id: [0x13; 16],
        device_characteristics: FILE_DEVICE_IS_MOUNTED | FILE_READ_ONLY_DEVICE,
        file_system: FileSystemFacts {
            attributes: FileSystemAttributes::SUPPORTS_OBJECT_IDS | FileSystemAttributes::UNICODE_ON_DISK,
            component_length_max: 255,
            name: "NTFS".to_owned(),
        },
        space: SpaceFacts {
            total_units: 0x14,
            caller_available_units: 0x15,
            available_units: 0x16,
            total_files: 0x17,
            available_files: 0x18,
        },
        sectors: SectorFacts { sectors_per_unit: 8, bytes_per_sector: 512, physical_bytes_per_sector: 4096, flags: 3 },
    }
}

fn encoded(class: VolumeClass) -> Vec<u8> {
    encode(class, &facts(), 65535).unwrap().bytes.to_vec()
}

/// Numbers of 4 and 8 bytes, little-endian, one behind the other.
fn fields(numbers: &[(usize, u64)]) -> Vec<u8> {
    numbers.iter().flat_map(|(size, number)| number.to_le_bytes()[..*size].to_vec()).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn classes_have_their_layouts() {
    let head = fields(&[(8, 0x11), (4, 0x12), (4, 10), (1, 1), (1, 0)]);
    assert_eq!(encoded(VolumeClass::Volume), [head, utf16("label")].concat());
    assert_eq!(encoded(VolumeClass::Label), [fields(&[(4, 10)]), utf16("label")].concat());
    assert_eq!(encoded(VolumeClass::Size), fields(&[(8, 0x14), (8, 0x15), (4, 8), (4, 512)]));
    assert_eq!(encoded(VolumeClass::Device), fields(&[(4, 7), (4, 0x22)]));
    let head = fields(&[(4, 0x1_0004), (4, 255), (4, 8)]);
    assert_eq!(encoded(VolumeClass::Attribute), [head, utf16("NTFS")].concat());
    assert_eq!(encoded(VolumeClass::FullSize), fields(&[(8, 0x14), (8, 0x15), (8, 0x16), (4, 8), (4, 512)]));
    assert_eq!(encoded(VolumeClass::ObjectId), [[0x13; 16], [0; 16], [0; 16], [0; 16]].concat());
    let sectors = [(4, 512), (4, 4096), (4, 4096), (4, 4096), (4, 3), (4, 0), (4, 0)];
    assert_eq!(encoded(VolumeClass::SectorSize), fields(&sectors));
    let posix = [(4, 4096), (4, 4096), (8, 0x14), (8, 0x16), (8, 0x15), (8, 0x17), (8, 0x18), (8, 0x12)];
    assert_eq!(encoded(VolumeClass::Posix), fields(&posix));
}

#[test]
fn quota_control_and_others_are_no_class_of_these() {
    let known: Vec<u8> = (0..=u8::MAX).filter(|code| VolumeClass::from_code(*code).is_some()).collect();
    assert_eq!(known, [1, 2, 3, 4, 5, 7, 8, 11, 100]);
}

/// As smbtorture's `smb2.getinfo.qfs_buffercheck` does it.
#[test]
fn too_little_room_is_a_mismatch_and_less_than_all_an_overflow() {
    for class in VolumeClass::ALL {
        let full = encoded(class);
        for limit in 0..=full.len() {
            let answer = encode(class, &facts(), limit);
            if limit < class.minimum_length() {
                assert_eq!(answer, Err(QueryError::LengthMismatch), "{class:?} in {limit}");
            } else {
                let answer = answer.unwrap();
                assert_eq!(answer.overflow, limit < full.len(), "{class:?} in {limit}");
                assert_eq!(answer.bytes[..], full[..answer.bytes.len()]);
                assert!(answer.bytes.len() <= limit && answer.bytes.len() + 1 >= limit);
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_decoded_encodes_to_the_same_bytes(
        class in proptest::sample::select(VolumeClass::ALL.to_vec()),
        label in strategies::name(),
        name in strategies::name(),
        (created, total_units, total_files, serial_number) in any::<(u64, u64, u64, u32)>(),
    ) {
        let mut facts = VolumeFacts { created: FileTime(created), serial_number, label, ..facts() };
        facts.file_system.name = name;
        facts.space = SpaceFacts { total_units, total_files, ..facts.space };
        let answer = encode(class, &facts, 1000).unwrap();
        let decoded = decode(class, &answer.bytes).unwrap();
        prop_assert_eq!(encode(class, &decoded, 1000).unwrap(), answer);
    }
}
