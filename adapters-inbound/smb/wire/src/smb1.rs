//! The one message of SMB1 that an SMB2 server understands: NEGOTIATE with a list of dialects, MS-CIFS 2.2.4.52.1 and
//! MS-SMB2 3.3.5.3.

use bytes::Bytes;

use crate::cursor::{Malformed, Reader};

/// An SMB1 NEGOTIATE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MultiProtocolNegotiate {
    dialects: Bytes,
}

impl MultiProtocolNegotiate {
    /// The first four bytes of an SMB1 header.
    pub const PROTOCOL_ID: [u8; 4] = *b"\xFFSMB";
    /// The dialect string that stands for SMB 2.0.2.
    pub const SMB_2_002: &'static [u8] = b"SMB 2.002";
    /// The dialect string that stands for all dialects from SMB 2.1 on.
    pub const SMB_2_WILDCARD: &'static [u8] = b"SMB 2.???";

    const COMMAND_NEGOTIATE: u8 = 0x72;
    /// The rest of the SMB1 header behind its command.
    const HEADER_REST: usize = 27;

    /// Reads the message from the first byte of its SMB1 header.
    ///
    /// # Errors
    /// It is another SMB1 message, or too short.
    pub fn decode(message: Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(message);
        if reader.array()? != Self::PROTOCOL_ID || reader.u8()? != Self::COMMAND_NEGOTIATE {
            return Err(Malformed);
        }
        reader.skip(Self::HEADER_REST)?;
        let word_count = reader.u8()?;
        reader.skip(usize::from(word_count) * 2)?;
        let byte_count = reader.u16()?;
        Ok(Self { dialects: reader.take(usize::from(byte_count))? })
    }

    /// The dialect strings in the client's order, each without its leading format byte.
    pub fn dialects(&self) -> impl Iterator<Item = &[u8]> {
        self.dialects.split(|byte| *byte == 0).filter_map(|entry| entry.strip_prefix(&[0x02]))
    }

    /// Whether the client offers this dialect string.
    #[must_use]
    pub fn offers(&self, dialect: &[u8]) -> bool {
        self.dialects().any(|offered| offered == dialect)
    }
}

#[cfg(test)]
mod tests;
