//! The error of a cryptographic library.

use thiserror::Error;

/// The cryptographic library could not set up a key or compute a result.
///
/// The lengths of keys and nonces are fixed by types, so that this happens only when memory runs out, or for a message
/// beyond the length that a cipher allows (64 GiB with GCM, 4 GiB with CCM).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the cryptographic library failed")]
pub struct CryptoFailure;
