//! Watching directories over SMB, while NFS changes what is in them.

use std::time::{Duration, Instant};

use dittofs_smb_wire::{
    Header, NtStatus, Request, Response,
    access::{AccessMask, ShareAccess},
    attributes::FileAttributes,
    change_notify::{ChangeNotifyFlags, ChangeNotifyRequest, CompletionFilter},
    close::{CloseFlags, CloseRequest},
    create::{CreateContexts, CreateDisposition, CreateOptions, CreateRequest, ImpersonationLevel, OplockLevel},
    identifiers::{FileId, Guid},
    info::changes::decode_changes,
};
use dittofs_tests::smb_client::SmbClient;
use nfs3_client::nfs3_types::nfs3::{Nfs3Option, sattr3, stable_how};
use tokio::time::timeout;

use crate::smb::{PASSWORD, World};

const ADDED: u32 = 1;
const REMOVED: u32 = 2;
const MODIFIED: u32 = 3;
const RENAMED_FROM: u32 = 4;
const RENAMED_TO: u32 = 5;
const ALL: CompletionFilter = CompletionFilter::from_bits_retain(0xfff);

async fn world() -> World {
    let world = World::new("    signing: optional\n");
    world.give_root().await;
    world
}

async fn client(world: &World, number: u8) -> SmbClient {
    SmbClient::connect(world.port, "export", Guid([number; 16]), ("alice", PASSWORD)).await
}

fn open(name: &str, options: CreateOptions, access: u32) -> Request {
    Request::Create(CreateRequest {
        requested_oplock_level: OplockLevel::NONE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: AccessMask::from_bits_retain(access),
        file_attributes: FileAttributes::empty(),
        share_access: ShareAccess::READ | ShareAccess::WRITE | ShareAccess::DELETE,
        create_disposition: CreateDisposition::OPEN_IF,
        create_options: options,
        name: name.into(),
        contexts: CreateContexts::default(),
    })
}

async fn open_directory(smb: &mut SmbClient, name: &str) -> FileId {
    // To list it, and to see its attributes.
    match smb.done(open(name, CreateOptions::DIRECTORY_FILE, 0x0010_0081)).await {
        Response::Create(opened) => opened.file_id,
        other => panic!("{other:?}"),
    }
}

fn notify(file_id: FileId, flags: ChangeNotifyFlags, bytes: u32) -> Request {
    Request::ChangeNotify(ChangeNotifyRequest { flags, output_buffer_length: bytes, file_id, completion_filter: ALL })
}

fn close(file_id: FileId) -> Request {
    Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id })
}

const TREE: ChangeNotifyFlags = ChangeNotifyFlags::WATCH_TREE;
const FLAT: ChangeNotifyFlags = ChangeNotifyFlags::empty();

/// Asks for changes, and sees that the request waits.
async fn wait(smb: &mut SmbClient, request: Request) -> (u64, Header) {
    let id = smb.send(request).await;
    let (interim, _) = smb.next_of(id).await;
    assert_eq!(interim.status, NtStatus::PENDING);
    (id, interim)
}

fn changes((header, body): (Header, Response)) -> Vec<(u32, String)> {
    assert_eq!(header.status, NtStatus::SUCCESS);
    let Response::Output(output) = body else { panic!("{body:?}") };
    decode_changes(&output.output).unwrap()
}

/// Asks for changes until there are as many.
async fn collect(smb: &mut SmbClient, request: &Request, count: usize) -> Vec<(u32, String)> {
    let mut all = Vec::new();
    while all.len() < count {
        let answer = timeout(Duration::from_secs(10), smb.ask(request.clone())).await;
        all.extend(changes(answer.unwrap_or_else(|_| panic!("only {all:?}"))));
    }
    all
}

fn told(expected: &[(u32, &str)]) -> Vec<(u32, String)> {
    expected.iter().map(|(action, path)| (*action, (*path).to_owned())).collect()
}

#[tokio::test]
async fn watcher_is_told_what_nfs_does() {
    let world = world().await;
    let (mut smb, mut nfs) = (client(&world, 1).await, world.nfs().await);
    let root = nfs.root.clone();
    let directory = open_directory(&mut smb, "").await;
    let (id, _) = wait(&mut smb, notify(directory, FLAT, 4_096)).await;
    let file = nfs.make_file(&root, b"a", 0o644).await;
    assert_eq!(changes(smb.answer(id).await), told(&[(ADDED, "a")]));

    nfs.write_at(&file, 0, b"from nfs", stable_how::UNSTABLE).await;
    nfs.set(&file, sattr3 { mode: Nfs3Option::Some(0o600), ..sattr3::default() }, None).await;
    nfs.move_to((&root, b"a"), (&root, b"b")).await;
    nfs.remove_file(&root, b"b").await;
    let expected = [(MODIFIED, "a"), (RENAMED_FROM, "a"), (RENAMED_TO, "b"), (MODIFIED, "b"), (REMOVED, "b")];
    assert_eq!(changes(smb.ask(notify(directory, FLAT, 4_096)).await), told(&expected), "kept until it asks again");

    let (id, _) = wait(&mut smb, notify(directory, FLAT, 4_096)).await;
    let below = nfs.make_directory(&root, b"d", 0o755).await;
    assert_eq!(changes(smb.answer(id).await), told(&[(ADDED, "d")]));
    nfs.make_file(&below, b"c", 0o644).await;
    nfs.make_file(&root, b"e", 0o644).await;
    assert_eq!(changes(smb.ask(notify(directory, FLAT, 4_096)).await), told(&[(ADDED, "e")]), "not of the one below");
}

#[tokio::test]
async fn watcher_of_a_tree_is_told_of_all_that_it_may_see() {
    let world = world().await;
    let (mut smb, mut nfs) = (client(&world, 1).await, world.nfs().await);
    let root = nfs.root.clone();
    let above = nfs.make_directory(&root, b"d", 0o755).await;
    let below = nfs.make_directory(&above, b"e", 0o755).await;
    let secret = nfs.make_directory(&above, b"s", 0o700).await;
    let directory = open_directory(&mut smb, "d").await;
    let (id, _) = wait(&mut smb, notify(directory, TREE, 4_096)).await;
    nfs.make_file(&secret, b"hidden", 0o644).await;
    nfs.make_file(&below, b"a:b", 0o644).await;
    assert_eq!(changes(smb.answer(id).await), told(&[(ADDED, "e\\a\u{f022}b")]));
    let request = notify(directory, TREE, 4_096);
    nfs.move_to((&below, b"a:b"), (&above, b"c")).await;
    nfs.make_file(&root, b"outside", 0o644).await;
    nfs.remove_file(&above, b"c").await;
    let expected = [(REMOVED, "e\\a\u{f022}b"), (ADDED, "c"), (MODIFIED, "c"), (REMOVED, "c")];
    assert_eq!(collect(&mut smb, &request, 4).await, told(&expected));
}

#[tokio::test]
async fn client_that_is_told_of_too_much_lists_anew() {
    let world = world().await;
    let (mut smb, mut nfs) = (client(&world, 1).await, world.nfs().await);
    let root = nfs.root.clone();
    let directory = open_directory(&mut smb, "").await;
    let (id, interim) = wait(&mut smb, notify(directory, FLAT, 256)).await;
    smb.cancel(&interim).await;
    assert_eq!(smb.answer(id).await.0.status, NtStatus::CANCELLED);
    for number in 0..20 {
        nfs.make_file(&root, format!("file {number}").as_bytes(), 0o644).await;
    }
    let (header, body) = smb.ask(notify(directory, FLAT, 65_536)).await;
    assert_eq!(header.status, NtStatus::NOTIFY_ENUM_DIR, "its buffer is as long as it was at first");
    let Response::Output(output) = body else { panic!("{body:?}") };
    assert!(output.output.is_empty());
    let (id, _) = wait(&mut smb, notify(directory, FLAT, 65_536)).await;
    nfs.make_file(&root, b"a", 0o644).await;
    assert_eq!(changes(smb.answer(id).await), told(&[(ADDED, "a")]));
}

#[tokio::test]
async fn request_that_waits_ends_with_what_it_waits_for() {
    let world = world().await;
    let (mut smb, mut nfs) = (client(&world, 1).await, world.nfs().await);
    let root = nfs.root.clone();
    nfs.make_directory(&root, b"d", 0o755).await;
    let directory = open_directory(&mut smb, "d").await;
    let (first, interim) = wait(&mut smb, notify(directory, TREE, 1_000)).await;
    let (second, _) = wait(&mut smb, notify(directory, TREE, 1_000)).await;
    smb.cancel(&interim).await;
    assert_eq!(smb.answer(first).await.0.status, NtStatus::CANCELLED);
    smb.done(close(directory)).await;
    assert_eq!(smb.answer(second).await.0.status, NtStatus::NOTIFY_CLEANUP);
    assert_eq!(smb.fails(notify(directory, TREE, 1_000)).await, NtStatus::FILE_CLOSED);

    let directory = open_directory(&mut smb, "d").await;
    let (id, _) = wait(&mut smb, notify(directory, TREE, 1_000)).await;
    nfs.remove_directory(&root, b"d").await;
    assert_eq!(smb.answer(id).await.0.status, NtStatus::DELETE_PENDING);
    assert_eq!(smb.fails(notify(directory, TREE, 1_000)).await, NtStatus::DELETE_PENDING);

    let directory = open_directory(&mut smb, "").await;
    let (id, _) = wait(&mut smb, notify(directory, TREE, 1_000)).await;
    smb.done(Request::TreeDisconnect).await;
    assert_eq!(smb.answer(id).await.0.status, NtStatus::NOTIFY_CLEANUP);
}

#[tokio::test]
async fn what_is_no_request_for_changes_is_refused() {
    let world = world().await;
    let mut smb = client(&world, 1).await;
    let refused = async |smb: &mut SmbClient, request: Request, bytes| {
        let Response::Create(opened) = smb.done(request).await else { panic!() };
        smb.fails(notify(opened.file_id, TREE, bytes)).await
    };
    let file = open("file", CreateOptions::NON_DIRECTORY_FILE, 0x0012_019f);
    assert_eq!(refused(&mut smb, file, 1_000).await, NtStatus::INVALID_PARAMETER);
    let unlisted = open("d", CreateOptions::DIRECTORY_FILE, 0x80);
    assert_eq!(refused(&mut smb, unlisted, 1_000).await, NtStatus::ACCESS_DENIED);
    let listed = open("d", CreateOptions::DIRECTORY_FILE, 0x0010_0081);
    assert_eq!(refused(&mut smb, listed, (8 << 20) + 1).await, NtStatus::INVALID_PARAMETER);
}

/// Half of the requests of a connection may wait. Whoever has them all wait holds up neither itself nor others, and
/// the server stops at once.
#[tokio::test]
async fn thousand_watchers_hold_up_nobody() {
    let world = world().await;
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let above = nfs.make_directory(&root, b"d", 0o755).await;
    let mut clients = Vec::new();
    for number in 0..5 {
        let mut smb = client(&world, number + 1).await;
        let mut ids = Vec::new();
        for _ in 0..200 {
            let directory = open_directory(&mut smb, "").await;
            ids.push(wait(&mut smb, notify(directory, TREE, 4_096)).await.0);
        }
        clients.push((smb, ids));
    }
    let began = Instant::now();
    for number in 0..50 {
        let name = format!("file {number}");
        let file = nfs.make_file(&above, name.as_bytes(), 0o644).await;
        nfs.write_at(&file, 0, b"text", stable_how::UNSTABLE).await;
        nfs.remove_file(&above, name.as_bytes()).await;
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(15), "150 changes took {took:?}");
    for (smb, ids) in &mut clients {
        for id in ids {
            let first = changes(smb.answer(*id).await);
            assert_eq!(first[0], (ADDED, "d\\file 0".to_owned()));
        }
        wait_again(smb).await;
    }
    drop(nfs);
    let began = Instant::now();
    assert!(world.server.stop().status.success());
    assert!(began.elapsed() < Duration::from_secs(5), "those who wait held up the end for {:?}", began.elapsed());
}

/// Waits for changes that do not come.
async fn wait_again(smb: &mut SmbClient) {
    let directory = open_directory(smb, "").await;
    wait(smb, notify(directory, FLAT, 4_096)).await;
}
