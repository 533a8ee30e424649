//! Responses to every command, each with a command and status that it may have.

use bytes::Bytes;
use dittofs_smb_wire::access::AccessMask;
use dittofs_smb_wire::attributes::FileAttributes;
use dittofs_smb_wire::close::{CloseFlags, CloseResponse};
use dittofs_smb_wire::create::{CreateAction, CreateResponse, CreateResponseFlags, LeaseState, OplockLevel};
use dittofs_smb_wire::dialect::Dialect;
use dittofs_smb_wire::error::ErrorResponse;
use dittofs_smb_wire::ioctl::IoctlResponse;
use dittofs_smb_wire::negotiate::{Capabilities, NegotiateResponse, SecurityMode};
use dittofs_smb_wire::oplock_break::{LeaseBreak, LeaseBreakFlags, LeaseBreakNotification, OplockBreak};
use dittofs_smb_wire::output::OutputBufferResponse;
use dittofs_smb_wire::read::ReadResponse;
use dittofs_smb_wire::session_setup::{SessionFlags, SessionSetupResponse};
use dittofs_smb_wire::tree_connect::{ShareCapabilities, ShareFlags, ShareType, TreeConnectResponse};
use dittofs_smb_wire::write::WriteResponse;
use dittofs_smb_wire::{Command, NtStatus, Response};
use proptest::prelude::*;

use crate::contexts::{negotiate_contexts, response_contexts};
use crate::fields::{buffer, file_id, guid, lease_key, time};

type Answer = (Command, NtStatus, Response);

pub(crate) fn any_response() -> impl Strategy<Value = Answer> {
    let connection = prop_oneof![negotiate(), session_setup(), tree_connect(), empty()];
    let open = prop_oneof![create(), close(), oplock_break(), lease_break_notification(), lease_break()];
    let data = prop_oneof![read(), write(), ioctl(), output()];
    prop_oneof![connection, open, data, error(), Just((Command::SET_INFO, NtStatus::SUCCESS, Response::SetInfo))]
}

/// The response as a client sees it: the data of a READ is one piece.
pub(crate) fn joined(response: Response) -> Response {
    match response {
        Response::Read(ReadResponse { data, data_remaining }) => {
            let data = Bytes::from(data.concat());
            let data = if data.is_empty() { Vec::new() } else { vec![data] };
            Response::Read(ReadResponse { data, data_remaining })
        }
        other => other,
    }
}

fn negotiate() -> impl Strategy<Value = Answer> {
    let dialect = prop_oneof![Just(0x0311), any::<u16>()].prop_map(Dialect);
    let times = (time(), time());
    (any::<(u16, u32, u32, u32, u32)>(), dialect, guid(), times, buffer(), negotiate_contexts()).prop_map(
        |(numbers, dialect, server_guid, (system_time, server_start_time), security_buffer, contexts)| {
            let (security_mode, capabilities, max_transact_size, max_read_size, max_write_size) = numbers;
            let contexts = if dialect == Dialect::SMB_3_1_1 { contexts } else { Vec::new() };
            let body = NegotiateResponse {
                security_mode: SecurityMode::from_bits_retain(security_mode),
                dialect,
                server_guid,
                capabilities: Capabilities::from_bits_retain(capabilities),
                max_transact_size,
                max_read_size,
                max_write_size,
                system_time,
                server_start_time,
                security_buffer,
                contexts,
            };
            (Command::NEGOTIATE, NtStatus::SUCCESS, Response::Negotiate(body))
        },
    )
}

fn session_setup() -> impl Strategy<Value = Answer> {
    let status = prop::sample::select(vec![NtStatus::SUCCESS, NtStatus::MORE_PROCESSING_REQUIRED]);
    (status, any::<u16>(), buffer()).prop_map(|(status, flags, security_buffer)| {
        let body = SessionSetupResponse { flags: SessionFlags::from_bits_retain(flags), security_buffer };
        (Command::SESSION_SETUP, status, Response::SessionSetup(body))
    })
}

fn tree_connect() -> impl Strategy<Value = Answer> {
    any::<(u8, u32, u32, u32)>().prop_map(|(share_type, flags, capabilities, access)| {
        let body = TreeConnectResponse {
            share_type: ShareType(share_type),
            share_flags: ShareFlags::from_bits_retain(flags),
            capabilities: ShareCapabilities::from_bits_retain(capabilities),
            maximal_access: AccessMask::from_bits_retain(access),
        };
        (Command::TREE_CONNECT, NtStatus::SUCCESS, Response::TreeConnect(body))
    })
}

fn empty() -> impl Strategy<Value = Answer> {
    let commands = vec![Command::LOGOFF, Command::TREE_DISCONNECT, Command::FLUSH, Command::LOCK, Command::ECHO];
    prop::sample::select(commands).prop_map(|command| (command, NtStatus::SUCCESS, Response::Empty))
}

fn create() -> impl Strategy<Value = Answer> {
    let times = (time(), time(), time(), time());
    (any::<(u8, u8, u32, u64, u64, u32)>(), times, file_id(), response_contexts()).prop_map(
        |(numbers, times, file_id, contexts)| {
            let (oplock_level, flags, create_action, allocation_size, end_of_file, attributes) = numbers;
            let (creation_time, last_access_time, last_write_time, change_time) = times;
            let body = CreateResponse {
                oplock_level: OplockLevel(oplock_level),
                flags: CreateResponseFlags::from_bits_retain(flags),
                create_action: CreateAction(create_action),
                creation_time,
                last_access_time,
                last_write_time,
                change_time,
                allocation_size,
                end_of_file,
                file_attributes: FileAttributes::from_bits_retain(attributes),
                file_id,
                contexts,
            };
            (Command::CREATE, NtStatus::SUCCESS, Response::Create(body))
        },
    )
}

fn close() -> impl Strategy<Value = Answer> {
    (any::<(u16, u64, u64, u32)>(), (time(), time(), time(), time())).prop_map(|(numbers, times)| {
        let (flags, allocation_size, end_of_file, attributes) = numbers;
        let (creation_time, last_access_time, last_write_time, change_time) = times;
        let body = CloseResponse {
            flags: CloseFlags::from_bits_retain(flags),
            creation_time,
            last_access_time,
            last_write_time,
            change_time,
            allocation_size,
            end_of_file,
            file_attributes: FileAttributes::from_bits_retain(attributes),
        };
        (Command::CLOSE, NtStatus::SUCCESS, Response::Close(body))
    })
}

fn oplock_break() -> impl Strategy<Value = Answer> {
    (any::<u8>(), file_id()).prop_map(|(level, file_id)| {
        let body = OplockBreak { oplock_level: OplockLevel(level), file_id };
        (Command::OPLOCK_BREAK, NtStatus::SUCCESS, Response::OplockBreak(body))
    })
}

fn lease_break_notification() -> impl Strategy<Value = Answer> {
    (any::<(u16, u32, u32, u32)>(), lease_key()).prop_map(|((new_epoch, flags, current, new), lease_key)| {
        let body = LeaseBreakNotification {
            new_epoch,
            flags: LeaseBreakFlags::from_bits_retain(flags),
            lease_key,
            current_lease_state: LeaseState::from_bits_retain(current),
            new_lease_state: LeaseState::from_bits_retain(new),
        };
        (Command::OPLOCK_BREAK, NtStatus::SUCCESS, Response::LeaseBreakNotification(body))
    })
}

fn lease_break() -> impl Strategy<Value = Answer> {
    (any::<(u32, u32)>(), lease_key()).prop_map(|((flags, state), lease_key)| {
        let body = LeaseBreak { flags, lease_key, lease_state: LeaseState::from_bits_retain(state) };
        (Command::OPLOCK_BREAK, NtStatus::SUCCESS, Response::LeaseBreak(body))
    })
}

fn read() -> impl Strategy<Value = Answer> {
    let status = prop::sample::select(vec![NtStatus::SUCCESS, NtStatus::BUFFER_OVERFLOW]);
    (status, prop::collection::vec(buffer(), 0..4), any::<u32>()).prop_map(|(status, data, data_remaining)| {
        (Command::READ, status, Response::Read(ReadResponse { data, data_remaining }))
    })
}

fn write() -> impl Strategy<Value = Answer> {
    any::<u32>().prop_map(|count| (Command::WRITE, NtStatus::SUCCESS, Response::Write(WriteResponse { count })))
}

fn ioctl() -> impl Strategy<Value = Answer> {
    let status = prop::sample::select(vec![NtStatus::SUCCESS, NtStatus::BUFFER_OVERFLOW, NtStatus::INVALID_PARAMETER]);
    (status, any::<u32>(), file_id(), buffer()).prop_map(|(status, ctl_code, file_id, output)| {
        (Command::IOCTL, status, Response::Ioctl(IoctlResponse { ctl_code, file_id, output }))
    })
}

fn output() -> impl Strategy<Value = Answer> {
    let kinds = vec![
        (Command::QUERY_DIRECTORY, NtStatus::SUCCESS),
        (Command::QUERY_INFO, NtStatus::SUCCESS),
        (Command::QUERY_INFO, NtStatus::BUFFER_OVERFLOW),
        (Command::CHANGE_NOTIFY, NtStatus::SUCCESS),
        (Command::CHANGE_NOTIFY, NtStatus::NOTIFY_ENUM_DIR),
    ];
    (prop::sample::select(kinds), buffer())
        .prop_map(|((command, status), output)| (command, status, Response::Output(OutputBufferResponse { output })))
}

fn error() -> impl Strategy<Value = Answer> {
    let status = prop::sample::select(vec![
        NtStatus::PENDING,
        NtStatus::NO_MORE_FILES,
        NtStatus::ACCESS_DENIED,
        NtStatus::BUFFER_TOO_SMALL,
        NtStatus::INVALID_PARAMETER,
    ]);
    let data = buffer().prop_filter("data of an error is not empty", |data| !data.is_empty());
    let body = prop_oneof![
        Just(ErrorResponse::Empty),
        data.prop_map(ErrorResponse::Data),
        (any::<u32>(), buffer()).prop_map(|(id, data)| ErrorResponse::Context { id, data }),
    ];
    (0..0x13_u16, status, body).prop_map(|(command, status, body)| (Command(command), status, Response::Error(body)))
}
