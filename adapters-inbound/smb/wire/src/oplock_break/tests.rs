use super::*;
use crate::sample::{Sample, encoded};

#[test]
fn oplock_break_has_the_fields_of_the_standard() {
    let sample = || Sample::body(24).u16(0, 24).u8(2, 1).u64(8, 0x1111).u64(16, 0x2222);
    let expected =
        OplockBreak { oplock_level: OplockLevel::LEVEL_II, file_id: FileId { persistent: 0x1111, volatile: 0x2222 } };
    assert_eq!(encoded(&expected), sample().into_body());
    assert_eq!(BreakAcknowledgment::decode(&sample().message()), Ok(BreakAcknowledgment::Oplock(expected)));
}

#[test]
fn lease_acknowledgment_is_told_by_its_size() {
    let sample = || Sample::body(36).u16(0, 36).put(8, &[7; 16]).u32(24, 3);
    let expected = LeaseBreak {
        flags: 0,
        lease_key: LeaseKey([7; 16]),
        lease_state: LeaseState::READ_CACHING | LeaseState::HANDLE_CACHING,
    };
    assert_eq!(encoded(&expected), sample().into_body());
    assert_eq!(BreakAcknowledgment::decode(&sample().message()), Ok(BreakAcknowledgment::Lease(expected)));
    assert!(BreakAcknowledgment::decode(&sample().truncate(35).message()).is_err());
    assert!(BreakAcknowledgment::decode(&sample().u16(0, 44).message()).is_err());
}

#[test]
fn lease_notification_has_the_fields_of_the_standard() {
    let notification = LeaseBreakNotification {
        new_epoch: 0x0102,
        flags: LeaseBreakFlags::ACK_REQUIRED,
        lease_key: LeaseKey([7; 16]),
        current_lease_state: LeaseState::all_named(),
        new_lease_state: LeaseState::READ_CACHING,
    };
    let expected = Sample::body(44).u16(0, 44).u16(2, 0x0102).u32(4, 1).put(8, &[7; 16]).u32(24, 7).u32(28, 1);
    assert_eq!(encoded(&notification), expected.into_body());
}

impl LeaseState {
    fn all_named() -> Self {
        Self::READ_CACHING | Self::HANDLE_CACHING | Self::WRITE_CACHING
    }
}
