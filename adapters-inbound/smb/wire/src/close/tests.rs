use super::*;
use crate::message::Decode;
use crate::sample::{Sample, encoded};

fn request() -> Sample {
    Sample::body(24).u16(0, 24).u16(2, 1).u64(8, 0x1111).u64(16, 0x2222)
}

#[test]
fn request_has_the_fields_of_the_standard() {
    let expected =
        CloseRequest { flags: CloseFlags::POSTQUERY_ATTRIB, file_id: FileId { persistent: 0x1111, volatile: 0x2222 } };
    assert_eq!(CloseRequest::decode(&request().message()), Ok(expected));
    assert_eq!(encoded(&expected), request().into_body());
}

#[test]
fn wrong_structure_size_or_length_is_malformed() {
    assert!(CloseRequest::decode(&request().u16(0, 25).message()).is_err());
    assert!(CloseRequest::decode(&request().truncate(23).message()).is_err());
    assert!(CloseRequest::decode(&request().truncate(1).message()).is_err());
}

#[test]
fn response_has_the_fields_of_the_standard() {
    let response = CloseResponse {
        flags: CloseFlags::POSTQUERY_ATTRIB,
        creation_time: FileTime(1),
        last_access_time: FileTime(2),
        last_write_time: FileTime(3),
        change_time: FileTime(4),
        allocation_size: 5,
        end_of_file: 6,
        file_attributes: FileAttributes::ARCHIVE,
    };
    let expected = Sample::body(60)
        .u16(0, 60)
        .u16(2, 1)
        .u64(8, 1)
        .u64(16, 2)
        .u64(24, 3)
        .u64(32, 4)
        .u64(40, 5)
        .u64(48, 6)
        .u32(56, 0x20);
    assert_eq!(encoded(&response), expected.into_body());
    assert_eq!(encoded(&CloseResponse::WITHOUT_ATTRIBUTES), Sample::body(60).u16(0, 60).into_body());
}
