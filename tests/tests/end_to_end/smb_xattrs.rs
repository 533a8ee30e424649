//! Extended attributes over SMB.

use bytes::Bytes;
use dittofs_smb_wire::{
    NtStatus, Request, Response,
    access::{AccessMask, ShareAccess},
    attributes::FileAttributes,
    change_notify::{ChangeNotifyFlags, ChangeNotifyRequest, CompletionFilter},
    close::{CloseFlags, CloseRequest},
    create::{
        CreateContexts, CreateDisposition, CreateOptions, CreateRequest, ImpersonationLevel, OplockLevel,
        RequestContext,
    },
    identifiers::{FileId, Guid},
    info::{
        Ea,
        changes::decode_changes,
        ea::{FULL_EA_CLASS, decode_list, encode_list},
    },
    query_info::{InfoType, QueryInfoFlags, QueryInfoRequest},
    set_info::SetInfoRequest,
    text::Utf16Text,
};
use dittofs_tests::smb_client::SmbClient;

use crate::smb::{PASSWORD, World};

const ALL: AccessMask = AccessMask::FILE_ALL_ACCESS;
const EA_CLASS: u8 = 7;
const BYTES: u32 = 65_536;

async fn world() -> World {
    let world = World::new("    signing: optional\n");
    world.give_root().await;
    world
}

async fn alice(world: &World, number: u8) -> SmbClient {
    connected(world.port, number).await
}

async fn connected(port: u16, number: u8) -> SmbClient {
    SmbClient::connect(port, "export", Guid([number; 16]), ("alice", PASSWORD)).await
}

fn opening(name: &str, access: AccessMask) -> CreateRequest {
    CreateRequest {
        requested_oplock_level: OplockLevel::NONE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: access,
        file_attributes: FileAttributes::empty(),
        share_access: ShareAccess::READ | ShareAccess::WRITE | ShareAccess::DELETE,
        create_disposition: CreateDisposition::OPEN_IF,
        create_options: CreateOptions::empty(),
        name: Utf16Text::from(name),
        contexts: CreateContexts::default(),
    }
}

fn with_eas(request: CreateRequest, list: &[Ea]) -> CreateRequest {
    let context = RequestContext::ExtendedAttributes(packed(list));
    CreateRequest { contexts: [context.encode()].into_iter().collect(), ..request }
}

async fn open(smb: &mut SmbClient, request: CreateRequest) -> FileId {
    match smb.done(Request::Create(request)).await {
        Response::Create(response) => response.file_id,
        other => panic!("{other:?}"),
    }
}

async fn close(smb: &mut SmbClient, file_id: FileId) {
    smb.done(Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id })).await;
}

fn ea(name: &str, value: &[u8]) -> Ea {
    Ea { flags: 0, name: Bytes::copy_from_slice(name.as_bytes()), value: Bytes::copy_from_slice(value) }
}

fn packed(list: &[Ea]) -> Bytes {
    encode_list(list, usize::MAX).unwrap().bytes
}

fn setting_bytes(file_id: FileId, input: Bytes) -> Request {
    let (info_type, additional_information) = (InfoType::FILE, 0);
    Request::SetInfo(SetInfoRequest {
        info_type,
        file_info_class: FULL_EA_CLASS,
        additional_information,
        file_id,
        input,
    })
}

fn setting(file_id: FileId, list: &[Ea]) -> Request {
    setting_bytes(file_id, packed(list))
}

fn asking(file_id: FileId, class: u8) -> QueryInfoRequest {
    QueryInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: class,
        output_buffer_length: BYTES,
        additional_information: 0,
        flags: QueryInfoFlags::RESTART_SCAN,
        file_id,
        input: Bytes::new(),
    }
}

/// The list, and the status with it.
async fn asked(smb: &mut SmbClient, request: QueryInfoRequest) -> Result<Vec<Ea>, NtStatus> {
    match smb.ask(Request::QueryInfo(request)).await {
        (header, Response::Output(output)) => {
            assert!([NtStatus::SUCCESS, NtStatus::BUFFER_OVERFLOW].contains(&header.status));
            Ok(decode_list(&output.output).unwrap())
        }
        (header, _) => Err(header.status),
    }
}

async fn all(smb: &mut SmbClient, file_id: FileId) -> Result<Vec<Ea>, NtStatus> {
    asked(smb, asking(file_id, FULL_EA_CLASS)).await
}

async fn size(smb: &mut SmbClient, file_id: FileId) -> u32 {
    match smb.done(Request::QueryInfo(asking(file_id, EA_CLASS))).await {
        Response::Output(output) => u32::from_le_bytes(output.output[..4].try_into().unwrap()),
        other => panic!("{other:?}"),
    }
}

/// FILE_GET_EA_INFORMATION of some names.
fn names(names: &[&str]) -> Bytes {
    let mut out = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let len = (5 + name.len() + 1).next_multiple_of(4);
        let next = if index + 1 == names.len() { 0 } else { len as u32 };
        let start = out.len();
        out.extend_from_slice(&next.to_le_bytes());
        out.push(name.len() as u8);
        out.extend_from_slice(name.as_bytes());
        out.push(0);
        out.resize(start + len, 0);
    }
    out.into()
}

#[tokio::test]
async fn attributes_are_set_listed_and_removed_and_last() {
    let world = world().await;
    let mut smb = alice(&world, 1).await;
    let file = open(&mut smb, opening("file", ALL)).await;
    assert_eq!(all(&mut smb, file).await, Err(NtStatus::NO_EAS_ON_FILE));
    assert_eq!(size(&mut smb, file).await, 0);
    smb.done(setting(file, &[ea("Author", b"me"), ea("b", &[0, 255])])).await;
    assert_eq!(all(&mut smb, file).await, Ok(vec![ea("Author", b"me"), ea("b", &[0, 255])]));
    assert_eq!(size(&mut smb, file).await, 4 + (5 + 6 + 2) + (5 + 1 + 2));
    // In any case, and by the name that it has.
    smb.done(setting(file, &[ea("AUTHOR", b"you"), ea("B", b""), ea("missing", b"")])).await;
    assert_eq!(all(&mut smb, file).await, Ok(vec![ea("Author", b"you")]));
    // A directory has some as well, and another client sees them.
    let directory = CreateRequest { create_options: CreateOptions::DIRECTORY_FILE, ..opening("dir", ALL) };
    let directory = open(&mut smb, directory).await;
    smb.done(setting(directory, &[ea("d", b"1")])).await;
    let mut other = alice(&world, 2).await;
    let same = open(&mut other, opening("file", ALL)).await;
    assert_eq!(all(&mut other, same).await, Ok(vec![ea("Author", b"you")]));
    other.done(setting(same, &[ea("second", b"2")])).await;
    assert_eq!(all(&mut smb, file).await, Ok(vec![ea("Author", b"you"), ea("second", b"2")]));
    drop((smb, other));

    let World { server, home, port, .. } = world;
    assert!(server.stop().status.success());
    let server = home.start();
    let mut smb = connected(port, 3).await;
    let file = open(&mut smb, opening("file", ALL)).await;
    assert_eq!(all(&mut smb, file).await, Ok(vec![ea("Author", b"you"), ea("second", b"2")]));
    smb.done(setting(file, &[ea("second", b""), ea("third", b"3")])).await;
    drop(smb);
    server.kill();
    let _server = home.start();
    let mut smb = connected(port, 4).await;
    let file = open(&mut smb, opening("file", ALL)).await;
    assert_eq!(all(&mut smb, file).await, Ok(vec![ea("Author", b"you"), ea("third", b"3")]), "also after a crash");
    let directory = open(&mut smb, opening("dir", ALL)).await;
    assert_eq!(all(&mut smb, directory).await, Ok(vec![ea("d", b"1")]));
}

#[tokio::test]
async fn a_list_is_asked_for_by_names_by_index_and_in_parts() {
    let world = world().await;
    let mut smb = alice(&world, 1).await;
    let file = open(&mut smb, opening("file", ALL)).await;
    let list: Vec<Ea> = (0..40).map(|number| ea(&format!("n{number}"), &[number; 10])).collect();
    smb.done(setting(file, &list)).await;
    let named = QueryInfoRequest { input: names(&["N7", "nowhere", "n39"]), ..asking(file, FULL_EA_CLASS) };
    let found = asked(&mut smb, named).await.unwrap();
    assert_eq!(found, [list[7].clone(), ea("nowhere", b""), list[39].clone()]);
    let indexed = |index: u32, more: QueryInfoFlags| QueryInfoRequest {
        additional_information: index,
        flags: QueryInfoFlags::INDEX_SPECIFIED | more,
        ..asking(file, FULL_EA_CLASS)
    };
    let one = QueryInfoFlags::RETURN_SINGLE_ENTRY;
    assert_eq!(asked(&mut smb, indexed(1, one)).await, Ok(vec![list[0].clone()]));
    assert_eq!(asked(&mut smb, indexed(39, QueryInfoFlags::empty())).await, Ok(list[38..].to_vec()));
    assert_eq!(asked(&mut smb, indexed(41, one)).await, Err(NtStatus::NO_MORE_EAS));
    for index in [0, 42, u32::MAX] {
        assert_eq!(asked(&mut smb, indexed(index, one)).await, Err(NtStatus::NONEXISTENT_EA_ENTRY));
    }
    // A scan goes on where it has come to, though what it came to is removed meanwhile.
    let part = |flags| QueryInfoRequest { output_buffer_length: 100, flags, ..asking(file, FULL_EA_CLASS) };
    let mut found = asked(&mut smb, part(QueryInfoFlags::RESTART_SCAN)).await.unwrap();
    assert!(found.len() > 1 && found.len() < 10, "{}", found.len());
    let last = found.last().unwrap().name.clone();
    smb.done(setting(file, &[Ea { name: last, ..Ea::default() }])).await;
    loop {
        match asked(&mut smb, part(QueryInfoFlags::empty())).await {
            Ok(more) => found.extend(more),
            Err(status) => break assert_eq!(status, NtStatus::NO_MORE_EAS),
        }
    }
    assert_eq!(found, list);
    let small = QueryInfoRequest { output_buffer_length: 10, ..asking(file, FULL_EA_CLASS) };
    assert_eq!(asked(&mut smb, small).await, Err(NtStatus::BUFFER_TOO_SMALL));
}

#[tokio::test]
async fn a_file_is_made_with_attributes_and_one_that_is_overwritten_gets_them() {
    let world = world().await;
    let mut smb = alice(&world, 1).await;
    // The right to set them later is not needed.
    let access = AccessMask::FILE_GENERIC_READ;
    let file = open(&mut smb, with_eas(opening("file", access), &[ea("a", b"1"), ea("b", b"2")])).await;
    assert_eq!(all(&mut smb, file).await, Ok(vec![ea("a", b"1"), ea("b", b"2")]));
    close(&mut smb, file).await;
    let file = open(&mut smb, with_eas(opening("file", access), &[ea("a", b"9")])).await;
    assert_eq!(all(&mut smb, file).await.unwrap()[0], ea("a", b"1"), "what is only opened stays as it is");
    close(&mut smb, file).await;
    let over = CreateRequest { create_disposition: CreateDisposition::OVERWRITE_IF, ..opening("file", ALL) };
    let file = open(&mut smb, with_eas(over, &[ea("A", b"3"), ea("b", b"")])).await;
    assert_eq!(all(&mut smb, file).await, Ok(vec![ea("a", b"3")]));
    for (list, status) in [
        (packed(&[ea("a:b", b"1")]), NtStatus::INVALID_EA_NAME),
        (Bytes::from_static(&[1, 0, 0, 0, 0, 1, 0, 0, b'a', 0]), NtStatus::EA_LIST_INCONSISTENT),
    ] {
        let context = RequestContext::ExtendedAttributes(list);
        let contexts = [context.encode()].into_iter().collect();
        let request = CreateRequest { contexts, ..opening("other", ALL) };
        assert_eq!(smb.fails(Request::Create(request)).await, status);
    }
    let open_only = CreateRequest { create_disposition: CreateDisposition::OPEN, ..opening("other", ALL) };
    assert_eq!(smb.fails(Request::Create(open_only)).await, NtStatus::OBJECT_NAME_NOT_FOUND, "nothing was made");
}

#[tokio::test]
async fn what_may_not_be_is_refused_as_a_whole() {
    let world = world().await;
    let mut smb = alice(&world, 1).await;
    let file = open(&mut smb, opening("file", ALL)).await;
    smb.done(setting(file, &[ea("kept", b"1")])).await;
    let long = vec![7; 60_000];
    smb.done(setting(file, &[ea("long", &long)])).await;
    for (list, status) in [
        (packed(&[ea("more", &long[..6_000])]), NtStatus::EA_TOO_LARGE),
        (packed(&[ea("fine", b"1"), ea("a*b", b"1")]), NtStatus::INVALID_EA_NAME),
        (packed(&[ea("kept", b""), ea("\u{1}", b"1")]), NtStatus::INVALID_EA_NAME),
        (Bytes::from_static(&[0; 4]), NtStatus::INFO_LENGTH_MISMATCH),
        (Bytes::from_static(&[0, 0, 0, 0, 0, 9, 0, 0, b'a', 0]), NtStatus::EA_LIST_INCONSISTENT),
        (Bytes::from_static(&[4, 0, 0, 0, 0, 1, 0, 0, b'a', 0, 0, 0]), NtStatus::EA_LIST_INCONSISTENT),
        (Bytes::from_static(&[0, 0, 0, 0, 0, 1, 255, 255, b'a', 0, 0, 0]), NtStatus::EA_LIST_INCONSISTENT),
    ] {
        assert_eq!(smb.fails(setting_bytes(file, list.clone())).await, status, "{list:?}");
        assert_eq!(all(&mut smb, file).await, Ok(vec![ea("kept", b"1"), ea("long", &long)]));
    }
    // Ten thousand are too many, even if each is tiny: a list of 4,500 is.
    smb.done(setting(file, &[ea("long", b""), ea("kept", b"")])).await;
    let many =
        |range: std::ops::Range<u32>| -> Vec<Ea> { range.map(|number| ea(&format!("{number:x}"), b"v")).collect() };
    for first in (0..4_000).step_by(1_000) {
        smb.done(setting(file, &many(first..first + 1_000))).await;
    }
    assert_eq!(smb.fails(setting(file, &many(4_000..5_000))).await, NtStatus::EA_TOO_LARGE);
    assert_eq!(size(&mut smb, file).await, 4 + (0..4_000).map(|n| 5 + format!("{n:x}").len() as u32 + 1).sum::<u32>());
}

#[tokio::test]
async fn rights_to_attributes_are_those_of_the_open() {
    let world = world().await;
    let mut smb = alice(&world, 1).await;
    let file = open(&mut smb, opening("file", ALL)).await;
    smb.done(setting(file, &[ea("a", b"1")])).await;
    let reading = open(&mut smb, opening("file", AccessMask::FILE_READ_EA)).await;
    assert_eq!(all(&mut smb, reading).await, Ok(vec![ea("a", b"1")]));
    assert_eq!(smb.fails(setting(reading, &[ea("a", b"2")])).await, NtStatus::ACCESS_DENIED);
    let writing = open(&mut smb, opening("file", AccessMask::FILE_WRITE_EA)).await;
    assert_eq!(all(&mut smb, writing).await, Err(NtStatus::ACCESS_DENIED));
    smb.done(setting(writing, &[ea("a", b"3")])).await;
    // Who may only read the file gets no open with the right to set them.
    let mut root = world.nfs().await;
    let directory = root.root.clone();
    let found = root.find(&directory, b"file").await.unwrap();
    root.set(&found, crate::session::with_mode(0o444), None).await.unwrap();
    let refused = smb.fails(Request::Create(opening("file", AccessMask::FILE_WRITE_EA))).await;
    assert_eq!(refused, NtStatus::ACCESS_DENIED);
    // An open keeps what it was granted.
    smb.done(setting(writing, &[ea("a", b"4")])).await;
    assert_eq!(all(&mut smb, reading).await, Ok(vec![ea("a", b"4")]));
}

#[tokio::test]
async fn a_change_of_attributes_is_one_of_the_file_and_watchers_are_told() {
    let world = world().await;
    let mut smb = alice(&world, 1).await;
    let file = open(&mut smb, opening("file", ALL)).await;
    let mut nfs = world.nfs().await;
    let directory = nfs.root.clone();
    let found = nfs.find(&directory, b"file").await.unwrap();
    let before = nfs.attributes_of(&found).await;
    let mut watcher = alice(&world, 2).await;
    // To list it, and to see its attributes.
    let access = AccessMask::from_bits_retain(0x0010_0081);
    let watched = CreateRequest { create_options: CreateOptions::DIRECTORY_FILE, ..opening("", access) };
    let watched = open(&mut watcher, watched).await;
    let notify = Request::ChangeNotify(ChangeNotifyRequest {
        flags: ChangeNotifyFlags::empty(),
        output_buffer_length: 4_096,
        file_id: watched,
        completion_filter: CompletionFilter::EA,
    });
    let id = watcher.send(notify).await;
    let (interim, _) = watcher.next_of(id).await;
    assert_eq!(interim.status, NtStatus::PENDING);
    smb.done(setting(file, &[ea("a", b"1")])).await;
    let (header, body) = watcher.next_of(id).await;
    assert_eq!(header.status, NtStatus::SUCCESS);
    let Response::Output(output) = body else { panic!("{body:?}") };
    assert_eq!(decode_changes(&output.output).unwrap(), [(3, "file".to_owned())]);
    let after = nfs.attributes_of(&found).await;
    assert!((after.ctime.seconds, after.ctime.nseconds) > (before.ctime.seconds, before.ctime.nseconds));
    assert_eq!((after.mtime.seconds, after.mtime.nseconds), (before.mtime.seconds, before.mtime.nseconds));
}
