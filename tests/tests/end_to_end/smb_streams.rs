//! Named streams over SMB, and NFS beside it, which has none.

use bytes::Bytes;
use dittofs_smb_wire::{
    NtStatus, Request, Response,
    access::AccessMask,
    close::{CloseFlags, CloseRequest},
    create::{CreateDisposition, CreateResponse},
    identifiers::{FileId, Guid},
    info::{FileClass, file},
    query_info::{InfoType, QueryInfoFlags, QueryInfoRequest},
    read::{Channel, ReadFlags, ReadRequest},
    write::{WriteFlags, WriteRequest},
};
use dittofs_tests::smb_client::{SmbClient, opening};

use crate::{
    listing::list,
    session::{Session, user, with_mode},
    smb::{PASSWORD, World},
};

const READ: AccessMask = AccessMask::FILE_GENERIC_READ;
const WRITE: AccessMask = AccessMask::FILE_GENERIC_WRITE;

async fn world() -> World {
    let world = World::new("    signing: optional\n");
    world.give_root().await;
    world
}

async fn alice(port: u16) -> SmbClient {
    SmbClient::connect(port, "export", Guid([0x57; 16]), ("alice", PASSWORD)).await
}

async fn open(smb: &mut SmbClient, name: &str, access: AccessMask) -> CreateResponse {
    match smb.done(Request::Create(opening(name, access, CreateDisposition::OPEN_IF))).await {
        Response::Create(response) => response,
        other => panic!("{other:?}"),
    }
}

async fn close(smb: &mut SmbClient, file_id: FileId) {
    smb.done(Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id })).await;
}

/// Makes a stream with these bytes, and closes it.
async fn written(smb: &mut SmbClient, name: &str, data: &'static [u8]) {
    let file_id = open(smb, name, READ | WRITE).await.file_id;
    let write = WriteRequest {
        offset: 0,
        file_id,
        channel: Channel::NONE,
        remaining_bytes: 0,
        flags: WriteFlags::empty(),
        data: Bytes::from_static(data),
    };
    smb.done(Request::Write(write)).await;
    close(smb, file_id).await;
}

async fn read(smb: &mut SmbClient, name: &str) -> Bytes {
    let Response::Create(opened) = smb.done(Request::Create(opening(name, READ, CreateDisposition::OPEN))).await else {
        panic!()
    };
    let request = ReadRequest {
        padding: 0,
        flags: ReadFlags::empty(),
        length: 100,
        offset: 0,
        file_id: opened.file_id,
        minimum_count: 0,
        channel: Channel::NONE,
        remaining_bytes: 0,
    };
    let Response::Read(response) = smb.done(Request::Read(request)).await else { panic!() };
    close(smb, opened.file_id).await;
    response.data.concat().into()
}

fn query(class: FileClass, file_id: FileId, output_buffer_length: u32) -> Request {
    Request::QueryInfo(QueryInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: class.code(),
        output_buffer_length,
        additional_information: 0,
        flags: QueryInfoFlags::empty(),
        file_id,
        input: Bytes::new(),
    })
}

/// The streams of a file, and whether these are all.
async fn streams(smb: &mut SmbClient, name: &str, room: u32) -> (NtStatus, Vec<(String, u64)>) {
    let file_id = open(smb, name, READ).await.file_id;
    let (header, response) = smb.ask(query(FileClass::Stream, file_id, room)).await;
    let Response::Output(response) = response else { panic!("{response:?}") };
    let facts = file::decode(FileClass::Stream, &response.output).unwrap();
    close(smb, file_id).await;
    (header.status, facts.streams.into_iter().map(|stream| (stream.name, stream.size)).collect())
}

fn of(streams: &[(&str, u64)]) -> Vec<(String, u64)> {
    streams.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect()
}

#[tokio::test]
async fn streams_outlive_the_server_and_go_with_their_file() {
    let world = world().await;
    let mut smb = alice(world.port).await;
    written(&mut smb, "file", b"content").await;
    written(&mut smb, "file:Zone.Identifier", b"[ZoneTransfer]").await;
    written(&mut smb, "file:?other*:$DATA", b"x").await;
    written(&mut smb, "lonely:s", b"made with its file").await;
    let all = of(&[("", 7), ("Zone.Identifier", 14), ("?other*", 1)]);
    assert_eq!(streams(&mut smb, "file", 65_536).await, (NtStatus::SUCCESS, all.clone()));
    drop(smb);

    let World { server, home, port, .. } = world;
    server.kill();
    let server = home.start();
    let mut smb = alice(port).await;
    assert_eq!(streams(&mut smb, "file", 65_536).await, (NtStatus::SUCCESS, all));
    assert_eq!(read(&mut smb, "file:zone.identifier").await, b"[ZoneTransfer]"[..]);
    assert_eq!(read(&mut smb, "lonely:s").await, b"made with its file"[..]);

    // NFS has the files, and no more; it removes what it does not see.
    let mut nfs = Session::open(server.address(), "/export", &user(0, 0, &[])).await;
    let root = nfs.root.clone();
    assert!(nfs.find(&root, b"file:Zone.Identifier").await.is_err());
    let listed = list(&mut nfs, &root, 4_096, true).await;
    let names: Vec<&[u8]> = listed.keys().map(Vec::as_slice).filter(|name| !name.starts_with(b".")).collect();
    assert_eq!(names, [&b"file"[..], b"lonely"]);
    for name in [&b"file"[..], b"lonely"] {
        nfs.remove_file(&root, name).await.unwrap();
    }
    let missing = smb.fails(Request::Create(opening("file:Zone.Identifier", READ, CreateDisposition::OPEN))).await;
    assert_eq!(missing, NtStatus::OBJECT_NAME_NOT_FOUND);
    drop((smb, nfs));
    assert!(server.stop().status.success());
    let server = home.start();
    assert!(server.stop().status.success());
    let checked = home.run(&["check"]);
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{text}");
}

#[tokio::test]
async fn a_listing_that_does_not_fit_says_so() {
    let world = world().await;
    let mut smb = alice(world.port).await;
    written(&mut smb, "file:first", b"1").await;
    written(&mut smb, "file:second", b"22").await;
    let whole = of(&[("", 0), ("first", 1), ("second", 2)]);
    assert_eq!(streams(&mut smb, "file", 65_536).await, (NtStatus::SUCCESS, whole));
    let (status, some) = streams(&mut smb, "file", 100).await;
    assert_eq!((status, some), (NtStatus::BUFFER_OVERFLOW, of(&[("", 0), ("first", 1)])));
}

#[tokio::test]
async fn what_a_stream_shows_and_who_may_use_it_is_its_files() {
    let world = world().await;
    let mut smb = alice(world.port).await;
    written(&mut smb, "file:s", b"bytes").await;
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let file = nfs.find(&root, b"file").await.unwrap();
    let number = nfs.attributes_of(&file).await.fileid;
    let file_id = open(&mut smb, "file:s", READ).await.file_id;
    let Response::Output(response) = smb.done(query(FileClass::Internal, file_id, 8)).await else { panic!() };
    assert_eq!(response.output, number.to_le_bytes()[..], "one file, one number");
    let Response::Output(response) = smb.done(query(FileClass::All, file_id, 4_096)).await else { panic!() };
    let facts = file::decode(FileClass::All, &response.output).unwrap();
    assert_eq!((facts.metadata.end_of_file, facts.metadata.file_id, facts.path.as_str()), (5, number, "\\file:s"));
    close(&mut smb, file_id).await;

    nfs.set(&file, with_mode(0o400), None).await.unwrap();
    assert_eq!(
        smb.fails(Request::Create(opening("file:s", WRITE, CreateDisposition::OPEN))).await,
        NtStatus::ACCESS_DENIED
    );
    assert_eq!(
        smb.fails(Request::Create(opening("file:new", READ, CreateDisposition::CREATE))).await,
        NtStatus::ACCESS_DENIED
    );
    assert_eq!(read(&mut smb, "file:s").await, b"bytes"[..]);
}
