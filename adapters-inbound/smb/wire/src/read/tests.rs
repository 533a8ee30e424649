use super::*;
use crate::header::Command;
use crate::sample::{Sample, encoded};
use crate::status::NtStatus;

fn request() -> Sample {
    Sample::body(49)
        .u16(0, 49)
        .u8(2, 0x50)
        .u8(3, 1)
        .u32(4, 0x1_0000)
        .u64(8, 0x1_0000_0000)
        .u64(16, 0x1111)
        .u64(24, 0x2222)
        .u32(32, 5)
        .u32(36, 0)
        .u32(40, 7)
}

#[test]
fn request_has_the_fields_of_the_standard() {
    let expected = ReadRequest {
        padding: 0x50,
        flags: ReadFlags::READ_UNBUFFERED,
        length: 0x1_0000,
        offset: 0x1_0000_0000,
        file_id: FileId { persistent: 0x1111, volatile: 0x2222 },
        minimum_count: 5,
        channel: Channel::NONE,
        remaining_bytes: 7,
    };
    assert_eq!(ReadRequest::decode(&request().message()), Ok(expected));
    #[cfg(feature = "client")]
    assert_eq!(encoded(&expected), request().into_body());
}

#[test]
fn request_without_its_last_byte_is_read() {
    assert!(ReadRequest::decode(&request().truncate(48).message()).is_ok());
    assert!(ReadRequest::decode(&request().truncate(47).message()).is_err());
    assert!(ReadRequest::decode(&request().u16(0, 48).message()).is_err());
}

#[test]
fn response_data_begins_at_offset_80() {
    let response =
        ReadResponse { data: vec![Bytes::from_static(b"ab"), Bytes::from_static(b"cde")], data_remaining: 0 };
    let expected = Sample::body(16).u16(0, 17).u8(2, 0x50).u32(4, 5).put(16, b"abcde");
    assert_eq!(encoded(&response), expected.into_body());
    assert_eq!(ReadResponse::DATA_OFFSET, 80);
}

#[test]
fn response_without_data_is_written() {
    let expected = Sample::body(16).u16(0, 17).u8(2, 0x50);
    assert_eq!(encoded(&ReadResponse { data: Vec::new(), data_remaining: 0 }), expected.into_body());
}

#[test]
fn response_data_is_never_copied() {
    let piece = Bytes::from(b"abc".to_vec());
    let header = Header::request(Command::READ, 1).response(NtStatus::SUCCESS, 1);
    let message =
        OutgoingMessage::new(&header, &ReadResponse { data: vec![piece.clone(), Bytes::new()], data_remaining: 0 });
    assert_eq!(message.head().len(), 80);
    assert_eq!(message.payload().len(), 1);
    assert_eq!(message.payload()[0].as_ptr(), piece.as_ptr());
}

#[test]
fn response_in_place_is_the_same_message() {
    let header = Header::request(Command::READ, 1).response(NtStatus::SUCCESS, 1);
    let data = vec![7; 2000];
    let mut buffer = BytesMut::zeroed(ReadResponse::DATA_OFFSET);
    buffer.extend_from_slice(&data);
    let place = buffer.as_ptr();
    let in_place = ReadResponse::encode_in_place(&header, buffer).unwrap().into_contiguous();
    assert_eq!(in_place.as_ptr(), place);
    let apart = OutgoingMessage::new(&header, &ReadResponse { data: vec![data.into()], data_remaining: 0 });
    assert_eq!(in_place, apart.into_contiguous());
}

#[test]
fn buffer_without_room_for_the_head_is_refused() {
    let header = Header::request(Command::READ, 1);
    assert!(ReadResponse::encode_in_place(&header, BytesMut::zeroed(79)).is_err());
    assert!(ReadResponse::encode_in_place(&header, BytesMut::zeroed(80)).is_ok());
}
