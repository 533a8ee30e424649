//! The CREATE request.

use bytes::Bytes;

use super::{CreateContexts, CreateDisposition, CreateOptions, ImpersonationLevel, OplockLevel};
use crate::access::{AccessMask, ShareAccess};
use crate::attributes::FileAttributes;
use crate::cursor::Malformed;
use crate::layout::Body;
use crate::message::Decode;
use crate::text::Utf16Text;
#[cfg(feature = "client")]
use crate::{
    header::Header,
    message::{Encode, OutgoingMessage, length_u16, length_u32},
};

/// A CREATE request, 2.2.13.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateRequest {
    /// The oplock that the client wants.
    pub requested_oplock_level: OplockLevel,
    /// How far the server may act as the user.
    pub impersonation_level: ImpersonationLevel,
    /// The rights that the open shall have.
    pub desired_access: AccessMask,
    /// The attributes of a new file.
    pub file_attributes: FileAttributes,
    /// The access that others may have.
    pub share_access: ShareAccess,
    /// The action, depending on whether the file exists.
    pub create_disposition: CreateDisposition,
    /// Further options.
    pub create_options: CreateOptions,
    /// The path from the share's root, with backslashes; empty for the root itself.
    pub name: Utf16Text,
    /// The create contexts.
    pub contexts: CreateContexts,
}

impl CreateRequest {
    const STRUCTURE_SIZE: u16 = 57;
    #[cfg(feature = "client")]
    const NAME_OFFSET: usize = Header::SIZE + 56;
}

impl Decode for CreateRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        body.skip(1)?;
        let requested_oplock_level = body.read()?;
        let impersonation_level = body.read()?;
        body.skip(16)?;
        let desired_access = body.read()?;
        let file_attributes = body.read()?;
        let share_access = body.read()?;
        let create_disposition = body.read()?;
        let create_options = body.read()?;
        let name_offset: u16 = body.read()?;
        let name_length: u16 = body.read()?;
        let contexts_offset: u32 = body.read()?;
        let contexts_length: u32 = body.read()?;
        Ok(Self {
            requested_oplock_level,
            impersonation_level,
            desired_access,
            file_attributes,
            share_access,
            create_disposition,
            create_options,
            name: Utf16Text::new(body.buffer(name_offset, name_length)?)?,
            contexts: CreateContexts::decode(body.buffer(contexts_offset, contexts_length)?)?,
        })
    }
}

#[cfg(feature = "client")]
impl Encode for CreateRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        let name = self.name.as_bytes();
        let contexts = self.contexts.as_bytes();
        let name_end = Self::NAME_OFFSET + name.len();
        let contexts_offset = name_end.next_multiple_of(8);
        out.field(Self::STRUCTURE_SIZE);
        out.zeros(1);
        out.field(self.requested_oplock_level);
        out.field(self.impersonation_level);
        out.zeros(16);
        out.field(self.desired_access);
        out.field(self.file_attributes);
        out.field(self.share_access);
        out.field(self.create_disposition);
        out.field(self.create_options);
        out.field(length_u16(Self::NAME_OFFSET));
        out.field(length_u16(name.len()));
        out.field(if contexts.is_empty() { 0 } else { length_u32(contexts_offset) });
        out.field(length_u32(contexts.len()));
        out.put(name);
        if !contexts.is_empty() {
            out.zeros(contexts_offset - name_end);
            out.put(contexts);
        }
    }
}

#[cfg(test)]
mod tests;
