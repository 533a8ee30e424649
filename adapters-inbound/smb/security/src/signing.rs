//! Signatures of messages (MS-SMB2 3.1.4.1, 3.1.5.1).
//!
//! A message may be in pieces, so that the payload of a READ response need not be copied to be signed. Signatures
//! cover the header with zeros in place of the signature.
//!
//! With AES-GMAC the nonce is the message id. Two signed messages with the same id from the same side let an onlooker
//! forge signatures. So the caller must never sign an interim response (STATUS_PENDING), nor an oplock break
//! notification, all of which have the same id (MS-SMB2 3.3.4.1.1).

mod gmac;

use aws_lc_rs::{cmac, hmac};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::{CryptoFailure, Sender, keys::SigningKey};
use gmac::Gmac;

/// Bytes of an SMB2 header.
const HEADER_LENGTH: usize = 64;
/// Where the signature stands in the header.
const SIGNATURE_OFFSET: usize = 48;

/// An algorithm of signing (MS-SMB2 2.2.3.1.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SigningAlgorithm {
    /// HMAC-SHA256, cut to 16 bytes: dialects 2.0.2 and 2.1, or negotiated.
    HmacSha256,
    /// AES-128-CMAC: dialects from 3.0, if nothing else is negotiated.
    AesCmac,
    /// AES-128-GMAC: dialect 3.1.1, if negotiated. By far the fastest.
    AesGmac,
}

/// Why a signature could not be made, or is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SignatureError {
    /// The first piece does not hold a whole SMB2 header.
    #[error("the message does not start with a whole header")]
    Malformed,
    /// The signature is not that of the message: it was made with another key, or the message was changed.
    #[error("the signature is not that of the message")]
    Mismatch,
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoFailure),
}

/// Signs and verifies with one key. It can be shared between threads.
pub struct Signer(Keyed);

enum Keyed {
    HmacSha256(Box<hmac::Key>),
    AesCmac(cmac::Key),
    AesGmac(Box<Gmac>),
}

impl SigningAlgorithm {
    /// The algorithm with this number, if there is one.
    #[must_use]
    pub fn from_id(id: u16) -> Option<Self> {
        [Self::HmacSha256, Self::AesCmac, Self::AesGmac].into_iter().find(|algorithm| algorithm.id() == id)
    }

    /// The number of the algorithm in SMB2_SIGNING_CAPABILITIES.
    #[must_use]
    pub fn id(self) -> u16 {
        match self {
            Self::HmacSha256 => 0,
            Self::AesCmac => 1,
            Self::AesGmac => 2,
        }
    }
}

impl Signer {
    /// A signer with this key.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn new(algorithm: SigningAlgorithm, key: &SigningKey) -> Result<Self, CryptoFailure> {
        let key = key.as_bytes();
        Ok(Self(match algorithm {
            SigningAlgorithm::HmacSha256 => Keyed::HmacSha256(Box::new(hmac::Key::new(hmac::HMAC_SHA256, key))),
            SigningAlgorithm::AesCmac => Keyed::AesCmac(cmac::Key::new(cmac::AES_128, key).map_err(|_| CryptoFailure)?),
            SigningAlgorithm::AesGmac => Keyed::AesGmac(Box::new(Gmac::new(key)?)),
        }))
    }

    /// Signs a message: writes the signature into the header, and sets the flag that says so (SMB2_FLAGS_SIGNED).
    /// `head` is the start of the message, with the whole header; `rest` is all that follows, padding included.
    ///
    /// # Errors
    /// If `head` does not hold a whole header, or the cryptographic library fails.
    pub fn sign(&self, sender: Sender, head: &mut [u8], rest: &[&[u8]]) -> Result<(), SignatureError> {
        const FLAG_SIGNED: u8 = 8;
        let header: &mut [u8; HEADER_LENGTH] = head.first_chunk_mut().ok_or(SignatureError::Malformed)?;
        let [.., flags, _, _, _] = header.first_chunk_mut::<20>().ok_or(SignatureError::Malformed)?;
        *flags |= FLAG_SIGNED;
        let signature = self.signature(sender, head, rest)?;
        let place = head.get_mut(SIGNATURE_OFFSET..).and_then(|rest| rest.first_chunk_mut());
        *place.ok_or(SignatureError::Malformed)? = signature;
        Ok(())
    }

    /// Checks the signature in a message's header. The comparison takes the same time whatever differs.
    ///
    /// # Errors
    /// If `head` does not hold a whole header, or the signature is not that of the message.
    pub fn verify(&self, sender: Sender, head: &[u8], rest: &[&[u8]]) -> Result<(), SignatureError> {
        let signature = self.signature(sender, head, rest)?;
        let received = head.get(SIGNATURE_OFFSET..HEADER_LENGTH).ok_or(SignatureError::Malformed)?;
        if signature.ct_eq(received).into() { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    /// The signature of a message. The bytes where it will stand do not matter: zeros are taken for them.
    fn signature(&self, sender: Sender, head: &[u8], rest: &[&[u8]]) -> Result<[u8; 16], SignatureError> {
        let (header, body) = head.split_first_chunk::<HEADER_LENGTH>().ok_or(SignatureError::Malformed)?;
        let mut unsigned = *header;
        unsigned.iter_mut().skip(SIGNATURE_OFFSET).for_each(|byte| *byte = 0);
        let pieces = [&unsigned[..], body].into_iter().chain(rest.iter().copied());
        match &self.0 {
            Keyed::HmacSha256(key) => {
                let mut context = hmac::Context::with_key(key);
                pieces.for_each(|piece| context.update(piece));
                Ok(first_16(context.sign().as_ref())?)
            }
            Keyed::AesCmac(key) => {
                let mut context = cmac::Context::with_key(key);
                for piece in pieces {
                    context.update(piece).map_err(|_| CryptoFailure)?;
                }
                Ok(first_16(context.sign().map_err(|_| CryptoFailure)?.as_ref())?)
            }
            Keyed::AesGmac(gmac) => Ok(gmac.tag(nonce(sender, header), pieces)?),
        }
    }
}

/// The nonce of AES-GMAC: the message id, then a bit for the sender, and one for CANCEL, which has the id of another
/// request.
fn nonce(sender: Sender, header: &[u8; HEADER_LENGTH]) -> [u8; 12] {
    const COMMAND_CANCEL: [u8; 2] = [0x0c, 0];
    let is_cancel = header.get(12..14) == Some(COMMAND_CANCEL.as_slice());
    let message_id = header.iter().skip(24).take(8).copied();
    let bits = u8::from(sender == Sender::Server) | u8::from(is_cancel) << 1;
    let mut nonce = [0; 12];
    nonce.iter_mut().zip(message_id.chain([bits])).for_each(|(place, byte)| *place = byte);
    nonce
}

fn first_16(bytes: &[u8]) -> Result<[u8; 16], CryptoFailure> {
    bytes.first_chunk().copied().ok_or(CryptoFailure)
}

#[cfg(test)]
mod tests;
