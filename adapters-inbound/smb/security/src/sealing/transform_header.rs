//! The header of an encrypted message.

use thiserror::Error;

/// An encrypted message that is shorter than its header, or whose header contradicts itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the transform header cannot be read")]
pub struct MalformedTransform;

/// SMB2 TRANSFORM_HEADER (MS-SMB2 2.2.41).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransformHeader {
    /// Signature: the tag of the cipher.
    pub signature: [u8; 16],
    /// Nonce: 11 bytes with CCM, 12 with GCM, zeros behind.
    pub nonce: [u8; 16],
    /// OriginalMessageSize, in bytes.
    pub original_message_size: u32,
    /// Flags, which dialects 3.0 and 3.0.2 call EncryptionAlgorithm. Must be 1 in all of them: encrypted.
    pub flags: u16,
    /// SessionId: the session whose key the message is encrypted with.
    pub session_id: u64,
}

impl TransformHeader {
    /// Bytes of the header.
    pub const LENGTH: usize = 52;
    /// ProtocolId of an encrypted message.
    pub const PROTOCOL_ID: [u8; 4] = [0xfd, b'S', b'M', b'B'];
    /// Flags of an encrypted message.
    pub(super) const FLAG_ENCRYPTED: u16 = 1;
    /// Where the part of the header starts that the cipher authenticates.
    pub(super) const ASSOCIATED_OFFSET: usize = 20;

    /// Reads the header at the start of an encrypted message, so that the session can be found. Nothing is authentic
    /// yet.
    ///
    /// # Errors
    /// If the message is too short or not an encrypted one.
    pub fn decode(message: &[u8]) -> Result<Self, MalformedTransform> {
        let header = message.first_chunk::<{ Self::LENGTH }>().ok_or(MalformedTransform)?;
        let (protocol_id, rest) = split(header)?;
        let (signature, rest) = split(rest)?;
        let (nonce, rest) = split(rest)?;
        let (original_message_size, rest) = split(rest)?;
        let (_reserved, rest) = split::<2>(rest)?;
        let (flags, rest) = split(rest)?;
        let (session_id, _) = split(rest)?;
        if protocol_id != Self::PROTOCOL_ID {
            return Err(MalformedTransform);
        }
        Ok(Self {
            signature,
            nonce,
            original_message_size: u32::from_le_bytes(original_message_size),
            flags: u16::from_le_bytes(flags),
            session_id: u64::from_le_bytes(session_id),
        })
    }

    /// Writes the header.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        concat([&Self::PROTOCOL_ID, &self.signature, &self.associated()])
    }

    /// The part of the header that the cipher authenticates: all from the nonce on.
    pub(super) fn associated(&self) -> [u8; Self::LENGTH - Self::ASSOCIATED_OFFSET] {
        concat([
            &self.nonce,
            &self.original_message_size.to_le_bytes(),
            &[0, 0],
            &self.flags.to_le_bytes(),
            &self.session_id.to_le_bytes(),
        ])
    }
}

fn split<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), MalformedTransform> {
    bytes.split_first_chunk().map(|(field, rest)| (*field, rest)).ok_or(MalformedTransform)
}

/// The fields one behind the other, which together are as long as the array.
fn concat<const COUNT: usize, const LENGTH: usize>(fields: [&[u8]; COUNT]) -> [u8; LENGTH] {
    let mut all = [0; LENGTH];
    let mut rest = all.as_mut_slice();
    for field in fields {
        let Some((place, behind)) = rest.split_at_mut_checked(field.len()) else { break };
        place.copy_from_slice(field);
        rest = behind;
    }
    all
}
