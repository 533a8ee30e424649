//! Decryption of what the other side of a session sends.

use bytes::{Buf, BytesMut};
use thiserror::Error;

use super::{
    aead::Aead,
    transform_header::{MalformedTransform, TransformHeader},
};
use crate::{CryptoFailure, keys::CipherKey};

/// Why a message could not be decrypted. The connection must end then (MS-SMB2 3.3.5.2.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum OpenError {
    /// The header cannot be read, does not say that the message is encrypted, or tells another length than the message
    /// has.
    #[error("the transform header does not fit the message")]
    Malformed,
    /// The message is of another session.
    #[error("the message is of another session")]
    ForeignSession,
    /// The message was encrypted with another key, or was changed.
    #[error("the message is not authentic")]
    NotAuthentic,
}

/// Decrypts what the other side of a session sends, on all of its channels. It can be shared between threads.
pub struct Opener {
    aead: Aead,
    session_id: u64,
}

impl Opener {
    /// An opener for this session.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn new(key: CipherKey, session_id: u64) -> Result<Self, CryptoFailure> {
        Ok(Self { aead: Aead::new(&key)?, session_id })
    }

    /// Decrypts a message, which starts with its transform header. What is returned is a part of the same allocation.
    ///
    /// # Errors
    /// Any [`OpenError`].
    pub fn open(&self, mut frame: BytesMut) -> Result<BytesMut, OpenError> {
        self.open_in_place(&mut frame)?;
        frame.advance(TransformHeader::LENGTH);
        Ok(frame)
    }

    /// Decrypts a message in place, and returns it without its transform header.
    ///
    /// # Errors
    /// Any [`OpenError`]. What is in `frame` means nothing then.
    pub fn open_in_place<'a>(&self, frame: &'a mut [u8]) -> Result<&'a mut [u8], OpenError> {
        let header = TransformHeader::decode(frame)?;
        let (encoded, message) = frame.split_at_mut_checked(TransformHeader::LENGTH).ok_or(OpenError::Malformed)?;
        if header.flags != TransformHeader::FLAG_ENCRYPTED
            || usize::try_from(header.original_message_size) != Ok(message.len())
        {
            return Err(OpenError::Malformed);
        }
        if header.session_id != self.session_id {
            return Err(OpenError::ForeignSession);
        }
        let associated = encoded.get(TransformHeader::ASSOCIATED_OFFSET..).ok_or(OpenError::Malformed)?;
        let opened = self.aead.open(&header.nonce, associated, message, &header.signature);
        opened.map_err(|_| OpenError::NotAuthentic)?;
        Ok(message)
    }
}

impl From<MalformedTransform> for OpenError {
    fn from(_: MalformedTransform) -> Self {
        Self::Malformed
    }
}
