//! A client's side of the protocol: PDUs to write, and what was read put together.

use dittofs_smb_rpc::{Pipe, Reply, Server, Share};

pub(crate) const NDR32: &str = "045d888aeb1cc9119fe808002b10486002000000";
pub(crate) const NDR64: &str = "33057171babe37498319b5dbef9ccc3601000000";
const SRVSVC: &str = "c84f324b7016d30112785a47bf6ee18803000000";
const WKSSVC: &str = "98d0ff6b12a11036983346c3f87e345a01000000";

/// A server with the shares `share0`, `share1` and so on, which differ in all that a call tells, and `IPC$`.
pub(crate) fn server(count: u32) -> Server {
    let mut server = Server::new("DITTO", "WORKGROUP");
    server.comment = "DittoFS".into();
    server.shares = (0..count)
        .map(|number| {
            let odd = number % 2 == 1;
            Share {
                comment: if odd { String::new() } else { format!("Share number {number} \u{1f41f}") },
                max_users: odd.then_some(number * 10),
                current_users: number,
                flags: if odd { 0x30 } else { 0 },
                ..Share::disk(format!("share{number}"))
            }
        })
        .collect();
    server.shares.push(Share { comment: "IPC Service".into(), ..Share::ipc() });
    server
}

/// An open pipe on which a context with number 0 is agreed on.
pub(crate) fn bound(name: &str, syntax: &str, server: &Server) -> Pipe {
    let mut pipe = Pipe::open(name).unwrap();
    pipe.write(&bind(name, syntax), server).unwrap();
    let ack = read_message(&mut pipe, usize::MAX).unwrap();
    assert_eq!(ack[2], 12);
    pipe
}

/// A bind that proposes one transfer syntax for the interface of a pipe.
pub(crate) fn bind(pipe: &str, syntax: &str) -> Vec<u8> {
    let interface = if pipe == "srvsvc" { SRVSVC } else { WKSSVC };
    pdu(11, 3, 1, &hex(&format!("b810b810 00000000 01000000 00000100 {interface} {syntax}")))
}

/// The arguments of a call in PDUs that hold `sizes` bytes of them in turn. One without sizes is a single PDU.
pub(crate) fn request(opnum: u16, stub: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut sizes = sizes.iter().copied().cycle();
    let (mut written, mut rest, mut first) = (Vec::new(), stub, 1);
    loop {
        let (part, after) = rest.split_at(sizes.next().unwrap_or(usize::MAX).min(rest.len()));
        let last = if after.is_empty() { 2 } else { 0 };
        let mut body = u32::try_from(rest.len()).unwrap().to_le_bytes().to_vec();
        body.extend([0, 0]);
        body.extend(opnum.to_le_bytes());
        body.extend(part);
        written.extend(pdu(0, first | last, 7, &body));
        if after.is_empty() {
            return written;
        }
        (rest, first) = (after, 0);
    }
}

/// One message, read in parts of up to `max` bytes.
pub(crate) fn read_message(pipe: &mut Pipe, max: usize) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    while let Some(Reply { bytes, overflow }) = pipe.read(max).unwrap() {
        assert!(bytes.len() <= max);
        message.extend(bytes);
        if !overflow {
            return Some(message);
        }
    }
    assert!(message.is_empty());
    None
}

/// The results of a call, out of all response PDUs that can be read.
pub(crate) fn results(pipe: &mut Pipe, max: usize) -> Vec<u8> {
    let mut stub = Vec::new();
    loop {
        let fragment = read_message(pipe, max).unwrap();
        assert_eq!((fragment[2], &fragment[12..16]), (2, &[7, 0, 0, 0][..]));
        assert_eq!(usize::from(u16::from_le_bytes([fragment[8], fragment[9]])), fragment.len());
        assert_eq!(fragment[3] & 1 == 1, stub.is_empty());
        stub.extend(&fragment[24..]);
        if fragment[3] & 2 != 0 {
            assert_eq!(read_message(pipe, max), None);
            return stub;
        }
    }
}

/// A PDU with this type, flags, call and body.
pub(crate) fn pdu(packet_type: u8, flags: u8, call_id: u32, body: &[u8]) -> Vec<u8> {
    let mut pdu = vec![5, 0, packet_type, flags, 0x10, 0, 0, 0];
    pdu.extend(u16::try_from(16 + body.len()).unwrap().to_le_bytes());
    pdu.extend([0, 0]);
    pdu.extend(call_id.to_le_bytes());
    pdu.extend(body);
    pdu
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| u8::try_from(high << 4 | low).unwrap()).collect()
}
