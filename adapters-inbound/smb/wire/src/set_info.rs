//! SET_INFO, MS-SMB2 2.2.39 and 2.2.40.

use bytes::Bytes;

use crate::cursor::Malformed;
use crate::identifiers::FileId;
use crate::layout::Body;
use crate::message::{Decode, Encode, OutgoingMessage};
use crate::query_info::InfoType;
#[cfg(feature = "client")]
use crate::{
    header::Header,
    message::{length_u16, length_u32},
};

/// A SET_INFO request, 2.2.39.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetInfoRequest {
    /// The kind of attributes.
    pub info_type: InfoType,
    /// The class of attributes of that kind.
    pub file_info_class: u8,
    /// [`crate::query_info::SecurityInformation`] bits for a security descriptor; else unused.
    pub additional_information: u32,
    /// The open.
    pub file_id: FileId,
    /// The attributes, in the layout of their class.
    pub input: Bytes,
}

impl SetInfoRequest {
    const STRUCTURE_SIZE: u16 = 33;
}

impl Decode for SetInfoRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let info_type = body.read()?;
        let file_info_class = body.read()?;
        let buffer_length: u32 = body.read()?;
        let buffer_offset: u16 = body.read()?;
        body.skip(2)?;
        Ok(Self {
            info_type,
            file_info_class,
            additional_information: body.read()?,
            file_id: body.read()?,
            input: body.buffer(buffer_offset, buffer_length)?,
        })
    }
}

#[cfg(feature = "client")]
impl Encode for SetInfoRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(self.info_type);
        out.field(self.file_info_class);
        out.field(length_u32(self.input.len()));
        out.field(length_u16(Header::SIZE + 32));
        out.zeros(2);
        out.field(self.additional_information);
        out.field(self.file_id);
        out.last_buffer(&self.input);
    }
}

/// The response to SET_INFO, 2.2.40: StructureSize and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SetInfoResponse;

impl SetInfoResponse {
    const STRUCTURE_SIZE: u16 = 2;
}

impl Encode for SetInfoResponse {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
    }
}

impl Decode for SetInfoResponse {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        Body::open(message, Self::STRUCTURE_SIZE).map(|_| Self)
    }
}

#[cfg(test)]
mod tests;
