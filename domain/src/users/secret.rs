//! What proves a user's password. Whoever has it can log on as the user, as with the password itself.

use std::fmt;

use zeroize::Zeroize;

/// The MD4 of a password in UTF-16 (NTOWFv1 of MS-NLMP, 3.3.1): what NTLM needs of it. It is wiped when it is dropped,
/// and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct NtHash([u8; NtHash::BYTES]);

impl NtHash {
    /// Its length.
    pub const BYTES: usize = 16;

    /// The hash with these bytes.
    pub fn new(bytes: [u8; NtHash::BYTES]) -> NtHash {
        NtHash(bytes)
    }

    /// Its bytes. Whoever copies them wipes the copy.
    pub fn bytes(&self) -> &[u8; NtHash::BYTES] {
        &self.0
    }
}

impl Drop for NtHash {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(..)")
    }
}

/// A secret as it is kept: sealed with a key that is kept elsewhere. Bytes that only the sealer understands.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(Box<[u8]>);

impl SealedSecret {
    /// The most bytes that one has.
    pub const BYTES_MAX: usize = 256;

    /// The sealed secret of these bytes; none if they are too many.
    pub fn new(bytes: &[u8]) -> Option<SealedSecret> {
        (bytes.len() <= Self::BYTES_MAX).then(|| SealedSecret(bytes.into()))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Without the bytes: nobody can use them in a log but who tries keys.
impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecret(..)")
    }
}
