use super::*;
use crate::sample::{Sample, encoded};

fn request() -> Sample {
    Sample::body(48)
        .u16(0, 49)
        .u16(2, 0x70)
        .u32(4, 5)
        .u64(8, 0x1_0000_0000)
        .u64(16, 0x1111)
        .u64(24, 0x2222)
        .u32(32, 0)
        .u32(36, 7)
        .u32(44, 1)
        .put(48, b"hello")
}

#[test]
fn request_has_the_fields_of_the_standard() {
    let expected = WriteRequest {
        offset: 0x1_0000_0000,
        file_id: FileId { persistent: 0x1111, volatile: 0x2222 },
        channel: Channel::NONE,
        remaining_bytes: 7,
        flags: WriteFlags::WRITE_THROUGH,
        data: Bytes::from_static(b"hello"),
    };
    assert_eq!(WriteRequest::decode(&request().message()).as_ref(), Ok(&expected));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected), request().into_body());
}

#[test]
fn data_is_a_part_of_the_message() {
    let message = request().message();
    let request = WriteRequest::decode(&message).unwrap();
    assert_eq!(request.data.as_ptr(), message[0x70..].as_ptr());
}

#[test]
fn data_may_follow_later_but_not_behind_0x100() {
    let at = |offset: u16| request().u16(2, offset).put(usize::from(offset) - 64, b"world").message();
    assert_eq!(WriteRequest::decode(&at(0x78)).unwrap().data, b"world".as_slice());
    assert_eq!(WriteRequest::decode(&at(0x100)).unwrap().data, b"world".as_slice());
    assert!(WriteRequest::decode(&at(0x101)).is_err());
}

#[test]
fn data_outside_of_the_message_or_in_the_fixed_part_is_malformed() {
    assert!(WriteRequest::decode(&request().u16(2, 0x6F).message()).is_err());
    assert!(WriteRequest::decode(&request().u16(2, 0).message()).is_err());
    assert!(WriteRequest::decode(&request().u32(4, 6).message()).is_err());
    assert!(WriteRequest::decode(&request().u32(4, u32::MAX).message()).is_err());
    assert!(WriteRequest::decode(&request().u16(2, 0x71).message()).is_err());
}

#[test]
fn write_of_nothing_is_read() {
    let message = request().u32(4, 0).truncate(48).message();
    assert!(WriteRequest::decode(&message).unwrap().data.is_empty());
}

#[test]
fn response_has_the_fields_of_the_standard() {
    let expected = Sample::body(16).u16(0, 17).u32(4, 0x0102_0304);
    assert_eq!(encoded(&WriteResponse { count: 0x0102_0304 }), expected.into_body());
}
