use proptest::prelude::*;

use super::*;
use crate::empty::EmptyBody;
use crate::header::{Command, HeaderFlags};
use crate::read::ReadResponse;

/// A message of this length that says where the next begins.
fn message(length: usize, next_command: u32) -> Vec<u8> {
    let mut bytes = Header { next_command, ..Header::request(Command::ECHO, 1) }.encode().to_vec();
    bytes.resize(length, 0xEE);
    bytes
}

fn split(parts: &[Vec<u8>], count_max: usize) -> Result<Vec<usize>, Malformed> {
    let messages = Compound::decode(parts.concat().into(), count_max)?;
    let count = messages.len();
    let lengths: Vec<usize> = messages.map(|message| message.bytes.len()).collect();
    assert_eq!(lengths.len(), count);
    Ok(lengths)
}

#[test]
fn single_message_is_the_whole_frame() {
    assert_eq!(split(&[message(64, 0)], 1), Ok(vec![64]));
    assert_eq!(split(&[message(69, 0)], 1), Ok(vec![69]));
}

#[test]
fn messages_end_where_the_next_begins() {
    let parts = [message(72, 72), message(80, 80), message(67, 0)];
    assert_eq!(split(&parts, 3), Ok(vec![72, 80, 67]));
    assert_eq!(split(&parts, 2), Err(Malformed));
}

#[test]
fn next_command_at_the_end_of_the_frame_ends_the_compound() {
    assert_eq!(split(&[message(72, 72)], 4), Ok(vec![72]));
}

#[test]
fn bad_next_commands_are_malformed() {
    for next_command in [1, 8, 56, 68, 71, 73, 88, 200, u32::MAX, u32::MAX - 7] {
        assert_eq!(split(&[message(72, next_command), message(72, 0)], 4), Err(Malformed), "{next_command}");
    }
}

#[test]
fn part_without_a_header_is_malformed() {
    assert_eq!(split(&[message(72, 72), vec![0; 64]], 4), Err(Malformed));
    assert_eq!(split(&[message(72, 72), message(64, 0)[..63].to_vec()], 4), Err(Malformed));
    assert_eq!(split(&[Vec::new()], 4), Err(Malformed));
}

#[test]
fn messages_share_the_frames_allocation() {
    let frame = Bytes::from([message(72, 72), message(80, 0)].concat());
    let second = Compound::decode(frame.clone(), 2).unwrap().nth(1).unwrap();
    assert_eq!(second.bytes.as_ptr(), frame[72..].as_ptr());
}

#[test]
fn single_response_is_not_padded() {
    let data = vec![Bytes::from_static(b"123")];
    let mut responses = [response(&ReadResponse { data, data_remaining: 0 })];
    link(&mut responses);
    assert_eq!(responses[0].length(), 64 + 19);
    assert_eq!(responses[0].head()[20..24], [0; 4]);
}

/// smbtorture's compound-padding expects a body of 24 bytes for a READ of 3, in the last response too.
#[test]
fn chained_responses_are_all_padded() {
    let read = ReadResponse { data: vec![Bytes::from_static(b"123")], data_remaining: 0 };
    let mut responses = [response(&EmptyBody), response(&read), response(&read)];
    link(&mut responses);
    let lengths: Vec<usize> = responses.iter().map(OutgoingMessage::length).collect();
    assert_eq!(lengths, [72, 88, 88]);
    let next: Vec<u8> = responses.iter().map(|response| response.head()[20]).collect();
    assert_eq!(next, [72, 88, 0]);
    assert_eq!(responses[2].segments().last().unwrap(), [0; 5]);
}

#[test]
fn signature_of_each_response_covers_its_padding() {
    let mut responses = [response(&EmptyBody), response(&EmptyBody)];
    link(&mut responses);
    let signed: usize = responses[0].segments().map(<[u8]>::len).sum();
    assert_eq!(signed, 72);
    responses[0].set_signature([9; 16]);
    assert_eq!(Header::decode(responses[0].head()).unwrap().signature, [9; 16]);
    assert_eq!(Header::decode(responses[1].head()).unwrap().signature, [0; 16]);
}

fn response(body: &impl crate::message::Encode) -> OutgoingMessage {
    let header = Header { flags: HeaderFlags::SERVER_TO_REDIR, ..Header::request(Command::ECHO, 1) };
    OutgoingMessage::new(&header, body)
}

proptest! {
    #[test]
    fn linked_messages_are_found_again(
        sizes in prop::collection::vec(prop::collection::vec(0..3000_usize, 0..3), 1..6),
    ) {
        let bodies: Vec<ReadResponse> = sizes
            .iter()
            .map(|pieces| ReadResponse {
                data: pieces.iter().map(|size| vec![7; *size].into()).collect(),
                data_remaining: 0,
            })
            .collect();
        let mut responses: Vec<OutgoingMessage> = bodies.iter().map(response).collect();
        link(&mut responses);
        let lengths: Vec<usize> = responses.iter().map(OutgoingMessage::length).collect();
        let frame: Vec<u8> = responses.into_iter().flat_map(OutgoingMessage::into_contiguous).collect();
        let messages: Vec<Message> = Compound::decode(frame.into(), 6).unwrap().collect();
        prop_assert_eq!(messages.iter().map(|message| message.bytes.len()).collect::<Vec<_>>(), lengths);
    }

    #[test]
    fn compound_of_any_bytes_stays_inside(
        nexts in prop::collection::vec(
            prop_oneof![Just(0_u32), (0..30_u32).prop_map(|eights| eights * 8), any::<u32>()],
            1..6,
        ),
        cut in 0..600_usize,
    ) {
        let mut bytes: Vec<u8> = nexts.iter().flat_map(|next| message(80, *next)).collect();
        bytes.truncate(cut);
        let length = bytes.len();
        if let Ok(messages) = Compound::decode(bytes.into(), 4) {
            let lengths: Vec<usize> = messages.map(|message| message.bytes.len()).collect();
            prop_assert!(lengths.len() <= 4);
            prop_assert_eq!(lengths.iter().sum::<usize>(), length);
        }
    }
}
