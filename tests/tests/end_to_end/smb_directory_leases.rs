//! Leases of directories, whose entries clients of SMB and of NFS change. The cases are those of Samba's
//! `smb2.dirlease`.

mod changes;
mod names;

use std::time::Duration;

use dittofs_smb_wire::{
    NtStatus, Request, Response,
    access::{AccessMask, ShareAccess},
    attributes::FileAttributes,
    close::{CloseFlags, CloseRequest},
    create::{
        CreateDisposition, CreateOptions, CreateRequest, CreateResponse, ImpersonationLevel, Lease, LeaseFlags,
        LeaseState, LeaseVersion2, OplockLevel, RequestContext, ResponseContext,
    },
    identifiers::{FileId, Guid, LeaseKey},
    negotiate::Capabilities,
    oplock_break::{BreakAcknowledgment, LeaseBreak, LeaseBreakFlags},
    query_info::InfoType,
    read::Channel,
    set_info::SetInfoRequest,
    write::{WriteFlags, WriteRequest},
};
use dittofs_tests::smb_client::SmbClient;
use tokio::time::timeout;

use crate::smb::{PASSWORD, World};

const ALL: ShareAccess = ShareAccess::READ.union(ShareAccess::WRITE).union(ShareAccess::DELETE);
const R: LeaseState = LeaseState::READ_CACHING;
const RH: LeaseState = R.union(LeaseState::HANDLE_CACHING);
const RWH: LeaseState = RH.union(LeaseState::WRITE_CACHING);
const NONE: LeaseState = LeaseState::empty();
/// All but to remove it.
const MOST: u32 = 0x0012_019F;
const DELETE: u32 = 0x0001_0000;

async fn world() -> World {
    let world = World::new("    signing: optional\n");
    world.give_root().await;
    world
}

async fn client(world: &World, number: u8) -> SmbClient {
    let can = Capabilities::LEASING | Capabilities::DIRECTORY_LEASING;
    let mut smb = SmbClient::log_on(world.port, (Guid([number; 16]), can), ("alice", PASSWORD)).await;
    assert_eq!(smb.enter("export").await.0.status, NtStatus::SUCCESS);
    smb
}

/// A lease with this key, of who says that it caches the directory under another one.
fn lease(key: u8, state: LeaseState, parent: Option<u8>) -> RequestContext {
    let flags = if parent.is_some() { LeaseFlags::PARENT_LEASE_KEY_SET } else { LeaseFlags::empty() };
    let parent_key = LeaseKey([parent.unwrap_or(0); 16]);
    RequestContext::Lease(Lease {
        key: LeaseKey([key; 16]),
        state,
        flags,
        version_2: Some(LeaseVersion2 { parent_key, epoch: 0x10 }),
    })
}

/// A CREATE with a lease.
fn create(name: &str, access: u32, lease: RequestContext) -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::LEASE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: AccessMask::from_bits_retain(access),
        file_attributes: FileAttributes::empty(),
        share_access: ALL,
        create_disposition: CreateDisposition::OPEN_IF,
        create_options: CreateOptions::empty(),
        name: name.into(),
        contexts: [lease.encode()].into_iter().collect(),
    }
}

fn directory(name: &str, lease: RequestContext) -> CreateRequest {
    CreateRequest { create_options: CreateOptions::DIRECTORY_FILE, ..create(name, MOST, lease) }
}

async fn opened(smb: &mut SmbClient, request: CreateRequest) -> FileId {
    answer(smb, request).await.file_id
}

async fn answer(smb: &mut SmbClient, request: CreateRequest) -> CreateResponse {
    match smb.done(Request::Create(request)).await {
        Response::Create(response) => response,
        other => panic!("{other:?}"),
    }
}

/// Opens a file to do everything with it, caching it under a key and its directory under another one.
async fn file(smb: &mut SmbClient, name: &str, key: u8, parent: Option<u8>) -> FileId {
    opened(smb, create(name, MOST | DELETE, lease(key, RWH, parent))).await
}

async fn close(smb: &mut SmbClient, file_id: FileId) {
    smb.done(Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id })).await;
}

async fn write(smb: &mut SmbClient, file_id: FileId) {
    let (channel, flags, data) = (Channel::NONE, WriteFlags::empty(), vec![b'o'; 4_096].into());
    smb.done(Request::Write(WriteRequest { file_id, offset: 0, channel, remaining_bytes: 0, flags, data })).await;
}

async fn status(smb: &mut SmbClient, request: Request) -> NtStatus {
    smb.ask(request).await.0.status
}

fn set(file_id: FileId, class: u8, input: &[u8]) -> Request {
    let input = input.to_vec().into();
    let (info_type, additional_information) = (InfoType::FILE, 0);
    Request::SetInfo(SetInfoRequest { info_type, file_info_class: class, additional_information, file_id, input })
}

/// FileRenameInformation, or FileLinkInformation.
fn name_as(file_id: FileId, class: u8, name: &str) -> Request {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = u32::try_from(name.len()).unwrap().to_le_bytes();
    set(file_id, class, &[&[0; 16][..], &length, &name].concat())
}

/// The lease that an answer tells of: its state, and its epoch.
fn granted(response: &CreateResponse) -> (LeaseState, u16) {
    assert_eq!(response.oplock_level, OplockLevel::LEASE);
    let mut contexts = response.contexts.iter().map(|context| ResponseContext::decode(context).unwrap());
    let found = contexts.find_map(|context| match context {
        ResponseContext::Lease(lease) => Some((lease.state, lease.version_2.unwrap().epoch)),
        _ => None,
    });
    found.unwrap()
}

/// A lease of a directory, and what its client has heard of it. Its epoch is followed.
struct Holder {
    name: &'static str,
    key: u8,
    epoch: u16,
    handle: FileId,
}

impl Holder {
    async fn new(smb: &mut SmbClient, name: &'static str, key: u8) -> Holder {
        let response = answer(smb, directory(name, lease(key, RWH, None))).await;
        assert_eq!(granted(&response), (RH, 0x11));
        Holder { name, key, epoch: 0x11, handle: response.file_id }
    }

    /// Takes the break to nothing that has come, acknowledges it, and gets the lease again.
    async fn is_told(&mut self, smb: &mut SmbClient) {
        self.takes(smb, NONE).await;
        self.comes_again(smb).await;
    }

    async fn takes(&mut self, smb: &mut SmbClient, left: LeaseState) {
        let broken = timeout(Duration::from_secs(10), smb.broken()).await;
        let Ok(Response::LeaseBreakNotification(broken)) = broken else { panic!("{} is not told", self.name) };
        self.epoch += 1;
        assert_eq!((broken.lease_key, broken.new_epoch), (LeaseKey([self.key; 16]), self.epoch));
        assert_eq!((broken.current_lease_state, broken.new_lease_state), (RH, left));
        assert_eq!(broken.flags, LeaseBreakFlags::ACK_REQUIRED);
        smb.done(keep(self.key, left)).await;
    }

    async fn comes_again(&mut self, smb: &mut SmbClient) {
        let again = answer(smb, directory(self.name, lease(self.key, RH, None))).await;
        self.epoch += 1;
        assert_eq!(granted(&again), (RH, self.epoch));
        close(smb, again.file_id).await;
    }
}

fn keep(key: u8, state: LeaseState) -> Request {
    let lease_key = LeaseKey([key; 16]);
    Request::OplockBreak(BreakAcknowledgment::Lease(LeaseBreak { flags: 0, lease_key, lease_state: state }))
}

/// A client is told of nothing: what it was sent before this answer has come by then.
async fn hears_nothing(smb: &mut SmbClient) {
    smb.done(Request::Echo).await;
    assert!(!smb.is_broken(), "{:?}", smb.broken().await);
}

#[tokio::test]
async fn what_is_asked_for_a_directory_is_granted_but_writing_and_oplocks() {
    let world = world().await;
    let mut smb = client(&world, 1).await;
    for (wanted, expected) in [(RWH, RH), (R | LeaseState::WRITE_CACHING, R), (RH, RH), (R, R)] {
        let response = answer(&mut smb, directory("d", lease(1, wanted, None))).await;
        assert_eq!(granted(&response), (expected, 0x11), "{wanted:?}");
        close(&mut smb, response.file_id).await;
    }
    for level in [OplockLevel::NONE, OplockLevel::LEVEL_II, OplockLevel::EXCLUSIVE, OplockLevel::BATCH] {
        let request = CreateRequest {
            requested_oplock_level: level,
            contexts: Default::default(),
            ..directory("d", lease(1, RH, None))
        };
        assert_eq!(answer(&mut smb, request).await.oplock_level, OplockLevel::NONE);
    }
    let mut old = SmbClient::log_on(world.port, (Guid([2; 16]), Capabilities::LEASING), ("alice", PASSWORD)).await;
    old.enter("export").await;
    let response = answer(&mut old, directory("d", lease(1, RH, None))).await;
    assert_eq!(response.oplock_level, OplockLevel::NONE, "it does not know of them");
}

#[tokio::test]
async fn a_directory_is_opened_by_who_does_not_share_it_once_it_is_closed() {
    let world = world().await;
    let (mut smb, mut other) = (client(&world, 1).await, client(&world, 2).await);
    let mut holder = Holder::new(&mut smb, "d", 1).await;
    let alone = CreateRequest { share_access: ShareAccess::empty(), ..directory("d", lease(3, RWH, None)) };
    let asked = other.send(Request::Create(alone.clone())).await;
    holder.takes(&mut smb, R).await;
    assert_eq!(other.answer(asked).await.0.status, NtStatus::SHARING_VIOLATION);
    holder.comes_again(&mut smb).await;

    let asked = other.send(Request::Create(alone)).await;
    let Response::LeaseBreakNotification(_) = smb.broken().await else { panic!() };
    close(&mut smb, holder.handle).await;
    assert_eq!(other.answer(asked).await.0.status, NtStatus::SUCCESS);
}

#[tokio::test]
async fn what_is_made_and_written_without_the_key_is_told() {
    let world = world().await;
    let mut smb = client(&world, 1).await;
    let mut holder = Holder::new(&mut smb, "d", 2).await;
    let spared = file(&mut smb, "d\\lease.dat", 3, Some(2)).await;
    hears_nothing(&mut smb).await;
    let told = file(&mut smb, "d\\lease2.dat", 4, None).await;
    holder.is_told(&mut smb).await;

    write(&mut smb, told).await;
    hears_nothing(&mut smb).await;
    close(&mut smb, told).await;
    holder.is_told(&mut smb).await;
    write(&mut smb, spared).await;
    close(&mut smb, spared).await;
    hears_nothing(&mut smb).await;
}

#[tokio::test]
async fn overwriting_breaks_the_leases_of_the_file_and_of_its_directory() {
    let world = world().await;
    let (mut smb, mut other) = (client(&world, 1).await, client(&world, 2).await);
    let mut holder = Holder::new(&mut smb, "d", 1).await;
    let kept = create("d\\fname", MOST, lease(2, RH, Some(1)));
    let kept = opened(&mut smb, kept).await;
    hears_nothing(&mut smb).await;
    let overwrite = CreateRequest {
        requested_oplock_level: OplockLevel::NONE,
        create_disposition: CreateDisposition::OVERWRITE,
        contexts: Default::default(),
        ..create("d\\fname", 1, lease(2, RH, None))
    };
    let asked = other.send(Request::Create(overwrite)).await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let Response::LeaseBreakNotification(broken) = smb.broken().await else { panic!() };
        assert_eq!((broken.current_lease_state, broken.new_lease_state), (RH, NONE));
        keys.push(broken.lease_key.0[0]);
        smb.done(keep(broken.lease_key.0[0], NONE)).await;
    }
    keys.sort_unstable();
    assert_eq!(keys, [1, 2]);
    assert_eq!(other.answer(asked).await.0.status, NtStatus::SUCCESS);
    holder.epoch += 1;
    holder.comes_again(&mut smb).await;
    close(&mut smb, kept).await;
}

#[tokio::test]
async fn a_client_that_is_gone_or_silent_holds_up_nobody() {
    let world = world().await;
    let (mut silent, mut gone) = (client(&world, 1).await, client(&world, 2).await);
    Holder::new(&mut silent, "d", 1).await;
    Holder::new(&mut gone, "d", 1).await;
    drop(gone);
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let made = async {
        let directory = nfs.find(&root, b"d").await.unwrap();
        for name in [&b"a"[..], b"b", b"c"] {
            nfs.make_file(&directory, name, 0o644).await;
        }
    };
    timeout(Duration::from_secs(5), made).await.unwrap();
    let Response::LeaseBreakNotification(broken) = silent.broken().await else { panic!() };
    assert_eq!((broken.current_lease_state, broken.new_lease_state), (RH, NONE));
    hears_nothing(&mut silent).await;
}
