//! The PDUs of a call: request, response and fault (C706 12.6.4.7, 12.6.4.9, 12.6.4.10).

use bytes::Bytes;

use super::{Header, packet_flags, packet_type, pdu};
use crate::cursor::{Malformed, Reader};

/// A request PDU: a fragment of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    /// The choice of interface and syntax, as agreed on by a bind.
    pub(crate) context_id: u16,
    /// The number of the procedure in its interface.
    pub(crate) opnum: u16,
    /// A part of the arguments.
    pub(crate) stub: Bytes,
}

impl Request {
    /// Reads what follows the header.
    pub(crate) fn read(header: Header, body: Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let _alloc_hint = reader.u32()?;
        let (context_id, opnum) = (reader.u16()?, reader.u16()?);
        if header.flags & packet_flags::OBJECT_UUID != 0 {
            reader.skip(16)?;
        }
        let stub = reader.take(reader.remaining())?;
        Ok(Self { context_id, opnum, stub })
    }
}

/// The response PDUs of a call, none longer than `max_fragment`.
pub(crate) fn response(call_id: u32, context_id: u16, mut stub: Bytes, max_fragment: u16) -> Vec<Bytes> {
    const RESPONSE_HEADER_BYTES: usize = 24;
    // A multiple of 8, so that no NDR64 word lies in two fragments.
    let max_stub = (usize::from(max_fragment).saturating_sub(RESPONSE_HEADER_BYTES) & !7).max(8);
    let mut fragments = Vec::with_capacity(stub.len().div_ceil(max_stub).max(1));
    loop {
        let hint = u32::try_from(stub.len()).unwrap_or(u32::MAX);
        let part = stub.split_to(max_stub.min(stub.len()));
        let first = if fragments.is_empty() { packet_flags::FIRST_FRAGMENT } else { 0 };
        let last = if stub.is_empty() { packet_flags::LAST_FRAGMENT } else { 0 };
        fragments.push(pdu(packet_type::RESPONSE, first | last, call_id, 8 + part.len(), |writer| {
            writer.u32(hint);
            writer.u16(context_id);
            writer.zeros(2);
            writer.put(&part);
        }));
        if stub.is_empty() {
            return fragments;
        }
    }
}

/// Why a call has no result (C706 appendix E, MS-RPCE 2.2.2.9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    /// A status code of RPC, or a Win32 error.
    pub(crate) status: u32,
    /// Whether the call had no effect for sure.
    pub(crate) did_not_execute: bool,
}

impl Fault {
    /// nca_op_rng_error: the interface has no procedure of that number.
    pub(crate) const OP_RNG_ERROR: Self = Self { status: 0x1c01_0002, did_not_execute: true };
    /// nca_unk_if: the context was not agreed on.
    pub(crate) const UNK_IF: Self = Self { status: 0x1c01_0003, did_not_execute: true };
    /// nca_proto_error: the PDU may not be sent now, or can't be read.
    pub(crate) const PROTO_ERROR: Self = Self { status: 0x1c01_000b, did_not_execute: true };
    /// ERROR_ACCESS_DENIED: the call is too long, or it is signed though no one agreed on that.
    pub(crate) const ACCESS_DENIED: Self = Self { status: 5, did_not_execute: false };
    /// nca_s_fault_invalid_tag: a union has nothing for the level that the client asks for.
    pub(crate) const INVALID_TAG: Self = Self { status: 0x1c00_0006, did_not_execute: false };
    /// RPC_X_BAD_STUB_DATA: the arguments can't be read.
    pub(crate) const BAD_STUB_DATA: Self = Self { status: 0x6f7, did_not_execute: false };
}

impl From<Malformed> for Fault {
    fn from(Malformed: Malformed) -> Self {
        Self::BAD_STUB_DATA
    }
}

/// A fault PDU.
pub(crate) fn fault(call_id: u32, context_id: u16, fault: Fault) -> Bytes {
    let did_not_execute = if fault.did_not_execute { packet_flags::DID_NOT_EXECUTE } else { 0 };
    let flags = packet_flags::FIRST_FRAGMENT | packet_flags::LAST_FRAGMENT | did_not_execute;
    pdu(packet_type::FAULT, flags, call_id, 16, |writer| {
        writer.u32(32);
        writer.u16(context_id);
        writer.zeros(2);
        writer.u32(fault.status);
        writer.zeros(4);
    })
}
