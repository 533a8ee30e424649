use super::*;
use crate::sample::Sample;
#[cfg(feature = "client")]
use crate::sample::encoded;

fn request() -> Sample {
    Sample::body(72)
        .u16(0, 48)
        .u16(2, 2)
        .u32(4, 0x1234_5671)
        .u64(8, 0x1111)
        .u64(16, 0x2222)
        .u64(24, 10)
        .u64(32, 20)
        .u32(40, 0x12)
        .u64(48, 30)
        .u64(56, 40)
        .u32(64, 4)
}

#[test]
fn request_has_the_fields_of_the_standard() {
    let expected = LockRequest {
        lock_sequence: 0x1234_5671,
        file_id: FileId { persistent: 0x1111, volatile: 0x2222 },
        locks: vec![
            LockElement { offset: 10, length: 20, flags: LockFlags::EXCLUSIVE_LOCK | LockFlags::FAIL_IMMEDIATELY },
            LockElement { offset: 30, length: 40, flags: LockFlags::UNLOCK },
        ],
    };
    assert_eq!(LockRequest::decode(&request().message()).as_ref(), Ok(&expected));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected), request().into_body());
}

#[test]
fn request_without_locks_is_malformed() {
    assert!(LockRequest::decode(&request().u16(2, 0).message()).is_err());
    assert!(LockRequest::decode(&request().u16(2, 0).truncate(24).message()).is_err());
}

#[test]
fn more_locks_than_the_message_holds_are_malformed() {
    assert!(LockRequest::decode(&request().u16(2, 3).message()).is_err());
    assert!(LockRequest::decode(&request().u16(2, u16::MAX).message()).is_err());
    assert!(LockRequest::decode(&request().truncate(71).message()).is_err());
    assert_eq!(LockRequest::decode(&request().u16(2, 1).message()).unwrap().locks.len(), 1);
}
