//! A share that demands encryption of a server that does not.

use dittofs_smb_wire::{
    NtStatus, Request, Response,
    access::{AccessMask, ShareAccess},
    create::{CreateDisposition, CreateRequest},
    identifiers::Guid,
    negotiate::Capabilities,
    tree_connect::ShareFlags,
};
use dittofs_tests::{
    ports::own_port,
    server::{Home, Server},
    smb_client::{SmbClient, opening},
};

use crate::{
    session::home,
    smb::{PASSWORD, is_installed, smbclient},
};

const USER: (&str, &str) = ("root", PASSWORD);

struct World {
    _server: Server,
    home: Home,
    port: u16,
}

fn configuration(port: u16, of_other: &str) -> String {
    let stores = "metadata_store: m, content_store: c, squash: none";
    format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: fs, fs: {{ path: content }} }} }} }}\n\
         shares:\n  - {{ name: /sealed, {stores}, smb_encryption: required }}\n  \
         - {{ name: /other, {stores} {of_other} }}\n\
         adapters: {{ smb: {{ listen: \"127.0.0.1:{port}\", signing: optional }} }}\n"
    )
}

fn world() -> World {
    let port = own_port();
    let home = home(Some(&configuration(port, "")));
    let added = home.run_with(&["user", "add", USER.0, "--uid", "0", "--gid", "0"], &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    World { _server: home.start(), home, port }
}

async fn client(world: &World, capabilities: Capabilities) -> SmbClient {
    SmbClient::log_on(world.port, (Guid([7; 16]), capabilities), USER).await
}

/// One whom others may not write beside.
fn create(name: &str) -> Request {
    let access = AccessMask::FILE_GENERIC_READ | AccessMask::FILE_GENERIC_WRITE;
    Request::Create(CreateRequest {
        share_access: ShareAccess::READ,
        ..opening(name, access, CreateDisposition::OPEN_IF)
    })
}

/// The flags that a client is told of a share.
async fn flags(client: &mut SmbClient, share: &str) -> ShareFlags {
    match client.enter(share).await {
        (_, Response::TreeConnect(response)) => response.share_flags,
        other => panic!("{share}: {other:?}"),
    }
}

#[tokio::test]
async fn a_share_that_demands_encryption_takes_nothing_plain_and_others_do() {
    let world = world();
    let mut without = client(&world, Capabilities::LEASING).await;
    let (refused, _) = without.enter("sealed").await;
    assert_eq!(refused.status, NtStatus::ACCESS_DENIED, "the client can't encrypt");
    assert!(!flags(&mut without, "other").await.contains(ShareFlags::ENCRYPT_DATA));
    without.done(create("of one that can't")).await;

    let mut plain = client(&world, Capabilities::LEASING | Capabilities::ENCRYPTION).await;
    assert!(flags(&mut plain, "sealed").await.contains(ShareFlags::ENCRYPT_DATA));
    assert_eq!(plain.fails(create("file")).await, NtStatus::ACCESS_DENIED);
    assert_eq!(plain.fails(Request::TreeDisconnect).await, NtStatus::ACCESS_DENIED);
    assert!(!flags(&mut plain, "other").await.contains(ShareFlags::ENCRYPT_DATA), "that share demands nothing");
    plain.done(create("file")).await;
}

#[tokio::test]
async fn clients_of_others_encrypt_for_one_share_by_themselves() {
    if !is_installed() {
        return;
    }
    let world = world();
    let run = |share: &str, options: &[&str]| {
        let output = smbclient(world.port, share, USER).args(["-c", "mkdir d; ls; rmdir d"]).args(options).output();
        let output = output.unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    for dialect in ["SMB3_00", "SMB3_02", "SMB3_11"] {
        let (is_done, text) = run("sealed", &["-m", dialect]);
        assert!(is_done && text.contains(" d "), "{dialect}: {text}");
    }
    for dialect in ["SMB2_02", "SMB2_10"] {
        let (is_done, text) = run("sealed", &["-m", dialect]);
        assert!(!is_done && text.contains("NT_STATUS_ACCESS_DENIED"), "{dialect}: {text}");
        let (is_done, text) = run("other", &["-m", dialect]);
        assert!(is_done, "{dialect}: {text}");
    }
    let shown = |share: &str| String::from_utf8(world.home.run(&["share", "show", share]).stdout).unwrap();
    let (sealed, other) = (shown("/sealed"), shown("/other"));
    assert!(sealed.contains(",seal,username") && sealed.contains("smb encryption    required"), "{sealed}");
    assert!(!other.contains(",seal,") && other.contains("smb encryption    offered"), "{other}");
}

#[tokio::test]
async fn a_share_that_begins_to_demand_encryption_is_connected_to_again() {
    let world = world();
    let mut client = client(&world, Capabilities::LEASING | Capabilities::ENCRYPTION).await;
    assert!(!flags(&mut client, "other").await.contains(ShareFlags::ENCRYPT_DATA));
    let opened = client.done(create("file")).await;
    assert!(matches!(opened, Response::Create(_)), "{opened:?}");
    world.home.configure(&configuration(world.port, ", smb_encryption: required"));
    let reloaded = world.home.run(&["reload"]);
    let text = String::from_utf8_lossy(&reloaded.stdout).into_owned();
    assert!(reloaded.status.success() && text.contains("smb_encryption"), "{reloaded:?}");
    assert_eq!(client.fails(create("file")).await, NtStatus::NETWORK_NAME_DELETED);
    client.done(Request::TreeDisconnect).await;
    assert!(flags(&mut client, "other").await.contains(ShareFlags::ENCRYPT_DATA));
    assert_eq!(client.fails(create("file")).await, NtStatus::ACCESS_DENIED);
    // What was open before is closed: with the shares that the client had.
    world.home.configure(&configuration(world.port, ""));
    assert!(world.home.run(&["reload"]).status.success());
    let mut alone = SmbClient::connect(world.port, "other", Guid([8; 16]), USER).await;
    alone.done(create("file")).await;
}
