//! The body of a response that reports an error, MS-SMB2 2.2.2.

use bytes::Bytes;

#[cfg(feature = "client")]
use crate::cursor::{Malformed, Reader};
use crate::message::{Encode, OutgoingMessage, length_u32};
#[cfg(feature = "client")]
use crate::{layout::Body, message::Decode};

/// The body of an error response, and of the interim response STATUS_PENDING.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ErrorResponse {
    /// The status in the header tells all.
    #[default]
    Empty,
    /// Data of the status, as SMB 2.0.2 to 3.0.2 have it.
    Data(Bytes),
    /// Data of the status in one error context, as SMB 3.1.1 has it (2.2.2.1).
    Context {
        /// The meaning of the data: [`Self::ID_DEFAULT`], or another value of 2.2.2.1.
        id: u32,
        /// The data.
        data: Bytes,
    },
}

impl ErrorResponse {
    /// The data is what the status defines.
    pub const ID_DEFAULT: u32 = 0;

    const STRUCTURE_SIZE: u16 = 9;
    const CONTEXT_HEADER_SIZE: usize = 8;

    /// The body for STATUS_BUFFER_TOO_SMALL: the length that the buffer must have (2.2.2.2). `contexts` is whether
    /// the dialect is SMB 3.1.1.
    #[must_use]
    pub fn buffer_too_small(required_length: u32, contexts: bool) -> Self {
        let data = Bytes::copy_from_slice(&required_length.to_le_bytes());
        if contexts { Self::Context { id: Self::ID_DEFAULT, data } } else { Self::Data(data) }
    }
}

impl Encode for ErrorResponse {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(u8::from(matches!(self, Self::Context { .. })));
        out.zeros(1);
        match self {
            // A length of zero, and still one byte of data.
            Self::Empty => out.zeros(5),
            Self::Data(data) => {
                out.field(length_u32(data.len()));
                out.put(data);
            }
            Self::Context { id, data } => {
                out.field(length_u32(Self::CONTEXT_HEADER_SIZE + data.len()));
                out.field(length_u32(data.len()));
                out.field(*id);
                out.put(data);
            }
        }
    }
}

#[cfg(feature = "client")]
impl Decode for ErrorResponse {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let context_count: u8 = body.read()?;
        body.skip(1)?;
        let byte_count: u32 = body.read()?;
        let data = body.buffer(72_u64, byte_count)?;
        if context_count == 0 {
            return Ok(if data.is_empty() { Self::Empty } else { Self::Data(data) });
        }
        let mut reader = Reader::new(data);
        let length = reader.u32()?;
        Ok(Self::Context { id: reader.u32()?, data: reader.take(usize::try_from(length).map_err(|_| Malformed)?)? })
    }
}

#[cfg(test)]
mod tests;
