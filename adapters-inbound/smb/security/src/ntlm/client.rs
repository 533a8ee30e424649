//! The client's side (MS-NLMP 3.1.5.1), for tests and test clients.

use rc4::StreamCipher;
use zeroize::Zeroizing;

use super::{
    authenticate_message::{self, MIC_LENGTH, MIC_OFFSET},
    av_pairs::{self, AvPairs},
    challenge_message, flags,
    message::{self, Builder, payload_at, utf16},
    negotiate_message,
    response::{hmac_md5, proof, response_key, session_base_key},
    session_security::{SessionSecurity, rc4},
};
use crate::{NtHash, Refusal, SessionKey};

/// A client, and what it does.
#[derive(Clone, Debug)]
pub struct Client {
    /// The user's name.
    pub user: String,
    /// The domain that the user is of; may be empty.
    pub domain: String,
    /// The name of the client's machine; may be empty.
    pub workstation: String,
    /// The hash of the user's password.
    pub hash: NtHash,
    /// Sends an integrity code, and says so.
    pub sends_integrity: bool,
    /// Chooses the session key.
    pub exchanges_key: bool,
}

/// A client that sent its response.
pub struct Responded {
    /// The message to send: an AUTHENTICATE_MESSAGE.
    pub message: Vec<u8>,
    /// The key that both sides have now, if the server accepts.
    pub session_key: SessionKey,
    /// What signs in the name of this session.
    pub security: SessionSecurity,
}

impl Client {
    /// A client as Windows is one.
    #[must_use]
    pub fn new(user: &str, domain: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            domain: domain.to_owned(),
            workstation: "CLIENT".to_owned(),
            hash: NtHash::of_password(password),
            sends_integrity: true,
            exchanges_key: true,
        }
    }

    /// The first message: a NEGOTIATE_MESSAGE.
    #[must_use]
    pub fn negotiate(&self) -> Vec<u8> {
        let mut builder = Builder::new(negotiate_message::TYPE, 40);
        builder.put(&self.flags().to_le_bytes());
        builder.put_payload(&[]);
        builder.put_payload(&[]);
        builder.put(&challenge_message::VERSION);
        builder.build()
    }

    /// The third message: an AUTHENTICATE_MESSAGE, in answer to a challenge. `client_challenge` and `random_key` are
    /// random bytes.
    ///
    /// # Errors
    /// If the challenge cannot be read.
    pub fn respond(
        &self,
        challenge: &[u8],
        client_challenge: [u8; 8],
        random_key: [u8; 16],
    ) -> Result<Responded, Refusal> {
        message::check(challenge, challenge_message::TYPE)?;
        let flags = self.flags() & message::u32_at(challenge, 20)?;
        let server_challenge = message::array_at(challenge, 24)?;
        let target_info = payload_at(challenge, 40)?.bytes;

        let response_key = response_key(&self.hash, &utf16(&self.user), &utf16(&self.domain));
        let covered = self.covered(AvPairs::parse(target_info)?, client_challenge);
        let proof = proof(&response_key, server_challenge, &covered);
        let mut session_key = session_base_key(&response_key, &proof);
        let mut encrypted_key = Vec::new();
        if flags & flags::KEY_EXCHANGE != 0 {
            encrypted_key.extend(random_key);
            rc4(&session_key).apply_keystream(&mut encrypted_key);
            session_key = Zeroizing::new(random_key);
        }

        let mut message = self.encode(flags, &[proof.as_slice(), &covered].concat(), &encrypted_key);
        if self.sends_integrity {
            let code = hmac_md5(&session_key, &[&self.negotiate(), challenge, &message]);
            let place = message.iter_mut().skip(MIC_OFFSET);
            place.zip(code).for_each(|(place, byte)| *place = byte);
        }
        Ok(Responded {
            message,
            session_key: SessionKey::new(session_key.as_slice()),
            security: SessionSecurity::new(session_key, flags),
        })
    }

    /// The third message of a client that asks for an anonymous session.
    #[must_use]
    pub fn respond_anonymously(&self) -> Vec<u8> {
        let mut builder = Builder::new(authenticate_message::TYPE, 64);
        builder.put_payload(&[0]);
        for _ in 0..5 {
            builder.put_payload(&[]);
        }
        builder.put(&self.flags().to_le_bytes());
        builder.build()
    }

    fn flags(&self) -> u32 {
        let key_exchange = if self.exchanges_key { flags::KEY_EXCHANGE } else { 0 };
        flags::UNICODE
            | flags::REQUEST_TARGET
            | flags::SIGN
            | flags::NTLM
            | flags::ALWAYS_SIGN
            | flags::EXTENDED_SESSION_SECURITY
            | flags::TARGET_INFO
            | flags::VERSION
            | flags::KEY_128
            | flags::KEY_56
            | key_exchange
    }

    /// All of the response but the proof: `temp` (MS-NLMP 3.3.2).
    fn covered(&self, target_info: AvPairs<'_>, client_challenge: [u8; 8]) -> Vec<u8> {
        let mut covered = vec![1, 1, 0, 0, 0, 0, 0, 0];
        covered.extend(target_info.find(av_pairs::TIMESTAMP).unwrap_or(&[0; 8]));
        covered.extend(client_challenge);
        covered.extend([0; 4]);
        for (id, value) in target_info.iter().filter(|(id, _)| *id != av_pairs::FLAGS) {
            av_pairs::put(&mut covered, id, value);
        }
        if self.sends_integrity {
            av_pairs::put(&mut covered, av_pairs::FLAGS, &av_pairs::FLAG_INTEGRITY.to_le_bytes());
        }
        av_pairs::put_end(&mut covered);
        covered.extend([0; 4]);
        covered
    }

    /// The message, with zeros in place of the integrity code.
    fn encode(&self, flags: u32, nt_response: &[u8], encrypted_key: &[u8]) -> Vec<u8> {
        let fixed_length = if self.sends_integrity { MIC_OFFSET + MIC_LENGTH } else { MIC_OFFSET };
        let mut builder = Builder::new(authenticate_message::TYPE, fixed_length);
        builder.put_payload(&[0; 24]);
        builder.put_payload(nt_response);
        builder.put_payload(&utf16(&self.domain));
        builder.put_payload(&utf16(&self.user));
        builder.put_payload(&utf16(&self.workstation));
        builder.put_payload(encrypted_key);
        builder.put(&flags.to_le_bytes());
        builder.put(&challenge_message::VERSION);
        if self.sends_integrity {
            builder.put(&[0; MIC_LENGTH]);
        }
        builder.build()
    }
}
