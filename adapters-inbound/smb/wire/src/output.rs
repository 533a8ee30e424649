//! The response of one output buffer, which three commands share.

use bytes::Bytes;

#[cfg(feature = "client")]
use crate::cursor::Malformed;
use crate::header::Header;
use crate::message::{Encode, OutgoingMessage, length_u32};
#[cfg(feature = "client")]
use crate::{layout::Body, message::Decode};

/// The response to QUERY_DIRECTORY, CHANGE_NOTIFY and QUERY_INFO, MS-SMB2 2.2.34, 2.2.36 and 2.2.38.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputBufferResponse {
    /// The entries or attributes, in the layout of their class.
    pub output: Bytes,
}

impl OutputBufferResponse {
    const STRUCTURE_SIZE: u16 = 9;
    const BUFFER_OFFSET: usize = Header::SIZE + 8;
}

impl Encode for OutputBufferResponse {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(Self::BUFFER_OFFSET as u16);
        out.field(length_u32(self.output.len()));
        out.last_buffer(&self.output);
    }
}

#[cfg(feature = "client")]
impl Decode for OutputBufferResponse {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let offset: u16 = body.read()?;
        let length: u32 = body.read()?;
        Ok(Self { output: body.buffer(offset, length)? })
    }
}
