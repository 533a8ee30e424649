use bytes::Bytes;

use crate::cursor::{Malformed, Reader, Writer};

/// FSCTL_VALIDATE_NEGOTIATE_INFO: what the client sent in NEGOTIATE (MS-SMB2 2.2.31.4). The server closes the
/// connection if it saw something else (MS-SMB2 3.3.5.15.12).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValidateNegotiate {
    /// Capabilities of the client.
    pub capabilities: u32,
    /// Identifies the client.
    pub guid: [u8; 16],
    /// The security mode of the client.
    pub security_mode: u16,
    /// Dialects of the client.
    pub dialects: Vec<u16>,
}

impl ValidateNegotiate {
    /// Decodes the request.
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        let (capabilities, guid, security_mode) = (reader.u32()?, reader.array()?, reader.u16()?);
        let count = usize::from(reader.u16()?);
        let mut list = Reader::new(reader.take(2 * count)?);
        let mut dialects = Vec::with_capacity(count);
        while list.remaining() > 0 {
            dialects.push(list.u16()?);
        }
        Ok(Self { capabilities, guid, security_mode, dialects })
    }

    /// Encodes the request, for a client.
    #[cfg(any(test, feature = "client"))]
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::default();
        writer.u32(self.capabilities);
        writer.put(&self.guid);
        writer.u16(self.security_mode);
        writer.u16(u16::try_from(self.dialects.len()).unwrap_or_default());
        self.dialects.iter().for_each(|dialect| writer.u16(*dialect));
        writer.into_bytes().freeze()
    }
}

/// The answer: what the server sent in NEGOTIATE (MS-SMB2 2.2.32.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValidateNegotiateResponse {
    /// Capabilities of the server.
    pub capabilities: u32,
    /// Identifies the server.
    pub guid: [u8; 16],
    /// The security mode of the server.
    pub security_mode: u16,
    /// The dialect that the server chose.
    pub dialect: u16,
}

impl ValidateNegotiateResponse {
    /// Bytes of the answer.
    pub const LENGTH: usize = 24;

    /// Encodes the answer.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.u32(self.capabilities);
        writer.put(&self.guid);
        writer.u16(self.security_mode);
        writer.u16(self.dialect);
        writer.into_bytes().freeze()
    }

    /// Decodes the answer, for a client.
    #[cfg(any(test, feature = "client"))]
    pub fn decode(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes.clone());
        Ok(Self {
            capabilities: reader.u32()?,
            guid: reader.array()?,
            security_mode: reader.u16()?,
            dialect: reader.u16()?,
        })
    }
}
