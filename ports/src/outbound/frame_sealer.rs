//! Encryption of frames.

use bytes::Bytes;
use dittofs_domain::{
    KeyId,
    content::block::{FrameSeal, NONCE_BYTES},
};

use super::SealError;

/// Seals and opens frames of blocks. Computes only: never waits, and may be called from any thread.
///
/// A key that was known once is known until the sealer goes.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait FrameSealer: Send + Sync {
    /// The key that seals new frames, as heads of blocks say it; none: they are not sealed. It is a fingerprint.
    /// May change at any time.
    fn key_id(&self) -> KeyId;

    /// Whether what a key seals can be opened.
    ///
    /// # Errors
    /// `Unknown`, with what to do.
    fn demand(&self, key_id: KeyId) -> Result<(), SealError>;

    /// Seals a frame, which comes in pieces: `nonce | ciphertext | tag`.
    /// - `nonce` is random, and is never given twice for one object;
    /// - what was sealed opens with the same `seal` only.
    fn seal(&self, seal: &FrameSeal, nonce: [u8; NONCE_BYTES as usize], content: &[Bytes]) -> Result<Bytes, SealError>;

    /// Opens a sealed frame.
    /// - the result is shorter by `SEAL_BYTES`;
    /// - bytes that were not sealed under this key, for this very place, are `Damaged`; where a number names the key,
    ///   they are `Wrong`, as another key of this number may have sealed them.
    fn open(&self, seal: &FrameSeal, stored: &[u8]) -> Result<Bytes, SealError>;
}
