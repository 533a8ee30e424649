//! Entry points for fuzzing: one function for each decoder. Each takes any bytes, and returns unless it panics. They
//! are bound to no engine.

use bytes::{Bytes, BytesMut};

use crate::compound::Compound;
use crate::create::{CreateContexts, RequestContext};
use crate::header::{Command, Header};
use crate::negotiate::NegotiateContext;
use crate::packet::Packet;
use crate::request::Request;
use crate::{frame, smb1, transform};

pub mod payload;

/// A stream of frames, see [`frame::decode`].
pub fn frame(data: &[u8]) {
    let mut received = BytesMut::from(data);
    while let Ok(frame::Progress::Message(message)) = frame::decode(&mut received, frame::LENGTH_MAX) {
        let _ = Packet::decode(message);
    }
}

/// The header.
pub fn header(data: &[u8]) {
    let _ = Header::decode(data);
}

/// The content of a frame, with all requests that are in it.
pub fn packet(data: &[u8]) {
    if let Ok(Packet::Plain(message)) = Packet::decode(BytesMut::from(data)) {
        requests(message);
    }
}

/// A compound, with all requests that are in it.
pub fn compound(data: &[u8]) {
    requests(Bytes::copy_from_slice(data));
}

fn requests(frame: Bytes) {
    for message in Compound::decode(frame, 64).into_iter().flatten() {
        let _ = Request::decode(message.header.command, &message.bytes);
    }
}

/// The transform header.
pub fn transform(data: &[u8]) {
    let _ = transform::TransformHeader::decode(BytesMut::from(data));
}

/// The SMB1 NEGOTIATE.
pub fn smb1_negotiate(data: &[u8]) {
    if let Ok(negotiate) = smb1::MultiProtocolNegotiate::decode(Bytes::copy_from_slice(data)) {
        let _ = negotiate.dialects().count();
    }
}

/// A list of create contexts, and each context.
pub fn create_contexts(data: &[u8]) {
    if let Ok(contexts) = CreateContexts::decode(Bytes::copy_from_slice(data)) {
        for context in contexts.iter() {
            let _ = RequestContext::decode(context);
        }
    }
}

/// One negotiate context: its type in the first two bytes, then its data.
pub fn negotiate_context(data: &[u8]) {
    if let Some((context_type, data)) = data.split_first_chunk() {
        let _ = NegotiateContext::decode(u16::from_le_bytes(*context_type), Bytes::copy_from_slice(data));
    }
}

macro_rules! body_targets {
    ($($(#[$meta:meta])* $name:ident = $command:ident,)*) => {
        $($(#[$meta])*
        pub fn $name(data: &[u8]) {
            body(Command::$command, data);
        })*

        /// All targets that take a body, with the command of each.
        pub const BODIES: &[(Command, fn(&[u8]))] = &[$((Command::$command, $name)),*];
    };
}

body_targets! {
    /// The body of a NEGOTIATE request.
    negotiate = NEGOTIATE,
    /// The body of a SESSION_SETUP request.
    session_setup = SESSION_SETUP,
    /// The body of a LOGOFF request.
    logoff = LOGOFF,
    /// The body of a TREE_CONNECT request.
    tree_connect = TREE_CONNECT,
    /// The body of a TREE_DISCONNECT request.
    tree_disconnect = TREE_DISCONNECT,
    /// The body of a CREATE request, with its contexts.
    create = CREATE,
    /// The body of a CLOSE request.
    close = CLOSE,
    /// The body of a FLUSH request.
    flush = FLUSH,
    /// The body of a READ request.
    read = READ,
    /// The body of a WRITE request.
    write = WRITE,
    /// The body of a LOCK request.
    lock = LOCK,
    /// The body of an IOCTL request.
    ioctl = IOCTL,
    /// The body of a CANCEL request.
    cancel = CANCEL,
    /// The body of an ECHO request.
    echo = ECHO,
    /// The body of a QUERY_DIRECTORY request.
    query_directory = QUERY_DIRECTORY,
    /// The body of a CHANGE_NOTIFY request.
    change_notify = CHANGE_NOTIFY,
    /// The body of a QUERY_INFO request.
    query_info = QUERY_INFO,
    /// The body of a SET_INFO request.
    set_info = SET_INFO,
    /// The body of an oplock or lease break acknowledgment.
    oplock_break = OPLOCK_BREAK,
}

fn body(command: Command, data: &[u8]) {
    let mut message = vec![0; Header::SIZE];
    message.extend_from_slice(data);
    if let Ok(Request::Create(create)) = Request::decode(command, &Bytes::from(message)) {
        for context in create.contexts.iter() {
            let _ = RequestContext::decode(context);
        }
        let _ = create.name.decode();
    }
}

#[cfg(test)]
mod tests;
