//! Encryption of messages (MS-SMB2 3.1.4.3), in place.
//!
//! An encrypted message is a [`TransformHeader`] of [`TransformHeader::LENGTH`] bytes and the ciphertext, which is as
//! long as the message. The header from its nonce on is authenticated, too.

mod aead;
mod cipher;
mod opener;
mod sealer;
mod transform_header;

pub use cipher::Cipher;
pub use opener::{OpenError, Opener};
pub use sealer::{SealError, Sealer};
pub use transform_header::{MalformedTransform, TransformHeader};

#[cfg(test)]
mod tests;
