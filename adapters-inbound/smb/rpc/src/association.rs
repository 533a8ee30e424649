//! An association: the state that client and server agreed on over a pipe, and the call that is being received.

mod contexts;

use bytes::{Bytes, BytesMut};

use crate::interface::Interface;
use crate::ndr::Syntax;
use crate::pdu::{
    Bind, BindAck, Fault, Header, MAX_FRAGMENT_BYTES, Request, bind_nak, fault, packet_type, reject_reason, response,
};
use crate::server::Server;
use contexts::PresentationContexts;

/// The bytes of the longest arguments of a call. The procedures here take names, so that a few hundred are usual.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// A client's association with an interface (C706 chapter 12.3, on the server's side).
#[derive(Debug)]
pub(crate) struct Association {
    interface: Interface,
    contexts: PresentationContexts,
    /// Of a bind that was acknowledged. Without it nothing but a bind is allowed.
    bound: Option<Bound>,
    /// A call of which not all fragments are here.
    incomplete: Option<Call>,
}

/// The outcome of a bind.
#[derive(Clone, Copy, Debug)]
struct Bound {
    max_fragment: u16,
    association_group: u32,
}

/// A call that a client makes.
#[derive(Debug)]
struct Call {
    call_id: u32,
    context_id: u16,
    syntax: Syntax,
    opnum: u16,
    stub: BytesMut,
}

/// The consequences of a PDU.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The PDUs to send.
    pub(crate) fragments: Vec<Bytes>,
    /// Whether the association is over.
    pub(crate) closes: bool,
}

impl Association {
    /// An association that nothing was agreed on for.
    pub(crate) fn new(interface: Interface) -> Self {
        Self { interface, contexts: PresentationContexts::default(), bound: None, incomplete: None }
    }

    /// Takes a PDU: its header and what follows it.
    pub(crate) fn receive(&mut self, header: Header, body: Bytes, server: &Server) -> Answer {
        let Some(bound) = self.bound else {
            return self.bind(header, body);
        };
        if !header.is_supported() {
            return Answer::disconnect(header.call_id, 0, Fault::PROTO_ERROR);
        }
        match header.packet_type {
            packet_type::BIND => Answer::reject(header.call_id, reject_reason::NOT_SPECIFIED),
            packet_type::ALTER_CONTEXT => self.alter_context(header, body, bound),
            packet_type::REQUEST => self.request(header, body, bound, server),
            // Each call is answered when its last fragment comes, so that there is none to cancel.
            packet_type::CO_CANCEL | packet_type::ORPHANED => Answer::nothing(),
            _ => Answer::disconnect(header.call_id, 0, Fault::PROTO_ERROR),
        }
    }

    /// The first PDU. Whatever isn't a bind gets the answer of Windows: a rejection that names the known version.
    fn bind(&mut self, header: Header, body: Bytes) -> Answer {
        let reject = |reason| Answer::reject(header.call_id, reason);
        if header.packet_type != packet_type::BIND || !header.is_supported() {
            return reject(reject_reason::PROTOCOL_VERSION_NOT_SUPPORTED);
        }
        if header.auth_bytes != 0 {
            return reject(reject_reason::AUTHENTICATION_TYPE_NOT_RECOGNIZED);
        }
        let Ok(bind) = Bind::read(body) else {
            return reject(reject_reason::PROTOCOL_VERSION_NOT_SUPPORTED);
        };
        let Ok(results) = self.contexts.bind(self.interface, &bind.elements) else {
            return reject(reject_reason::NOT_SPECIFIED);
        };
        let bound = Bound {
            max_fragment: max_fragment(&bind),
            // No state is shared within a group, so that all clients can be in the same one.
            association_group: if bind.association_group == 0 { 1 } else { bind.association_group },
        };
        self.bound = Some(bound);
        let ack = BindAck {
            max_fragment: bound.max_fragment,
            association_group: bound.association_group,
            secondary_address: self.interface.secondary_address(),
            results: &results,
        };
        Answer::one(ack.write(packet_type::BIND_ACK, header.call_id))
    }

    fn alter_context(&mut self, header: Header, body: Bytes, bound: Bound) -> Answer {
        if header.auth_bytes != 0 {
            return Answer::disconnect(header.call_id, 0, Fault::ACCESS_DENIED);
        }
        let results = Bind::read(body).and_then(|bind| self.contexts.alter(self.interface, &bind.elements));
        let Ok(results) = results else {
            return Answer::disconnect(header.call_id, 0, Fault::PROTO_ERROR);
        };
        let ack = BindAck {
            max_fragment: bound.max_fragment,
            association_group: bound.association_group,
            secondary_address: "",
            results: &results,
        };
        Answer::one(ack.write(packet_type::ALTER_CONTEXT_RESP, header.call_id))
    }

    /// A fragment of a call. Without PFC_CONC_MPX, which the server never grants, calls do not interleave.
    fn request(&mut self, header: Header, body: Bytes, bound: Bound, server: &Server) -> Answer {
        let Ok(request) = Request::read(header, body) else {
            return Answer::disconnect(header.call_id, 0, Fault::PROTO_ERROR);
        };
        let disconnect = |fault| Answer::disconnect(header.call_id, request.context_id, fault);
        if header.auth_bytes != 0 {
            return disconnect(Fault::ACCESS_DENIED);
        }
        let mut call = match self.incomplete.take() {
            None if header.is_first() => match self.contexts.syntax(request.context_id) {
                Some(syntax) => Call::new(header.call_id, &request, syntax),
                None => return Answer::one(fault(header.call_id, request.context_id, Fault::UNK_IF)),
            },
            Some(call) if !header.is_first() && call.call_id == header.call_id => call,
            Some(call) => return Answer::disconnect(call.call_id, call.context_id, Fault::PROTO_ERROR),
            None => return disconnect(Fault::PROTO_ERROR),
        };
        if call.stub.len() + request.stub.len() > MAX_REQUEST_BYTES {
            return disconnect(Fault::ACCESS_DENIED);
        }
        call.stub.extend_from_slice(&request.stub);
        if header.is_last() {
            return call.execute(self.interface, bound.max_fragment, server);
        }
        self.incomplete = Some(call);
        Answer::nothing()
    }
}

impl Call {
    fn new(call_id: u32, request: &Request, syntax: Syntax) -> Self {
        Self { call_id, context_id: request.context_id, syntax, opnum: request.opnum, stub: BytesMut::new() }
    }

    fn execute(self, interface: Interface, max_fragment: u16, server: &Server) -> Answer {
        let fragments = match interface.call(self.opnum, self.stub.freeze(), self.syntax, server) {
            Ok(stub) => response(self.call_id, self.context_id, stub, max_fragment),
            Err(reason) => vec![fault(self.call_id, self.context_id, reason)],
        };
        Answer { fragments, closes: false }
    }
}

impl Answer {
    fn nothing() -> Self {
        Self { fragments: Vec::new(), closes: false }
    }

    fn one(fragment: Bytes) -> Self {
        Self { fragments: vec![fragment], closes: false }
    }

    fn reject(call_id: u32, reason: u16) -> Self {
        Self { fragments: vec![bind_nak(call_id, reason)], closes: true }
    }

    fn disconnect(call_id: u32, context_id: u16, reason: Fault) -> Self {
        Self { fragments: vec![fault(call_id, context_id, reason)], closes: true }
    }
}

/// The bytes of the longest fragment in both directions: as Windows does, one length for both, not below 2,048, and a
/// multiple of 8.
fn max_fragment(bind: &Bind) -> u16 {
    const LEAST: u16 = 2_048;
    let most = u16::try_from(MAX_FRAGMENT_BYTES).unwrap_or(LEAST);
    bind.max_transmit_fragment.min(bind.max_receive_fragment).clamp(LEAST, most) & !7
}

#[cfg(test)]
mod tests;
