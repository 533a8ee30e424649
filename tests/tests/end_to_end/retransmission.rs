//! A call that is sent again, over another connection from the same port, gets its first answer, and nothing else does.

use std::net::{Ipv4Addr, SocketAddr};

use dittofs_tests::{
    ports::own_place,
    rpc::{Credential, NFS, RpcConnection, RpcReply, record},
    server::{ONE_SHARE, Server},
};
use nfs3_client::nfs3_types::{nfs3::*, xdr_codec::Opaque, xdr_codec::Pack};

use crate::{
    session::{home, place, serve},
    watching::{metrics, monitoring},
};

/// A machine that comes back from the same port, as Linux does.
struct Client {
    local: SocketAddr,
}

impl Client {
    fn new(server: &Server) -> Client {
        let user = Credential::user(0, 0);
        let connection = RpcConnection::open_from(own_place(), server.address(), user, 1);
        let local = connection.local();
        connection.reset();
        Client { local }
    }

    /// Sends a call over a new connection.
    fn send(&self, server: &Server, xid: u32, procedure: NFS_PROGRAM, arguments: &impl Pack) -> RpcReply {
        let user = Credential::user(0, 0);
        let mut connection = RpcConnection::open_from(self.local, server.address(), user.clone(), 1);
        connection.queue_bytes(&record(xid, NFS, procedure as u32, &user, arguments));
        connection.send().unwrap();
        let reply = connection.receive().unwrap();
        connection.reset();
        reply
    }
}

fn root(server: &Server) -> nfs_fh3 {
    RpcConnection::open(server.address(), Credential::user(0, 0), 1).mount("/export")
}

#[test]
fn calls_that_cannot_be_repeated_are_answered_as_the_first_time() {
    let server = serve(ONE_SHARE);
    let root = root(&server);
    let client = Client::new(&server);
    let how = || createhow3::GUARDED(sattr3::default());
    let create = CREATE3args { where_: place(&root, b"file"), how: how() };
    let first = client.send(&server, 7001, NFS_PROGRAM::NFSPROC3_CREATE, &create);
    first.results::<CREATE3res>().unwrap();
    let again = client.send(&server, 7001, NFS_PROGRAM::NFSPROC3_CREATE, &create);
    assert_eq!(first.bytes, again.bytes);
    let other = client.send(&server, 7002, NFS_PROGRAM::NFSPROC3_CREATE, &create);
    assert!(matches!(other.results::<CREATE3res>(), Nfs3Result::Err((nfsstat3::NFS3ERR_EXIST, _))));

    let rename = RENAME3args { from: place(&root, b"file"), to: place(&root, b"renamed") };
    let first = client.send(&server, 7003, NFS_PROGRAM::NFSPROC3_RENAME, &rename);
    first.results::<RENAME3res>().unwrap();
    assert_eq!(first.bytes, client.send(&server, 7003, NFS_PROGRAM::NFSPROC3_RENAME, &rename).bytes);

    let remove = REMOVE3args { object: place(&root, b"renamed") };
    let first = client.send(&server, 7004, NFS_PROGRAM::NFSPROC3_REMOVE, &remove);
    first.results::<REMOVE3res>().unwrap();
    assert_eq!(first.bytes, client.send(&server, 7004, NFS_PROGRAM::NFSPROC3_REMOVE, &remove).bytes);
    let other = client.send(&server, 7005, NFS_PROGRAM::NFSPROC3_REMOVE, &remove);
    assert!(matches!(other.results::<REMOVE3res>(), Nfs3Result::Err((nfsstat3::NFS3ERR_NOENT, _))));
}

#[test]
fn the_same_xid_for_another_call_is_another_call() {
    let server = serve(ONE_SHARE);
    let root = root(&server);
    let client = Client::new(&server);
    for name in [&b"one"[..], b"two"] {
        let how = createhow3::GUARDED(sattr3::default());
        let create = CREATE3args { where_: place(&root, name), how };
        client.send(&server, 7001, NFS_PROGRAM::NFSPROC3_CREATE, &create).results::<CREATE3res>().unwrap();
    }
    let mut connection = RpcConnection::open(server.address(), Credential::user(0, 0), 1);
    for name in [&b"one"[..], b"two"] {
        let arguments = LOOKUP3args { what: place(&root, name) };
        let found: LOOKUP3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_LOOKUP as u32, &arguments);
        found.unwrap();
    }
}

/// The same write, and what a file of 8 bytes holds.
fn write<'d>(file: &nfs_fh3, data: &'d [u8]) -> WRITE3args<'d> {
    let (count, data) = (data.len() as u32, Opaque::borrowed(data));
    WRITE3args { file: file.clone(), offset: 0, count, stable: stable_how::FILE_SYNC, data }
}

fn make_file(server: &Server, root: &nfs_fh3) -> nfs_fh3 {
    let create = CREATE3args { where_: place(root, b"file"), how: createhow3::GUARDED(sattr3::default()) };
    let made = Client::new(server).send(server, 1, NFS_PROGRAM::NFSPROC3_CREATE, &create);
    made.results::<CREATE3res>().unwrap().obj.unwrap()
}

#[test]
fn the_same_xid_and_arguments_from_another_port_are_another_call() {
    let server = serve(ONE_SHARE);
    let root = root(&server);
    let file = make_file(&server, &root);
    let mut first = RpcConnection::open(server.address(), Credential::user(0, 0), 7);
    let mut second = RpcConnection::open(server.address(), Credential::user(0, 0), 7);
    let mut third = RpcConnection::open(server.address(), Credential::user(0, 0), 7);
    let procedure = NFS_PROGRAM::NFSPROC3_WRITE as u32;
    first.call::<WRITE3res>(NFS, procedure, &write(&file, b"of first")).unwrap();
    second.call::<WRITE3res>(NFS, procedure, &write(&file, b"anothers")).unwrap();
    // To the byte what the first one sent, and a write that must not be dropped.
    third.call::<WRITE3res>(NFS, procedure, &write(&file, b"of first")).unwrap();
    let read = READ3args { file, offset: 0, count: 8 };
    let read: READ3res<'_> = first.call(NFS, NFS_PROGRAM::NFSPROC3_READ as u32, &read);
    assert_eq!(read.unwrap().data.as_ref(), b"of first");
}

/// The share takes one address of this machine, and is monitored.
const ONE_CLIENT: &str = "\
adapters: { admin: { listen: 127.0.0.1:0 } }
metadata: { stores: { scratch: { type: memory } } }
content: { stores: { scratch: { type: memory } } }
shares:
  - { name: /export, metadata_store: scratch, content_store: scratch, squash: none, clients: [127.0.0.1] }
";

#[test]
fn refused_calls_leave_the_reply_cache_as_it_is() {
    let home = home(Some(ONE_CLIENT));
    let server = home.start();
    let root = root(&server);
    let client = Client::new(&server);
    let how = createhow3::GUARDED(sattr3::default());
    let create = CREATE3args { where_: place(&root, b"file"), how };
    let first = client.send(&server, 7001, NFS_PROGRAM::NFSPROC3_CREATE, &create);
    let entries = || metrics(monitoring(&home)).value("dittofs_duplicate_request_entries", &[("adapter", "nfs")]);
    let before = entries();

    let elsewhere = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0));
    let mut other = RpcConnection::open_from(elsewhere, server.address(), Credential::user(0, 0), 1);
    for _ in 0..70 {
        for _ in 0..100 {
            let remove = REMOVE3args { object: place(&root, b"file") };
            other.queue(NFS, NFS_PROGRAM::NFSPROC3_REMOVE as u32, &remove);
            other.queue(NFS, NFS_PROGRAM::NFSPROC3_WRITE as u32, &write(&root, b"x"));
        }
        other.send().unwrap();
        for _ in 0..200 {
            let reply = other.receive().unwrap();
            let (_, status) = reply.bytes[..28].split_last_chunk::<4>().unwrap();
            assert_eq!(u32::from_be_bytes(*status), nfsstat3::NFS3ERR_ACCES as u32);
        }
    }
    assert_eq!(entries(), before);
    assert_eq!(first.bytes, client.send(&server, 7001, NFS_PROGRAM::NFSPROC3_CREATE, &create).bytes);
}
