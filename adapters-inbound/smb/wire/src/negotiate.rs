//! NEGOTIATE, MS-SMB2 2.2.3 and 2.2.4.

use bytes::Bytes;

use crate::cursor::{Fields, Malformed};
use crate::dialect::Dialect;
use crate::filetime::FileTime;
use crate::header::Header;
use crate::identifiers::Guid;
use crate::layout::{Body, bit_set};
use crate::message::{Decode, Encode, OutgoingMessage, length_u16};

pub use context::{CompressionFlags, NegotiateContext, TransportFlags};

pub mod algorithms;
mod context;

bit_set! {
    /// A side's demands for signing.
    pub struct SecurityMode(u16) {
        /// It can sign.
        SIGNING_ENABLED = 0x0001,
        /// It wants every message signed.
        SIGNING_REQUIRED = 0x0002,
    }
}

bit_set! {
    /// The capabilities of client and server.
    pub struct Capabilities(u32) {
        /// DFS.
        DFS = 0x0000_0001,
        /// Leases (SMB 2.1).
        LEASING = 0x0000_0002,
        /// Requests of more than one credit (SMB 2.1).
        LARGE_MTU = 0x0000_0004,
        /// Several connections for one session (SMB 3.x).
        MULTI_CHANNEL = 0x0000_0008,
        /// Handles that survive a failure of the server (SMB 3.x).
        PERSISTENT_HANDLES = 0x0000_0010,
        /// Leases of directories (SMB 3.x).
        DIRECTORY_LEASING = 0x0000_0020,
        /// Encryption (SMB 3.0 and 3.0.2; SMB 3.1.1 negotiates it by a context).
        ENCRYPTION = 0x0000_0040,
        /// Notifications from the server (SMB 3.1.1).
        NOTIFICATIONS = 0x0000_0080,
    }
}

/// A NEGOTIATE request, 2.2.3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NegotiateRequest {
    /// The client's demands for signing.
    pub security_mode: SecurityMode,
    /// The client's capabilities, if it offers SMB 3.x.
    pub capabilities: Capabilities,
    /// The client's identifier; zero if it offers only SMB 2.0.2.
    pub client_guid: Guid,
    /// The dialects that the client offers: one at least.
    pub dialects: Vec<Dialect>,
    /// The contexts, if the client offers SMB 3.1.1; unknown ones are among them.
    pub contexts: Vec<NegotiateContext>,
}

impl NegotiateRequest {
    const STRUCTURE_SIZE: u16 = 36;
}

impl Decode for NegotiateRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let dialect_count: u16 = body.read()?;
        let security_mode = body.read()?;
        body.skip(2)?;
        let capabilities = body.read()?;
        let client_guid = body.read()?;
        let context_offset: u32 = body.read()?;
        let context_count: u16 = body.read()?;
        if dialect_count == 0 {
            return Err(Malformed);
        }
        let mut fields = Fields::new(body.variable_part());
        let dialects: Vec<Dialect> = (0..dialect_count).map(|_| fields.read()).collect::<Result<_, _>>()?;
        // Without SMB 3.1.1 these bytes are a reserved field of another meaning.
        let contexts = if dialects.contains(&Dialect::SMB_3_1_1) {
            NegotiateContext::decode_list(message, context_offset, context_count)?
        } else {
            Vec::new()
        };
        Ok(Self { security_mode, capabilities, client_guid, dialects, contexts })
    }
}

#[cfg(feature = "client")]
impl Encode for NegotiateRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        let dialects_end = Header::SIZE + 36 + size_of_val(self.dialects.as_slice());
        out.field(Self::STRUCTURE_SIZE);
        out.field(length_u16(self.dialects.len()));
        out.field(self.security_mode);
        out.zeros(2);
        out.field(self.capabilities);
        out.field(self.client_guid);
        out.field(NegotiateContext::list_offset(&self.contexts, dialects_end));
        out.field(length_u16(self.contexts.len()));
        out.zeros(2);
        for dialect in &self.dialects {
            out.field(*dialect);
        }
        NegotiateContext::encode_list(&self.contexts, out);
    }
}

/// The response to NEGOTIATE, 2.2.4.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NegotiateResponse {
    /// The server's demands for signing.
    pub security_mode: SecurityMode,
    /// The dialect that was chosen.
    pub dialect: Dialect,
    /// The server's identifier.
    pub server_guid: Guid,
    /// The server's capabilities.
    pub capabilities: Capabilities,
    /// The longest buffer of QUERY_INFO, QUERY_DIRECTORY, SET_INFO and CHANGE_NOTIFY.
    pub max_transact_size: u32,
    /// The longest READ.
    pub max_read_size: u32,
    /// The longest WRITE.
    pub max_write_size: u32,
    /// The server's time.
    pub system_time: FileTime,
    /// When the server started, or zero.
    pub server_start_time: FileTime,
    /// The first authentication token, of 65,535 bytes at most.
    pub security_buffer: Bytes,
    /// The contexts, in SMB 3.1.1; else none.
    pub contexts: Vec<NegotiateContext>,
}

impl NegotiateResponse {
    const STRUCTURE_SIZE: u16 = 65;
    const SECURITY_BUFFER_OFFSET: usize = Header::SIZE + 64;
}

impl Encode for NegotiateResponse {
    fn encode(&self, out: &mut OutgoingMessage) {
        let buffer_end = Self::SECURITY_BUFFER_OFFSET + self.security_buffer.len();
        out.field(Self::STRUCTURE_SIZE);
        out.field(self.security_mode);
        out.field(self.dialect);
        out.field(length_u16(self.contexts.len()));
        out.field(self.server_guid);
        out.field(self.capabilities);
        out.field(self.max_transact_size);
        out.field(self.max_read_size);
        out.field(self.max_write_size);
        out.field(self.system_time);
        out.field(self.server_start_time);
        out.field(length_u16(Self::SECURITY_BUFFER_OFFSET));
        out.field(length_u16(self.security_buffer.len()));
        out.field(NegotiateContext::list_offset(&self.contexts, buffer_end));
        out.put(&self.security_buffer);
        NegotiateContext::encode_list(&self.contexts, out);
    }
}

#[cfg(feature = "client")]
impl Decode for NegotiateResponse {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let security_mode = body.read()?;
        let dialect = body.read()?;
        let context_count: u16 = body.read()?;
        let server_guid = body.read()?;
        let capabilities = body.read()?;
        let max_transact_size = body.read()?;
        let max_read_size = body.read()?;
        let max_write_size = body.read()?;
        let system_time = body.read()?;
        let server_start_time = body.read()?;
        let buffer_offset: u16 = body.read()?;
        let buffer_length: u16 = body.read()?;
        let context_offset: u32 = body.read()?;
        let contexts = if dialect == Dialect::SMB_3_1_1 {
            NegotiateContext::decode_list(message, context_offset, context_count)?
        } else {
            Vec::new()
        };
        Ok(Self {
            security_mode,
            dialect,
            server_guid,
            capabilities,
            max_transact_size,
            max_read_size,
            max_write_size,
            system_time,
            server_start_time,
            security_buffer: body.buffer(buffer_offset, buffer_length)?,
            contexts,
        })
    }
}

#[cfg(test)]
mod tests;
