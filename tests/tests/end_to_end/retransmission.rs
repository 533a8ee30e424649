//! A call that is sent again, over another connection, gets its first answer.

use dittofs_tests::{
    rpc::{Credential, NFS, RpcConnection, RpcReply, record},
    server::{ONE_SHARE, Server},
};
use nfs3_client::nfs3_types::{nfs3::*, xdr_codec::Pack};

use crate::session::{place, serve};

/// Sends a call over a new connection.
fn send(server: &Server, xid: u32, procedure: NFS_PROGRAM, arguments: &impl Pack) -> RpcReply {
    let user = Credential::user(0, 0);
    let mut connection = RpcConnection::open(server.address(), user.clone(), 1);
    connection.queue_bytes(&record(xid, NFS, procedure as u32, &user, arguments));
    connection.send().unwrap();
    connection.receive().unwrap()
}

fn root(server: &Server) -> nfs_fh3 {
    RpcConnection::open(server.address(), Credential::user(0, 0), 1).mount("/export")
}

#[test]
fn calls_that_cannot_be_repeated_are_answered_as_the_first_time() {
    let server = serve(ONE_SHARE);
    let root = root(&server);
    let how = || createhow3::GUARDED(sattr3::default());
    let create = CREATE3args { where_: place(&root, b"file"), how: how() };
    let first = send(&server, 7001, NFS_PROGRAM::NFSPROC3_CREATE, &create);
    first.results::<CREATE3res>().unwrap();
    let again = send(&server, 7001, NFS_PROGRAM::NFSPROC3_CREATE, &create);
    assert_eq!(first.bytes, again.bytes);
    let other = send(&server, 7002, NFS_PROGRAM::NFSPROC3_CREATE, &create);
    assert!(matches!(other.results::<CREATE3res>(), Nfs3Result::Err((nfsstat3::NFS3ERR_EXIST, _))));

    let rename = RENAME3args { from: place(&root, b"file"), to: place(&root, b"renamed") };
    let first = send(&server, 7003, NFS_PROGRAM::NFSPROC3_RENAME, &rename);
    first.results::<RENAME3res>().unwrap();
    assert_eq!(first.bytes, send(&server, 7003, NFS_PROGRAM::NFSPROC3_RENAME, &rename).bytes);

    let remove = REMOVE3args { object: place(&root, b"renamed") };
    let first = send(&server, 7004, NFS_PROGRAM::NFSPROC3_REMOVE, &remove);
    first.results::<REMOVE3res>().unwrap();
    assert_eq!(first.bytes, send(&server, 7004, NFS_PROGRAM::NFSPROC3_REMOVE, &remove).bytes);
    let other = send(&server, 7005, NFS_PROGRAM::NFSPROC3_REMOVE, &remove);
    assert!(matches!(other.results::<REMOVE3res>(), Nfs3Result::Err((nfsstat3::NFS3ERR_NOENT, _))));
}

#[test]
fn the_same_xid_for_another_call_is_another_call() {
    let server = serve(ONE_SHARE);
    let root = root(&server);
    for name in [&b"one"[..], b"two"] {
        let how = createhow3::GUARDED(sattr3::default());
        let create = CREATE3args { where_: place(&root, name), how };
        send(&server, 7001, NFS_PROGRAM::NFSPROC3_CREATE, &create).results::<CREATE3res>().unwrap();
    }
    let mut connection = RpcConnection::open(server.address(), Credential::user(0, 0), 1);
    for name in [&b"one"[..], b"two"] {
        let arguments = LOOKUP3args { what: place(&root, name) };
        let found: LOOKUP3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_LOOKUP as u32, &arguments);
        found.unwrap();
    }
}
