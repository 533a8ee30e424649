//! Extents that files have in common (FSCTL_DUPLICATE_EXTENTS_TO_FILE; MS-FSCC, 2.3.7 and 2.3.8).

use std::fs;

use bytes::Bytes;
use dittofs_smb_wire::{
    NtStatus, Request, Response,
    access::{AccessMask, ShareAccess},
    attributes::FileAttributes,
    control::code,
    create::{CreateContexts, CreateDisposition, CreateOptions, CreateRequest, ImpersonationLevel, OplockLevel},
    identifiers::{FileId, Guid},
    info::FileSystemAttributes,
    ioctl::{IoctlFlags, IoctlRequest},
    query_info::{InfoType, QueryInfoFlags, QueryInfoRequest},
    read::{Channel, ReadFlags, ReadRequest},
    write::{WriteFlags, WriteRequest},
};
use dittofs_tests::smb_client::SmbClient;

use crate::{
    session::{Session, pattern, user, with_mode},
    smb::{PASSWORD, World},
};

const CLUSTER: u64 = 4_096;

async fn world() -> World {
    let world = World::new("    signing: optional\n");
    world.give_root().await;
    world
}

async fn client(world: &World) -> SmbClient {
    SmbClient::connect(world.port, "export", Guid([3; 16]), ("alice", PASSWORD)).await
}

fn create(name: &str, access: AccessMask, options: CreateOptions) -> Request {
    Request::Create(CreateRequest {
        requested_oplock_level: OplockLevel::NONE,
        impersonation_level: ImpersonationLevel::IMPERSONATION,
        desired_access: access,
        file_attributes: FileAttributes::empty(),
        share_access: ShareAccess::READ | ShareAccess::WRITE,
        create_disposition: CreateDisposition::OPEN_IF,
        create_options: options,
        name: name.into(),
        contexts: CreateContexts::default(),
    })
}

async fn open(smb: &mut SmbClient, name: &str, options: CreateOptions) -> FileId {
    let access = AccessMask::FILE_GENERIC_READ | AccessMask::FILE_GENERIC_WRITE;
    match smb.done(create(name, access, options)).await {
        Response::Create(response) => response.file_id,
        other => panic!("{other:?}"),
    }
}

async fn write(smb: &mut SmbClient, file_id: FileId, offset: u64, data: Vec<u8>) {
    let (channel, flags, data) = (Channel::NONE, WriteFlags::empty(), Bytes::from(data));
    smb.done(Request::Write(WriteRequest { file_id, offset, channel, remaining_bytes: 0, flags, data })).await;
}

async fn read(smb: &mut SmbClient, file_id: FileId) -> Vec<u8> {
    let request = ReadRequest {
        padding: 0,
        flags: ReadFlags::empty(),
        length: 64 << 10,
        offset: 0,
        file_id,
        minimum_count: 0,
        channel: Channel::NONE,
        remaining_bytes: 0,
    };
    match smb.done(Request::Read(request)).await {
        Response::Read(response) => response.data.concat(),
        other => panic!("{other:?}"),
    }
}

/// Has a range of `to` consist of what a range of `from` does.
fn clone(to: FileId, from: FileId, (source, target, length): (u64, u64, u64)) -> Request {
    let words = [from.persistent, from.volatile, source, target, length];
    let input: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
    Request::Ioctl(IoctlRequest {
        ctl_code: code::FSCTL_DUPLICATE_EXTENTS_TO_FILE,
        file_id: to,
        input: input.into(),
        output: Bytes::new(),
        max_input_response: 0,
        max_output_response: 0,
        flags: IoctlFlags::IS_FSCTL,
    })
}

/// A file of a share that comes while the server runs. The client goes on with the share that it had.
async fn in_another_share(world: &World, smb: &mut SmbClient) -> FileId {
    let file = world.home.path().join("dittofs.yaml");
    let other = "shares: [{ name: /other, metadata_store: m, content_store: c, squash: none, secure_ports: false }, {";
    world.home.configure(&fs::read_to_string(file).unwrap().replace("shares: [{", other));
    let reloaded = world.home.run(&["reload"]);
    assert!(reloaded.status.success(), "{reloaded:?}");
    let mut nfs = Session::open(world.server.address(), "/other", &user(0, 0, &[])).await;
    let root = nfs.root.clone();
    nfs.set(&root, with_mode(0o777), None).await.unwrap();
    let own = smb.tree_id;
    assert_eq!(smb.enter("other").await.0.status, NtStatus::SUCCESS);
    let elsewhere = open(smb, "elsewhere", CreateOptions::empty()).await;
    write(smb, elsewhere, 0, pattern(2 * CLUSTER as usize)).await;
    smb.tree_id = own;
    elsewhere
}

#[tokio::test]
async fn a_clone_is_a_copy_that_goes_its_own_way() {
    let world = world().await;
    let mut smb = client(&world).await;
    let (from, to) =
        (open(&mut smb, "from", CreateOptions::empty()).await, open(&mut smb, "to", CreateOptions::empty()).await);
    let volume = QueryInfoRequest {
        info_type: InfoType::FILESYSTEM,
        file_info_class: 5,
        output_buffer_length: 4_096,
        additional_information: 0,
        flags: QueryInfoFlags::empty(),
        file_id: from,
        input: Bytes::new(),
    };
    let Response::Output(told) = smb.done(Request::QueryInfo(volume)).await else { panic!() };
    let attributes = u32::from_le_bytes(told.output[..4].try_into().unwrap());
    let attributes = FileSystemAttributes::from_bits_retain(attributes);
    assert!(
        attributes.contains(FileSystemAttributes::SUPPORTS_BLOCK_REFCOUNTING | FileSystemAttributes::PERSISTENT_ACLS),
        "{attributes:?}"
    );

    let data = pattern(5 * CLUSTER as usize);
    write(&mut smb, from, 0, data.clone()).await;
    let mut expected = vec![7; data.len()];
    write(&mut smb, to, 0, expected.clone()).await;
    smb.done(clone(to, from, (CLUSTER, 2 * CLUSTER, 2 * CLUSTER))).await;
    expected[2 * CLUSTER as usize..4 * CLUSTER as usize].copy_from_slice(&data[CLUSTER as usize..3 * CLUSTER as usize]);
    assert!(read(&mut smb, to).await == expected, "the clone is not what was cloned");
    // What is written to either is not seen in the other.
    write(&mut smb, from, CLUSTER, vec![1; CLUSTER as usize]).await;
    assert!(read(&mut smb, to).await == expected, "the clone has changed with its source");
    write(&mut smb, to, 3 * CLUSTER, vec![2; 10]).await;
    expected[3 * CLUSTER as usize..3 * CLUSTER as usize + 10].fill(2);
    let mut source = data.clone();
    source[CLUSTER as usize..2 * CLUSTER as usize].fill(1);
    assert!(read(&mut smb, to).await == expected && read(&mut smb, from).await == source);
    // Within one file, too; and to the byte, as Linux asks for the end of a file.
    smb.done(clone(to, to, (0, 4 * CLUSTER, CLUSTER))).await;
    expected.copy_within(..CLUSTER as usize, 4 * CLUSTER as usize);
    smb.done(clone(to, from, (11, 33, 1_001))).await;
    expected[33..1_034].copy_from_slice(&source[11..1_012]);
    assert!(read(&mut smb, to).await == expected, "a range of single bytes");
}

#[tokio::test]
async fn what_can_not_be_cloned_is_refused_and_changes_nothing() {
    let world = world().await;
    let mut smb = client(&world).await;
    let (from, to) =
        (open(&mut smb, "from", CreateOptions::empty()).await, open(&mut smb, "to", CreateOptions::empty()).await);
    let directory = open(&mut smb, "directory", CreateOptions::DIRECTORY_FILE).await;
    let (data, kept) = (pattern(3 * CLUSTER as usize), vec![7; 3 * CLUSTER as usize]);
    write(&mut smb, from, 0, data.clone()).await;
    write(&mut smb, to, 0, kept.clone()).await;
    let nothing = FileId { persistent: 77, volatile: 77 };
    let only_read = match smb.done(create("to", AccessMask::FILE_GENERIC_READ, CreateOptions::empty())).await {
        Response::Create(response) => response.file_id,
        other => panic!("{other:?}"),
    };
    let elsewhere = in_another_share(&world, &mut smb).await;
    for (case, target, source, span, status) in [
        ("overlapping", to, to, (0, CLUSTER, 2 * CLUSTER), NtStatus::NOT_SUPPORTED),
        ("itself", to, to, (0, 0, CLUSTER), NtStatus::NOT_SUPPORTED),
        ("beyond the end of the source", to, from, (2 * CLUSTER, 0, 2 * CLUSTER), NtStatus::NOT_SUPPORTED),
        ("beyond the end of the target", to, from, (0, 2 * CLUSTER, 2 * CLUSTER), NtStatus::NOT_SUPPORTED),
        ("beyond all files", to, from, (0, i64::MAX as u64, CLUSTER), NtStatus::INVALID_PARAMETER),
        ("around", to, from, (u64::MAX, 0, CLUSTER), NtStatus::INVALID_PARAMETER),
        ("into a directory", directory, from, (0, 0, CLUSTER), NtStatus::INVALID_DEVICE_REQUEST),
        ("of a directory", to, directory, (0, 0, CLUSTER), NtStatus::INVALID_DEVICE_REQUEST),
        ("of what is not open", to, nothing, (0, 0, CLUSTER), NtStatus::INVALID_HANDLE),
        ("of another share", to, elsewhere, (0, 0, CLUSTER), NtStatus::INVALID_HANDLE),
        ("into what may only be read", only_read, from, (0, 0, CLUSTER), NtStatus::ACCESS_DENIED),
    ] {
        assert_eq!(smb.fails(clone(target, source, span)).await, status, "{case}");
    }
    assert!(read(&mut smb, to).await == kept && read(&mut smb, from).await == data, "something has changed");
}
