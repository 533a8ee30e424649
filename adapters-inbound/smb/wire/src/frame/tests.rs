use proptest::prelude::*;

use super::*;

fn received(bytes: &[u8]) -> BytesMut {
    BytesMut::from(bytes)
}

#[test]
fn length_is_24_bits_big_endian() {
    assert_eq!(header(0x0001_0203), Some([0, 1, 2, 3]));
    assert_eq!(header(LENGTH_MAX), Some([0, 0xFF, 0xFF, 0xFF]));
    assert_eq!(header(LENGTH_MAX + 1), None);
}

#[test]
fn missing_bytes_are_counted() {
    assert_eq!(decode(&mut received(&[]), 100), Ok(Progress::Missing(4)));
    assert_eq!(decode(&mut received(&[0, 0, 0]), 100), Ok(Progress::Missing(1)));
    assert_eq!(decode(&mut received(&[0, 0, 0, 5, 1, 2]), 100), Ok(Progress::Missing(3)));
}

#[test]
fn keep_alive_is_passed_over() {
    let mut bytes = received(&[0x85, 0, 0, 0, 0x85, 0, 0, 0, 0, 0, 0, 2, 7, 8, 9]);
    assert_eq!(decode(&mut bytes, 100), Ok(Progress::Message(received(&[7, 8]))));
    assert_eq!(bytes, received(&[9]));
}

#[test]
fn too_long_message_is_refused_before_it_arrives() {
    let mut bytes = received(&[0, 0, 0, 101]);
    assert_eq!(decode(&mut bytes, 100), Err(FrameError::TooLong { length: 101 }));
    assert_eq!(bytes.len(), 4);
}

#[test]
fn session_request_of_netbios_is_refused() {
    assert_eq!(decode(&mut received(&[0x81, 0, 0, 68]), 100), Err(FrameError::UnknownType(0x81)));
}

#[test]
fn message_is_not_copied() {
    let mut bytes = received(&[0, 0, 0, 3, 7, 8, 9]);
    let place = bytes[4..].as_ptr();
    let Ok(Progress::Message(message)) = decode(&mut bytes, 100) else { panic!("a whole message") };
    assert_eq!(message.as_ptr(), place);
}

proptest! {
    #[test]
    fn stream_in_any_pieces_gives_the_same_messages(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8),
        piece in 1..40_usize,
    ) {
        let mut stream = Vec::new();
        for message in &messages {
            stream.extend_from_slice(&header(message.len()).unwrap());
            stream.extend_from_slice(message);
        }
        let mut buffer = BytesMut::new();
        let mut decoded = Vec::new();
        for bytes in stream.chunks(piece) {
            buffer.extend_from_slice(bytes);
            loop {
                match decode(&mut buffer, 50).unwrap() {
                    Progress::Message(message) => decoded.push(message.to_vec()),
                    Progress::Missing(count) => {
                        prop_assert!(count > 0 && count <= 54);
                        break;
                    }
                }
            }
        }
        prop_assert_eq!(decoded, messages);
        prop_assert!(buffer.is_empty());
    }
}

#[test]
fn whole_frame_is_one_that_can_be_taken() {
    let bytes = [0, 0, 0, 3, 7, 8, 9, 0];
    for length in 0..=bytes.len() {
        assert_eq!(is_whole(&bytes[..length]), length >= 7, "{length}");
    }
    assert!(is_whole(&[0x85, 0, 0, 0]));
}
