//! READ, MS-SMB2 2.2.19 and 2.2.20.

use bytes::{Bytes, BytesMut};

use crate::cursor::Malformed;
use crate::header::Header;
use crate::identifiers::FileId;
use crate::layout::{Body, bit_set, open_integer};
use crate::message::{Decode, Encode, OutgoingMessage, length_u32};

bit_set! {
    /// The flags of a READ.
    pub struct ReadFlags(u8) {
        /// Read from storage, not from a cache (SMB 3.0.2).
        READ_UNBUFFERED = 0x01,
        /// The response may be compressed (SMB 3.1.1).
        REQUEST_COMPRESSED = 0x02,
    }
}

open_integer! {
    /// The way that the data of a READ or WRITE takes.
    pub struct Channel(u32) {
        /// In the message itself.
        NONE = 0,
        /// By RDMA.
        RDMA_V1 = 1,
        /// By RDMA, with a token to invalidate.
        RDMA_V1_INVALIDATE = 2,
        /// By RDMA, transformed.
        RDMA_TRANSFORM = 3,
    }
}

/// A READ request, 2.2.19. Its channel information is for RDMA only, and is passed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadRequest {
    /// The offset that the client wishes for the data in the response's message; a hint.
    pub padding: u8,
    /// How to read.
    pub flags: ReadFlags,
    /// Bytes to read at most.
    pub length: u32,
    /// Where to begin.
    pub offset: u64,
    /// The open to read from.
    pub file_id: FileId,
    /// If fewer bytes are there, the read fails with STATUS_END_OF_FILE.
    pub minimum_count: u32,
    /// The way that the data takes.
    pub channel: Channel,
    /// Bytes that the client will read next; a hint.
    pub remaining_bytes: u32,
}

impl ReadRequest {
    const STRUCTURE_SIZE: u16 = 49;
}

impl Decode for ReadRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        Ok(Self {
            padding: body.read()?,
            flags: body.read()?,
            length: body.read()?,
            offset: body.read()?,
            file_id: body.read()?,
            minimum_count: body.read()?,
            channel: body.read()?,
            remaining_bytes: body.read()?,
        })
    }
}

#[cfg(feature = "client")]
impl Encode for ReadRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(self.padding);
        out.field(self.flags);
        out.field(self.length);
        out.field(self.offset);
        out.field(self.file_id);
        out.field(self.minimum_count);
        out.field(self.channel);
        out.field(self.remaining_bytes);
        // No channel information, and the one byte that StructureSize announces.
        out.zeros(5);
    }
}

/// The response to READ, 2.2.20.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadResponse {
    /// The data in order. It is sent as it is, without a copy.
    pub data: Vec<Bytes>,
    /// Bytes that are left, if the data came by RDMA; else zero.
    pub data_remaining: u32,
}

impl ReadResponse {
    /// Header and fixed part: the data begins here.
    pub const DATA_OFFSET: usize = Header::SIZE + 16;

    const STRUCTURE_SIZE: u16 = 17;

    /// Makes a message of a buffer that holds the data from [`Self::DATA_OFFSET`] on: header and fixed part are
    /// written before it. So the whole message is contiguous without a copy, as one-shot signing and encryption need.
    ///
    /// # Errors
    /// The buffer is shorter than the room for header and fixed part.
    pub fn encode_in_place(header: &Header, mut buffer: BytesMut) -> Result<OutgoingMessage, Malformed> {
        let data_length = buffer.len().checked_sub(Self::DATA_OFFSET).ok_or(Malformed)?;
        let fixed = ReadResponseFixed { data_length: length_u32(data_length), data_remaining: 0 };
        let head = OutgoingMessage::new(header, &fixed);
        buffer.get_mut(..Self::DATA_OFFSET).ok_or(Malformed)?.copy_from_slice(head.head());
        Ok(OutgoingMessage::contiguous(buffer))
    }
}

impl Encode for ReadResponse {
    fn encode(&self, out: &mut OutgoingMessage) {
        let data_length = length_u32(self.data.iter().map(Bytes::len).sum());
        ReadResponseFixed { data_length, data_remaining: self.data_remaining }.encode(out);
        out.last_pieces(&self.data);
    }
}

/// The response to READ before its data.
struct ReadResponseFixed {
    data_length: u32,
    data_remaining: u32,
}

impl Encode for ReadResponseFixed {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(ReadResponse::STRUCTURE_SIZE);
        out.field(ReadResponse::DATA_OFFSET as u8);
        out.zeros(1);
        out.field(self.data_length);
        out.field(self.data_remaining);
        out.zeros(4);
    }
}

#[cfg(feature = "client")]
impl Decode for ReadResponse {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let offset: u8 = body.read()?;
        body.skip(1)?;
        let length: u32 = body.read()?;
        let data_remaining = body.read()?;
        let data = body.buffer(offset, length)?;
        Ok(Self { data: if data.is_empty() { Vec::new() } else { vec![data] }, data_remaining })
    }
}

#[cfg(test)]
mod tests;
