use super::super::{neg_token_init::NegTokenInit, neg_token_resp::NegTokenResp, pending::Envelope, *};
use crate::{
    NtHash, Refusal, hex,
    ntlm::{Exchange, Logon},
    windows_session as windows,
};

/// The server's view of Windows' own login, after the client's response.
fn pending() -> Pending {
    let init = windows::token_of_request(windows::SETUP_REQUEST_1);
    let init = NegTokenInit::decode(&init).unwrap();
    assert_eq!(init.mechanisms, [Mechanism::Ntlm]);
    let challenge = windows::token_of_response(windows::SETUP_RESPONSE_1);
    let challenge = NegTokenResp::decode(&challenge).unwrap();
    let exchange = Exchange::of_messages(init.mech_token.unwrap().to_vec(), challenge.token.unwrap().to_vec());
    let resp = windows::token_of_request(windows::SETUP_REQUEST_2);
    let resp = NegTokenResp::decode(&resp).unwrap();
    let Ok(Logon::User(authentication)) = exchange.respond(resp.token.unwrap()) else { panic!("not a user") };
    let envelope = Envelope::Spnego { mech_types: init.mech_types.to_vec(), is_preferred: true };
    Pending::new(authentication, envelope, resp.mic.map(<[u8]>::to_vec))
}

#[test]
fn login_of_windows_is_accepted_with_the_same_key_and_reply() {
    let pending = pending();
    let identity = pending.identity().clone();
    assert_eq!(identity.user, "administrator");
    assert_eq!(identity.domain, "SUT311");
    assert_eq!(identity.workstation, "DRIVER311");
    let accepted = pending.finish(Some(&NtHash::of_password(windows::PASSWORD))).unwrap();
    assert_eq!(accepted.identity, identity);
    assert_eq!(accepted.session_key.full(), hex::decode(windows::SESSION_KEY));
    assert_eq!(accepted.reply, windows::token_of_response(windows::SETUP_RESPONSE_2));
}

#[test]
fn login_of_windows_is_refused_with_another_password() {
    let refused = pending().finish(Some(&NtHash::of_password("Password02!")));
    assert_eq!(refused.err(), Some(Refusal::Credentials));
}

#[test]
fn tokens_are_written_as_windows_writes_them() {
    for token in [
        windows::token_of_response(windows::SETUP_RESPONSE_1),
        windows::token_of_request(windows::SETUP_REQUEST_2),
        windows::token_of_response(windows::SETUP_RESPONSE_2),
    ] {
        assert_eq!(NegTokenResp::decode(&token).unwrap().encode(), token);
    }
    let token = windows::token_of_request(windows::SETUP_REQUEST_1);
    let init = NegTokenInit::decode(&token).unwrap();
    assert_eq!(neg_token_init::encode(&init.mechanisms, init.mech_token), token);
}

#[test]
fn offer_of_windows_is_read() {
    let offer = hex::decode(windows::NEGOTIATE_RESPONSE)[0x80..][..0x140].to_vec();
    let init = NegTokenInit::decode(&offer).unwrap();
    assert_eq!(init.mechanisms, [Mechanism::NegoEx, Mechanism::Ntlm]);
}

#[test]
fn offer_has_the_hint_of_the_standard() {
    let expected = hex::decode(
        "604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa32a3028a0261b246e6f745f646566696e65645f696e
         5f5246433431373840706c656173655f69676e6f7265",
    );
    assert_eq!(negotiate_token(&[Mechanism::Ntlm]), expected);
}
