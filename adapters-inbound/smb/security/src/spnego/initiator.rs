//! The client's side, for tests and test clients.

use super::{
    mechanism::Mechanism,
    neg_token_init,
    neg_token_resp::{NegState, NegTokenResp},
};
use crate::{
    Refusal, Sender, SessionKey,
    ntlm::client::{Client, Responded},
};

/// The client's side of one login exchange.
pub struct Initiator {
    client: Client,
    mechanisms: Vec<Mechanism>,
    responded: Option<Responded>,
}

impl Initiator {
    /// A client that offers these mechanisms, in the order of its preference, though it only has NTLM.
    #[must_use]
    pub fn new(client: Client, mechanisms: &[Mechanism]) -> Self {
        Self { client, mechanisms: mechanisms.to_vec(), responded: None }
    }

    /// The first token. If NTLM is not the first mechanism, `other_token` stands for a token of the one that is.
    #[must_use]
    pub fn first(&self, other_token: Option<&[u8]>) -> Vec<u8> {
        let negotiate = self.client.negotiate();
        let is_preferred = self.mechanisms.first() == Some(&Mechanism::Ntlm);
        let token = if is_preferred { Some(negotiate.as_slice()) } else { other_token };
        neg_token_init::encode(&self.mechanisms, token)
    }

    /// Answers a token of the server. `client_challenge` and `random_key` are random bytes.
    ///
    /// # Errors
    /// If the token cannot be read.
    pub fn next(&mut self, token: &[u8], client_challenge: [u8; 8], random_key: [u8; 16]) -> Result<Vec<u8>, Refusal> {
        let Some(challenge) = NegTokenResp::decode(token)?.token else {
            let negotiate = self.client.negotiate();
            return Ok(NegTokenResp { token: Some(&negotiate), ..NegTokenResp::default() }.encode());
        };
        let responded = self.client.respond(challenge, client_challenge, random_key)?;
        let mic = responded.security.signature(Sender::Client, &neg_token_init::mech_types(&self.mechanisms));
        let mic = mic.as_ref().map(<[u8; 16]>::as_slice);
        let reply = NegTokenResp { token: Some(&responded.message), mic, ..NegTokenResp::default() }.encode();
        self.responded = Some(responded);
        Ok(reply)
    }

    /// Checks the server's last token, and yields the key of the session.
    ///
    /// # Errors
    /// If the token cannot be read, does not tell of success, or lacks the server's integrity code.
    pub fn finish(self, token: &[u8]) -> Result<SessionKey, Refusal> {
        let resp = NegTokenResp::decode(token)?;
        let responded = self.responded.ok_or(Refusal::OutOfSequence)?;
        let mech_types = neg_token_init::mech_types(&self.mechanisms);
        let is_intact = resp.mic.is_some_and(|mic| responded.security.verify(Sender::Server, &mech_types, mic));
        if resp.state == Some(NegState::AcceptCompleted as u8) && is_intact {
            Ok(responded.session_key)
        } else {
            Err(Refusal::Integrity)
        }
    }
}
