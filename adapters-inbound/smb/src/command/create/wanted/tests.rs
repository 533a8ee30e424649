use dittofs_domain::{access::AccessMask, opens::ShareAccess};
use dittofs_ports::NameKind;
use dittofs_smb_wire::{
    NtStatus,
    access::{AccessMask as WireAccess, ShareAccess as WireShareAccess},
    attributes::FileAttributes,
    create::{CreateContexts, CreateDisposition, CreateOptions, CreateRequest, ImpersonationLevel, OplockLevel},
    text::Utf16Text,
};

use super::{Disposition, Wanted};

type Change = fn(&mut CreateRequest);

fn request() -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::NONE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: WireAccess::GENERIC_READ,
        file_attributes: FileAttributes::NORMAL,
        share_access: WireShareAccess::READ,
        create_disposition: CreateDisposition::OPEN,
        create_options: CreateOptions::empty(),
        name: Utf16Text::from("a\\b"),
        contexts: CreateContexts::default(),
    }
}

fn refused(change: impl Fn(&mut CreateRequest)) -> NtStatus {
    let mut request = request();
    change(&mut request);
    Wanted::read(&request).unwrap_err()
}

#[test]
fn generic_rights_are_taken_apart_and_sharing_is_turned_round() {
    let wanted = Wanted::read(&request()).unwrap();
    assert_eq!(wanted.access.bits(), 0x0012_0089);
    assert_eq!(wanted.deny, ShareAccess::WRITE | ShareAccess::DELETE);
    assert_eq!((wanted.disposition, wanted.kind, wanted.is_maximum), (Disposition::Open, NameKind::Any, false));
    let all = CreateRequest { desired_access: WireAccess::GENERIC_ALL, ..request() };
    assert_eq!(Wanted::read(&all).unwrap().access, AccessMask::all());
}

#[test]
fn only_a_file_is_replaced() {
    let replace = CreateRequest { create_disposition: CreateDisposition::OVERWRITE_IF, ..request() };
    assert_eq!(Wanted::read(&replace).unwrap().kind, NameKind::NotDirectory);
    let directory = |request: &mut CreateRequest| {
        request.create_disposition = CreateDisposition::SUPERSEDE;
        request.create_options = CreateOptions::DIRECTORY_FILE;
    };
    assert_eq!(refused(directory), NtStatus::INVALID_PARAMETER);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_status() {
    let refusals: [(NtStatus, Change); 12] = [
        (NtStatus::BAD_IMPERSONATION_LEVEL, |request| request.impersonation_level = ImpersonationLevel(0x1234_5678)),
        (NtStatus::INVALID_PARAMETER, |request| request.create_disposition = CreateDisposition(6)),
        (NtStatus::INVALID_PARAMETER, |request| request.create_options = CreateOptions::from_bits_retain(1 << 31)),
        (NtStatus::NOT_SUPPORTED, |request| request.create_options = CreateOptions::OPEN_BY_FILE_ID),
        (NtStatus::INVALID_PARAMETER, |request| {
            request.create_options = CreateOptions::DIRECTORY_FILE | CreateOptions::NON_DIRECTORY_FILE;
        }),
        (NtStatus::INVALID_PARAMETER, |request| request.file_attributes = FileAttributes::from_bits_retain(8)),
        (NtStatus::INVALID_PARAMETER, |request| request.share_access = WireShareAccess::from_bits_retain(8)),
        (NtStatus::ACCESS_DENIED, |request| request.desired_access = WireAccess::empty()),
        (NtStatus::ACCESS_DENIED, |request| request.desired_access = WireAccess::from_bits_retain(0x0800_0000)),
        (NtStatus::PRIVILEGE_NOT_HELD, |request| request.desired_access = WireAccess::ACCESS_SYSTEM_SECURITY),
        (NtStatus::INVALID_PARAMETER, |request| request.create_options = CreateOptions::DELETE_ON_CLOSE),
        (NtStatus::INVALID_PARAMETER, |request| request.name = Utf16Text::from("\\a")),
    ];
    for (status, change) in refusals {
        assert_eq!(refused(change), status);
    }
}
