use super::*;

#[test]
fn severity_is_in_the_highest_bits() {
    assert_eq!(NtStatus::SUCCESS.severity(), Severity::Success);
    assert_eq!(NtStatus::PENDING.severity(), Severity::Success);
    assert_eq!(NtStatus(0x4000_0000).severity(), Severity::Informational);
    assert_eq!(NtStatus::BUFFER_OVERFLOW.severity(), Severity::Warning);
    assert_eq!(NtStatus::ACCESS_DENIED.severity(), Severity::Error);
    assert!(NtStatus::ACCESS_DENIED.is_error());
    assert!(!NtStatus::NO_MORE_FILES.is_error());
}

#[test]
fn status_shows_its_name() {
    assert_eq!(
        format!("{:?}", NtStatus::SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP),
        "SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP"
    );
    assert_eq!(format!("{:?}", NtStatus(0xC123_4567)), "NtStatus(0xc1234567)");
}
