use super::*;

fn header(original_message_size: u32) -> TransformHeader {
    TransformHeader {
        signature: [0xA5; 16],
        nonce: [0x5A; 16],
        original_message_size,
        flags: TransformHeader::ENCRYPTED,
        session_id: 0x0102_0304_0506_0708,
    }
}

fn packet(original_message_size: u32, content: &[u8]) -> BytesMut {
    let mut bytes = BytesMut::from(header(original_message_size).encode().as_slice());
    bytes.extend_from_slice(content);
    bytes
}

#[test]
fn fields_are_at_the_offsets_of_the_standard() {
    let bytes = header(0x0403_0201).encode();
    assert_eq!(bytes[0..4], [0xFD, b'S', b'M', b'B']);
    assert_eq!(bytes[4..20], [0xA5; 16]);
    assert_eq!(bytes[20..36], [0x5A; 16]);
    assert_eq!(bytes[36..40], [1, 2, 3, 4]);
    assert_eq!(bytes[40..42], [0, 0]);
    assert_eq!(bytes[42..44], [1, 0]);
    assert_eq!(bytes[44..52], [8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(header(0x0403_0201).associated_data(), bytes[20..]);
}

#[test]
fn message_is_what_the_header_says() {
    assert_eq!(TransformHeader::decode(packet(3, b"abc")), Ok((header(3), BytesMut::from(b"abc".as_slice()))));
    let (_, cut) = TransformHeader::decode(packet(2, b"abc")).unwrap();
    assert_eq!(cut, b"ab".as_slice());
}

#[test]
fn missing_bytes_are_malformed() {
    assert_eq!(TransformHeader::decode(packet(4, b"abc")), Err(Malformed));
    assert_eq!(TransformHeader::decode(packet(u32::MAX, b"abc")), Err(Malformed));
    assert_eq!(TransformHeader::decode(packet(0, b"")), Err(Malformed));
    assert_eq!(TransformHeader::decode(packet(0, b"abc")), Err(Malformed));
    assert_eq!(TransformHeader::decode(packet(0, b"").split_to(51)), Err(Malformed));
}
