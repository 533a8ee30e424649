//! Messages that real clients send or expect, and that other codecs have refused or could not write.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use bytes::Bytes;
use dittofs_smb_wire::close::CloseRequest;
use dittofs_smb_wire::create::{CreateRequest, CreateResponse, Lease, OplockLevel, RequestContext, ResponseContext};
use dittofs_smb_wire::header::Header;
use dittofs_smb_wire::identifiers::FileId;
use dittofs_smb_wire::ioctl::IoctlRequest;
use dittofs_smb_wire::negotiate::{NegotiateContext, NegotiateRequest};
use dittofs_smb_wire::read::{Channel, ReadRequest, ReadResponse};
use dittofs_smb_wire::write::WriteRequest;
use dittofs_smb_wire::{Command, Decode, Encode, Malformed, NtStatus, OutgoingMessage};

/// A message with a header of zeros and this body, whose fields are given by offset from the body's start.
fn message(size: usize, fields: &[(usize, &[u8])]) -> Bytes {
    let mut bytes = vec![0; Header::SIZE + size];
    for (offset, field) in fields {
        let start = Header::SIZE + offset;
        bytes[start..start + field.len()].copy_from_slice(field);
    }
    bytes.into()
}

fn encoded(body: &impl Encode) -> OutgoingMessage {
    OutgoingMessage::new(&Header::request(Command::READ, 1).response(NtStatus::SUCCESS, 1), body)
}

/// A CREATE with this oplock level, name, and list of contexts behind the name on 8 bytes.
fn create(oplock_level: u8, name: &[u8], contexts: &[u8]) -> Result<CreateRequest, Malformed> {
    let contexts_start = (56 + name.len()).next_multiple_of(8);
    let contexts_offset = u32::try_from(Header::SIZE + contexts_start).unwrap();
    let (size, offset) =
        if contexts.is_empty() { (56 + name.len(), 0) } else { (contexts_start + contexts.len(), contexts_offset) };
    CreateRequest::decode(&message(
        size,
        &[
            (0, &[57, 0]),
            (3, &[oplock_level]),
            (44, &[120, 0]),
            (46, &u16::try_from(name.len()).unwrap().to_le_bytes()),
            (48, &offset.to_le_bytes()),
            (52, &u32::try_from(contexts.len()).unwrap().to_le_bytes()),
            (56, name),
            (if contexts.is_empty() { 0 } else { contexts_start }, if contexts.is_empty() { &[57] } else { contexts }),
        ],
    ))
}

/// smbclient and smbtorture close without wanting attributes.
#[test]
fn close_without_post_query_is_read() {
    let request = CloseRequest::decode(&message(24, &[(0, &[24, 0]), (8, &[0xFF; 16])])).unwrap();
    assert!(request.flags.is_empty());
    assert_eq!(request.file_id, FileId::NONE);
}

#[test]
fn create_whose_name_ends_on_no_multiple_of_8_is_read() {
    for name in ["a", "ab", "abc", "abcde"] {
        let utf16: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(create(0, &utf16, &[]).unwrap().name.decode().as_deref(), Ok(name));
    }
}

#[test]
fn every_oplock_level_is_read() {
    let levels = [
        (0, OplockLevel::NONE),
        (1, OplockLevel::LEVEL_II),
        (8, OplockLevel::EXCLUSIVE),
        (9, OplockLevel::BATCH),
        (0xFF, OplockLevel::LEASE),
        (0x42, OplockLevel(0x42)),
    ];
    for (value, level) in levels {
        assert_eq!(create(value, &[], &[]).unwrap().requested_oplock_level, level);
    }
}

#[test]
fn lease_can_be_granted() {
    let lease = Lease::decode(&[1; 32]).unwrap();
    let response = CreateResponse {
        oplock_level: OplockLevel::LEASE,
        flags: Default::default(),
        create_action: dittofs_smb_wire::create::CreateAction::OPENED,
        creation_time: Default::default(),
        last_access_time: Default::default(),
        last_write_time: Default::default(),
        change_time: Default::default(),
        allocation_size: 0,
        end_of_file: 0,
        file_attributes: Default::default(),
        file_id: FileId::NONE,
        contexts: [ResponseContext::Lease(lease).encode()].into_iter().collect(),
    };
    assert_eq!(encoded(&response).head()[66], 0xFF);
}

/// The Linux kernel's first message has the POSIX context; a later client may have any other.
#[test]
fn posix_and_unknown_negotiate_contexts_are_read() {
    let mut fields: Vec<(usize, &[u8])> = vec![(0, &[36, 0]), (2, &[1, 0]), (28, &[104, 0, 0, 0]), (32, &[2, 0])];
    fields.extend([(36, [0x11, 0x03].as_slice()), (40, &[0x00, 0x01]), (42, &[16, 0])]);
    fields.extend([(48, NegotiateContext::POSIX_IDENTIFIER.as_slice()), (64, &[0x34, 0x12]), (66, &[1, 0])]);
    let request = NegotiateRequest::decode(&message(73, &fields)).unwrap();
    let expected = [
        NegotiateContext::Posix(Bytes::copy_from_slice(&NegotiateContext::POSIX_IDENTIFIER)),
        NegotiateContext::Unknown { context_type: 0x1234, data: Bytes::from_static(&[0]) },
    ];
    assert_eq!(request.contexts, expected);
}

#[test]
fn unknown_create_context_is_no_error() {
    let context = b"\0\0\0\0\x10\0\x04\0\0\0\x18\0\x04\0\0\0FooO\0\0\0\0data";
    let request = create(0, &[], context).unwrap();
    let contexts: Vec<_> = request.contexts.iter().map(RequestContext::decode).collect();
    assert!(matches!(contexts.as_slice(), [Ok(RequestContext::Unknown(context))] if context.data == "data"));
}

/// In another codec an unsigned subtraction underflowed here.
#[test]
fn create_context_without_data_is_read() {
    for data_offset in [0, 16, 20, 24, 0xFF] {
        let mut context = b"\0\0\0\0\x10\0\x04\0\0\0\0\0\0\0\0\0MxAc".to_vec();
        context[10] = data_offset;
        let request = create(0, &[], &context).unwrap();
        let contexts: Vec<_> = request.contexts.iter().map(RequestContext::decode).collect();
        assert_eq!(contexts, [Ok(RequestContext::QueryMaximalAccess(None))]);
    }
}

/// smbclient asks for DFS referrals in this way.
#[test]
fn ioctl_with_an_output_offset_is_read() {
    let request = message(
        64,
        &[(0, &[57, 0]), (4, &[0x94, 0x01, 6, 0]), (24, &[120]), (28, &[8]), (36, &[128]), (44, &[0, 16]), (48, &[1])],
    );
    let request = IoctlRequest::decode(&request).unwrap();
    assert_eq!(request.input.len(), 8);
    assert!(request.output.is_empty());
    assert_eq!(request.max_output_response, 4096);
}

#[test]
fn read_and_write_with_remaining_bytes_and_channels_are_read() {
    let read = message(49, &[(0, &[49, 0]), (36, &[1]), (40, &[9]), (44, &[0xFF; 4])]);
    let read = ReadRequest::decode(&read).unwrap();
    assert_eq!((read.channel, read.remaining_bytes), (Channel::RDMA_V1, 9));

    let write =
        message(50, &[(0, &[49, 0]), (2, &[0x70]), (4, &[2]), (32, &[2]), (36, &[9]), (40, &[0xFF; 4]), (48, b"hi")]);
    let write = WriteRequest::decode(&write).unwrap();
    assert_eq!((write.channel, write.remaining_bytes), (Channel::RDMA_V1_INVALIDATE, 9));
    assert_eq!(write.data, "hi");
}

#[test]
fn read_of_nothing_is_answered() {
    assert_eq!(encoded(&ReadResponse { data: Vec::new(), data_remaining: 0 }).length(), 80);
}

#[test]
fn read_payload_and_write_data_are_never_copied() {
    let data = Bytes::from(vec![7; 1 << 20]);
    let message = encoded(&ReadResponse { data: vec![data.clone()], data_remaining: 0 });
    assert_eq!(message.payload()[0].as_ptr(), data.as_ptr());

    let frame = self::message(58, &[(0, &[49, 0]), (2, &[0x70]), (4, &[10]), (48, b"0123456789")]);
    assert_eq!(WriteRequest::decode(&frame).unwrap().data.as_ptr(), frame[112..].as_ptr());
}

#[test]
fn error_costs_nothing() {
    assert_eq!(size_of::<Malformed>(), 0);
}
