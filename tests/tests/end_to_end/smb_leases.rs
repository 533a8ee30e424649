//! The caches of SMB's clients, and how NFS beside them takes them away.

use std::time::Duration;

use dittofs_smb_wire::{
    NtStatus, Request, Response,
    access::{AccessMask, ShareAccess},
    close::{CloseFlags, CloseRequest},
    create::{CreateDisposition, CreateOptions, CreateRequest, LeaseState, OplockLevel, RequestContext},
    identifiers::{FileId, Guid},
    oplock_break::{BreakAcknowledgment, LeaseBreak, LeaseBreakFlags, OplockBreak},
    query_info::InfoType,
    set_info::SetInfoRequest,
};
use dittofs_tests::smb_client::{Opening, SmbClient, create, lease};
use nfs3_client::nfs3_types::nfs3::stable_how;

use crate::smb::{PASSWORD, World};

const GUID: Guid = Guid([0x17; 16]);
const ALL: ShareAccess = ShareAccess::READ.union(ShareAccess::WRITE).union(ShareAccess::DELETE);
const RH: LeaseState = LeaseState::READ_CACHING.union(LeaseState::HANDLE_CACHING);
const RWH: LeaseState = RH.union(LeaseState::WRITE_CACHING);

async fn world() -> World {
    let world = World::new("    signing: optional\n");
    world.give_root().await;
    world
}

async fn client(world: &World, guid: Guid) -> SmbClient {
    SmbClient::connect(world.port, "export", guid, ("alice", PASSWORD)).await
}

fn leased(key: u8) -> Opening {
    let contexts = vec![RequestContext::Lease(lease(key))];
    Opening { name: "file", oplock: OplockLevel::LEASE, contexts, share: ALL }
}

fn batch(more: Vec<RequestContext>) -> Opening {
    Opening { name: "file", oplock: OplockLevel::BATCH, contexts: more, share: ALL }
}

fn keep(key: u8, state: LeaseState) -> Request {
    let lease_key = lease(key).key;
    Request::OplockBreak(BreakAcknowledgment::Lease(LeaseBreak { flags: 0, lease_key, lease_state: state }))
}

#[tokio::test]
async fn lease_goes_as_nfs_reads_and_writes() {
    let world = world().await;
    let mut smb = client(&world, GUID).await;
    let opened = smb.open(leased(1)).await;
    assert_eq!(opened.oplock_level, OplockLevel::LEASE);
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let file = nfs.find(&root, b"file").await.unwrap();

    let mut reader = world.nfs().await;
    let read = tokio::spawn({
        let file = file.clone();
        async move { reader.read_at(&file, 0, 10).await.data.len() }
    });
    let Response::LeaseBreakNotification(broken) = smb.broken().await else { panic!() };
    assert_eq!((broken.current_lease_state, broken.new_lease_state), (RWH, RH));
    assert_eq!((broken.flags, broken.new_epoch), (LeaseBreakFlags::ACK_REQUIRED, 0x12));
    assert!(!read.is_finished(), "what the client has not written yet would be missed");
    assert_eq!(smb.fails(keep(1, RWH)).await, NtStatus::REQUEST_NOT_ACCEPTED);
    assert_eq!(smb.fails(keep(2, RH)).await, NtStatus::OBJECT_NAME_NOT_FOUND);
    smb.done(keep(1, RH)).await;
    assert_eq!(smb.fails(keep(1, RH)).await, NtStatus::UNSUCCESSFUL, "nothing is to be acknowledged");
    assert_eq!(read.await.unwrap(), 0);

    nfs.write_at(&file, 0, b"from nfs", stable_how::FILE_SYNC).await;
    let Response::LeaseBreakNotification(broken) = smb.broken().await else { panic!() };
    assert_eq!((broken.current_lease_state, broken.new_lease_state), (RH, LeaseState::empty()));
    assert_eq!(broken.new_epoch, 0x13);
    smb.done(keep(1, LeaseState::empty())).await;
}

#[tokio::test]
async fn oplock_goes_as_nfs_writes() {
    let world = world().await;
    let mut smb = client(&world, GUID).await;
    let opened = smb.open(batch(Vec::new())).await;
    assert_eq!(opened.oplock_level, OplockLevel::BATCH);
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let file = nfs.find(&root, b"file").await.unwrap();
    let write = tokio::spawn({
        let mut writer = world.nfs().await;
        let file = file.clone();
        async move { writer.write_at(&file, 0, b"from nfs", stable_how::FILE_SYNC).await }
    });
    let Response::OplockBreak(broken) = smb.broken().await else { panic!() };
    assert_eq!(broken, OplockBreak { oplock_level: OplockLevel::NONE, file_id: opened.file_id });
    let acknowledge = Request::OplockBreak(BreakAcknowledgment::Oplock(broken));
    assert_eq!(smb.done(acknowledge.clone()).await, Response::OplockBreak(broken));
    write.await.unwrap();
    assert_eq!(smb.fails(acknowledge).await, NtStatus::INVALID_OPLOCK_PROTOCOL);
}

#[tokio::test]
async fn who_is_gone_holds_up_nobody() {
    let world = world().await;
    let mut smb = client(&world, GUID).await;
    smb.open(leased(1)).await;
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let file = nfs.find(&root, b"file").await.unwrap();
    drop(smb);
    let read = tokio::time::timeout(Duration::from_secs(10), nfs.read_at(&file, 0, 10)).await;
    assert!(read.is_ok());
}

#[tokio::test]
async fn open_that_waits_for_a_break_says_so_and_can_be_cancelled() {
    let world = world().await;
    let mut holder = client(&world, GUID).await;
    let opened = holder.open(batch(Vec::new())).await;
    let mut other = client(&world, Guid([0x18; 16])).await;
    let first = other.send(create(leased(1))).await;
    let (interim, _) = other.next_of(first).await;
    assert_eq!(interim.status, NtStatus::PENDING);
    other.cancel(&interim).await;
    assert_eq!(other.answer(first).await.0.status, NtStatus::CANCELLED);

    let second = other.send(create(leased(1))).await;
    assert_eq!(other.next_of(second).await.0.status, NtStatus::PENDING);
    let Response::OplockBreak(broken) = holder.broken().await else { panic!() };
    assert_eq!(broken, OplockBreak { oplock_level: OplockLevel::LEVEL_II, file_id: opened.file_id });
    assert!(!holder.is_broken(), "once, however often others ask");
    holder.done(Request::OplockBreak(BreakAcknowledgment::Oplock(broken))).await;
    let (header, _) = other.answer(second).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
}

#[tokio::test]
async fn durable_open_waits_for_its_client_and_goes_when_another_wants_the_file() {
    let world = world().await;
    let mut smb = client(&world, GUID).await;
    let opened = smb.open(batch(vec![RequestContext::DurableRequest])).await;
    assert_eq!(opened.oplock_level, OplockLevel::BATCH);
    let reconnect = |id| batch(vec![RequestContext::DurableReconnect(id)]);
    let mut again = client(&world, GUID).await;
    let status = again.fails(create(reconnect(opened.file_id))).await;
    assert_eq!(status, NtStatus::OBJECT_NAME_NOT_FOUND, "its connection is there");
    drop(smb);
    let back = come_back(&mut again, reconnect(opened.file_id)).await;
    assert_eq!(back.file_id.persistent, opened.file_id.persistent);
    assert_eq!(back.oplock_level, OplockLevel::BATCH);
    drop(again);

    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let file = nfs.find(&root, b"file").await.unwrap();
    // The server has to notice first that the connection is lost.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let write = nfs.write_at(&file, 0, b"from nfs", stable_how::FILE_SYNC);
    tokio::time::timeout(Duration::from_secs(10), write).await.unwrap();
    let mut late = client(&world, GUID).await;
    assert_eq!(late.fails(create(reconnect(back.file_id))).await, NtStatus::OBJECT_NAME_NOT_FOUND);
}

#[tokio::test]
async fn who_may_only_read_by_now_does_not_come_back_to_what_it_could_write() {
    let world = world().await;
    let mut smb = client(&world, GUID).await;
    let opened = smb.open(batch(vec![RequestContext::DurableRequest])).await;
    drop(smb);
    // The server has to notice first that the connection is lost.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let file = world.home.path().join("dittofs.yaml");
    let before = std::fs::read_to_string(file).unwrap();
    let reload = |configuration: &str| {
        world.home.configure(configuration);
        let reloaded = world.home.run(&["reload"]);
        assert!(reloaded.status.success(), "{reloaded:?}");
    };
    reload(&before.replace("squash: none", "squash: none, access: { users: { alice: read } }"));
    let reconnect = || batch(vec![RequestContext::DurableReconnect(opened.file_id)]);
    let mut reader = client(&world, GUID).await;
    assert_eq!(reader.fails(create(reconnect())).await, NtStatus::OBJECT_NAME_NOT_FOUND);
    drop(reader);
    reload(&before);
    let mut writer = client(&world, GUID).await;
    assert_eq!(come_back(&mut writer, reconnect()).await.file_id.persistent, opened.file_id.persistent);
}

/// Tries until the server has noticed that the former connection is lost.
async fn come_back(client: &mut SmbClient, opening: Opening) -> dittofs_smb_wire::create::CreateResponse {
    let request = create(opening);
    for _ in 0..100 {
        if let (_, Response::Create(response)) = client.ask(request.clone()).await {
            return response;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the open is not given back")
}

/// A CREATE that opens a directory to rename it.
fn directory(name: &'static str) -> Request {
    let opening = Opening { name, oplock: OplockLevel::NONE, contexts: Vec::new(), share: ALL };
    let Request::Create(request) = create(opening) else { panic!() };
    Request::Create(CreateRequest {
        desired_access: AccessMask::DELETE | AccessMask::FILE_READ_ATTRIBUTES,
        create_disposition: CreateDisposition::OPEN,
        create_options: CreateOptions::DIRECTORY_FILE,
        ..request
    })
}

/// A SET_INFO that gives a directory another name.
fn rename(file_id: FileId, name: &str) -> Request {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = u32::try_from(name.len()).unwrap().to_le_bytes();
    let input = [&[0; 16][..], &length, &name].concat().into();
    let (info_type, file_info_class) = (InfoType::FILE, 10);
    Request::SetInfo(SetInfoRequest { info_type, file_info_class, additional_information: 0, file_id, input })
}

#[tokio::test]
async fn who_keeps_a_closed_file_open_gives_it_up_before_a_directory_above_is_renamed() {
    let world = world().await;
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let folder = nfs.make_directory(&root, b"folder", 0o777).await;
    nfs.make_file(&folder, b"file", 0o666).await;
    let mut holder = client(&world, GUID).await;
    let opened = holder.open(Opening { name: "folder\\file", ..leased(1) }).await;
    let mut other = client(&world, Guid([0x18; 16])).await;
    let Response::Create(directory) = other.done(directory("folder")).await else { panic!() };
    let directory = directory.file_id;

    let asked = other.send(rename(directory, "renamed")).await;
    let Response::LeaseBreakNotification(broken) = holder.broken().await else { panic!() };
    assert!(!broken.new_lease_state.contains(LeaseState::HANDLE_CACHING), "{broken:?}");
    // It is in use after all.
    holder.done(keep(1, broken.new_lease_state)).await;
    assert_eq!(other.answer(asked).await.0.status, NtStatus::ACCESS_DENIED);

    holder.done(Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id: opened.file_id })).await;
    let opened = holder.open(Opening { name: "folder\\file", ..leased(2) }).await;
    let asked = other.send(rename(directory, "renamed")).await;
    let Response::LeaseBreakNotification(_) = holder.broken().await else { panic!() };
    holder.done(Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id: opened.file_id })).await;
    assert_eq!(other.answer(asked).await.0.status, NtStatus::SUCCESS);
    nfs.find(&root, b"renamed").await.unwrap();
}
