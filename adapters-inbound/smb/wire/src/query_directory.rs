//! QUERY_DIRECTORY, MS-SMB2 2.2.33. Its response is an [`crate::output::OutputBufferResponse`].

use bytes::Bytes;

use crate::cursor::Malformed;
use crate::identifiers::FileId;
use crate::layout::{Body, bit_set};
use crate::message::Decode;
use crate::text::Utf16Text;
#[cfg(feature = "client")]
use crate::{
    header::Header,
    message::{Encode, OutgoingMessage, length_u16},
};

bit_set! {
    /// The flags of a QUERY_DIRECTORY.
    pub struct QueryDirectoryFlags(u8) {
        /// Begin again from the start, with the same pattern.
        RESTART_SCANS = 0x01,
        /// Return one entry only.
        RETURN_SINGLE_ENTRY = 0x02,
        /// Begin at the entry with the given index.
        INDEX_SPECIFIED = 0x04,
        /// Begin again from the start, with a new pattern.
        REOPEN = 0x10,
    }
}

/// A QUERY_DIRECTORY request, 2.2.33.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryDirectoryRequest {
    /// The class of the entries, MS-FSCC 2.4.
    pub file_information_class: u8,
    /// How to continue.
    pub flags: QueryDirectoryFlags,
    /// The entry to begin at, if the flag is set.
    pub file_index: u32,
    /// The open directory.
    pub file_id: FileId,
    /// The pattern that names must match; may be empty.
    pub pattern: Utf16Text,
    /// Bytes of entries at most.
    pub output_buffer_length: u32,
}

impl QueryDirectoryRequest {
    const STRUCTURE_SIZE: u16 = 33;
}

impl Decode for QueryDirectoryRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let file_information_class = body.read()?;
        let flags = body.read()?;
        let file_index = body.read()?;
        let file_id = body.read()?;
        let name_offset: u16 = body.read()?;
        let name_length: u16 = body.read()?;
        let output_buffer_length = body.read()?;
        let pattern = Utf16Text::new(body.buffer(name_offset, name_length)?)?;
        Ok(Self { file_information_class, flags, file_index, file_id, pattern, output_buffer_length })
    }
}

#[cfg(feature = "client")]
impl Encode for QueryDirectoryRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(self.file_information_class);
        out.field(self.flags);
        out.field(self.file_index);
        out.field(self.file_id);
        out.field(length_u16(Header::SIZE + 32));
        out.field(length_u16(self.pattern.as_bytes().len()));
        out.field(self.output_buffer_length);
        out.put(self.pattern.as_bytes());
    }
}

#[cfg(test)]
mod tests;
