//! IOCTL, MS-SMB2 2.2.31 and 2.2.32. The payloads of the control codes are handed on as they are.

use bytes::Bytes;

use crate::cursor::Malformed;
use crate::header::Header;
use crate::identifiers::FileId;
use crate::layout::{Body, bit_set};
use crate::message::{Decode, Encode, OutgoingMessage, length_u32};

bit_set! {
    /// The flags of an IOCTL request.
    pub struct IoctlFlags(u32) {
        /// The control code is an FSCTL. Without it a server answers STATUS_NOT_SUPPORTED (3.3.5.15).
        IS_FSCTL = 0x0000_0001,
    }
}

/// An IOCTL request, 2.2.31.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IoctlRequest {
    /// The control code.
    pub ctl_code: u32,
    /// The open; [`FileId::NONE`] for codes that need none.
    pub file_id: FileId,
    /// The input of the operation.
    pub input: Bytes,
    /// Bytes of input at most that the client takes back in the response.
    pub max_input_response: u32,
    /// Output that the client sends along, which no control code uses. Clients set its offset to any value.
    pub output: Bytes,
    /// Bytes of output at most that the client takes.
    pub max_output_response: u32,
    /// Whether the code is an FSCTL.
    pub flags: IoctlFlags,
}

impl IoctlRequest {
    const STRUCTURE_SIZE: u16 = 57;
}

impl Decode for IoctlRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        body.skip(2)?;
        let ctl_code = body.read()?;
        let file_id = body.read()?;
        let input_offset: u32 = body.read()?;
        let input_count: u32 = body.read()?;
        let max_input_response = body.read()?;
        let output_offset: u32 = body.read()?;
        let output_count: u32 = body.read()?;
        let max_output_response = body.read()?;
        let flags = body.read()?;
        Ok(Self {
            ctl_code,
            file_id,
            input: body.buffer(input_offset, input_count)?,
            max_input_response,
            output: body.buffer(output_offset, output_count)?,
            max_output_response,
            flags,
        })
    }
}

#[cfg(feature = "client")]
impl Encode for IoctlRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        let input_offset = length_u32(Header::SIZE + 56);
        let output_offset = input_offset + length_u32(self.input.len().next_multiple_of(8));
        out.field(Self::STRUCTURE_SIZE);
        out.zeros(2);
        out.field(self.ctl_code);
        out.field(self.file_id);
        out.field(input_offset);
        out.field(length_u32(self.input.len()));
        out.field(self.max_input_response);
        out.field(output_offset);
        out.field(length_u32(self.output.len()));
        out.field(self.max_output_response);
        out.field(self.flags);
        out.zeros(4);
        out.put(&self.input);
        out.zeros(self.input.len().next_multiple_of(8) - self.input.len());
        out.last_buffer(&self.output);
    }
}

/// The response to IOCTL, 2.2.32. It repeats no input: no FSCTL of a file server needs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IoctlResponse {
    /// The control code of the request.
    pub ctl_code: u32,
    /// The open of the request; for some codes [`FileId::NONE`].
    pub file_id: FileId,
    /// The output of the operation.
    pub output: Bytes,
}

impl IoctlResponse {
    const STRUCTURE_SIZE: u16 = 49;
    const BUFFER_OFFSET: usize = Header::SIZE + 48;
}

impl Encode for IoctlResponse {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.zeros(2);
        out.field(self.ctl_code);
        out.field(self.file_id);
        out.field(length_u32(Self::BUFFER_OFFSET));
        out.field(0_u32);
        out.field(length_u32(Self::BUFFER_OFFSET));
        out.field(length_u32(self.output.len()));
        out.zeros(8);
        out.last_buffer(&self.output);
    }
}

#[cfg(feature = "client")]
impl Decode for IoctlResponse {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        body.skip(2)?;
        let ctl_code = body.read()?;
        let file_id = body.read()?;
        body.skip(8)?;
        let output_offset: u32 = body.read()?;
        let output_count: u32 = body.read()?;
        Ok(Self { ctl_code, file_id, output: body.buffer(output_offset, output_count)? })
    }
}

#[cfg(test)]
mod tests;
