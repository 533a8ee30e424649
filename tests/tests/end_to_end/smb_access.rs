//! Whom a share lets in over SMB, and what for: by users and by groups.

use bytes::Bytes;
use dittofs_smb_wire::{
    NtStatus, Request, Response,
    access::AccessMask,
    control::code,
    create::{CreateDisposition, CreateOptions, CreateRequest},
    identifiers::{FileId, Guid},
    ioctl::{IoctlFlags, IoctlRequest},
    negotiate::Capabilities,
    query_info::{InfoType, SecurityInformation},
    read::Channel,
    security::{Ace, AceFlags, Acl, Control, SecurityDescriptor, Sid},
    set_info::SetInfoRequest,
    write::{WriteFlags, WriteRequest},
};
use dittofs_tests::{
    ports::own_port,
    server::{Home, Server},
    smb_client::{SmbClient, opening},
};
use rstest::rstest;

use crate::{session::home, smb::PASSWORD};

/// Users, and a group of each.
const USERS: [(&str, &str); 6] =
    [("writer", "1"), ("reader", "2"), ("member", "4000"), ("author", "4001"), ("banned", "4001"), ("outsider", "6")];
const ALL: AccessMask = AccessMask::FILE_ALL_ACCESS;
const READ: AccessMask = AccessMask::FILE_GENERIC_READ;
const MAXIMUM: AccessMask = AccessMask::MAXIMUM_ALLOWED;

struct World {
    _server: Server,
    home: Home,
    port: u16,
}

fn configuration(port: u16) -> String {
    let stores = "metadata_store: m, content_store: c, squash: none";
    format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: fs, fs: {{ path: content }} }} }} }}\n\
         shares:\n  - {{ name: /listed, {stores}, access: {{ users: {{ writer: write, reader: read, banned: none }}, \
         groups: {{ 4000: read, 4001: write }} }} }}\n  - {{ name: /open, {stores} }}\n  \
         - {{ name: /elsewhere, {stores}, clients: [10.0.0.0/8] }}\n\
         adapters: {{ smb: {{ listen: \"127.0.0.1:{port}\", signing: optional }} }}\n"
    )
}

fn world() -> World {
    let port = own_port();
    let home = home(Some(&configuration(port)));
    for (name, group) in USERS {
        // Root's uid: what is refused is refused by the list alone.
        let words = ["user", "add", name, "--uid", "0", "--gid", "0", "--group", group];
        let added = home.run_with(&words, &format!("{PASSWORD}\n"));
        assert!(added.status.success(), "{added:?}");
    }
    World { _server: home.start(), home, port }
}

async fn client(world: &World, name: &str) -> SmbClient {
    SmbClient::log_on(world.port, (Guid([9; 16]), Capabilities::LEASING), (name, PASSWORD)).await
}

async fn open(smb: &mut SmbClient, name: &str, access: AccessMask, disposition: CreateDisposition) -> FileId {
    match smb.done(Request::Create(opening(name, access, disposition))).await {
        Response::Create(response) => response.file_id,
        other => panic!("{other:?}"),
    }
}

fn write(file_id: FileId) -> Request {
    let (channel, flags, data) = (Channel::NONE, WriteFlags::empty(), Bytes::from_static(b"forged"));
    Request::Write(WriteRequest { file_id, offset: 0, channel, remaining_bytes: 0, flags, data })
}

fn set(file_id: FileId, class: u8, input: &[u8]) -> Request {
    Request::SetInfo(SetInfoRequest {
        info_type: InfoType::FILE,
        file_info_class: class,
        additional_information: 0,
        file_id,
        input: Bytes::copy_from_slice(input),
    })
}

fn control(file_id: FileId, ctl_code: u32, input: &[u8]) -> Request {
    Request::Ioctl(IoctlRequest {
        ctl_code,
        file_id,
        input: Bytes::copy_from_slice(input),
        output: Bytes::new(),
        max_input_response: 0,
        max_output_response: 4_096,
        flags: IoctlFlags::IS_FSCTL,
    })
}

/// A new name, as renames and links have it (MS-FSCC, 2.4.43).
fn new_name(name: &str) -> Vec<u8> {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut bytes = vec![0; 16];
    bytes.extend((name.len() as u32).to_le_bytes());
    bytes.extend(name);
    bytes.resize(bytes.len().max(24), 0);
    bytes
}

/// All that changes a file that is open.
fn changes(file_id: FileId) -> Vec<(&'static str, Request)> {
    let mut basic = vec![0; 32];
    basic.extend([0x21, 0, 0, 0, 0, 0, 0, 0]);
    let list = Acl::new(vec![Ace::allowed(Sid::EVERYONE, ALL, AceFlags::empty())]);
    let control_flags = Control::SELF_RELATIVE | Control::DACL_PRESENT;
    let descriptor = SecurityDescriptor { control: control_flags, dacl: Some(list), ..SecurityDescriptor::default() };
    let security = Request::SetInfo(SetInfoRequest {
        info_type: InfoType::SECURITY,
        file_info_class: 0,
        additional_information: SecurityInformation::DACL.bits(),
        file_id,
        input: descriptor.encode().unwrap(),
    });
    vec![
        ("WRITE", write(file_id)),
        ("times and attributes", set(file_id, 4, &basic)),
        ("rename", set(file_id, 10, &new_name("renamed"))),
        ("link", set(file_id, 11, &new_name("linked"))),
        ("disposition", set(file_id, 13, &[1])),
        ("size", set(file_id, 20, &[0; 8])),
        ("allocation", set(file_id, 19, &[0; 8])),
        ("disposition with flags", set(file_id, 64, &[1, 0, 0, 0])),
        ("security", security),
        ("sparse", control(file_id, code::FSCTL_SET_SPARSE, &[])),
        ("zero data", control(file_id, code::FSCTL_SET_ZERO_DATA, &[0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0])),
    ]
}

#[tokio::test]
async fn who_may_only_read_changes_nothing() {
    let world = world();
    let mut writer = client(&world, "writer").await;
    writer.enter("listed").await;
    let file = open(&mut writer, "file", ALL, CreateDisposition::CREATE).await;
    writer.done(write(file)).await;
    for name in ["reader", "member"] {
        let mut smb = client(&world, name).await;
        let (_, told) = smb.enter("listed").await;
        let Response::TreeConnect(told) = told else { panic!("{name}: {told:?}") };
        let changing = AccessMask::FILE_WRITE_DATA | AccessMask::FILE_APPEND_DATA | AccessMask::DELETE;
        assert!(
            !told.maximal_access.intersects(changing) && told.maximal_access.contains(AccessMask::FILE_READ_DATA),
            "{name}: {told:?}"
        );
        for access in
            [ALL, AccessMask::FILE_WRITE_DATA, AccessMask::DELETE, AccessMask::WRITE_DAC, AccessMask::GENERIC_WRITE]
        {
            let request = opening("file", access, CreateDisposition::OPEN);
            assert_eq!(smb.fails(Request::Create(request)).await, NtStatus::ACCESS_DENIED, "{name}: {access:?}");
        }
        for (path, disposition, status) in [
            ("new", CreateDisposition::CREATE, NtStatus::ACCESS_DENIED),
            ("new", CreateDisposition::OPEN_IF, NtStatus::ACCESS_DENIED),
            ("file", CreateDisposition::OVERWRITE, NtStatus::ACCESS_DENIED),
            ("file", CreateDisposition::SUPERSEDE, NtStatus::ACCESS_DENIED),
            ("new", CreateDisposition::OPEN, NtStatus::OBJECT_NAME_NOT_FOUND),
        ] {
            let request = opening(path, READ, disposition);
            assert_eq!(smb.fails(Request::Create(request)).await, status, "{name}: {path} {disposition:?}");
        }
        let removing = CreateRequest {
            create_options: CreateOptions::DELETE_ON_CLOSE,
            ..opening("file", READ | AccessMask::DELETE, CreateDisposition::OPEN)
        };
        assert_eq!(smb.fails(Request::Create(removing)).await, NtStatus::ACCESS_DENIED);
        for access in [READ, MAXIMUM] {
            let file = open(&mut smb, "file", access, CreateDisposition::OPEN).await;
            for (change, request) in changes(file) {
                assert_eq!(smb.fails(request).await, NtStatus::ACCESS_DENIED, "{name}: {change} with {access:?}");
            }
        }
    }
    // The same requests are carried out for who may write: they are right.
    let mut author = client(&world, "author").await;
    author.enter("listed").await;
    for (number, (change, _)) in changes(file).into_iter().enumerate() {
        let file = open(&mut author, &format!("of author {number}"), ALL, CreateDisposition::CREATE).await;
        let (_, request) = changes(file).remove(number);
        assert_eq!(author.fails(request).await, NtStatus::SUCCESS, "{change}");
    }
}

#[rstest]
#[case::by_nothing("outsider", "listed", false)]
#[case::named_before_the_group("banned", "listed", false)]
#[case::by_its_address("writer", "elsewhere", false)]
#[case::of_no_such_share("writer", "nowhere", false)]
#[case::by_name("writer", "listed", true)]
#[case::by_a_group("member", "listed", true)]
#[case::a_share_for_all("outsider", "open", true)]
#[tokio::test]
async fn a_share_is_there_only_for_who_may_enter(#[case] user: &str, #[case] share: &str, #[case] may: bool) {
    let world = world();
    let mut smb = client(&world, user).await;
    for name in [share.to_owned(), share.to_uppercase()] {
        let (header, _) = smb.enter(&name).await;
        let expected = if may { NtStatus::SUCCESS } else { NtStatus::BAD_NETWORK_NAME };
        assert_eq!(header.status, expected, "one status for what is not there and what is not for the user");
    }
    let mut lister = smb2::connect(&format!("127.0.0.1:{}", world.port), user, PASSWORD).await.unwrap();
    let listed = lister.list_shares().await.unwrap();
    assert_eq!(listed.iter().any(|listed| listed.name == share), may, "{listed:?}");
    assert!(listed.iter().any(|listed| listed.name == "open"), "{listed:?}");
    assert!(world.home.log().contains("logged on"));
}
