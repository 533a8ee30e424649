//! The server's login exchange.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    mechanism::Mechanism,
    neg_token_init::NegTokenInit,
    neg_token_resp::{NegState, NegTokenResp},
    pending::{Envelope, Pending},
};
use crate::{
    FileTime, Refusal,
    ntlm::{self, Exchange, Logon, TargetNames},
};

/// The server's side of one login exchange, token by token.
///
/// It takes tokens in the envelope of SPNEGO, and NTLM without one. An exchange ends with [`Step::Identify`],
/// [`Step::Anonymous`] or an error; after that every token is refused, so that each challenge is good for one try.
pub struct Acceptor {
    names: Arc<TargetNames>,
    server_challenge: [u8; 8],
    now: FileTime,
    state: State,
}

enum State {
    /// Nothing came yet.
    Start,
    /// NTLM is chosen, but none of its messages came yet.
    Chosen(Envelope),
    /// The challenge is sent.
    Challenged(Envelope, Exchange),
    /// Over.
    Ended,
}

/// What is next in an exchange.
pub enum Step {
    /// Send this token, with STATUS_MORE_PROCESSING_REQUIRED, and wait for the next.
    Continue(Bytes),
    /// Look up the password's hash of the user that [`Pending::identity`] names, and call [`Pending::finish`].
    Identify(Box<Pending>),
    /// The client asks for an anonymous session. If policy allows it, send this token. The session has no key.
    Anonymous {
        /// The token to send, which is empty without SPNEGO.
        reply: Bytes,
    },
}

impl Acceptor {
    /// An exchange in which nothing came yet. `server_challenge` must be random and used once only; `now` goes into
    /// the challenge.
    #[must_use]
    pub fn new(names: Arc<TargetNames>, server_challenge: [u8; 8], now: FileTime) -> Self {
        Self { names, server_challenge, now, state: State::Start }
    }

    /// Takes the client's next token.
    ///
    /// # Errors
    /// Any [`Refusal`] but [`Refusal::Credentials`]. The exchange is over then.
    pub fn step(&mut self, token: &[u8]) -> Result<Step, Refusal> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Start => self.start(token),
            State::Chosen(envelope) => {
                let resp = NegTokenResp::decode(token)?;
                let reply = NegTokenResp { state: Some(NegState::AcceptIncomplete as u8), ..NegTokenResp::default() };
                self.challenge(envelope, resp.token.ok_or(Refusal::Malformed)?, reply)
            }
            State::Challenged(Envelope::None, exchange) => Self::respond(Envelope::None, exchange, token, None),
            State::Challenged(envelope, exchange) => {
                let resp = NegTokenResp::decode(token)?;
                Self::respond(envelope, exchange, resp.token.ok_or(Refusal::Malformed)?, resp.mic)
            }
            State::Ended => Err(Refusal::OutOfSequence),
        }
    }

    fn start(&mut self, token: &[u8]) -> Result<Step, Refusal> {
        if ntlm::is_ntlm(token) {
            return self.challenge(Envelope::None, token, NegTokenResp::default());
        }
        let init = NegTokenInit::decode(token)?;
        if !init.mechanisms.contains(&Mechanism::Ntlm) {
            return Err(Refusal::NoCommonMechanism);
        }
        let is_preferred = init.mechanisms.first() == Some(&Mechanism::Ntlm);
        let envelope = Envelope::Spnego { mech_types: init.mech_types.to_vec(), is_preferred };
        let state = if is_preferred { NegState::AcceptIncomplete } else { NegState::RequestMic };
        let reply =
            NegTokenResp { state: Some(state as u8), mechanism: Some(Mechanism::Ntlm), ..NegTokenResp::default() };
        match init.mech_token {
            Some(token) if is_preferred => self.challenge(envelope, token, reply),
            _ => {
                self.state = State::Chosen(envelope);
                Ok(Step::Continue(reply.encode().into()))
            }
        }
    }

    /// Answers the first message of NTLM; the challenge goes into `reply`.
    fn challenge(&mut self, envelope: Envelope, negotiate: &[u8], reply: NegTokenResp<'_>) -> Result<Step, Refusal> {
        let exchange = ntlm::challenge(negotiate, &self.names, self.server_challenge, self.now)?;
        let token = match envelope {
            Envelope::None => exchange.message().to_vec(),
            Envelope::Spnego { .. } => NegTokenResp { token: Some(exchange.message()), ..reply }.encode(),
        };
        self.state = State::Challenged(envelope, exchange);
        Ok(Step::Continue(token.into()))
    }

    fn respond(
        envelope: Envelope,
        exchange: Exchange,
        authenticate: &[u8],
        mic: Option<&[u8]>,
    ) -> Result<Step, Refusal> {
        match exchange.respond(authenticate)? {
            Logon::Anonymous => Ok(Step::Anonymous { reply: envelope.completed(None) }),
            Logon::User(authentication) => {
                Ok(Step::Identify(Box::new(Pending::new(authentication, envelope, mic.map(<[u8]>::to_vec)))))
            }
        }
    }
}
