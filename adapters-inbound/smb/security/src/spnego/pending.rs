//! A login whose user has yet to be looked up.

use bytes::Bytes;

use super::neg_token_resp::{NegState, NegTokenResp};
use crate::{
    NtHash, Refusal, Sender, SessionKey,
    ntlm::{Authentication, Identity, SessionSecurity},
};

/// What the messages of NTLM come in.
pub(crate) enum Envelope {
    /// Nothing.
    None,
    /// SPNEGO.
    Spnego {
        /// The client's list of mechanisms, as DER.
        mech_types: Vec<u8>,
        /// NTLM is the first of them.
        is_preferred: bool,
    },
}

impl Envelope {
    /// The last token, which tells of success.
    pub(crate) fn completed(&self, mic: Option<[u8; 16]>) -> Bytes {
        match self {
            Self::None => Bytes::new(),
            Self::Spnego { .. } => {
                let state = Some(NegState::AcceptCompleted as u8);
                let mic = mic.as_ref().map(<[u8; 16]>::as_slice);
                NegTokenResp { state, mic, ..NegTokenResp::default() }.encode().into()
            }
        }
    }

    /// Checks the client's integrity code over its list of mechanisms (RFC 4178 5), and makes the server's in turn.
    /// The client may leave out its code only if it got the mechanism that it prefers.
    fn check(&self, mic: Option<&[u8]>, security: &SessionSecurity) -> Result<Option<[u8; 16]>, Refusal> {
        match (self, mic) {
            (Self::None, _) | (Self::Spnego { is_preferred: true, .. }, None) => Ok(None),
            (Self::Spnego { is_preferred: false, .. }, None) => Err(Refusal::Integrity),
            (Self::Spnego { mech_types, .. }, Some(mic)) => {
                if !security.verify(Sender::Client, mech_types, mic) {
                    return Err(Refusal::Integrity);
                }
                Ok(security.signature(Sender::Server, mech_types))
            }
        }
    }
}

/// A login whose user has yet to be looked up.
pub struct Pending {
    authentication: Box<Authentication>,
    envelope: Envelope,
    mic: Option<Vec<u8>>,
}

/// A login that succeeded.
pub struct Accepted {
    /// Who logged in. The user and the domain are proved, the workstation is not.
    pub identity: Identity,
    /// The key of the session.
    pub session_key: SessionKey,
    /// The token to send with STATUS_SUCCESS, which is empty without SPNEGO.
    pub reply: Bytes,
}

impl Pending {
    pub(super) fn new(authentication: Box<Authentication>, envelope: Envelope, mic: Option<Vec<u8>>) -> Self {
        Self { authentication, envelope, mic }
    }

    /// Who the client says it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.authentication.identity()
    }

    /// The token to send if policy makes this user a guest without a look at the password. A guest's session has no
    /// key.
    #[must_use]
    pub fn guest_reply(&self) -> Bytes {
        self.envelope.completed(None)
    }

    /// Decides. `hash` is that of the user's password, or nothing if there is no such user: that takes the same time
    /// as a wrong password, and looks the same.
    ///
    /// # Errors
    /// [`Refusal::Credentials`] if there is no such user or the password is wrong. [`Refusal::Integrity`] if the
    /// password is right, but a message was changed on its way, or an integrity code is missing.
    pub fn finish(self, hash: Option<&NtHash>) -> Result<Accepted, Refusal> {
        let identity = self.authentication.identity().clone();
        let verified = self.authentication.verify(hash)?;
        let mic = self.envelope.check(self.mic.as_deref(), &verified.security)?;
        Ok(Accepted { identity, session_key: verified.session_key, reply: self.envelope.completed(mic) })
    }
}
