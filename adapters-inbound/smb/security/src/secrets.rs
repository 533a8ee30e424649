//! Secrets that are overwritten when they are dropped, and that never print.

use std::fmt;

use md4::{Digest, Md4};
use zeroize::Zeroizing;

/// The hash of a password, which is all that NTLM needs of it (MS-NLMP 3.3.1 NTOWFv1). It is worth as much as the
/// password: it is enough to log in.
#[derive(Clone)]
pub struct NtHash(Zeroizing<[u8; 16]>);

impl NtHash {
    /// The hash of this password: MD4 over its text as UTF-16LE.
    #[must_use]
    pub fn of_password(password: &str) -> Self {
        let text: Zeroizing<Vec<u8>> = Zeroizing::new(password.encode_utf16().flat_map(u16::to_le_bytes).collect());
        Self(Zeroizing::new(Md4::digest(text.as_slice()).into()))
    }

    /// A hash that was computed before.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The hash itself, to be stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NtHash(secret)")
    }
}

/// The key that an authentication yields to both sides. NTLM makes 16 bytes, Kerberos 16 or 32.
pub struct SessionKey(Zeroizing<Vec<u8>>);

impl SessionKey {
    /// A key that a mechanism made.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The key in full length: `Session.FullSessionKey` (MS-SMB2 3.3.1.8).
    #[must_use]
    pub fn full(&self) -> &[u8] {
        &self.0
    }

    /// The first 16 bytes, followed by zeros where the key is shorter: `Session.SessionKey` (MS-SMB2 3.3.1.8).
    #[must_use]
    pub fn first_16(&self) -> Zeroizing<[u8; 16]> {
        let mut first = Zeroizing::new([0; 16]);
        for (place, byte) in first.iter_mut().zip(self.0.iter()) {
            *place = *byte;
        }
        first
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionKey(secret)")
    }
}

#[cfg(test)]
mod tests;
