use proptest::prelude::*;

use super::super::{client::Client, message::payload_at, *};
use crate::{FileTime, NtHash, Refusal, Sender};

const NOW: FileTime = FileTime(133_000_000_000_000_000);

fn names() -> TargetNames {
    TargetNames::standalone("server.example.org").unwrap()
}

fn challenge_of(client: &Client, server_challenge: [u8; 8]) -> Exchange {
    challenge(&client.negotiate(), &names(), server_challenge, NOW).unwrap()
}

/// What the server says to this response.
fn verify(exchange: Exchange, response: &[u8], password: Option<&str>) -> Result<Verified, Refusal> {
    match exchange.respond(response)? {
        Logon::User(authentication) => authentication.verify(password.map(NtHash::of_password).as_ref()),
        Logon::Anonymous => panic!("not anonymous"),
    }
}

fn any_client() -> impl Strategy<Value = Client> {
    (".{1,20}", ".{0,15}", "\\PC{0,20}", any::<bool>(), any::<bool>()).prop_map(
        |(user, domain, password, sends_integrity, exchanges_key)| Client {
            sends_integrity,
            exchanges_key,
            ..Client::new(&user, &domain, &password)
        },
    )
}

proptest! {
    #[test]
    fn right_password_is_accepted_and_both_sides_have_the_same_key(
        user in ".{1,20}",
        domain in ".{0,15}",
        password in ".{0,20}",
        sends_integrity: bool,
        exchanges_key: bool,
        challenges: [[u8; 8]; 2],
        random_key: [u8; 16],
    ) {
        let client = Client { sends_integrity, exchanges_key, ..Client::new(&user, &domain, &password) };
        let exchange = challenge_of(&client, challenges[0]);
        let responded = client.respond(exchange.message(), challenges[1], random_key).unwrap();
        let Logon::User(authentication) = exchange.respond(&responded.message).unwrap() else { panic!() };
        prop_assert_eq!(&authentication.identity().user, &user);
        prop_assert_eq!(&authentication.identity().domain, &domain);
        let verified = authentication.verify(Some(&NtHash::of_password(&password))).unwrap();
        prop_assert_eq!(verified.session_key.full(), responded.session_key.full());
        prop_assert_eq!(verified.session_key.full() == random_key, exchanges_key);
        let signature = responded.security.signature(Sender::Client, b"list").unwrap();
        prop_assert!(verified.security.verify(Sender::Client, b"list", &signature));
    }

    #[test]
    fn wrong_password_is_refused_with_and_without_integrity_code(
        client in any_client(),
        password in ".{0,20}",
        challenges: [[u8; 8]; 2],
    ) {
        let exchange = challenge_of(&client, challenges[0]);
        let responded = client.respond(exchange.message(), challenges[1], [5; 16]).unwrap();
        prop_assume!(NtHash::of_password(&password).as_bytes() != client.hash.as_bytes());
        let refused = verify(exchange, &responded.message, Some(&password)).err();
        prop_assert_eq!(refused, Some(Refusal::Credentials));
    }

    #[test]
    fn unknown_user_is_refused(client in any_client(), challenges: [[u8; 8]; 2]) {
        let exchange = challenge_of(&client, challenges[0]);
        let responded = client.respond(exchange.message(), challenges[1], [5; 16]).unwrap();
        prop_assert_eq!(verify(exchange, &responded.message, None).err(), Some(Refusal::Credentials));
    }

    #[test]
    fn replayed_response_is_refused_under_another_challenge(client in any_client(), challenges: [[u8; 8]; 2]) {
        prop_assume!(challenges[0] != challenges[1]);
        let first = challenge_of(&client, challenges[0]);
        let responded = client.respond(first.message(), [1; 8], [5; 16]).unwrap();
        let second = challenge_of(&client, challenges[1]);
        let Logon::User(authentication) = second.respond(&responded.message).unwrap() else { panic!() };
        prop_assert_eq!(authentication.verify(Some(&client.hash)).err(), Some(Refusal::Credentials));
    }

    #[test]
    fn any_change_of_a_message_is_refused_if_there_is_an_integrity_code(
        which in 0_usize..3,
        at: usize,
        change in 1_u8..,
    ) {
        let client = Client::new("user", "DOMAIN", "password");
        let mut exchange = challenge_of(&client, [1; 8]);
        let mut message = client.respond(exchange.message(), [2; 8], [3; 16]).unwrap().message;
        let changed = match which {
            0 => &mut exchange.negotiate,
            1 => &mut exchange.challenge,
            _ => &mut message,
        };
        let at = at % changed.len();
        changed[at] ^= change;
        // Both sides read the message that they saw; the client's view of the first two is what the code covers.
        prop_assert!(verify(exchange, &message, Some("password")).is_err());
    }

    #[test]
    fn change_of_a_response_without_integrity_code_never_yields_another_user_or_response(
        at: usize,
        change in 1_u8..,
    ) {
        let client = Client { sends_integrity: false, ..Client::new("user", "DOMAIN", "password") };
        let exchange = challenge_of(&client, [1; 8]);
        let responded = client.respond(exchange.message(), [2; 8], [3; 16]).unwrap();
        let mut message = responded.message;
        let at = at % message.len();
        message[at] ^= change;
        let Ok(Logon::User(authentication)) = exchange.respond(&message) else { return Ok(()) };
        let identity = authentication.identity().clone();
        if authentication.verify(Some(&client.hash)).is_ok() {
            // The case of the user's name, the workstation, the choice of keys and unused fields are not protected.
            prop_assert_eq!(identity.user.to_uppercase(), "USER");
            prop_assert_eq!(identity.domain, "DOMAIN");
        }
    }
}

#[test]
fn client_that_takes_back_its_integrity_flag_must_still_know_the_password() {
    // A client without the password that says to have sent no code, so that there is none to check.
    let client = Client { sends_integrity: false, ..Client::new("user", "DOMAIN", "guess") };
    let exchange = challenge_of(&client, [1; 8]);
    let responded = client.respond(exchange.message(), [2; 8], [3; 16]).unwrap();
    assert_eq!(verify(exchange, &responded.message, Some("password")).err(), Some(Refusal::Credentials));

    // An attacker that clears the flag in the response of somebody else, and with it the code.
    let client = Client::new("user", "DOMAIN", "password");
    let exchange = challenge_of(&client, [1; 8]);
    let mut message = client.respond(exchange.message(), [2; 8], [3; 16]).unwrap().message;
    let flags = [6, 0, 4, 0, 2, 0, 0, 0];
    let at = message.windows(8).position(|bytes| bytes == flags).unwrap();
    message[at + 4] = 0;
    assert_eq!(verify(exchange, &message, Some("password")).err(), Some(Refusal::Credentials));
}

#[test]
fn wrong_integrity_code_is_refused_after_the_right_password() {
    let client = Client::new("user", "DOMAIN", "password");
    let exchange = challenge_of(&client, [1; 8]);
    let mut message = client.respond(exchange.message(), [2; 8], [3; 16]).unwrap().message;
    message[authenticate_message::MIC_OFFSET] ^= 1;
    assert_eq!(verify(exchange, &message, Some("password")).err(), Some(Refusal::Integrity));
}

#[test]
fn response_for_another_server_or_time_is_refused() {
    let client = Client::new("user", "DOMAIN", "password");
    let others = [
        (TargetNames::standalone("other.example.org").unwrap(), NOW),
        (TargetNames::new("SERVER", "SERVER", "server.example.org", "example.com").unwrap(), NOW),
        (names(), FileTime(NOW.0 + 1)),
    ];
    for (names, now) in others {
        let other = challenge(&client.negotiate(), &names, [1; 8], now).unwrap();
        let responded = client.respond(other.message(), [2; 8], [3; 16]).unwrap();
        let refused = verify(challenge_of(&client, [1; 8]), &responded.message, Some("password"));
        assert_eq!(refused.err(), Some(Refusal::ForeignTarget));
    }
}

#[test]
fn client_that_wants_to_be_nobody_is_anonymous() {
    let client = Client::new("", "", "");
    let logon = challenge_of(&client, [1; 8]).respond(&client.respond_anonymously());
    assert!(matches!(logon, Ok(Logon::Anonymous)));
}

#[test]
fn user_without_a_name_but_with_a_response_is_not_anonymous() {
    let client = Client::new("", "", "");
    let exchange = challenge_of(&client, [1; 8]);
    let responded = client.respond(exchange.message(), [2; 8], [3; 16]).unwrap();
    assert!(matches!(exchange.respond(&responded.message), Ok(Logon::User(_))));
}

#[test]
fn named_user_without_a_response_is_refused() {
    let client = Client::new("user", "", "");
    let exchange = challenge_of(&client, [1; 8]);
    let mut message = client.respond(exchange.message(), [2; 8], [3; 16]).unwrap().message;
    message[20..24].fill(0);
    assert_eq!(exchange.respond(&message).err(), Some(Refusal::ObsoleteResponse));
}

#[test]
fn challenge_grants_what_is_asked_for_and_no_more() {
    let mut negotiate = Client::new("user", "", "").negotiate();
    negotiate[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    let exchange = challenge(&negotiate, &names(), [1; 8], NOW).unwrap();
    assert_eq!(message::u32_at(exchange.message(), 20), Ok(0xe28a_8235));
    negotiate[12..16].copy_from_slice(&flags::UNICODE.to_le_bytes());
    let exchange = challenge(&negotiate, &names(), [1; 8], NOW).unwrap();
    assert_eq!(message::u32_at(exchange.message(), 20), Ok(0x0082_0201));
    assert!(payload_at(exchange.message(), 12).unwrap().bytes.is_empty());
    assert_eq!(exchange.message()[48..56], [0; 8]);
}

#[test]
fn client_without_unicode_is_refused() {
    let mut negotiate = Client::new("user", "", "").negotiate();
    negotiate[12] = 2;
    assert_eq!(challenge(&negotiate, &names(), [1; 8], NOW).err(), Some(Refusal::NoUnicode));
}

#[test]
fn messages_out_of_turn_are_refused() {
    let client = Client::new("user", "DOMAIN", "password");
    let exchange = challenge_of(&client, [1; 8]);
    let authenticate = client.respond(exchange.message(), [2; 8], [3; 16]).unwrap().message;
    assert_eq!(challenge(&authenticate, &names(), [1; 8], NOW).err(), Some(Refusal::OutOfSequence));
    assert_eq!(exchange.respond(&client.negotiate()).err(), Some(Refusal::OutOfSequence));
}

#[test]
fn key_exchange_without_signing_needs_no_key() {
    for (encrypted, expected) in
        [(&[][..], Ok(None)), (&[7; 16], Ok(Some([7; 16]))), (&[7; 15], Err(Refusal::Malformed))]
    {
        assert_eq!(authentication::key_exchange(flags::KEY_EXCHANGE, encrypted), expected);
    }
    let flags = flags::KEY_EXCHANGE | flags::SIGN;
    assert_eq!(authentication::key_exchange(flags, &[]), Err(Refusal::Malformed));
    assert_eq!(authentication::key_exchange(0, &[7; 16]), Ok(None));
}
