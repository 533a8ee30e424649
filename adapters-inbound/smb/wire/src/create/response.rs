//! The response to CREATE.

#[cfg(feature = "client")]
use bytes::Bytes;

use super::{CreateAction, CreateContexts, OplockLevel};
use crate::attributes::FileAttributes;
#[cfg(feature = "client")]
use crate::cursor::Malformed;
use crate::filetime::FileTime;
use crate::header::Header;
use crate::identifiers::FileId;
use crate::layout::bit_set;
use crate::message::{Encode, OutgoingMessage, length_u32};
#[cfg(feature = "client")]
use crate::{layout::Body, message::Decode};

bit_set! {
    /// The flags of a CREATE response (SMB 3.x).
    pub struct CreateResponseFlags(u8) {
        /// A part of the path is a reparse point.
        REPARSEPOINT = 0x01,
    }
}

/// The response to CREATE, 2.2.14.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateResponse {
    /// The oplock that was granted.
    pub oplock_level: OplockLevel,
    /// Flags.
    pub flags: CreateResponseFlags,
    /// The action that was taken.
    pub create_action: CreateAction,
    /// When the file was created.
    pub creation_time: FileTime,
    /// When the file was last accessed.
    pub last_access_time: FileTime,
    /// When data was last written.
    pub last_write_time: FileTime,
    /// When data or attributes last changed.
    pub change_time: FileTime,
    /// Bytes of storage that the data takes.
    pub allocation_size: u64,
    /// Bytes of data.
    pub end_of_file: u64,
    /// The file's attributes.
    pub file_attributes: FileAttributes,
    /// The open.
    pub file_id: FileId,
    /// The create contexts.
    pub contexts: CreateContexts,
}

impl CreateResponse {
    const STRUCTURE_SIZE: u16 = 89;
    const CONTEXTS_OFFSET: usize = Header::SIZE + 88;
}

impl Encode for CreateResponse {
    fn encode(&self, out: &mut OutgoingMessage) {
        let contexts = self.contexts.as_bytes();
        out.field(Self::STRUCTURE_SIZE);
        out.field(self.oplock_level);
        out.field(self.flags);
        out.field(self.create_action);
        out.field(self.creation_time);
        out.field(self.last_access_time);
        out.field(self.last_write_time);
        out.field(self.change_time);
        out.field(self.allocation_size);
        out.field(self.end_of_file);
        out.field(self.file_attributes);
        out.zeros(4);
        out.field(self.file_id);
        out.field(if contexts.is_empty() { 0 } else { length_u32(Self::CONTEXTS_OFFSET) });
        out.field(length_u32(contexts.len()));
        out.put(contexts);
    }
}

#[cfg(feature = "client")]
impl Decode for CreateResponse {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let oplock_level = body.read()?;
        let flags = body.read()?;
        let create_action = body.read()?;
        let creation_time = body.read()?;
        let last_access_time = body.read()?;
        let last_write_time = body.read()?;
        let change_time = body.read()?;
        let allocation_size = body.read()?;
        let end_of_file = body.read()?;
        let file_attributes = body.read()?;
        body.skip(4)?;
        let file_id = body.read()?;
        let contexts_offset: u32 = body.read()?;
        let contexts_length: u32 = body.read()?;
        Ok(Self {
            oplock_level,
            flags,
            create_action,
            creation_time,
            last_access_time,
            last_write_time,
            change_time,
            allocation_size,
            end_of_file,
            file_attributes,
            file_id,
            contexts: CreateContexts::decode(body.buffer(contexts_offset, contexts_length)?)?,
        })
    }
}

#[cfg(test)]
mod tests;
