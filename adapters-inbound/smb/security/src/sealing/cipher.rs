//! The ciphers that can be negotiated.

/// A cipher (MS-SMB2 2.2.3.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cipher {
    /// AES-128-CCM, the only one of dialects 3.0 and 3.0.2.
    Aes128Ccm,
    /// AES-128-GCM, the fastest.
    Aes128Gcm,
    /// AES-256-CCM.
    Aes256Ccm,
    /// AES-256-GCM.
    Aes256Gcm,
}

impl Cipher {
    /// The cipher with this number, if there is one.
    #[must_use]
    pub fn from_id(id: u16) -> Option<Self> {
        let all = [Self::Aes128Ccm, Self::Aes128Gcm, Self::Aes256Ccm, Self::Aes256Gcm];
        all.into_iter().find(|cipher| cipher.id() == id)
    }

    /// The number of the cipher in SMB2_ENCRYPTION_CAPABILITIES.
    #[must_use]
    pub fn id(self) -> u16 {
        match self {
            Self::Aes128Ccm => 1,
            Self::Aes128Gcm => 2,
            Self::Aes256Ccm => 3,
            Self::Aes256Gcm => 4,
        }
    }

    /// Bytes of a key.
    #[must_use]
    pub fn key_length(self) -> usize {
        match self {
            Self::Aes128Ccm | Self::Aes128Gcm => 16,
            Self::Aes256Ccm | Self::Aes256Gcm => 32,
        }
    }
}
