//! The response of a client that claims to be a user.

use rc4::StreamCipher;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{
    authenticate_message::{AuthenticateMessage, MIC_LENGTH, MIC_OFFSET, Response},
    exchange::Exchange,
    flags, message,
    response::{hmac_md5, proof, response_key, session_base_key},
    session_security::{SessionSecurity, rc4},
};
use crate::{NtHash, Refusal, SessionKey};

/// Who a client says it is. Nothing of it is proved before [`Authentication::verify`], and the workstation never is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The user's name, as sent.
    pub user: String,
    /// The domain that the user is of, as sent; often empty, or the name of the server or of the client's machine.
    pub domain: String,
    /// The name of the client's machine.
    pub workstation: String,
}

/// The response of a client that claims to be a user: all that is needed to check it, once the hash of the user's
/// password is known.
pub struct Authentication {
    identity: Identity,
    /// The user's name, in UTF-16LE as sent.
    user: Vec<u8>,
    /// The domain, in UTF-16LE as sent.
    domain: Vec<u8>,
    server_challenge: [u8; 8],
    proof: [u8; 16],
    covered: Vec<u8>,
    key_exchange: Option<[u8; 16]>,
    flags: u32,
    integrity: Option<Integrity>,
}

/// An integrity code, and what it covers: the three messages, the last of them with zeros in place of the code.
struct Integrity {
    code: [u8; MIC_LENGTH],
    messages: Vec<u8>,
}

/// A user whose password was proved.
pub struct Verified {
    /// The key that both sides have now (ExportedSessionKey).
    pub session_key: SessionKey,
    /// What signs in the name of this session.
    pub security: SessionSecurity,
}

impl Authentication {
    pub(super) fn new(
        exchange: &Exchange,
        authenticate: &[u8],
        message: &AuthenticateMessage<'_>,
        response: &Response<'_>,
    ) -> Result<Self, Refusal> {
        let flags = exchange.flags & message.flags;
        let integrity = match message.mic(response)? {
            Some(code) => Some(Integrity { code, messages: covered_messages(exchange, authenticate)? }),
            None => None,
        };
        Ok(Self {
            identity: Identity {
                user: message::text(message.user)?,
                domain: message::text(message.domain)?,
                workstation: message::text(message.workstation)?,
            },
            user: message.user.to_vec(),
            domain: message.domain.to_vec(),
            server_challenge: exchange.server_challenge,
            proof: response.proof,
            covered: response.covered.to_vec(),
            key_exchange: key_exchange(flags, message.encrypted_session_key)?,
            flags,
            integrity,
        })
    }

    /// Who the client says it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Decides whether the client knows the password (MS-NLMP 3.2.5.1.2). `hash` is that of the user's password, or
    /// nothing if there is no such user. The work is the same then, so that the time does not tell which users exist.
    ///
    /// # Errors
    /// [`Refusal::Credentials`] if there is no such user or the password is wrong. [`Refusal::Integrity`] if the
    /// password is right, but a message was changed on its way.
    pub fn verify(self, hash: Option<&NtHash>) -> Result<Verified, Refusal> {
        let dummy = NtHash::from_bytes([0; 16]);
        let response_key = response_key(hash.unwrap_or(&dummy), &self.user, &self.domain);
        let expected = proof(&response_key, self.server_challenge, &self.covered);
        let is_known = Choice::from(u8::from(hash.is_some()));
        if !bool::from(expected.ct_eq(&self.proof) & is_known) {
            return Err(Refusal::Credentials);
        }

        let mut session_key = session_base_key(&response_key, &self.proof);
        if let Some(encrypted) = self.key_exchange {
            let mut exchanged = Zeroizing::new(encrypted);
            rc4(&session_key).apply_keystream(exchanged.as_mut_slice());
            session_key = exchanged;
        }
        if let Some(Integrity { code, messages }) = self.integrity
            && !bool::from(hmac_md5(&session_key, &[&messages]).ct_eq(&code))
        {
            return Err(Refusal::Integrity);
        }
        Ok(Verified {
            session_key: SessionKey::new(session_key.as_slice()),
            security: SessionSecurity::new(session_key, self.flags),
        })
    }
}

/// The encrypted key, if the client chose the session key. MS-NLMP has it do so only if signing or sealing was
/// negotiated, too; some clients do so without.
pub(super) fn key_exchange(flags: u32, encrypted_session_key: &[u8]) -> Result<Option<[u8; 16]>, Refusal> {
    if flags & flags::KEY_EXCHANGE == 0 {
        return Ok(None);
    }
    match encrypted_session_key {
        [] if flags & (flags::SIGN | flags::SEAL) == 0 => Ok(None),
        key => key.try_into().map(Some).map_err(|_| Refusal::Malformed),
    }
}

/// What an integrity code covers.
fn covered_messages(exchange: &Exchange, authenticate: &[u8]) -> Result<Vec<u8>, Refusal> {
    let (before, rest) = authenticate.split_at_checked(MIC_OFFSET).ok_or(Refusal::Malformed)?;
    let after = rest.get(MIC_LENGTH..).ok_or(Refusal::Malformed)?;
    Ok([&exchange.negotiate, &exchange.challenge, before, &[0; MIC_LENGTH], after].concat())
}
