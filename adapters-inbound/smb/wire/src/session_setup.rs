//! SESSION_SETUP, MS-SMB2 2.2.5 and 2.2.6.

use bytes::Bytes;

use crate::cursor::Malformed;
use crate::header::Header;
use crate::layout::{Body, bit_set};
use crate::message::{Decode, Encode, OutgoingMessage, length_u16};
use crate::negotiate::Capabilities;

bit_set! {
    /// The flags of a SESSION_SETUP request.
    pub struct SessionSetupFlags(u8) {
        /// Bind this connection to a session that another one set up (SMB 3.x).
        BINDING = 0x01,
    }
}

bit_set! {
    /// The security mode of a SESSION_SETUP request: one byte, in NEGOTIATE it has two.
    pub struct SessionSecurityMode(u8) {
        /// The client can sign.
        SIGNING_ENABLED = 0x01,
        /// The client wants every message signed.
        SIGNING_REQUIRED = 0x02,
    }
}

/// A SESSION_SETUP request, 2.2.5.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionSetupRequest {
    /// Whether to bind.
    pub flags: SessionSetupFlags,
    /// The client's demands for signing.
    pub security_mode: SessionSecurityMode,
    /// The client's capabilities; only DFS counts here.
    pub capabilities: Capabilities,
    /// A session of this client to end, because it reconnects; or zero.
    pub previous_session_id: u64,
    /// The authentication token.
    pub security_buffer: Bytes,
}

impl SessionSetupRequest {
    const STRUCTURE_SIZE: u16 = 25;
}

impl Decode for SessionSetupRequest {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let flags = body.read()?;
        let security_mode = body.read()?;
        let capabilities = body.read()?;
        body.skip(4)?;
        let offset: u16 = body.read()?;
        let length: u16 = body.read()?;
        Ok(Self {
            flags,
            security_mode,
            capabilities,
            previous_session_id: body.read()?,
            security_buffer: body.buffer(offset, length)?,
        })
    }
}

#[cfg(feature = "client")]
impl Encode for SessionSetupRequest {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(self.flags);
        out.field(self.security_mode);
        out.field(self.capabilities);
        out.zeros(4);
        out.field(length_u16(Header::SIZE + 24));
        out.field(length_u16(self.security_buffer.len()));
        out.field(self.previous_session_id);
        out.last_buffer(&self.security_buffer);
    }
}

bit_set! {
    /// The flags of a SESSION_SETUP response.
    pub struct SessionFlags(u16) {
        /// The user is a guest.
        IS_GUEST = 0x0001,
        /// The user is anonymous.
        IS_NULL = 0x0002,
        /// All messages of the session must be encrypted (SMB 3.x).
        ENCRYPT_DATA = 0x0004,
    }
}

/// The response to SESSION_SETUP, 2.2.6.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionSetupResponse {
    /// The kind of session.
    pub flags: SessionFlags,
    /// The authentication token, of 65,535 bytes at most.
    pub security_buffer: Bytes,
}

impl SessionSetupResponse {
    const STRUCTURE_SIZE: u16 = 9;
}

impl Encode for SessionSetupResponse {
    fn encode(&self, out: &mut OutgoingMessage) {
        out.field(Self::STRUCTURE_SIZE);
        out.field(self.flags);
        out.field(length_u16(Header::SIZE + 8));
        out.field(length_u16(self.security_buffer.len()));
        out.last_buffer(&self.security_buffer);
    }
}

#[cfg(feature = "client")]
impl Decode for SessionSetupResponse {
    fn decode(message: &Bytes) -> Result<Self, Malformed> {
        let mut body = Body::open(message, Self::STRUCTURE_SIZE)?;
        let flags = body.read()?;
        let offset: u16 = body.read()?;
        let length: u16 = body.read()?;
        Ok(Self { flags, security_buffer: body.buffer(offset, length)? })
    }
}

#[cfg(test)]
mod tests;
