use super::*;
use crate::header::Command;
use crate::output::OutputBufferResponse;

fn message(length: usize) -> (Bytes, OutgoingMessage) {
    let output = Bytes::from(vec![7; length]);
    let message = OutgoingMessage::new(
        &Header::request(Command::QUERY_INFO, 1),
        &OutputBufferResponse { output: output.clone() },
    );
    (output, message)
}

#[test]
fn small_buffer_is_in_the_head() {
    let (output, message) = message(OutgoingMessage::COPIED_MAX);
    assert!(message.payload().is_empty());
    assert_eq!(message.head()[72..], output);
}

#[test]
fn large_buffer_is_payload_and_not_copied() {
    let (output, message) = message(OutgoingMessage::COPIED_MAX + 1);
    assert_eq!(message.head().len(), 72);
    assert_eq!(message.payload()[0].as_ptr(), output.as_ptr());
    assert_eq!(message.length(), 72 + output.len());
}

#[test]
fn segments_parts_and_contiguous_bytes_are_the_same_message() {
    for length in [0, 5, 1024, 1025, 5000] {
        let segments = message(length).1.segments().collect::<Vec<_>>().concat();
        let (head, payload) = message(length).1.into_parts();
        let parts = std::iter::once(head.freeze()).chain(payload).collect::<Vec<_>>().concat();
        let contiguous = message(length).1.into_contiguous();
        assert_eq!(segments.len(), 72 + length);
        assert_eq!(segments, parts);
        assert_eq!(segments, contiguous);
    }
}

#[test]
fn signature_stands_in_the_header() {
    let (_, mut message) = message(5);
    message.set_signature([9; 16]);
    assert_eq!(message.head()[48..64], [9; 16]);
    assert_eq!(message.length(), 77);
}
