use super::*;

/// A header whose fields all differ, at the offsets of MS-SMB2 2.2.1.2.
fn synchronous_bytes() -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[0..4].copy_from_slice(&[0xFE, b'S', b'M', b'B']);
    bytes[4..6].copy_from_slice(&[64, 0]);
    bytes[6..8].copy_from_slice(&[0x02, 0x01]);
    bytes[8..12].copy_from_slice(&[0x22, 0x00, 0x00, 0xC0]);
    bytes[12..14].copy_from_slice(&[0x05, 0x00]);
    bytes[14..16].copy_from_slice(&[0x04, 0x03]);
    bytes[16..20].copy_from_slice(&[0x0D, 0x00, 0x00, 0x10]);
    bytes[20..24].copy_from_slice(&[0x80, 0x00, 0x00, 0x00]);
    bytes[24..32].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
    bytes[32..36].copy_from_slice(&[0xFF, 0xFE, 0x00, 0x00]);
    bytes[36..40].copy_from_slice(&[9, 0, 0, 0]);
    bytes[40..48].copy_from_slice(&[8, 7, 6, 5, 4, 3, 2, 1]);
    bytes[48..64].copy_from_slice(&[0xAB; 16]);
    bytes
}

fn synchronous() -> Header {
    Header {
        credit_charge: 0x0102,
        status: NtStatus::ACCESS_DENIED,
        command: Command::CREATE,
        credits: 0x0304,
        flags: HeaderFlags::SERVER_TO_REDIR
            | HeaderFlags::RELATED_OPERATIONS
            | HeaderFlags::SIGNED
            | HeaderFlags::DFS_OPERATIONS,
        next_command: 0x80,
        message_id: 0x0807_0605_0403_0201,
        routing: Routing::Synchronous { process_id: 0xFEFF, tree_id: 9 },
        session_id: 0x0102_0304_0506_0708,
        signature: [0xAB; 16],
    }
}

#[test]
fn synchronous_header_has_the_fields_of_the_standard() {
    assert_eq!(Header::decode(&synchronous_bytes()), Ok(synchronous()));
    assert_eq!(synchronous().encode(), synchronous_bytes());
}

#[test]
fn asynchronous_header_holds_the_async_id_in_place_of_process_and_tree() {
    let mut bytes = synchronous_bytes();
    bytes[16] |= 0x02;
    bytes[32..40].copy_from_slice(&[8, 0, 0, 0, 0, 0, 0, 0xF0]);
    let header = Header { routing: Routing::Asynchronous { async_id: 0xF000_0000_0000_0008 }, ..synchronous() };
    assert_eq!(Header::decode(&bytes), Ok(header));
    assert_eq!(header.encode(), bytes);
}

#[test]
fn async_flag_follows_the_routing() {
    let header = Header { flags: HeaderFlags::ASYNC_COMMAND, ..synchronous() };
    assert_eq!(header.encode()[16], 0);
}

#[test]
fn unknown_command_and_flags_are_kept() {
    let header =
        Header { command: Command(0x7777), flags: HeaderFlags::from_bits_retain(0x8000_0000), ..synchronous() };
    assert_eq!(Header::decode(&header.encode()), Ok(header));
    assert_eq!(format!("{:?}", header.command), "Command(0x7777)");
}

#[test]
fn wrong_protocol_size_or_length_is_malformed() {
    for (index, value) in [(0, 0xFF), (3, b'b'), (4, 63), (5, 1)] {
        let mut bytes = synchronous_bytes();
        bytes[index] = value;
        assert_eq!(Header::decode(&bytes), Err(Malformed), "byte {index}");
    }
    assert_eq!(Header::decode(&synchronous_bytes()[..63]), Err(Malformed));
    assert_eq!(Header::decode(&[]), Err(Malformed));
}

#[test]
fn channel_sequence_is_the_low_half_of_status() {
    assert_eq!(Header { status: NtStatus(0xDEAD_1234), ..synchronous() }.channel_sequence(), 0x1234);
}

#[test]
fn response_keeps_identifiers_and_drops_signature_and_chain() {
    let request = Header { flags: HeaderFlags::from_bits_retain(0x3000_005C), ..synchronous() };
    let response = request.response(NtStatus::PENDING, 7);
    let expected = Header {
        status: NtStatus::PENDING,
        credits: 7,
        flags: HeaderFlags::from_bits_retain(0x2000_0055),
        next_command: 0,
        signature: [0; 16],
        ..request
    };
    assert_eq!(response, expected);
}

#[test]
fn break_notification_answers_no_request() {
    let bytes = Header::break_notification().encode();
    assert_eq!(bytes[12..14], [0x12, 0]);
    assert_eq!(bytes[16], 0x01);
    assert_eq!(bytes[24..32], [0xFF; 8]);
    assert_eq!(bytes[32..64], [0; 32]);
}
