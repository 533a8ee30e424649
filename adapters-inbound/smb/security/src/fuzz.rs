//! One function for each decoder of bytes from a client, for a fuzzer to call. None may panic, whatever the bytes.

use std::sync::Arc;

use bytes::BytesMut;

use crate::{
    FileTime, NtHash, SessionKey,
    keys::KeyDerivation,
    ntlm::{self, Logon, TargetNames},
    preauth::PreauthHash,
    sealing::{Cipher, Opener, TransformHeader},
    spnego::{Acceptor, Step, neg_token_init::NegTokenInit, neg_token_resp::NegTokenResp},
};

/// A NEGOTIATE_MESSAGE that the server takes, whose sender asks for everything.
const NEGOTIATE: &[u8] = b"NTLMSSP\0\x01\0\0\0\xb7\x82\x08\xe2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// The client's first message of NTLM.
pub fn ntlm_negotiate(message: &[u8]) {
    if let Some(names) = names() {
        let _ = ntlm::challenge(message, &names, [7; 8], FileTime(0));
    }
}

/// The client's second message of NTLM, and the check of a password.
pub fn ntlm_authenticate(message: &[u8]) {
    let exchange = names().and_then(|names| ntlm::challenge(NEGOTIATE, &names, [7; 8], FileTime(0)).ok());
    if let Some(Ok(Logon::User(authentication))) = exchange.map(|exchange| exchange.respond(message)) {
        let _ = authentication.verify(Some(&NtHash::from_bytes([7; 16])));
    }
}

/// The first token of SPNEGO.
pub fn spnego_init(token: &[u8]) {
    let _ = NegTokenInit::decode(token);
    if let Some(names) = names() {
        let _ = Acceptor::new(Arc::new(names), [7; 8], FileTime(0)).step(token);
    }
}

/// A later token of SPNEGO, as the answer to a challenge.
pub fn spnego_resp(token: &[u8]) {
    let _ = NegTokenResp::decode(token);
    let Some(names) = names() else { return };
    let mut acceptor = Acceptor::new(Arc::new(names), [7; 8], FileTime(0));
    let offer = crate::spnego::negotiate_token(&[crate::spnego::Mechanism::Ntlm]);
    let challenged = acceptor.step(&offer).and_then(|_| {
        let negotiate = NegTokenResp { token: Some(NEGOTIATE), ..NegTokenResp::default() };
        acceptor.step(&negotiate.encode())
    });
    if challenged.is_ok()
        && let Ok(Step::Identify(pending)) = acceptor.step(token)
    {
        let _ = pending.finish(Some(&NtHash::from_bytes([7; 16])));
    }
}

/// An encrypted message.
pub fn transform(frame: &[u8]) {
    let hash = PreauthHash::new();
    for cipher in [Cipher::Aes128Ccm, Cipher::Aes128Gcm, Cipher::Aes256Ccm, Cipher::Aes256Gcm] {
        let session_id = TransformHeader::decode(frame).map_or(0, |header| header.session_id);
        let keys = KeyDerivation::Smb311(&hash).cipher_keys(&SessionKey::new(&[7; 16]), cipher);
        if let Some(Ok(opener)) = keys.map(|keys| Opener::new(keys.client_to_server, session_id)) {
            let _ = opener.open(BytesMut::from(frame));
        }
    }
}

fn names() -> Option<TargetNames> {
    TargetNames::standalone("fuzz").ok()
}

#[cfg(test)]
mod tests;
