//! Several shares with policies of their own.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use dittofs_tests::{
    rpc::{Credential, NFS, RpcConnection},
    server::Server,
};
use nfs3_client::{
    net::Connector,
    nfs3_types::{mount::mountstat3, nfs3::*, xdr_codec::Opaque},
    tokio::TokioIo,
};
use tokio::net::{TcpSocket, TcpStream};

use crate::session::{Session, home, place, serve, status, user, with_mode};

const SHARES: &str = "
metadata: { stores: { scratch: { type: memory } } }
content: { stores: { scratch: { type: memory } } }
shares:
  - { name: /open, metadata_store: scratch, content_store: scratch, squash: none }
  - { name: /root, metadata_store: scratch, content_store: scratch, squash: root, anonymous_uid: 77, anonymous_gid: 78 }
  - { name: /all, metadata_store: scratch, content_store: scratch, squash: all, anonymous_uid: 87, anonymous_gid: 88 }
  - { name: /frozen, metadata_store: scratch, content_store: scratch, squash: none, read_only: true }
  - { name: /near, metadata_store: scratch, content_store: scratch, squash: none, clients: [127.0.0.2] }
  - { name: /elsewhere, metadata_store: scratch, content_store: scratch, clients: [192.0.2.0/24, \"2001:db8::/32\"] }
";

async fn open(server: &Server, path: &str, uid: u32) -> Session {
    Session::open(server.address(), path, &user(uid, uid, &[0])).await
}

async fn owner_of_new(session: &mut Session, name: &[u8], attributes: sattr3) -> (u32, u32) {
    let where_ = place(&session.root, name);
    let made = session.create(&CREATE3args { where_, how: createhow3::GUARDED(attributes) }).await.unwrap();
    let attributes = made.unwrap().obj_attributes.unwrap();
    (attributes.uid, attributes.gid)
}

#[tokio::test]
async fn a_squashed_root_is_the_anonymous_user() {
    let server = serve(SHARES);
    let mut root = open(&server, "/root", 0).await;
    assert_eq!(owner_of_new(&mut root, b"by root", with_mode(0o600)).await, (77, 78));
    let owned = sattr3 { uid: Nfs3Option::Some(0), gid: Nfs3Option::Some(0), ..with_mode(0o600) };
    assert_eq!(owner_of_new(&mut root, b"for root", owned).await, (77, 78));
    let share = root.root.clone();
    root.set(&share, with_mode(0o777), None).await.unwrap();

    let mut other = open(&server, "/root", 1000).await;
    assert_eq!(owner_of_new(&mut other, b"by another", with_mode(0o600)).await, (1000, 1000));
    let file = other.find(&share, b"by another").await.unwrap();
    let read = root.read(&READ3args { file, offset: 0, count: 1 }).await.unwrap();
    assert_eq!(status(&read), nfsstat3::NFS3ERR_ACCES, "root may not read what the anonymous user may not");
    // The other's group 0, which is squashed in every position, is the anonymous group.
    let file = root.make_file(&share, b"for the group", 0o060).await;
    assert!(other.read_at(&file, 0, 1).await.eof);
}

#[tokio::test]
async fn everybody_is_the_anonymous_user_where_all_are_squashed() {
    let server = serve(SHARES);
    for uid in [0, 1000] {
        let mut session = open(&server, "/all", uid).await;
        let name = format!("by {uid}");
        assert_eq!(owner_of_new(&mut session, name.as_bytes(), with_mode(0o600)).await, (87, 88));
        let file = session.find(&session.root.clone(), name.as_bytes()).await.unwrap();
        session.write_at(&file, 0, b"x", stable_how::UNSTABLE).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_only_share_refuses_every_change() {
    let server = serve(SHARES);
    let mut session = open(&server, "/frozen", 0).await;
    let root = session.root.clone();
    let how = createhow3::GUARDED(sattr3::default());
    let created = session.create(&CREATE3args { where_: place(&root, b"a"), how }).await.unwrap();
    let attributes = sattr3::default();
    let made = session.mkdir(&MKDIR3args { where_: place(&root, b"a"), attributes }).await.unwrap();
    let what = mknoddata3::NF3FIFO(sattr3::default());
    let special = session.mknod(&MKNOD3args { where_: place(&root, b"a"), what }).await.unwrap();
    let refused = [
        status(&created),
        status(&made),
        status(&special),
        status(&session.make_symlink(&root, b"a", b"b").await),
        status(&session.set(&root, with_mode(0o700), None).await),
        status(&session.remove_file(&root, b"a").await),
        status(&session.remove_directory(&root, b"a").await),
        status(&session.move_to((&root, b"a"), (&root, b"b")).await),
    ];
    assert_eq!(refused, [nfsstat3::NFS3ERR_ROFS; 8]);
    let all = ACCESS3args { object: root.clone(), access: 0x3f };
    assert_eq!(session.access(&all).await.unwrap().unwrap().access, ACCESS3_READ | ACCESS3_LOOKUP);
    assert_eq!(session.find(&root, b"a").await.unwrap_err(), nfsstat3::NFS3ERR_NOENT);
}

#[tokio::test]
async fn clients_outside_the_networks_of_a_share_cannot_mount_it() {
    let server = serve(SHARES);
    let refused = Session::mount(server.address(), "/elsewhere", &user(0, 0, &[])).await.err();
    assert!(matches!(refused, Some(mountstat3::MNT3ERR_ACCES)), "{refused:?}");
}

/// Connects from this address.
struct Near(Ipv4Addr);

impl Connector for Near {
    type Connection = TokioIo<TcpStream>;

    async fn connect(&self, address: SocketAddr) -> io::Result<Self::Connection> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((self.0, 0)))?;
        Ok(TokioIo::new(socket.connect(address).await?))
    }

    async fn connect_with_port(&self, address: SocketAddr, _: u16) -> io::Result<Self::Connection> {
        self.connect(address).await
    }
}

#[tokio::test]
async fn a_handle_is_of_no_use_to_clients_outside_the_networks_of_its_share() {
    let server = serve(SHARES);
    let (near, root) = (Near(Ipv4Addr::new(127, 0, 0, 2)), user(0, 0, &[]));
    let mut near = Session::mount_through(near, server.address(), "/near", &root).await.unwrap();
    let file = near.make_file(&near.root.clone(), b"file", 0o666).await;
    let refused = Session::mount(server.address(), "/near", &root).await.err();
    assert!(matches!(refused, Some(mountstat3::MNT3ERR_ACCES)), "{refused:?}");

    let mut far = open(&server, "/open", 0).await;
    assert_eq!(far.state_of(&file).await, nfsstat3::NFS3ERR_ACCES);
    assert_eq!(far.find(&near.root, b"file").await.unwrap_err(), nfsstat3::NFS3ERR_ACCES);
    assert_eq!(status(&far.write_at(&file, 0, b"x", stable_how::UNSTABLE).await), nfsstat3::NFS3ERR_ACCES);
    assert_eq!(near.state_of(&file).await, nfsstat3::NFS3_OK);
}

/// A port that only root may use, where the suite may use one.
fn from_a_secure_port(server: &Server) -> Option<RpcConnection> {
    (600..1024).find_map(|port| {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        RpcConnection::try_open_from(local, server.address(), Credential::user(0, 0), 1).ok()
    })
}

#[tokio::test]
async fn the_default_share_takes_no_source_port_that_any_user_could_have() {
    let home = home(None);
    let server = home.start();
    let mut session = open(&server, "/export", 0).await;
    let file = session.make_file(&session.root.clone(), b"file", 0o666).await;
    drop(session);
    assert!(server.stop().status.success());

    let server = home.start_as_configured();
    for _ in 0..3 {
        let refused = Session::mount(server.address(), "/export", &user(0, 0, &[])).await.err();
        assert!(matches!(refused, Some(mountstat3::MNT3ERR_ACCES)), "{refused:?}");
    }
    let mut connection = RpcConnection::open(server.address(), Credential::user(0, 0), 1);
    let read = READ3args { file: file.clone(), offset: 0, count: 1 };
    let read: READ3res<'_> = connection.call(NFS, NFS_PROGRAM::NFSPROC3_READ as u32, &read);
    assert_eq!(status(&read), nfsstat3::NFS3ERR_ACCES);
    let (data, stable) = (Opaque::borrowed(b"x"), stable_how::FILE_SYNC);
    let write = WRITE3args { file: file.clone(), offset: 0, count: 1, stable, data };
    let written: WRITE3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_WRITE as u32, &write);
    assert_eq!(status(&written), nfsstat3::NFS3ERR_ACCES);
    let Nfs3Result::Err((_, failed)) = written else { unreachable!("it was refused") };
    assert!(failed.file_wcc.after.is_none(), "no attributes for who is refused");
    if let Some(mut secure) = from_a_secure_port(&server) {
        secure.mount("/export");
        let written: WRITE3res = secure.call(NFS, NFS_PROGRAM::NFSPROC3_WRITE as u32, &write);
        written.unwrap();
    }
    let log = home.log();
    let output: Vec<&str> = log.lines().filter(|line| line.contains("source port")).collect();
    assert_eq!(output.len(), 1, "{log}");
    assert!(output[0].contains("secure_ports: false") && output[0].contains("--insecure-ports"), "{}", output[0]);
    assert!(server.mount_command().contains(",nosuid,nodev "), "{}", server.mount_command());
}

#[tokio::test]
async fn shares_are_file_systems_of_their_own() {
    let server = serve(SHARES);
    let mut session = open(&server, "/open", 0).await;
    let (here, there) = (session.root.clone(), open(&server, "/all", 0).await.root);
    let file = session.make_file(&here, b"file", 0o644).await;
    let moved = session.move_to((&here, b"file"), (&there, b"file")).await;
    assert_eq!(status(&moved), nfsstat3::NFS3ERR_XDEV);
    let linked = session.link(&LINK3args { file, link: place(&there, b"file") }).await.unwrap();
    assert_eq!(status(&linked), nfsstat3::NFS3ERR_XDEV);
    let ids = (session.attributes_of(&here).await.fsid, session.attributes_of(&there).await.fsid);
    assert_ne!(ids.0, ids.1);
    session.find(&here, b"file").await.unwrap();
}

#[test]
fn shares_in_memory_hold_half_of_the_memory_together() {
    let server_home = home(Some(SHARES));
    let server = server_home.start();
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap();
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap().trim();
    let total: u64 = total.trim_end_matches(" kB").parse::<u64>().unwrap() * 1024;
    let free = |share: &&str| -> u64 {
        let output = server_home.run(&["share", "show", share]);
        let output = String::from_utf8(output.stdout).unwrap();
        let free =
            output.lines().find_map(|line| line.strip_prefix("bytes free")).unwrap_or_else(|| panic!("{output}"));
        free.trim().parse().unwrap()
    };
    let all: u64 = ["/open", "/root", "/all", "/frozen", "/near", "/elsewhere"].iter().map(free).sum();
    assert!(all > 0 && all <= total / 2, "{all} of {total}");
    assert!(server.stop().status.success());
}
