//! The PDUs by which client and server agree on interfaces and transfer syntaxes (C706 12.6.4.3 to 12.6.4.5).

use bytes::Bytes;

use super::{SyntaxId, packet_flags, packet_type, pdu};
use crate::cursor::{Malformed, Reader};
use crate::ndr::Syntax;

/// A bind or alter_context PDU.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bind {
    /// Bytes of the longest fragment that the client sends.
    pub(crate) max_transmit_fragment: u16,
    /// Bytes of the longest fragment that the client receives.
    pub(crate) max_receive_fragment: u16,
    /// The association group that the client wants to join, or zero for a new one.
    pub(crate) association_group: u32,
    /// The client's proposals.
    pub(crate) elements: Vec<PresentationElement>,
}

/// A proposal: an interface and the syntaxes in which the client can talk to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PresentationElement {
    /// The number by which requests name this choice.
    pub(crate) context_id: u16,
    /// The interface.
    pub(crate) abstract_syntax: SyntaxId,
    /// At least one, unless the client is broken.
    pub(crate) transfer_syntaxes: Vec<SyntaxId>,
}

impl Bind {
    /// Reads what follows the header.
    pub(crate) fn read(body: Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let (max_transmit_fragment, max_receive_fragment) = (reader.u16()?, reader.u16()?);
        let association_group = reader.u32()?;
        let [count, ..]: [u8; 4] = reader.array()?;
        let elements = (0..count).map(|_| PresentationElement::read(&mut reader)).collect::<Result<_, _>>()?;
        Ok(Self { max_transmit_fragment, max_receive_fragment, association_group, elements })
    }
}

impl PresentationElement {
    fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        let context_id = reader.u16()?;
        let [count, _]: [u8; 2] = reader.array()?;
        let abstract_syntax = SyntaxId::read(reader)?;
        let transfer_syntaxes = (0..count).map(|_| SyntaxId::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self { context_id, abstract_syntax, transfer_syntaxes })
    }
}

/// The answer to one proposal (C706 12.6.3.1, p_result_t).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ContextResult {
    /// Requests may name the context.
    Acceptance(Syntax),
    /// The pipe doesn't lead to that interface.
    AbstractSyntaxNotSupported,
    /// None of the syntaxes is known, or another proposal is preferred.
    TransferSyntaxesNotSupported,
    /// The client has as many contexts as it may have.
    LocalLimitExceeded,
    /// Not a proposal, but an exchange of features (MS-RPCE 3.3.1.5.3): those that both sides have.
    NegotiateAck(u16),
}

impl ContextResult {
    /// Result, reason and transfer syntax.
    fn fields(self) -> (u16, u16, SyntaxId) {
        const PROVIDER_REJECTION: u16 = 2;
        match self {
            Self::Acceptance(syntax) => (0, 0, syntax.id()),
            Self::AbstractSyntaxNotSupported => (PROVIDER_REJECTION, 1, SyntaxId::NONE),
            Self::TransferSyntaxesNotSupported => (PROVIDER_REJECTION, 2, SyntaxId::NONE),
            Self::LocalLimitExceeded => (PROVIDER_REJECTION, 3, SyntaxId::NONE),
            Self::NegotiateAck(features) => (3, features, SyntaxId::NONE),
        }
    }
}

/// A bind_ack or alter_context_resp PDU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BindAck<'a> {
    /// Bytes of the longest fragment in both directions.
    pub(crate) max_fragment: u16,
    /// Never zero.
    pub(crate) association_group: u32,
    /// The pipe, or empty in an alter_context_resp.
    pub(crate) secondary_address: &'a str,
    /// One for each proposal, in their order.
    pub(crate) results: &'a [ContextResult],
}

impl BindAck<'_> {
    /// The PDU, as bind_ack or as alter_context_resp.
    pub(crate) fn write(&self, packet_type: u8, call_id: u32) -> Bytes {
        let flags = packet_flags::FIRST_FRAGMENT | packet_flags::LAST_FRAGMENT;
        let body_bytes = 16 + self.secondary_address.len() + 24 * self.results.len();
        pdu(packet_type, flags, call_id, body_bytes, |writer| {
            writer.u16(self.max_fragment);
            writer.u16(self.max_fragment);
            writer.u32(self.association_group);
            if self.secondary_address.is_empty() {
                writer.u16(0);
            } else {
                writer.u16(u16::try_from(self.secondary_address.len() + 1).unwrap_or(0));
                writer.put(self.secondary_address.as_bytes());
                writer.u8(0);
            }
            writer.align(4);
            writer.u32(u32::try_from(self.results.len()).unwrap_or(0));
            for result in self.results {
                let (result, reason, syntax) = result.fields();
                writer.u16(result);
                writer.u16(reason);
                syntax.write(writer);
            }
        })
    }
}

/// Why the server refuses an association (C706 12.6.3.1, p_reject_reason_t; MS-RPCE 2.2.2.5).
pub(crate) mod reject_reason {
    pub(crate) const NOT_SPECIFIED: u16 = 0;
    pub(crate) const PROTOCOL_VERSION_NOT_SUPPORTED: u16 = 4;
    pub(crate) const AUTHENTICATION_TYPE_NOT_RECOGNIZED: u16 = 8;
}

/// A bind_nak PDU, which names version 5.0 as the one to use.
pub(crate) fn bind_nak(call_id: u32, reason: u16) -> Bytes {
    let flags = packet_flags::FIRST_FRAGMENT | packet_flags::LAST_FRAGMENT;
    pdu(packet_type::BIND_NAK, flags, call_id, 5, |writer| {
        writer.u16(reason);
        writer.put(&[1, 5, 0]);
    })
}
