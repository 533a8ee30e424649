use dittofs_smb_wire::NtStatus;

use super::set;

#[test]
fn a_mode_that_is_none_is_refused_and_another_one_is_not_supported() {
    for (has, wanted, expected) in [
        (0, 0, Ok(())),
        (2, 2, Ok(())),
        (0x1002, 2, Ok(())),
        (0x20, 0x20, Ok(())),
        (0, 2, Err(NtStatus::NOT_SUPPORTED)),
        (0, 1, Err(NtStatus::INVALID_PARAMETER)),
        (0, 0x1000, Err(NtStatus::INVALID_PARAMETER)),
        (0x20, 0, Err(NtStatus::INVALID_PARAMETER)),
        (0, 0x10, Err(NtStatus::INVALID_PARAMETER)),
        (0x20, 0x30, Err(NtStatus::INVALID_PARAMETER)),
    ] {
        assert_eq!(set(has, wanted), expected, "{has:#x} {wanted:#x}");
    }
}
