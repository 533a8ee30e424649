//! The header of an encrypted message, MS-SMB2 2.2.41.

use bytes::{BufMut, BytesMut};

use crate::cursor::{Fields, Malformed};
use crate::layout::Field;

/// The header before an encrypted message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransformHeader {
    /// The authentication tag of the cipher, over [`Self::associated_data`] and the message.
    pub signature: [u8; 16],
    /// The nonce: AES-CCM uses the first 11 bytes, AES-GCM the first 12, and the rest is zero.
    pub nonce: [u8; 16],
    /// The length of the message, in plain and encrypted.
    pub original_message_size: u32,
    /// EncryptionAlgorithm in SMB 3.0 and 3.0.2 and Flags in 3.1.1: [`Self::ENCRYPTED`] in both. A server closes the
    /// connection at another value (3.3.5.2.1.1).
    pub flags: u16,
    /// The session whose keys are used.
    pub session_id: u64,
}

impl TransformHeader {
    /// The length of a transform header.
    pub const SIZE: usize = 52;
    /// The first four bytes.
    pub const PROTOCOL_ID: [u8; 4] = *b"\xFDSMB";
    /// The only value of [`Self::flags`].
    pub const ENCRYPTED: u16 = 1;

    /// Where the associated data begins: at the nonce.
    const ASSOCIATED_DATA_OFFSET: usize = 20;

    /// Takes the header from the front of an encrypted message. Bytes behind `original_message_size` are cut off.
    ///
    /// # Errors
    /// The bytes are not more than a transform header, or fewer than it says.
    pub fn decode(mut packet: BytesMut) -> Result<(Self, BytesMut), Malformed> {
        let mut fields = Fields::new(&packet);
        if fields.array()? != Self::PROTOCOL_ID {
            return Err(Malformed);
        }
        let signature = fields.read()?;
        let nonce = fields.read()?;
        let original_message_size = fields.read()?;
        fields.skip(2)?;
        let header =
            Self { signature, nonce, original_message_size, flags: fields.read()?, session_id: fields.read()? };
        let mut ciphertext = packet.split_off(Self::SIZE);
        let length = usize::try_from(original_message_size).map_err(|_| Malformed)?;
        if length == 0 || length > ciphertext.len() {
            return Err(Malformed);
        }
        ciphertext.truncate(length);
        Ok((header, ciphertext))
    }

    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let mut out = bytes.as_mut_slice();
        out.put_slice(&Self::PROTOCOL_ID);
        self.signature.write(&mut out);
        self.nonce.write(&mut out);
        self.original_message_size.write(&mut out);
        out.put_u16_le(0);
        self.flags.write(&mut out);
        self.session_id.write(&mut out);
        bytes
    }

    /// The part of the header that the cipher authenticates together with the message: all from the nonce on.
    #[must_use]
    pub fn associated_data(&self) -> [u8; Self::SIZE - Self::ASSOCIATED_DATA_OFFSET] {
        self.encode().last_chunk().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
