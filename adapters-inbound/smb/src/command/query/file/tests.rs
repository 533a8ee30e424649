use dittofs_smb_wire::{NtStatus, dialect::Dialect, info::FileClass};

use super::{demand_spoken, needs_right};

#[test]
fn without_the_right_to_read_attributes_a_file_still_tells_much() {
    let refused: Vec<u8> =
        FileClass::ALL.into_iter().filter(|class| needs_right(*class)).map(FileClass::code).collect();
    assert_eq!(refused, [4, 18, 34, 35]);
}

#[test]
fn a_dialect_has_the_classes_of_its_time() {
    for (class, dialect, expected) in [
        (FileClass::NormalizedName, Dialect::SMB_3_1_1, Ok(())),
        (FileClass::NormalizedName, Dialect::SMB_3_0_2, Err(NtStatus::NOT_SUPPORTED)),
        (FileClass::Id, Dialect::SMB_3_0, Ok(())),
        (FileClass::Id, Dialect::SMB_2_1, Err(NtStatus::NOT_SUPPORTED)),
        (FileClass::AlternateName, Dialect::SMB_3_1_1, Err(NtStatus::NOT_IMPLEMENTED)),
        (FileClass::Posix, Dialect::SMB_3_1_1, Err(NtStatus::INVALID_INFO_CLASS)),
        (FileClass::All, Dialect::SMB_2_0_2, Ok(())),
    ] {
        assert_eq!(demand_spoken(class, dialect), expected, "{class:?} {dialect:?}");
    }
}
