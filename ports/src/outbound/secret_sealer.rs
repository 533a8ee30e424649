//! Encryption of users' secrets.

use dittofs_domain::users::{NtHash, SealedSecret, UserName};

use super::SecretError;

/// Seals the secrets of users with keys that are kept apart from them.
///
/// Each call may read a small file of this machine, so that a key that was added or put back counts at once.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait SecretSealer: Send + Sync {
    /// Makes a random key, durably, where there is no key at all; where one is, changes nothing.
    ///
    /// # Errors
    /// Why there can be none.
    fn make_key(&self) -> Result<(), SecretError>;

    /// Seals a user's secret with the newest key.
    /// - `nonce` is random, and is never given twice;
    /// - what was sealed opens for this user only: nobody who can write to the store gets another user's password.
    ///
    /// # Errors
    /// `NoKey` where there is none yet; never `Unknown` nor `Damaged`.
    fn seal(&self, name: &UserName, nonce: [u8; 12], secret: &NtHash) -> Result<SealedSecret, SecretError>;

    /// Opens it, whichever of the keys has sealed it.
    ///
    /// # Errors
    /// `NoKey` or `Unknown` where the key is not there; `Damaged` for what was not sealed for this user.
    fn open(&self, name: &UserName, sealed: &SealedSecret) -> Result<NtHash, SecretError>;
}
