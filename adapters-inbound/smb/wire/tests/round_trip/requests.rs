//! Requests of every command.

use dittofs_smb_wire::Request;
use dittofs_smb_wire::access::{AccessMask, ShareAccess};
use dittofs_smb_wire::attributes::FileAttributes;
use dittofs_smb_wire::change_notify::{ChangeNotifyFlags, ChangeNotifyRequest, CompletionFilter};
use dittofs_smb_wire::close::{CloseFlags, CloseRequest};
use dittofs_smb_wire::create::{
    CreateDisposition, CreateOptions, CreateRequest, ImpersonationLevel, LeaseState, OplockLevel,
};
use dittofs_smb_wire::dialect::Dialect;
use dittofs_smb_wire::flush::FlushRequest;
use dittofs_smb_wire::ioctl::{IoctlFlags, IoctlRequest};
use dittofs_smb_wire::lock::{LockElement, LockFlags, LockRequest};
use dittofs_smb_wire::negotiate::{Capabilities, NegotiateRequest, SecurityMode};
use dittofs_smb_wire::oplock_break::{BreakAcknowledgment, LeaseBreak, OplockBreak};
use dittofs_smb_wire::query_directory::{QueryDirectoryFlags, QueryDirectoryRequest};
use dittofs_smb_wire::query_info::{InfoType, QueryInfoFlags, QueryInfoRequest};
use dittofs_smb_wire::read::{Channel, ReadFlags, ReadRequest};
use dittofs_smb_wire::session_setup::{SessionSecurityMode, SessionSetupFlags, SessionSetupRequest};
use dittofs_smb_wire::set_info::SetInfoRequest;
use dittofs_smb_wire::tree_connect::{TreeConnectFlags, TreeConnectRequest};
use dittofs_smb_wire::write::{WriteFlags, WriteRequest};
use proptest::prelude::*;

use crate::contexts::{negotiate_contexts, request_contexts};
use crate::fields::{buffer, file_id, guid, lease_key, text};

pub(crate) fn any_request() -> impl Strategy<Value = Request> {
    let connection = prop_oneof![
        negotiate(),
        session_setup(),
        (any::<u16>(), text()).prop_map(|(flags, path)| {
            Request::TreeConnect(TreeConnectRequest { flags: TreeConnectFlags::from_bits_retain(flags), path })
        }),
        prop::sample::select(vec![Request::Logoff, Request::TreeDisconnect, Request::Cancel, Request::Echo]),
    ];
    let open = prop_oneof![
        create(),
        (any::<u16>(), file_id()).prop_map(|(flags, file_id)| {
            Request::Close(CloseRequest { flags: CloseFlags::from_bits_retain(flags), file_id })
        }),
        file_id().prop_map(|file_id| Request::Flush(FlushRequest { file_id })),
        oplock_break(),
        lease_break(),
    ];
    let data = prop_oneof![read(), write(), lock(), ioctl()];
    let attributes = prop_oneof![query_directory(), change_notify(), query_info(), set_info()];
    prop_oneof![connection, open, data, attributes]
}

fn negotiate() -> impl Strategy<Value = Request> {
    let dialects = prop::collection::vec(prop_oneof![Just(0x0311), any::<u16>()].prop_map(Dialect), 1..8);
    (any::<u16>(), any::<u32>(), guid(), dialects, negotiate_contexts()).prop_map(
        |(security_mode, capabilities, client_guid, dialects, contexts)| {
            let contexts = if dialects.contains(&Dialect::SMB_3_1_1) { contexts } else { Vec::new() };
            Request::Negotiate(NegotiateRequest {
                security_mode: SecurityMode::from_bits_retain(security_mode),
                capabilities: Capabilities::from_bits_retain(capabilities),
                client_guid,
                dialects,
                contexts,
            })
        },
    )
}

fn session_setup() -> impl Strategy<Value = Request> {
    (any::<(u8, u8, u32, u64)>(), buffer()).prop_map(|(numbers, security_buffer)| {
        let (flags, security_mode, capabilities, previous_session_id) = numbers;
        Request::SessionSetup(SessionSetupRequest {
            flags: SessionSetupFlags::from_bits_retain(flags),
            security_mode: SessionSecurityMode::from_bits_retain(security_mode),
            capabilities: Capabilities::from_bits_retain(capabilities),
            previous_session_id,
            security_buffer,
        })
    })
}

fn create() -> impl Strategy<Value = Request> {
    (any::<(u8, u32, u32, u32, u32, u32, u32)>(), text(), request_contexts()).prop_map(|(numbers, name, contexts)| {
        let (oplock, impersonation, access, attributes, share, disposition, options) = numbers;
        Request::Create(CreateRequest {
            requested_oplock_level: OplockLevel(oplock),
            impersonation_level: ImpersonationLevel(impersonation),
            desired_access: AccessMask::from_bits_retain(access),
            file_attributes: FileAttributes::from_bits_retain(attributes),
            share_access: ShareAccess::from_bits_retain(share),
            create_disposition: CreateDisposition(disposition),
            create_options: CreateOptions::from_bits_retain(options),
            name,
            contexts,
        })
    })
}

fn oplock_break() -> impl Strategy<Value = Request> {
    (any::<u8>(), file_id()).prop_map(|(level, file_id)| {
        let body = OplockBreak { oplock_level: OplockLevel(level), file_id };
        Request::OplockBreak(BreakAcknowledgment::Oplock(body))
    })
}

fn lease_break() -> impl Strategy<Value = Request> {
    (any::<(u32, u32)>(), lease_key()).prop_map(|((flags, state), lease_key)| {
        let body = LeaseBreak { flags, lease_key, lease_state: LeaseState::from_bits_retain(state) };
        Request::OplockBreak(BreakAcknowledgment::Lease(body))
    })
}

fn read() -> impl Strategy<Value = Request> {
    (any::<(u8, u8, u32, u64, u32, u32, u32)>(), file_id()).prop_map(|(numbers, file_id)| {
        let (padding, flags, length, offset, minimum_count, channel, remaining_bytes) = numbers;
        Request::Read(ReadRequest {
            padding,
            flags: ReadFlags::from_bits_retain(flags),
            length,
            offset,
            file_id,
            minimum_count,
            channel: Channel(channel),
            remaining_bytes,
        })
    })
}

fn write() -> impl Strategy<Value = Request> {
    (any::<(u64, u32, u32, u32)>(), file_id(), buffer()).prop_map(|(numbers, file_id, data)| {
        let (offset, channel, remaining_bytes, flags) = numbers;
        Request::Write(WriteRequest {
            offset,
            file_id,
            channel: Channel(channel),
            remaining_bytes,
            flags: WriteFlags::from_bits_retain(flags),
            data,
        })
    })
}

fn lock() -> impl Strategy<Value = Request> {
    let element = any::<(u64, u64, u32)>().prop_map(|(offset, length, flags)| LockElement {
        offset,
        length,
        flags: LockFlags::from_bits_retain(flags),
    });
    (any::<u32>(), file_id(), prop::collection::vec(element, 1..6))
        .prop_map(|(lock_sequence, file_id, locks)| Request::Lock(LockRequest { lock_sequence, file_id, locks }))
}

fn ioctl() -> impl Strategy<Value = Request> {
    (any::<(u32, u32, u32, u32)>(), file_id(), buffer(), buffer()).prop_map(|(numbers, file_id, input, output)| {
        let (ctl_code, max_input_response, max_output_response, flags) = numbers;
        Request::Ioctl(IoctlRequest {
            ctl_code,
            file_id,
            input,
            max_input_response,
            output,
            max_output_response,
            flags: IoctlFlags::from_bits_retain(flags),
        })
    })
}

fn query_directory() -> impl Strategy<Value = Request> {
    (any::<(u8, u8, u32, u32)>(), file_id(), text()).prop_map(|(numbers, file_id, pattern)| {
        let (file_information_class, flags, file_index, output_buffer_length) = numbers;
        Request::QueryDirectory(QueryDirectoryRequest {
            file_information_class,
            flags: QueryDirectoryFlags::from_bits_retain(flags),
            file_index,
            file_id,
            pattern,
            output_buffer_length,
        })
    })
}

fn change_notify() -> impl Strategy<Value = Request> {
    (any::<(u16, u32, u32)>(), file_id()).prop_map(|((flags, output_buffer_length, filter), file_id)| {
        Request::ChangeNotify(ChangeNotifyRequest {
            flags: ChangeNotifyFlags::from_bits_retain(flags),
            output_buffer_length,
            file_id,
            completion_filter: CompletionFilter::from_bits_retain(filter),
        })
    })
}

fn query_info() -> impl Strategy<Value = Request> {
    (any::<(u8, u8, u32, u32, u32)>(), file_id(), buffer()).prop_map(|(numbers, file_id, input)| {
        let (info_type, file_info_class, output_buffer_length, additional_information, flags) = numbers;
        Request::QueryInfo(QueryInfoRequest {
            info_type: InfoType(info_type),
            file_info_class,
            output_buffer_length,
            additional_information,
            flags: QueryInfoFlags::from_bits_retain(flags),
            file_id,
            input,
        })
    })
}

fn set_info() -> impl Strategy<Value = Request> {
    (any::<(u8, u8, u32)>(), file_id(), buffer()).prop_map(|(numbers, file_id, input)| {
        let (info_type, file_info_class, additional_information) = numbers;
        Request::SetInfo(SetInfoRequest {
            info_type: InfoType(info_type),
            file_info_class,
            additional_information,
            file_id,
            input,
        })
    })
}
