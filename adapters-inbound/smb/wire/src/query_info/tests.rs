use super::*;
use crate::sample::Sample;
#[cfg(feature = "client")]
use crate::sample::encoded;

fn request() -> Sample {
    Sample::body(40)
        .u16(0, 41)
        .u8(2, 1)
        .u8(3, 18)
        .u32(4, 4096)
        .u16(8, 104)
        .u32(12, 3)
        .u32(16, 0x0102_0304)
        .u32(20, 2)
        .u64(24, 0x1111)
        .u64(32, 0x2222)
        .put(40, b"eas")
}

fn expected() -> QueryInfoRequest {
    QueryInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: 18,
        output_buffer_length: 4096,
        additional_information: 0x0102_0304,
        flags: QueryInfoFlags::RETURN_SINGLE_ENTRY,
        file_id: FileId { persistent: 0x1111, volatile: 0x2222 },
        input: Bytes::from_static(b"eas"),
    }
}

#[test]
fn request_has_the_fields_of_the_standard() {
    assert_eq!(QueryInfoRequest::decode(&request().message()), Ok(expected()));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected()), request().into_body());
}

#[test]
fn request_without_input_is_read_whatever_its_offset() {
    for offset in [0, 1, 104, u16::MAX] {
        let message = request().u16(8, offset).u32(12, 0).truncate(40).message();
        assert_eq!(QueryInfoRequest::decode(&message), Ok(QueryInfoRequest { input: Bytes::new(), ..expected() }));
    }
}

#[test]
fn input_outside_is_malformed() {
    assert!(QueryInfoRequest::decode(&request().u16(8, 103).message()).is_err());
    assert!(QueryInfoRequest::decode(&request().u32(12, 4).message()).is_err());
    assert!(QueryInfoRequest::decode(&request().u32(12, u32::MAX).message()).is_err());
}

#[test]
fn unknown_type_is_kept() {
    let request = QueryInfoRequest::decode(&request().u8(2, 99).message()).unwrap();
    assert_eq!(request.info_type, InfoType(99));
}
