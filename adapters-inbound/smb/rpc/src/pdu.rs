//! Protocol data units of connection-oriented RPC (C706 chapter 12.6): the header that all share, and their framing.

mod bind;
mod call;
mod framer;
mod syntax_id;

use bytes::Bytes;

use crate::cursor::{Malformed, Reader, Writer};

pub(crate) use bind::{Bind, BindAck, ContextResult, PresentationElement, bind_nak, reject_reason};
pub(crate) use call::{Fault, Request, fault, response};
pub(crate) use framer::Framer;
pub(crate) use syntax_id::SyntaxId;

/// The bytes of the longest PDU in either direction: what Windows and Samba use on named pipes.
pub const MAX_FRAGMENT_BYTES: usize = 4_280;

/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = 16;

/// Kinds of PDU (C706 12.6.4).
pub(crate) mod packet_type {
    pub(crate) const REQUEST: u8 = 0;
    pub(crate) const RESPONSE: u8 = 2;
    pub(crate) const FAULT: u8 = 3;
    pub(crate) const BIND: u8 = 11;
    pub(crate) const BIND_ACK: u8 = 12;
    pub(crate) const BIND_NAK: u8 = 13;
    pub(crate) const ALTER_CONTEXT: u8 = 14;
    pub(crate) const ALTER_CONTEXT_RESP: u8 = 15;
    pub(crate) const CO_CANCEL: u8 = 18;
    pub(crate) const ORPHANED: u8 = 19;
}

/// Flags of a PDU (C706 12.6.3.1).
pub(crate) mod packet_flags {
    pub(crate) const FIRST_FRAGMENT: u8 = 0x01;
    pub(crate) const LAST_FRAGMENT: u8 = 0x02;
    pub(crate) const DID_NOT_EXECUTE: u8 = 0x20;
    pub(crate) const OBJECT_UUID: u8 = 0x80;
}

/// The fields that all PDUs begin with (C706 12.6.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    /// Major and minor version of the protocol.
    pub(crate) version: [u8; 2],
    /// One of [`packet_type`], or another number.
    pub(crate) packet_type: u8,
    /// Of [`packet_flags`], and others.
    pub(crate) flags: u8,
    /// How the client writes integers and characters.
    pub(crate) representation: u8,
    /// Bytes of the PDU with this header, between [`HEADER_BYTES`] and [`MAX_FRAGMENT_BYTES`].
    pub(crate) fragment_bytes: usize,
    /// Bytes of an authentication token at the end.
    pub(crate) auth_bytes: u16,
    /// The client's number for the call, which the answer repeats.
    pub(crate) call_id: u32,
}

impl Header {
    /// Reads a header. One whose length is out of bounds is refused, for nothing says where the next PDU begins.
    pub(crate) fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        let version = reader.array()?;
        let (packet_type, flags) = (reader.u8()?, reader.u8()?);
        let [representation, ..]: [u8; 4] = reader.array()?;
        let fragment_bytes = usize::from(reader.u16()?);
        let (auth_bytes, call_id) = (reader.u16()?, reader.u32()?);
        if (HEADER_BYTES..=MAX_FRAGMENT_BYTES).contains(&fragment_bytes) {
            Ok(Self { version, packet_type, flags, representation, fragment_bytes, auth_bytes, call_id })
        } else {
            Err(Malformed)
        }
    }

    /// Whether the protocol is version 5.0 or 5.1 in little-endian order, the only order that MS-RPCE knows.
    pub(crate) fn is_supported(self) -> bool {
        const LITTLE_ENDIAN_ASCII: u8 = 0x10;
        matches!(self.version, [5, 0 | 1]) && self.representation == LITTLE_ENDIAN_ASCII
    }

    /// Whether the PDU is the first of a call.
    pub(crate) fn is_first(self) -> bool {
        self.flags & packet_flags::FIRST_FRAGMENT != 0
    }

    /// Whether the PDU is the last of a call.
    pub(crate) fn is_last(self) -> bool {
        self.flags & packet_flags::LAST_FRAGMENT != 0
    }
}

/// A PDU with a header of version 5.0 and a body of about so many bytes.
fn pdu(packet_type: u8, flags: u8, call_id: u32, body_bytes: usize, body: impl FnOnce(&mut Writer)) -> Bytes {
    const LITTLE_ENDIAN_ASCII_IEEE: [u8; 4] = [0x10, 0, 0, 0];
    const LENGTHS_OFFSET: usize = 8;
    let mut writer = Writer::with_capacity(HEADER_BYTES + body_bytes);
    writer.put(&[5, 0, packet_type, flags]);
    writer.put(&LITTLE_ENDIAN_ASCII_IEEE);
    writer.u32(0);
    writer.u32(call_id);
    body(&mut writer);
    // The fragment's length in the lower half, no authentication in the upper.
    writer.patch_u32(LENGTHS_OFFSET, u32::try_from(writer.position()).unwrap_or(0));
    writer.into_bytes().freeze()
}

#[cfg(test)]
mod tests;
