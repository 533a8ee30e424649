//! The keys of a session (MS-SMB2 3.1.4.2, 3.3.5.5.3), derived from the key that the authentication yields.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::{SessionKey, preauth::PreauthHash, sealing::Cipher};

/// How keys are derived, which depends on the dialect.
#[derive(Clone, Copy, Debug)]
pub enum KeyDerivation<'a> {
    /// Dialects 2.0.2 and 2.1: the session key signs, and nothing is encrypted.
    Smb2,
    /// Dialects 3.0 and 3.0.2.
    Smb30,
    /// Dialect 3.1.1, with the hash of the messages before: the session's, or the channel's for the signing key of a
    /// further channel.
    Smb311(&'a PreauthHash),
}

/// A key to sign with (`Session.SigningKey`, `Channel.SigningKey`).
pub struct SigningKey(Zeroizing<[u8; 16]>);

/// A key for protocols on top (`Session.ApplicationKey`).
pub struct ApplicationKey(Zeroizing<[u8; 16]>);

/// A key to encrypt with, in one direction. It cannot be copied: a [`crate::sealing::Sealer`] takes it away, so that
/// no second one counts its nonces from the start again.
pub struct CipherKey {
    cipher: Cipher,
    /// 16 or 32 bytes, as the cipher needs them.
    bytes: Zeroizing<Vec<u8>>,
}

/// The keys to encrypt with, which all channels of a session share.
pub struct CipherKeys {
    /// For what the server sends (the server's `Session.EncryptionKey`).
    pub server_to_client: CipherKey,
    /// For what the client sends (the server's `Session.DecryptionKey`).
    pub client_to_server: CipherKey,
}

impl KeyDerivation<'_> {
    /// The key to sign with.
    #[must_use]
    pub fn signing_key(self, session_key: &SessionKey) -> SigningKey {
        SigningKey(match self {
            Self::Smb2 => session_key.first_16(),
            Self::Smb30 => derive_16(session_key, b"SMB2AESCMAC\0", b"SmbSign\0"),
            Self::Smb311(hash) => derive_16(session_key, b"SMBSigningKey\0", hash.as_bytes()),
        })
    }

    /// The key for protocols on top.
    #[must_use]
    pub fn application_key(self, session_key: &SessionKey) -> ApplicationKey {
        ApplicationKey(match self {
            Self::Smb2 => session_key.first_16(),
            Self::Smb30 => derive_16(session_key, b"SMB2APP\0", b"SmbRpc\0"),
            Self::Smb311(hash) => derive_16(session_key, b"SMBAppKey\0", hash.as_bytes()),
        })
    }

    /// The keys to encrypt with; none in dialects that do not encrypt. Dialects 3.0 and 3.0.2 have AES-128-CCM only.
    ///
    /// Call this once for a session, and not again when its user authenticates anew: the session keeps its keys, and
    /// the same key with nonces from the start would break the encryption.
    #[must_use]
    pub fn cipher_keys(self, session_key: &SessionKey, cipher: Cipher) -> Option<CipherKeys> {
        let [server_to_client, client_to_server] = match self {
            Self::Smb2 => return None,
            Self::Smb30 => [
                derive_for(cipher, session_key, b"SMB2AESCCM\0", b"ServerOut\0"),
                derive_for(cipher, session_key, b"SMB2AESCCM\0", b"ServerIn \0"),
            ],
            Self::Smb311(hash) => [
                derive_for(cipher, session_key, b"SMBS2CCipherKey\0", hash.as_bytes()),
                derive_for(cipher, session_key, b"SMBC2SCipherKey\0", hash.as_bytes()),
            ],
        };
        Some(CipherKeys { server_to_client, client_to_server })
    }
}

impl SigningKey {
    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl ApplicationKey {
    /// The key itself, to be handed on.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl CipherKey {
    /// The cipher that the key is for.
    #[must_use]
    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(secret)")
    }
}

impl fmt::Debug for ApplicationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApplicationKey(secret)")
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CipherKey({:?}, secret)", self.cipher)
    }
}

/// Signing keys and application keys have 16 bytes and are made of the first 16 bytes of the session key, whatever
/// the cipher. MS-SMB2 3.1.4.2 reads as if a cipher of 256 bits changed the length that goes into them, too; Samba
/// and ksmbd do not read it so.
fn derive_16(session_key: &SessionKey, label: &[u8], context: &[u8]) -> Zeroizing<[u8; 16]> {
    derive(session_key.first_16().as_slice(), label, context)
}

/// A cipher of 256 bits has its keys made of the session key in full length.
fn derive_for(cipher: Cipher, session_key: &SessionKey, label: &[u8], context: &[u8]) -> CipherKey {
    let bytes = match cipher.key_length() {
        16 => Zeroizing::new(derive_16(session_key, label, context).to_vec()),
        _ => Zeroizing::new(derive::<32>(session_key.full(), label, context).to_vec()),
    };
    CipherKey { cipher, bytes }
}

/// The first round of SP800-108 in counter mode with HMAC-SHA256, whose 32 bytes are enough for every key.
fn derive<const LENGTH: usize>(key: &[u8], label: &[u8], context: &[u8]) -> Zeroizing<[u8; LENGTH]> {
    const { assert!(LENGTH <= 32, "more than one round makes") };
    const COUNTER: [u8; 4] = 1_u32.to_be_bytes();
    let length_bits = (LENGTH as u32 * 8).to_be_bytes();
    let mut hmac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for piece in [&COUNTER, label, &[0], context, &length_bits] {
        hmac.update(piece);
    }
    let mut derived = Zeroizing::new([0; LENGTH]);
    derived.iter_mut().zip(hmac.sign().as_ref()).for_each(|(place, byte)| *place = *byte);
    derived
}

#[cfg(test)]
mod tests;
