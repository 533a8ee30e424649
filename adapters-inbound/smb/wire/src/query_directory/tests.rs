use super::*;
use crate::output::OutputBufferResponse;
use crate::sample::{Sample, encoded, utf16};

fn request() -> Sample {
    Sample::body(32)
        .u16(0, 33)
        .u8(2, 37)
        .u8(3, 0x05)
        .u32(4, 9)
        .u64(8, 0x1111)
        .u64(16, 0x2222)
        .u16(24, 96)
        .u16(26, 10)
        .u32(28, 0x1_0000)
        .put(32, &utf16("*.txt"))
}

fn expected() -> QueryDirectoryRequest {
    QueryDirectoryRequest {
        file_information_class: 37,
        flags: QueryDirectoryFlags::RESTART_SCANS | QueryDirectoryFlags::INDEX_SPECIFIED,
        file_index: 9,
        file_id: FileId { persistent: 0x1111, volatile: 0x2222 },
        pattern: "*.txt".into(),
        output_buffer_length: 0x1_0000,
    }
}

#[test]
fn request_has_the_fields_of_the_standard() {
    assert_eq!(QueryDirectoryRequest::decode(&request().message()), Ok(expected()));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected()), request().into_body());
}

#[test]
fn pattern_may_be_absent() {
    let message = request().u16(24, 1).u16(26, 0).truncate(32).message();
    let request = QueryDirectoryRequest::decode(&message).unwrap();
    assert!(request.pattern.is_empty());
}

#[test]
fn pattern_of_odd_length_or_outside_is_malformed() {
    assert!(QueryDirectoryRequest::decode(&request().u16(26, 9).message()).is_err());
    assert!(QueryDirectoryRequest::decode(&request().u16(26, 12).message()).is_err());
    assert!(QueryDirectoryRequest::decode(&request().u16(24, 95).message()).is_err());
}

#[test]
fn response_has_the_fields_of_the_standard() {
    let expected = Sample::body(8).u16(0, 9).u16(2, 72).u32(4, 7).put(8, b"entries");
    assert_eq!(encoded(&OutputBufferResponse { output: Bytes::from_static(b"entries") }), expected.into_body());
}
