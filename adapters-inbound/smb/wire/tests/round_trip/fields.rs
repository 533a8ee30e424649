//! Values of the fields that several messages share.

use bytes::Bytes;
use dittofs_smb_wire::filetime::FileTime;
use dittofs_smb_wire::header::{HeaderFlags, Routing};
use dittofs_smb_wire::identifiers::{FileId, Guid, LeaseKey};
use dittofs_smb_wire::text::Utf16Text;
use dittofs_smb_wire::{Command, Header, NtStatus};
use proptest::prelude::*;

pub(crate) fn header() -> impl Strategy<Value = Header> {
    let routing = prop_oneof![
        any::<(u32, u32)>().prop_map(|(process_id, tree_id)| Routing::Synchronous { process_id, tree_id }),
        any::<u64>().prop_map(|async_id| Routing::Asynchronous { async_id }),
    ];
    let numbers = any::<(u16, u32, u16, u16, u32, u32, u64, u64)>();
    (numbers, routing, any::<[u8; 16]>()).prop_map(|(numbers, routing, signature)| {
        let (credit_charge, status, command, credits, flags, next_command, message_id, session_id) = numbers;
        Header {
            credit_charge,
            status: NtStatus(status),
            command: Command(command),
            credits,
            flags: HeaderFlags::from_bits_retain(flags) - HeaderFlags::ASYNC_COMMAND,
            next_command,
            message_id,
            routing,
            session_id,
            signature,
        }
    })
}

/// A buffer of a length on both sides of what is copied into a head.
pub(crate) fn buffer() -> impl Strategy<Value = Bytes> {
    prop_oneof![4 => 0..40_usize, 1 => 1020..1030_usize, 1 => 3000..3010_usize]
        .prop_flat_map(|length| prop::collection::vec(any::<u8>(), length))
        .prop_map(Bytes::from)
}

/// Text, also with halves of surrogate pairs.
pub(crate) fn text() -> impl Strategy<Value = Utf16Text> {
    prop_oneof![
        "\\PC{0,20}".prop_map(|text| Utf16Text::from(text.as_str())),
        prop::collection::vec(any::<[u8; 2]>(), 0..20).prop_map(|units| Utf16Text::new(units.concat().into()).unwrap()),
    ]
}

pub(crate) fn file_id() -> impl Strategy<Value = FileId> {
    any::<(u64, u64)>().prop_map(|(persistent, volatile)| FileId { persistent, volatile })
}

pub(crate) fn guid() -> impl Strategy<Value = Guid> {
    any::<[u8; 16]>().prop_map(Guid)
}

pub(crate) fn lease_key() -> impl Strategy<Value = LeaseKey> {
    any::<[u8; 16]>().prop_map(LeaseKey)
}

pub(crate) fn time() -> impl Strategy<Value = FileTime> {
    any::<u64>().prop_map(FileTime)
}
