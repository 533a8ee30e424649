//! QUERY_INFO, MS-SMB2 2.2.37. Its response is an [`crate::output::OutputBufferResponse`].

use bytes::Bytes;

use crate::cursor::Malformed;
use crate::identifiers::FileId;
use crate::layout::{Body, bit_set, open_integer};
use crate::message::Decode;
#[cfg(feature = "client")]
use crate::{
    header::Header,
    message::{Encode, OutgoingMessage, length_u16, length_u32},
};

open_integer! {
    /// The kind of attributes of a QUERY_INFO or SET_INFO.
    pub struct InfoType(u8) {
        /// Of the file, in a class of MS-FSCC 2.4.
        FILE = 0x01,
        /// Of its file system, in a class of MS-FSCC 2.5.
        FILESYSTEM = 0x02,
        /// Its security descriptor.
        SECURITY = 0x03,
        /// The quotas of its file system.
        QUOTA = 0x04,
    }
}

bit_set! {
    /// The parts of a security descriptor, in AdditionalInformation (MS-DTYP 2.4.7).
    pub struct SecurityInformation(u32) {
        /// The owner.
        OWNER = 0x0000_0001,
        /// The group.
        GROUP = 0x0000_0002,
        /// The DACL.
        DACL = 0x0000_0004,
        /// The entries of the SACL that make audit records.
        SACL = 0x0000_0008,
        /// The integrity label.
        LABEL = 0x0000_0010,
        /// The resource attributes.
        ATTRIBUTE = 0x0000_0020,
        /// The central access policy.
        SCOPE = 0x0000_0040,
        /// All parts, for a backup.
        BACKUP = 0x0001_0000,
        /// To set: the SACL inherits from the directory.
        UNPROTECTED_SACL = 0x1000_0000,
        /// To set: the DACL inherits from the directory.
        UNPROTECTED_DACL = 0x2000_0000,
        /// To set: the SACL doesn't inherit.
        PROTECTED_SACL = 0x4000_0000,
        /// To set: the DACL doesn't inherit.
        PROTECTED_DACL = 0x8000_0000,
    }
}

bit_set! {
    /// The flags of a query for extended attributes.
    pub struct QueryInfoFlags(u32) {
        /// Begin at the first attribute.
        RESTART_SCAN = 0x0000_0001,
        /// Return one attribute only.
        RETURN_SINGLE_ENTRY = 0x0000_0002,
        /// Begin at the index in AdditionalInformation.
        INDEX_SPECIFIED = 0x0000_0004,
    }
}

/// A QUERY_INFO request, 2.2.37.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryInfoRequest {
    /// The kind of attributes.
    pub info_type: InfoType,
    /// The class of attributes of that kind.
    pub file_info_class: u8,
    /// Bytes of output at most.
    pub output_buffer_length: u32,
    /// [`SecurityInformation`] bits for a security descriptor, an index for extended attributes; else unused.
    pub additional_information: u32,
    /// How to list extended attributes.
    pub flags: QueryInfoFlags,
    /// The open.
    pub file_id: FileId,
    /// The quota or extended attributes to look for; else empty.
    pub input: Bytes,
}

impl QueryInfoRequest {
    const STRUCTURE_SIZE: u16 = 41;
}

impl Decode for QueryInfoRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let info_type = body.read()?;
        let file_info_class = body.read()?;
        let output_buffer_length = body.read()?;
        let input_offset: u16 = body.read()?;
        body.skip(2)?;
        let input_length: u32 = body.read()?;
        Ok(Self {
            info_type,
            file_info_class,
            output_buffer_length,
            additional_information: body.read()?,
            flags: body.read()?,
            file_id: body.read()?,
            input: body.buffer(input_offset, input_length)?,
        })
    }
}

#[cfg(feature = "client")]
impl Encode for QueryInfoRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(self.info_type);
        out.field(self.file_info_class);
        out.field(self.output_buffer_length);
        out.field(length_u16(Header::SIZE + 40));
        out.zeros(2);
        out.field(length_u32(self.input.len()));
        out.field(self.additional_information);
        out.field(self.flags);
        out.field(self.file_id);
        out.last_buffer(&self.input);
    }
}

#[cfg(test)]
mod tests;
