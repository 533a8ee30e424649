//! WRITE, MS-SMB2 2.2.21 and 2.2.22.

use bytes::Bytes;

use crate::cursor::Malformed;
use crate::identifiers::FileId;
use crate::layout::{Body, bit_set, fixed_body};
use crate::message::Decode;
#[cfg(feature = "client")]
use crate::message::{Encode, OutgoingMessage, length_u32};
use crate::read::Channel;

bit_set! {
    /// The flags of a WRITE.
    pub struct WriteFlags(u32) {
        /// Write to stable storage before the response (SMB 2.1).
        WRITE_THROUGH = 0x0000_0001,
        /// Write without a cache (SMB 3.0.2).
        WRITE_UNBUFFERED = 0x0000_0002,
    }
}

/// A WRITE request, 2.2.21. Its channel information is for RDMA only, and is passed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WriteRequest {
    /// Where to begin. A negative value has a status of its own (3.3.5.13), so it is kept.
    pub offset: u64,
    /// The open to write to.
    pub file_id: FileId,
    /// The way that the data takes.
    pub channel: Channel,
    /// Bytes that the client will write next; a hint.
    pub remaining_bytes: u32,
    /// How to write.
    pub flags: WriteFlags,
    /// The data.
    pub data: Bytes,
}

impl WriteRequest {
    const STRUCTURE_SIZE: u16 = 49;
    #[cfg(feature = "client")]
    const DATA_OFFSET: u16 = 0x70;
    /// A larger DataOffset is refused (3.3.5.13).
    const DATA_OFFSET_MAX: u16 = 0x100;
}

impl Decode for WriteRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let data_offset: u16 = body.read()?;
        let length: u32 = body.read()?;
        let offset = body.read()?;
        let file_id = body.read()?;
        let channel = body.read()?;
        let remaining_bytes = body.read()?;
        body.skip(4)?;
        let flags = body.read()?;
        if data_offset > Self::DATA_OFFSET_MAX {
            return Err(Malformed);
        }
        Ok(Self { offset, file_id, channel, remaining_bytes, flags, data: body.buffer(data_offset, length)? })
    }
}

#[cfg(feature = "client")]
impl Encode for WriteRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(Self::DATA_OFFSET);
        out.field(length_u32(self.data.len()));
        out.field(self.offset);
        out.field(self.file_id);
        out.field(self.channel);
        out.field(self.remaining_bytes);
        out.zeros(4);
        out.field(self.flags);
        out.last_buffer(&self.data);
    }
}

fixed_body! {
    /// The response to WRITE, 2.2.22.
    pub struct WriteResponse(17) {
        reserved 2;
        /// Bytes that were written.
        pub count: u32,
        trailing 8;
    }
}

#[cfg(test)]
mod tests;
