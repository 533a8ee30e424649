use bytes::Bytes;

use super::*;
use crate::cursor::Writer;
use crate::pdu::SyntaxId;

const NDR32: SyntaxId = Syntax::Ndr32.id();
const NDR64: SyntaxId = Syntax::Ndr64.id();
const FEATURES: SyntaxId = SyntaxId::new(0x6cb7_1c2c, 0x9812, 0x4540, [3, 0, 0, 0, 0, 0, 0, 0], 1);
const ACCEPTED: (u16, u16) = (0, 0);
const NO_INTERFACE: (u16, u16) = (2, 1);
const NO_SYNTAX: (u16, u16) = (2, 2);
const LIMIT: (u16, u16) = (2, 3);

fn header(packet_type: u8, flags: u8, call_id: u32) -> Header {
    Header { version: [5, 0], packet_type, flags, representation: 0x10, fragment_bytes: 16, auth_bytes: 0, call_id }
}

/// The body of a bind or alter_context that proposes these syntaxes under these numbers.
fn proposals(interface: Interface, elements: &[(u16, &[SyntaxId])]) -> Bytes {
    let mut writer = Writer::default();
    writer.u16(4_280);
    writer.u16(4_280);
    writer.u32(0);
    writer.u32(u32::try_from(elements.len()).unwrap());
    for (context_id, syntaxes) in elements {
        writer.u16(*context_id);
        writer.u16(u16::try_from(syntaxes.len()).unwrap());
        interface.id().write(&mut writer);
        syntaxes.iter().for_each(|syntax| syntax.write(&mut writer));
    }
    writer.into_bytes().freeze()
}

fn request(context_id: u16, opnum: u16) -> Bytes {
    let mut writer = Writer::default();
    writer.u32(0);
    writer.u16(context_id);
    writer.u16(opnum);
    writer.into_bytes().freeze()
}

/// Result and reason of each element of a bind_ack or alter_context_resp.
fn results(answer: &Answer, packet_type: u8) -> Vec<(u16, u16)> {
    assert!(!answer.closes);
    let bytes = &answer.fragments[0];
    assert_eq!(bytes[2], packet_type);
    let address = usize::from(bytes[24]);
    let (elements, _) = bytes[(26 + address).next_multiple_of(4) + 4..].as_chunks::<24>();
    elements.iter().map(|e| (u16::from_le_bytes([e[0], e[1]]), u16::from_le_bytes([e[2], e[3]]))).collect()
}

fn server() -> Server {
    Server::new("server", "domain")
}

fn bind(association: &mut Association, elements: &[(u16, &[SyntaxId])]) -> Vec<(u16, u16)> {
    let body = proposals(Interface::ServerService, elements);
    results(&association.receive(header(packet_type::BIND, 3, 1), body, &server()), packet_type::BIND_ACK)
}

fn alter(association: &mut Association, elements: &[(u16, &[SyntaxId])]) -> Answer {
    let body = proposals(Interface::ServerService, elements);
    association.receive(header(packet_type::ALTER_CONTEXT, 3, 2), body, &server())
}

fn bound() -> Association {
    let mut association = Association::new(Interface::ServerService);
    assert_eq!(bind(&mut association, &[(0, &[NDR32])]), [ACCEPTED]);
    association
}

/// The status of a fault, and whether it ends the association.
fn fault_of(answer: &Answer) -> (u32, bool) {
    let bytes = &answer.fragments[0];
    assert_eq!(bytes[2], packet_type::FAULT);
    (u32::from_le_bytes(bytes[24..28].try_into().unwrap()), answer.closes)
}

/// The reason of a bind_nak.
fn rejection_of(answer: &Answer) -> u8 {
    assert!(answer.closes);
    assert_eq!(answer.fragments[0][2], packet_type::BIND_NAK);
    answer.fragments[0][16]
}

#[test]
fn one_proposal_is_accepted_at_most_and_ndr32_first() {
    type Case = (&'static [(u16, &'static [SyntaxId])], &'static [(u16, u16)]);
    let cases: &[Case] = &[
        (&[(0, &[NDR32])], &[ACCEPTED]),
        (&[(0, &[NDR64])], &[ACCEPTED]),
        (&[(0, &[NDR32]), (1, &[NDR64]), (2, &[FEATURES])], &[ACCEPTED, NO_SYNTAX, (3, 2)]),
        (&[(0, &[NDR64]), (1, &[NDR32])], &[NO_SYNTAX, ACCEPTED]),
        (&[(0, &[NDR64, NDR32])], &[ACCEPTED]),
        (&[(0, &[FEATURES]), (1, &[NDR64])], &[(3, 2), ACCEPTED]),
        (&[(0, &[SyntaxId::NONE])], &[NO_SYNTAX]),
    ];
    for (elements, expected) in cases {
        assert_eq!(bind(&mut Association::new(Interface::ServerService), elements), *expected, "{elements:?}");
    }
}

#[test]
fn an_interface_that_the_pipe_does_not_lead_to_is_refused() {
    let body = proposals(Interface::ServerService, &[(0, &[NDR32])]);
    let answer =
        Association::new(Interface::WorkstationService).receive(header(packet_type::BIND, 3, 1), body, &server());
    assert_eq!(results(&answer, packet_type::BIND_ACK), [NO_INTERFACE]);
}

#[test]
fn a_bind_without_a_choice_is_rejected() {
    for elements in [&[][..], &[(0, &[][..])], &[(0, &[FEATURES][..]), (1, &[FEATURES][..])]] {
        let body = proposals(Interface::ServerService, elements);
        let answer =
            Association::new(Interface::ServerService).receive(header(packet_type::BIND, 3, 1), body, &server());
        assert_eq!(rejection_of(&answer), 0);
    }
}

#[test]
fn nothing_but_a_bind_opens_an_association() {
    let old = Header { version: [4, 0], ..header(packet_type::BIND, 3, 1) };
    let body = proposals(Interface::ServerService, &[(0, &[NDR32])]);
    for header in [header(packet_type::REQUEST, 3, 1), header(packet_type::ALTER_CONTEXT, 3, 1), old] {
        let answer = Association::new(Interface::ServerService).receive(header, body.clone(), &server());
        assert_eq!(rejection_of(&answer), 4);
    }
    let signed = Header { auth_bytes: 16, ..header(packet_type::BIND, 3, 1) };
    let answer = Association::new(Interface::ServerService).receive(signed, body, &server());
    assert_eq!(rejection_of(&answer), 8);
}

#[test]
fn a_second_bind_is_rejected() {
    let body = proposals(Interface::ServerService, &[(0, &[NDR32])]);
    assert_eq!(rejection_of(&bound().receive(header(packet_type::BIND, 3, 2), body, &server())), 0);
}

#[test]
fn contexts_are_added_up_to_a_limit_and_keep_their_syntax() {
    let mut association = bound();
    for context_id in 1..16 {
        let answer = alter(&mut association, &[(context_id, &[NDR64])]);
        assert_eq!(results(&answer, packet_type::ALTER_CONTEXT_RESP), [ACCEPTED]);
    }
    assert_eq!(results(&alter(&mut association, &[(16, &[NDR64])]), packet_type::ALTER_CONTEXT_RESP), [LIMIT]);
    assert_eq!(results(&alter(&mut association, &[(3, &[NDR64])]), packet_type::ALTER_CONTEXT_RESP), [ACCEPTED]);
    let features = alter(&mut association, &[(16, &[FEATURES])]);
    assert_eq!(results(&features, packet_type::ALTER_CONTEXT_RESP), [NO_SYNTAX]);
    assert_eq!(fault_of(&alter(&mut association, &[(3, &[NDR32])])), (Fault::PROTO_ERROR.status, true));
}

#[test]
fn a_call_on_an_unknown_context_is_a_fault() {
    let answer = bound().receive(header(packet_type::REQUEST, 3, 2), request(1, 15), &server());
    assert_eq!(fault_of(&answer), (Fault::UNK_IF.status, false));
}

#[test]
fn a_call_of_an_unknown_procedure_is_a_fault() {
    let answer = bound().receive(header(packet_type::REQUEST, 3, 2), request(0, 14), &server());
    assert_eq!(fault_of(&answer), (Fault::OP_RNG_ERROR.status, false));
}

#[test]
fn fragments_of_calls_do_not_interleave() {
    let server = server();
    for (flags, call_id) in [(1, 3), (0, 3), (1, 2)] {
        let mut association = bound();
        assert!(association.receive(header(packet_type::REQUEST, 1, 2), request(0, 15), &server).fragments.is_empty());
        let answer = association.receive(header(packet_type::REQUEST, flags, call_id), request(0, 15), &server);
        assert_eq!(fault_of(&answer), (Fault::PROTO_ERROR.status, true));
        assert_eq!(answer.fragments[0][12], 2, "the call that was begun first is the one that fails");
    }
    let answer = bound().receive(header(packet_type::REQUEST, 2, 2), request(0, 15), &server);
    assert_eq!(fault_of(&answer), (Fault::PROTO_ERROR.status, true));
}

#[test]
fn a_cancel_changes_nothing() {
    let mut association = bound();
    for packet_type in [packet_type::CO_CANCEL, packet_type::ORPHANED] {
        let answer = association.receive(header(packet_type, 3, 2), Bytes::new(), &server());
        assert!(answer.fragments.is_empty() && !answer.closes);
    }
    let answer = association.receive(header(packet_type::REQUEST, 3, 2), request(0, 99), &server());
    assert_eq!(fault_of(&answer), (Fault::OP_RNG_ERROR.status, false));
}

#[test]
fn what_only_a_server_sends_ends_the_association() {
    for packet_type in [packet_type::RESPONSE, packet_type::FAULT, packet_type::BIND_ACK, 16, 17, 200] {
        let answer = bound().receive(header(packet_type, 3, 2), request(0, 15), &server());
        assert_eq!(fault_of(&answer), (Fault::PROTO_ERROR.status, true));
    }
}

#[test]
fn a_signed_call_ends_the_association() {
    let signed = Header { auth_bytes: 16, ..header(packet_type::REQUEST, 3, 2) };
    assert_eq!(fault_of(&bound().receive(signed, request(0, 15), &server())), (Fault::ACCESS_DENIED.status, true));
}
