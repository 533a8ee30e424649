//! Requests of both protocols that concern rights.

use dittofs_smb_wire::{
    Request, Response,
    access::{AccessMask, ShareAccess},
    attributes::FileAttributes,
    close::{CloseFlags, CloseRequest},
    create::{
        CreateContexts, CreateDisposition, CreateOptions, CreateRequest, CreateResponse, ImpersonationLevel,
        OplockLevel,
    },
    identifiers::{FileId, Guid},
    query_info::{InfoType, QueryInfoFlags, QueryInfoRequest, SecurityInformation},
    security::{Ace, AceFlags, Acl, Control, SecurityDescriptor, Sid},
    set_info::SetInfoRequest,
    text::Utf16Text,
};
use dittofs_tests::smb_client::SmbClient;
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    session::{Session, status, user},
    smb::{PASSWORD, World},
};

pub(super) const ALICE: u32 = 1_000;
pub(super) const BOB: u32 = 1_001;
pub(super) const ALL: AccessMask = AccessMask::FILE_ALL_ACCESS;
pub(super) const READ: AccessMask = AccessMask::FILE_GENERIC_READ;
pub(super) const CHANGE: AccessMask =
    AccessMask::READ_CONTROL.union(AccessMask::WRITE_DAC).union(AccessMask::WRITE_OWNER);

pub(super) async fn world() -> World {
    let world = World::new("    signing: optional\n");
    world.give_root().await;
    world
}

pub(super) async fn alice(world: &World) -> SmbClient {
    SmbClient::connect(world.port, "export", Guid([0x2a; 16]), ("alice", PASSWORD)).await
}

pub(super) async fn nfs(world: &World, uid: u32) -> Session {
    Session::open(world.server.address(), "/export", &user(uid, uid, &[])).await
}

pub(super) fn opening(name: &str, access: AccessMask, options: CreateOptions) -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::NONE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: access,
        file_attributes: FileAttributes::empty(),
        share_access: ShareAccess::READ | ShareAccess::WRITE | ShareAccess::DELETE,
        create_disposition: CreateDisposition::OPEN_IF,
        create_options: options,
        name: Utf16Text::from(name),
        contexts: CreateContexts::default(),
    }
}

pub(super) async fn open(smb: &mut SmbClient, request: CreateRequest) -> CreateResponse {
    match smb.done(Request::Create(request)).await {
        Response::Create(response) => response,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn open_to_change(smb: &mut SmbClient, name: &str) -> FileId {
    open(smb, opening(name, CHANGE, CreateOptions::empty())).await.file_id
}

pub(super) async fn close(smb: &mut SmbClient, file_id: FileId) {
    smb.done(Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id })).await;
}

pub(super) fn descriptor(aces: Vec<Ace>) -> SecurityDescriptor {
    let control = Control::SELF_RELATIVE | Control::DACL_PRESENT;
    SecurityDescriptor { control, dacl: Some(Acl::new(aces)), ..SecurityDescriptor::default() }
}

pub(super) fn allow(sid: Sid, mask: AccessMask) -> Ace {
    Ace::allowed(sid, mask, AceFlags::empty())
}

pub(super) fn setting(file_id: FileId, parts: SecurityInformation, descriptor: &SecurityDescriptor) -> Request {
    Request::SetInfo(SetInfoRequest {
        info_type: InfoType::SECURITY,
        file_info_class: 0,
        additional_information: parts.bits(),
        file_id,
        input: descriptor.encode().unwrap(),
    })
}

pub(super) async fn set(smb: &mut SmbClient, file_id: FileId, aces: Vec<Ace>) {
    smb.done(setting(file_id, SecurityInformation::DACL, &descriptor(aces))).await;
}

pub(super) async fn query(smb: &mut SmbClient, file_id: FileId) -> SecurityDescriptor {
    let parts = SecurityInformation::OWNER | SecurityInformation::GROUP | SecurityInformation::DACL;
    let request = QueryInfoRequest {
        info_type: InfoType::SECURITY,
        file_info_class: 0,
        output_buffer_length: 65_536,
        additional_information: parts.bits(),
        flags: QueryInfoFlags::empty(),
        file_id,
        input: Default::default(),
    };
    match smb.done(Request::QueryInfo(request)).await {
        Response::Output(response) => SecurityDescriptor::decode(&response.output).unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn aces(smb: &mut SmbClient, file_id: FileId) -> Vec<Ace> {
    query(smb, file_id).await.dacl.unwrap().aces
}

pub(super) async fn read_by(nfs: &mut Session, file: &nfs_fh3) -> nfsstat3 {
    status(&nfs.read(&READ3args { file: file.clone(), offset: 0, count: 1 }).await.unwrap())
}

pub(super) async fn rights(nfs: &mut Session, object: &nfs_fh3) -> u32 {
    let access = ACCESS3_READ | ACCESS3_MODIFY | ACCESS3_EXTEND | ACCESS3_DELETE | ACCESS3_LOOKUP;
    nfs.access(&ACCESS3args { object: object.clone(), access }).await.unwrap().unwrap().access
}
