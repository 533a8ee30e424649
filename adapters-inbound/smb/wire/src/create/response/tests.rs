use super::*;
use crate::create::ResponseContext;
use crate::sample::{Sample, encoded};

#[test]
fn response_has_the_fields_of_the_standard() {
    let response = CreateResponse {
        oplock_level: OplockLevel::BATCH,
        flags: CreateResponseFlags::REPARSEPOINT,
        create_action: CreateAction::CREATED,
        creation_time: FileTime(1),
        last_access_time: FileTime(2),
        last_write_time: FileTime(3),
        change_time: FileTime(4),
        allocation_size: 5,
        end_of_file: 6,
        file_attributes: FileAttributes::ARCHIVE,
        file_id: FileId { persistent: 0x1111, volatile: 0x2222 },
        contexts: CreateContexts::default(),
    };
    let expected = || {
        Sample::body(88)
            .u16(0, 89)
            .u8(2, 9)
            .u8(3, 1)
            .u32(4, 2)
            .u64(8, 1)
            .u64(16, 2)
            .u64(24, 3)
            .u64(32, 4)
            .u64(40, 5)
            .u64(48, 6)
            .u32(56, 0x20)
            .u64(64, 0x1111)
            .u64(72, 0x2222)
    };
    assert_eq!(encoded(&response), expected().into_body());

    let contexts = [ResponseContext::DurableRequest.encode()].into_iter().collect();
    let expected = expected()
        .u32(80, 152)
        .u32(84, 32)
        .u16(88 + 4, 16)
        .u16(88 + 6, 4)
        .u16(88 + 10, 24)
        .u32(88 + 12, 8)
        .put(88 + 16, b"DHnQ")
        .put(88 + 24, &[0; 8]);
    assert_eq!(encoded(&CreateResponse { contexts, ..response }), expected.into_body());
}
