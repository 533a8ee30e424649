use std::sync::Arc;

use proptest::prelude::*;

use super::super::{initiator::Initiator, neg_token_init::NegTokenInit, neg_token_resp::NegTokenResp, *};
use crate::{
    FileTime, NtHash, Refusal,
    ntlm::{TargetNames, client::Client},
};

const KERBEROS_FIRST: [Mechanism; 4] =
    [Mechanism::MicrosoftKerberos, Mechanism::Kerberos, Mechanism::NegoEx, Mechanism::Ntlm];

fn acceptor() -> Acceptor {
    Acceptor::new(Arc::new(TargetNames::standalone("server.example.org").unwrap()), [1; 8], FileTime(77))
}

fn client() -> Client {
    Client::new("user", "DOMAIN", "password")
}

fn reply(step: Step) -> Vec<u8> {
    match step {
        Step::Continue(reply) => reply.to_vec(),
        Step::Identify(_) | Step::Anonymous { .. } => panic!("the exchange goes on"),
    }
}

fn identified(step: Step) -> Pending {
    match step {
        Step::Identify(pending) => *pending,
        Step::Continue(_) | Step::Anonymous { .. } => panic!("a user"),
    }
}

fn password_hash() -> Option<NtHash> {
    Some(NtHash::of_password("password"))
}

/// All tokens of a client up to its response, and what the server makes of that.
fn exchange(initiator: &mut Initiator, other_token: Option<&[u8]>) -> (Vec<u8>, Pending) {
    let mut acceptor = acceptor();
    let mut token = initiator.first(other_token);
    loop {
        match acceptor.step(&token).unwrap() {
            Step::Continue(reply) => token = initiator.next(&reply, [2; 8], [3; 16]).unwrap(),
            Step::Identify(pending) => return (token, *pending),
            Step::Anonymous { .. } => panic!("a user"),
        }
    }
}

#[test]
fn preferred_ntlm_takes_two_tokens() {
    let mut initiator = Initiator::new(client(), &[Mechanism::Ntlm]);
    let (_, pending) = exchange(&mut initiator, None);
    assert_eq!(pending.identity().user, "user");
    let accepted = pending.finish(password_hash().as_ref()).unwrap();
    assert_eq!(initiator.finish(&accepted.reply).unwrap().full(), accepted.session_key.full());
}

#[test]
fn other_mechanism_is_passed_over() {
    for other_token in [None, Some(&b"a ticket"[..])] {
        let mut initiator = Initiator::new(client(), &KERBEROS_FIRST);
        let first = reply(acceptor().step(&initiator.first(other_token)).unwrap());
        let first = NegTokenResp::decode(&first).unwrap();
        assert_eq!((first.state, first.mechanism, first.token), (Some(3), Some(Mechanism::Ntlm), None));
        let (_, pending) = exchange(&mut initiator, other_token);
        let accepted = pending.finish(password_hash().as_ref()).unwrap();
        assert_eq!(initiator.finish(&accepted.reply).unwrap().full(), accepted.session_key.full());
    }
}

#[test]
fn missing_integrity_code_over_the_mechanisms_is_refused_after_a_fallback_only() {
    for (mechanisms, expected) in [(&[Mechanism::Ntlm][..], None), (&KERBEROS_FIRST, Some(Refusal::Integrity))] {
        let mut initiator = Initiator::new(client(), mechanisms);
        let mut acceptor = acceptor();
        let mut token = initiator.first(None);
        let pending = loop {
            let resp = NegTokenResp::decode(&token);
            let stripped = resp.map(|resp| NegTokenResp { mic: None, ..resp }.encode()).unwrap_or(token.clone());
            match acceptor.step(&stripped).unwrap() {
                Step::Continue(reply) => token = initiator.next(&reply, [2; 8], [3; 16]).unwrap(),
                other => break identified(other),
            }
        };
        let finished = pending.finish(password_hash().as_ref());
        assert_eq!(finished.as_ref().err().copied(), expected);
        if let Ok(accepted) = finished {
            assert_eq!(NegTokenResp::decode(&accepted.reply).unwrap().mic, None);
        }
    }
}

#[test]
fn removed_mechanisms_are_noticed() {
    // An attacker takes Kerberos off the client's list, so that the server sees a client that prefers NTLM.
    let mut initiator = Initiator::new(client(), &KERBEROS_FIRST);
    let mut acceptor = acceptor();
    let forged = neg_token_init::encode(&[Mechanism::Ntlm], None);
    let challenge = reply(acceptor.step(&forged).unwrap());
    let negotiate = initiator.next(&challenge, [2; 8], [3; 16]).unwrap();
    let challenge = reply(acceptor.step(&negotiate).unwrap());
    let response = initiator.next(&challenge, [2; 8], [3; 16]).unwrap();
    let pending = identified(acceptor.step(&response).unwrap());
    assert_eq!(pending.finish(password_hash().as_ref()).err(), Some(Refusal::Integrity));
}

#[test]
fn ntlm_without_envelope_is_answered_without_envelope() {
    let client = client();
    let mut acceptor = acceptor();
    let challenge = reply(acceptor.step(&client.negotiate()).unwrap());
    let responded = client.respond(&challenge, [2; 8], [3; 16]).unwrap();
    let pending = identified(acceptor.step(&responded.message).unwrap());
    assert!(pending.guest_reply().is_empty());
    let accepted = pending.finish(password_hash().as_ref()).unwrap();
    assert!(accepted.reply.is_empty());
    assert_eq!(accepted.session_key.full(), responded.session_key.full());
}

#[test]
fn token_without_the_outer_envelope_is_read() {
    let first = Initiator::new(client(), &[Mechanism::Ntlm]).first(None);
    // 0x60, a length of one byte, the identifier of SPNEGO, and then the token itself.
    let inner = &first[2 + 8..];
    assert_eq!(NegTokenInit::decode(inner).unwrap().mechanisms, [Mechanism::Ntlm]);
    assert!(acceptor().step(inner).is_ok());
}

#[test]
fn client_without_ntlm_is_refused() {
    let first = Initiator::new(client(), &[Mechanism::Kerberos]).first(Some(b"a ticket"));
    assert_eq!(acceptor().step(&first).err(), Some(Refusal::NoCommonMechanism));
}

#[test]
fn anonymous_client_gets_a_reply_without_integrity_code() {
    let client = client();
    let mut acceptor = acceptor();
    let first = Initiator::new(client.clone(), &[Mechanism::Ntlm]).first(None);
    acceptor.step(&first).unwrap();
    let message = client.respond_anonymously();
    let token = NegTokenResp { token: Some(&message), ..NegTokenResp::default() }.encode();
    let Step::Anonymous { reply } = acceptor.step(&token).unwrap() else { panic!("anonymous") };
    let reply = NegTokenResp::decode(&reply).unwrap();
    assert_eq!(reply, NegTokenResp { state: Some(0), ..NegTokenResp::default() });
}

#[test]
fn exchange_ends_with_the_first_response() {
    let mut initiator = Initiator::new(client(), &[Mechanism::Ntlm]);
    let mut acceptor = acceptor();
    let challenge = reply(acceptor.step(&initiator.first(None)).unwrap());
    let response = initiator.next(&challenge, [2; 8], [3; 16]).unwrap();
    assert!(acceptor.step(&response).is_ok());
    assert_eq!(acceptor.step(&response).err(), Some(Refusal::OutOfSequence));
}

#[test]
fn exchange_ends_with_the_first_error() {
    let mut acceptor = acceptor();
    let first = Initiator::new(client(), &[Mechanism::Ntlm]).first(None);
    assert_eq!(acceptor.step(b"nonsense").err(), Some(Refusal::Malformed));
    assert_eq!(acceptor.step(&first).err(), Some(Refusal::OutOfSequence));
}

#[test]
fn token_that_repeats_the_first_is_refused() {
    let mut acceptor = acceptor();
    let first = Initiator::new(client(), &[Mechanism::Ntlm]).first(None);
    acceptor.step(&first).unwrap();
    assert_eq!(acceptor.step(&first).err(), Some(Refusal::Malformed));
}

#[test]
fn unknown_user_and_wrong_password_look_alike() {
    for hash in [None, Some(NtHash::of_password("Password"))] {
        let (_, pending) = exchange(&mut Initiator::new(client(), &[Mechanism::Ntlm]), None);
        assert_eq!(pending.finish(hash.as_ref()).err(), Some(Refusal::Credentials));
    }
}

proptest! {
    #[test]
    fn changed_response_is_refused_or_harmless(at: usize, change in 1_u8.., is_first: bool) {
        let mut initiator = Initiator::new(client(), &KERBEROS_FIRST);
        let mut acceptor = acceptor();
        let mut first = initiator.first(Some(b"a ticket"));
        if is_first {
            let at = at % first.len();
            first[at] ^= change;
        }
        let Ok(step) = acceptor.step(&first) else { return Ok(()) };
        let negotiate = initiator.next(&reply(step), [2; 8], [3; 16]);
        let Ok(negotiate) = negotiate else { return Ok(()) };
        let Ok(step) = acceptor.step(&negotiate) else { return Ok(()) };
        let mut response = initiator.next(&reply(step), [2; 8], [3; 16]).unwrap();
        if !is_first {
            let at = at % response.len();
            response[at] ^= change;
        }
        let Ok(Step::Identify(pending)) = acceptor.step(&response) else { return Ok(()) };
        if let Ok(accepted) = pending.finish(password_hash().as_ref()) {
            prop_assert_eq!(&accepted.identity.user, "user");
            prop_assert_eq!(&accepted.identity.domain, "DOMAIN");
            prop_assert_eq!(accepted.session_key.full(), [3; 16]);
        }
    }
}
