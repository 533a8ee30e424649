//! Reading the header and the body of READ and WRITE allocates nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use bytes::BytesMut;
use dittofs_smb_wire::frame::Progress;
use dittofs_smb_wire::{Command, Compound, Header, Packet, Request, frame};

/// A frame of two related requests: READ, and WRITE of 1,000 bytes.
fn received() -> BytesMut {
    let mut read = Header { next_command: 120, ..Header::request(Command::READ, 1) }.encode().to_vec();
    read.resize(120, 0);
    read[64] = 49;
    let mut write = Header::request(Command::WRITE, 2).encode().to_vec();
    write.resize(112 + 1000, 7);
    write[64..112].fill(0);
    write[64] = 49;
    write[66] = 0x70;
    write[68..72].copy_from_slice(&1000_u32.to_le_bytes());
    let mut bytes = BytesMut::with_capacity(8192);
    bytes.extend_from_slice(&frame::header(read.len() + write.len()).unwrap());
    bytes.extend_from_slice(&read);
    bytes.extend_from_slice(&write);
    bytes
}

#[test]
fn read_and_write_are_decoded_without_allocating() {
    let mut received = received();
    // To split the buffer of the socket makes it shared, once in its life.
    let Ok(Progress::Message(message)) = frame::decode(&mut received, 4096) else { panic!("a whole message") };

    let allocations = allocation_counter::measure(|| {
        let Ok(Packet::Plain(message)) = Packet::decode(message) else { panic!("a plain message") };
        let mut messages = Compound::decode(message, 8).unwrap();
        let read = messages.next().unwrap();
        assert!(matches!(Request::decode(read.header.command, &read.bytes), Ok(Request::Read(_))));
        let write = messages.next().unwrap();
        let write = Request::decode(write.header.command, &write.bytes);
        assert!(matches!(write, Ok(Request::Write(write)) if write.data.len() == 1000));
        assert!(messages.next().is_none());
    });
    assert_eq!(allocations.count_total, 0);
}
