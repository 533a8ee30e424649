//! The content of a frame, told by its first four bytes.

use bytes::{Bytes, BytesMut};

use crate::cursor::Malformed;
use crate::header::Header;
use crate::smb1::MultiProtocolNegotiate;
use crate::transform::TransformHeader;

/// The content of a frame.
#[derive(Debug)]
pub enum Packet {
    /// One SMB2 message, or a compound of several.
    Plain(Bytes),
    /// An encrypted message, MS-SMB2 2.2.41.
    Encrypted {
        /// The header, of which a part is authenticated with the message.
        transform: TransformHeader,
        /// The message to decrypt in place.
        ciphertext: BytesMut,
    },
    /// A compressed message, MS-SMB2 2.2.42. A server that negotiated no compression closes the connection.
    Compressed,
    /// An SMB1 NEGOTIATE, with which a client begins that doesn't know yet whether the server has SMB2.
    Smb1Negotiate(MultiProtocolNegotiate),
}

impl Packet {
    /// The first bytes of a compression transform header.
    const COMPRESSION_PROTOCOL_ID: [u8; 4] = *b"\xFCSMB";

    /// Reads the content of a frame, or a message that was decrypted. In the latter the caller accepts
    /// [`Self::Plain`] only.
    ///
    /// # Errors
    /// The bytes are of no known protocol, or their header can't be read: the connection is to be closed.
    pub fn decode(frame: BytesMut) -> Result<Self, Malformed> {
        match *frame.first_chunk::<4>().ok_or(Malformed)? {
            Header::PROTOCOL_ID => Ok(Self::Plain(frame.freeze())),
            TransformHeader::PROTOCOL_ID => {
                let (transform, ciphertext) = TransformHeader::decode(frame)?;
                Ok(Self::Encrypted { transform, ciphertext })
            }
            Self::COMPRESSION_PROTOCOL_ID => Ok(Self::Compressed),
            MultiProtocolNegotiate::PROTOCOL_ID => {
                MultiProtocolNegotiate::decode(frame.freeze()).map(Self::Smb1Negotiate)
            }
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests;
