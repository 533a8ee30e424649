//! Messages of any content come back as they were, through the bytes: client to server and server to client.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use bytes::Bytes;
use dittofs_smb_wire::{Compound, Encode, Header, Message, OutgoingMessage, Request, Response, compound};
use proptest::prelude::*;

mod contexts;
mod fields;
mod requests;
mod responses;

fn sent(header: &Header, body: &impl Encode) -> Bytes {
    OutgoingMessage::new(header, body).into_contiguous().freeze()
}

/// The frame that a client or server would send for all these messages.
fn frame(messages: Vec<OutgoingMessage>) -> Bytes {
    messages.into_iter().flat_map(OutgoingMessage::into_contiguous).collect::<Vec<u8>>().into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn header_comes_back(header in fields::header()) {
        prop_assert_eq!(Header::decode(&header.encode()), Ok(header));
    }

    #[test]
    fn request_comes_back(header in fields::header(), request in requests::any_request()) {
        let header = Header { command: request.command(), ..header };
        let message = sent(&header, &request);
        prop_assert_eq!(Header::decode(&message), Ok(header));
        prop_assert_eq!(Request::decode(request.command(), &message), Ok(request));
    }

    #[test]
    fn response_comes_back((command, status, response) in responses::any_response()) {
        let header = Header::request(command, 1).response(status, 1);
        let message = sent(&header, &response);
        prop_assert_eq!(Response::decode(&header, &message), Ok(responses::joined(response)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn compound_of_requests_comes_back(requests in prop::collection::vec(requests::any_request(), 1..5)) {
        let mut messages: Vec<OutgoingMessage> = requests
            .iter()
            .map(|request| OutgoingMessage::new(&Header::request(request.command(), 1), request))
            .collect();
        compound::link(&mut messages);
        let decoded: Result<Vec<Request>, _> = Compound::decode(frame(messages), requests.len())
            .unwrap()
            .map(|Message { header, bytes }| Request::decode(header.command, &bytes))
            .collect();
        prop_assert_eq!(decoded, Ok(requests));
    }

    #[test]
    fn compound_of_responses_comes_back(responses in prop::collection::vec(responses::any_response(), 1..5)) {
        let mut messages: Vec<OutgoingMessage> = responses
            .iter()
            .map(|(command, status, body)| {
                OutgoingMessage::new(&Header::request(*command, 1).response(*status, 1), body)
            })
            .collect();
        compound::link(&mut messages);
        let decoded: Result<Vec<Response>, _> = Compound::decode(frame(messages), responses.len())
            .unwrap()
            .map(|Message { header, bytes }| Response::decode(&header, &bytes))
            .collect();
        let expected: Vec<Response> = responses.into_iter().map(|(.., body)| responses::joined(body)).collect();
        prop_assert_eq!(decoded, Ok(expected));
    }

    /// Damaged messages come nearer to a decoder's limits than random bytes do.
    #[test]
    fn damaged_request_is_survived(
        request in requests::any_request(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = sent(&Header::request(request.command(), 1), &request).to_vec();
        for (index, value) in damage {
            let body_length = bytes.len() - Header::SIZE;
            bytes[Header::SIZE + index.index(body_length)] = value;
        }
        let _ = Request::decode(request.command(), &bytes.clone().into());
        bytes.truncate(cut.index(bytes.len()));
        let _ = Request::decode(request.command(), &bytes.into());
    }

    #[test]
    fn damaged_response_is_survived(
        (command, status, response) in responses::any_response(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let header = Header::request(command, 1).response(status, 1);
        let mut bytes = sent(&header, &response).to_vec();
        for (index, value) in damage {
            let body_length = bytes.len() - Header::SIZE;
            bytes[Header::SIZE + index.index(body_length)] = value;
        }
        let _ = Response::decode(&header, &bytes.clone().into());
        bytes.truncate(cut.index(bytes.len()));
        let _ = Response::decode(&header, &bytes.into());
    }

    #[test]
    fn any_response_bytes_are_survived(
        (command, status, _) in responses::any_response(),
        structure_size in prop::sample::select(vec![2_u16, 4, 9, 16, 17, 24, 36, 44, 49, 60, 65, 89]),
        data in prop::collection::vec(prop_oneof![Just(0_u8), 0..24_u8, any::<u8>()], 0..200),
    ) {
        let mut bytes = vec![0; Header::SIZE];
        bytes.extend_from_slice(&structure_size.to_le_bytes());
        bytes.extend_from_slice(&data);
        let header = Header::request(command, 1).response(status, 1);
        let _ = Response::decode(&header, &bytes.into());
    }
}
