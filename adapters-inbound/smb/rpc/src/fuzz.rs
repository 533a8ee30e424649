//! Entry points for fuzzing: each takes any bytes and panics only if the crate is broken.

use bytes::Bytes;

use crate::interface::Interface;
use crate::ndr::Syntax;
use crate::pdu::{Bind, Framer, Header, MAX_FRAGMENT_BYTES, Request};
use crate::{MAX_RESPONSE_BYTES, MAX_UNREAD_BYTES, Pipe, Server, Share};

/// Writes to a pipe. The first byte chooses the pipe, and how many bytes each write has; every second write is read.
///
/// # Panics
/// If more waits to be read than the limits allow, or a message is longer than a fragment.
pub fn pipe(data: &[u8]) {
    let Some((choice, written)) = data.split_first() else { return };
    let name = if choice & 1 == 0 { "srvsvc" } else { "wkssvc" };
    let Some(mut pipe) = Pipe::open(name) else { return };
    let server = server();
    for (number, part) in written.chunks(usize::from(choice >> 1) * 8 + 1).enumerate() {
        let _ = pipe.write(part, &server);
        // Of a listing there are names that the last entry may add, and the headers of fragments.
        assert!(pipe.unread_bytes() <= MAX_UNREAD_BYTES + 2 * MAX_RESPONSE_BYTES);
        if number % 2 == 1 {
            while let Ok(Some(reply)) = pipe.read(MAX_FRAGMENT_BYTES) {
                assert!(!reply.overflow && !reply.bytes.is_empty());
            }
        }
    }
}

/// Arguments of a call. The first byte chooses interface and syntax, the second one the procedure.
pub fn call(data: &[u8]) {
    let Some(([choice, opnum], stub)) = data.split_first_chunk() else { return };
    let interface = if choice & 1 == 0 { Interface::ServerService } else { Interface::WorkstationService };
    let syntax = if choice & 2 == 0 { Syntax::Ndr32 } else { Syntax::Ndr64 };
    let _ = interface.call(u16::from(*opnum), Bytes::copy_from_slice(stub), syntax, &server());
}

/// PDUs, one after the other.
pub fn pdus(data: &[u8]) {
    let (mut framer, mut rest) = (Framer::default(), data);
    while let Ok(Some((header, body))) = framer.next_pdu(&mut rest) {
        let Header { fragment_bytes, .. } = header;
        assert!(fragment_bytes <= MAX_FRAGMENT_BYTES);
        let _ = Bind::read(body.clone());
        let _ = Request::read(header, body);
    }
}

fn server() -> Server {
    let mut server = Server::new("FUZZ", "WORKGROUP");
    server.shares = vec![Share::disk("a"), Share::disk("\u{1f41f}"), Share::ipc()];
    server
}
