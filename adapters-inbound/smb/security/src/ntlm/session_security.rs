//! Signatures over messages of an authenticated session (MS-NLMP 3.4). SMB2 has its own; only SPNEGO needs these.

use md5::{Digest, Md5};
use rc4::{KeyInit, Rc4, StreamCipher};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{flags, response::hmac_md5};
use crate::Sender;

/// The keys by which the two sides of an authenticated session sign.
///
/// Each signature is the first of its side: MS-SPNG 3.3.5.1 has the state of RC4 set back after the signature of
/// SPNEGO, and nothing else is signed here.
pub struct SessionSecurity {
    session_key: Zeroizing<[u8; 16]>,
    flags: u32,
}

impl SessionSecurity {
    /// The security of a session with this key (ExportedSessionKey) and these negotiated flags.
    pub(crate) fn new(session_key: Zeroizing<[u8; 16]>, flags: u32) -> Self {
        Self { session_key, flags }
    }

    /// The signature of a message (MS-NLMP 3.4.4.2), with sequence number 0. Nothing if the client did not ask for
    /// extended session security: what came before it is too weak to mean anything.
    #[must_use]
    pub fn signature(&self, sender: Sender, message: &[u8]) -> Option<[u8; 16]> {
        self.signature_with_cipher(sender, message, &mut self.cipher(sender))
    }

    /// True if this is the other side's signature of the message. The comparison takes the same time whatever differs.
    #[must_use]
    pub fn verify(&self, sender: Sender, message: &[u8], signature: &[u8]) -> bool {
        self.signature(sender, message).is_some_and(|expected| expected.ct_eq(signature).into())
    }

    /// The same, with a cipher that was used before.
    fn signature_with_cipher(&self, sender: Sender, message: &[u8], cipher: &mut Rc4) -> Option<[u8; 16]> {
        const SEQUENCE_NUMBER: [u8; 4] = [0; 4];
        const VERSION: [u8; 4] = [1, 0, 0, 0];
        if self.flags & flags::EXTENDED_SESSION_SECURITY == 0 {
            return None;
        }
        let code = hmac_md5(&self.signing_key(sender), &[&SEQUENCE_NUMBER, message]);
        let mut checksum: [u8; 8] = code.first_chunk().copied()?;
        if self.flags & flags::KEY_EXCHANGE != 0 {
            cipher.apply_keystream(&mut checksum);
        }
        let mut signature = [0; 16];
        let parts = VERSION.iter().chain(&checksum).chain(&SEQUENCE_NUMBER);
        signature.iter_mut().zip(parts).for_each(|(place, byte)| *place = *byte);
        Some(signature)
    }

    /// The cipher of one side at its start.
    fn cipher(&self, sender: Sender) -> Rc4 {
        rc4(&self.sealing_key(sender))
    }

    /// SIGNKEY (MS-NLMP 3.4.5.2).
    fn signing_key(&self, sender: Sender) -> Zeroizing<[u8; 16]> {
        derive(
            self.session_key.as_slice(),
            match sender {
                Sender::Client => b"session key to client-to-server signing key magic constant\0",
                Sender::Server => b"session key to server-to-client signing key magic constant\0",
            },
        )
    }

    /// SEALKEY (MS-NLMP 3.4.5.3).
    fn sealing_key(&self, sender: Sender) -> Zeroizing<[u8; 16]> {
        let length = match self.flags {
            flags if flags & flags::KEY_128 != 0 => 16,
            flags if flags & flags::KEY_56 != 0 => 7,
            _ => 5,
        };
        let key = self.session_key.get(..length).unwrap_or_default();
        derive(
            key,
            match sender {
                Sender::Client => b"session key to client-to-server sealing key magic constant\0",
                Sender::Server => b"session key to server-to-client sealing key magic constant\0",
            },
        )
    }
}

/// RC4 with this key. The crate's constructor takes 32 bytes; RC4 repeats its key anyway, so that twice the 16 bytes
/// is the same key.
pub(crate) fn rc4(key: &[u8; 16]) -> Rc4 {
    let mut twice = Zeroizing::new([0; 32]);
    twice.iter_mut().zip(key.iter().cycle()).for_each(|(place, byte)| *place = *byte);
    Rc4::new((&*twice).into())
}

fn derive(key: &[u8], purpose: &[u8]) -> Zeroizing<[u8; 16]> {
    Zeroizing::new(Md5::new_with_prefix(key).chain_update(purpose).finalize().into())
}

#[cfg(test)]
mod tests;
