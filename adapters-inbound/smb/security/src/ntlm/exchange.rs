//! An exchange whose challenge was made.

use super::{
    authenticate_message::AuthenticateMessage, authentication::Authentication, av_pairs::AvPairs, challenge_message,
    flags, negotiate_message, target_names::TargetNames,
};
use crate::{FileTime, Refusal};

/// Answers the client's first message (MS-NLMP 3.2.5.1.1).
///
/// `server_challenge` must be random, and is used once only: who knows it beforehand can prepare responses.
///
/// # Errors
/// If the message cannot be read, or the client does not support Unicode.
pub fn challenge(
    negotiate: &[u8],
    names: &TargetNames,
    server_challenge: [u8; 8],
    now: FileTime,
) -> Result<Exchange, Refusal> {
    let flags = flags::of_challenge(negotiate_message::decode(negotiate)?);
    let target_info = names.target_info(now);
    let challenge = challenge_message::encode(flags, names.netbios_computer(), server_challenge, &target_info);
    Ok(Exchange { negotiate: negotiate.to_vec(), challenge, server_challenge, target_info, flags })
}

/// An exchange that waits for the client's response. It takes one only: a second try needs a new challenge.
pub struct Exchange {
    pub(super) negotiate: Vec<u8>,
    pub(super) challenge: Vec<u8>,
    pub(super) server_challenge: [u8; 8],
    pub(super) target_info: Vec<u8>,
    pub(super) flags: u32,
}

/// Who a client says it is.
pub enum Logon {
    /// Nobody: an anonymous session. There is no password to check, and no key.
    Anonymous,
    /// A user, who must prove it.
    User(Box<Authentication>),
}

impl Exchange {
    /// The message to send: a CHALLENGE_MESSAGE.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.challenge
    }

    /// Reads the client's response.
    ///
    /// # Errors
    /// If the message cannot be read, if the response is of an obsolete kind, or if it was made for another server.
    pub fn respond(self, authenticate: &[u8]) -> Result<Logon, Refusal> {
        let message = AuthenticateMessage::decode(authenticate)?;
        if message.is_anonymous() {
            return Ok(Logon::Anonymous);
        }
        let response = message.response()?;
        if !response.pairs.contain(AvPairs::parse(&self.target_info)?) {
            return Err(Refusal::ForeignTarget);
        }
        Ok(Logon::User(Box::new(Authentication::new(&self, authenticate, &message, &response)?)))
    }
}

#[cfg(test)]
impl Exchange {
    /// An exchange of another server, which waits for the response.
    pub(crate) fn of_messages(negotiate: Vec<u8>, challenge: Vec<u8>) -> Self {
        use super::message::{array_at, payload_at, u32_at};
        let (Ok(flags), Ok(server_challenge)) = (u32_at(&challenge, 20), array_at(&challenge, 24)) else {
            panic!("not a challenge")
        };
        let target_info = payload_at(&challenge, 40).map(|payload| payload.bytes.to_vec()).unwrap_or_default();
        Self { negotiate, challenge, server_challenge, target_info, flags }
    }
}
