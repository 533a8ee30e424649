//! Users that are logged on to SMB: what has changed of them, and how long they may be idle.

use std::time::{Duration, Instant};

use dittofs_smb_wire::{
    NtStatus, Request,
    access::ShareAccess,
    close::{CloseFlags, CloseRequest},
    create::OplockLevel,
    flush::FlushRequest,
    identifiers::Guid,
};
use dittofs_tests::{
    server::Home,
    smb_client::{Opening, SmbClient},
};
use nfs3_client::nfs3_types::nfs3::{Nfs3Option, sattr3};
use smb2::client::Session as Logon;
use tokio::time::sleep;

use crate::{
    smb::{PASSWORD, World},
    smb_clients::Client,
    watching::{metrics, monitoring},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn change(home: &Home, words: &[&str]) {
    let changed = home.run(&[&["user", "change", "alice"], words].concat());
    assert!(changed.status.success(), "{changed:?}");
}

/// Waits for something that is to happen by itself.
async fn eventually(otherwise: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "{otherwise}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// A directory for the group 4000 only.
async fn directory_of_a_group(world: &World) {
    let mut nfs = world.nfs().await;
    let root = nfs.root.clone();
    let directory = nfs.make_directory(&root, b"group", 0o770).await;
    let of_group = sattr3 { gid: Nfs3Option::Some(4_000), ..sattr3::default() };
    nfs.set(&directory, of_group, None).await;
}

#[tokio::test]
async fn changed_groups_count_for_who_is_logged_on_and_a_disabled_user_is_logged_off() {
    let world = World::new("    limits: { users_seconds: 1 }\n");
    directory_of_a_group(&world).await;
    let mut client = Client::connect(&world).await;
    assert!(!client.can_list("group").await);
    change(&world.home, &["--group", "4000"]);
    eventually("the new group does not count", async || client.can_list("group").await).await;
    change(&world.home, &["--no-groups"]);
    eventually("the old group still counts", async || !client.can_list("group").await).await;
    assert!(client.can_list("").await);
    change(&world.home, &["--disable"]);
    eventually("the user is still logged on", async || !client.can_list("").await).await;
    assert!(world.home.log().contains("logged off"), "{}", world.home.log());
}

#[tokio::test]
async fn who_proves_its_password_again_gets_its_groups_of_now() {
    let world = World::new("    limits: { users_seconds: 3600 }\n");
    directory_of_a_group(&world).await;
    let mut client = Client::connect(&world).await;
    let session = client.smb.session_id();
    change(&world.home, &["--group", "4000"]);
    sleep(Duration::from_millis(300)).await;
    assert!(!client.can_list("group").await);
    // The keys stay as they are. This client expects new ones, so it takes the last answer for a forgery.
    let again = Logon::setup(client.smb.connection_mut(), "alice", PASSWORD, "").await.map(drop);
    assert!(client.can_list("group").await, "{again:?}");
    assert_eq!(client.smb.connection().session_id(), session);
    change(&world.home, &["--disable"]);
    assert!(client.can_list("group").await);
    Logon::setup(client.smb.connection_mut(), "alice", PASSWORD, "").await.unwrap_err();
    assert!(!client.can_list("").await);
}

#[tokio::test]
async fn a_logon_counts_for_so_long_and_then_the_user_proves_itself_again() {
    let world = World::new("    signing: optional\n    limits: { logon_seconds: 4 }\n");
    world.give_root().await;
    let alice = ("alice", PASSWORD);
    let mut client = SmbClient::connect(world.port, "export", Guid([1; 16]), alice).await;
    let share = ShareAccess::READ | ShareAccess::WRITE | ShareAccess::DELETE;
    let opening = |name| Opening { name, oplock: OplockLevel::NONE, contexts: Vec::new(), share };
    let (kept, given_back) = (client.open(opening("kept")).await.file_id, client.open(opening("back")).await.file_id);
    let flush = Request::Flush(FlushRequest { file_id: kept });
    let mut expired = async || client.fails(flush.clone()).await == NtStatus::NETWORK_SESSION_EXPIRED;
    eventually("the logon counts for ever", &mut expired).await;
    assert!(expired().await, "only the user's proof makes it count again");
    let close = |file_id| Request::Close(CloseRequest { flags: CloseFlags::empty(), file_id });
    client.done(close(given_back)).await;
    client.done(Request::Echo).await;
    client.prove(alice).await;
    client.done(flush).await;
    client.done(close(kept)).await;
}

#[tokio::test]
async fn a_connection_that_carries_nothing_is_closed_unless_it_has_a_file_open() {
    let world = World::new("  limits: { idle_seconds: 1 }\n  admin: { listen: 127.0.0.1:0 }\n");
    world.give_root().await;
    let connections = || metrics(monitoring(&world.home)).value("dittofs_connections", &[("adapter", "smb")]) as usize;
    let _idle = Client::connect(&world).await;
    let mut client = Client::connect(&world).await;
    let mut open = client.smb.create_file_writer(&client.share, "file").await.unwrap();
    open.write_chunk(b"a part").await.unwrap();
    eventually("the idle connection stays", async || connections() == 1).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(connections(), 1);
    open.write_chunk(b", and the rest").await.unwrap();
    open.finish().await.unwrap();
    eventually("the connection stays without an open file", async || connections() == 0).await;
}
