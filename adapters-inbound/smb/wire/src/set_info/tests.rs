use super::*;
use crate::sample::{Sample, encoded};

fn request() -> Sample {
    Sample::body(32)
        .u16(0, 33)
        .u8(2, 3)
        .u8(3, 0)
        .u32(4, 4)
        .u16(8, 96)
        .u32(12, 7)
        .u64(16, 0x1111)
        .u64(24, 0x2222)
        .put(32, b"acls")
}

#[test]
fn request_has_the_fields_of_the_standard() {
    let expected = SetInfoRequest {
        info_type: InfoType::SECURITY,
        file_info_class: 0,
        additional_information: 7,
        file_id: FileId { persistent: 0x1111, volatile: 0x2222 },
        input: Bytes::from_static(b"acls"),
    };
    assert_eq!(SetInfoRequest::decode(&request().message()).as_ref(), Ok(&expected));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected), request().into_body());
}

#[test]
fn buffer_is_a_part_of_the_message() {
    let message = request().message();
    assert_eq!(SetInfoRequest::decode(&message).unwrap().input.as_ptr(), message[96..].as_ptr());
}

#[test]
fn buffer_outside_is_malformed() {
    assert!(SetInfoRequest::decode(&request().u16(8, 95).message()).is_err());
    assert!(SetInfoRequest::decode(&request().u32(4, 5).message()).is_err());
    assert!(SetInfoRequest::decode(&request().u32(4, 0).u16(8, 0).truncate(32).message()).is_ok());
}

#[test]
fn response_is_structure_size_only() {
    assert_eq!(encoded(&SetInfoResponse), [2, 0]);
}
