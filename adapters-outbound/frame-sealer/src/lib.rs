//! Encryption of frames, and of the secrets of users, by AES-256-GCM, with keys that a file holds.
//!
//! Each object has a key of its own, derived from the master key and the object's id, so that random nonces never get
//! near the number at which they could repeat. Key material is wiped when it is dropped, and has no `Debug`.

mod file;
mod keyring;
mod master;
mod password;
mod sealer;
mod secrets;

pub use file::{FileError, KeyFile};
pub use keyring::{KEYS_MAX, Keyring, KeyringError};
pub use master::MasterKey;
pub use password::nt_hash;
pub use sealer::{Refreshed, Sealer};
pub use secrets::SecretKeys;

#[cfg(test)]
mod tests;
