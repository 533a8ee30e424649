//! Encryption of what one side of a session sends.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{BufMut, BytesMut};
use thiserror::Error;

use super::{aead::Aead, transform_header::TransformHeader};
use crate::{CryptoFailure, keys::CipherKey};

/// Why a message could not be encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SealError {
    /// The session has used up all nonces. It must end.
    #[error("the session has used up its nonces")]
    Exhausted,
    /// There is no room for the header, or the message is longer than the header can tell (4 GiB).
    #[error("the message is too long, or leaves no room for the header")]
    Length,
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailure),
}

/// Encrypts what one side of a session sends, on all of its channels. It can be shared between threads.
///
/// The nonces are a counter of 64 bits. It belongs to the sealer, as the key does, which is taken away from the
/// caller: there cannot be a second counter for the same key.
pub struct Sealer {
    aead: Aead,
    session_id: u64,
    next_nonce: AtomicU64,
}

impl Sealer {
    /// A sealer for this session.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn new(key: CipherKey, session_id: u64) -> Result<Self, CryptoFailure> {
        Ok(Self { aead: Aead::new(&key)?, session_id, next_nonce: AtomicU64::new(0) })
    }

    /// Appends the encrypted message to `frame`, header first. The message may be in pieces; they are copied once, and
    /// encrypted where they come to lie. `frame` may hold bytes before, such as the header of the transport, and is
    /// best made with the right capacity.
    ///
    /// # Errors
    /// Any [`SealError`]. `frame` is as it was then.
    pub fn seal(&self, message: &[&[u8]], frame: &mut BytesMut) -> Result<(), SealError> {
        let start = frame.len();
        frame.reserve(TransformHeader::LENGTH + message.iter().map(|piece| piece.len()).sum::<usize>());
        frame.put_bytes(0, TransformHeader::LENGTH);
        message.iter().for_each(|piece| frame.extend_from_slice(piece));
        let sealed = self.seal_in_place(frame.get_mut(start..).unwrap_or_default());
        if sealed.is_err() {
            frame.truncate(start);
        }
        sealed
    }

    /// Encrypts a message in place. It stands in `frame` behind [`TransformHeader::LENGTH`] bytes, to which the header
    /// is written.
    ///
    /// # Errors
    /// Any [`SealError`]. What is in `frame` must not be sent then.
    pub fn seal_in_place(&self, frame: &mut [u8]) -> Result<(), SealError> {
        // The increment needs no order with other memory: all that counts is that no two callers get the same number.
        let count = self.next_nonce.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1));
        let nonce = u128::from(count.map_err(|_| SealError::Exhausted)?);
        self.seal_with_nonce(nonce.to_le_bytes(), frame)
    }

    pub(super) fn seal_with_nonce(&self, nonce: [u8; 16], frame: &mut [u8]) -> Result<(), SealError> {
        let (place, message) = frame.split_first_chunk_mut().ok_or(SealError::Length)?;
        let mut header = TransformHeader {
            signature: [0; 16],
            nonce,
            original_message_size: u32::try_from(message.len()).map_err(|_| SealError::Length)?,
            flags: TransformHeader::FLAG_ENCRYPTED,
            session_id: self.session_id,
        };
        header.signature = self.aead.seal(&nonce, &header.associated(), message)?;
        *place = header.encode();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
