//! MOUNT: what can be mounted, and the lists.

use dittofs_tests::rpc::{Credential, MOUNT, RpcConnection};
use nfs3_client::{
    MountClient,
    nfs3_types::{
        mount::{MOUNT_PROGRAM, dirpath, mountres3, mountstat3},
        xdr_codec::Opaque,
    },
    tokio::TokioIo,
};
use tokio::net::TcpStream;

use crate::session::{Session, root_session, user};

#[tokio::test]
async fn a_directory_below_a_share_can_be_mounted() {
    let (server, mut session) = root_session().await;
    let root = session.root.clone();
    let outer = session.make_directory(&root, b"outer", 0o755).await;
    let inner = session.make_directory(&outer, b"inner", 0o755).await;
    session.make_file(&root, b"file", 0o644).await;
    session.make_symlink(&root, b"symlink", b"outer").await.unwrap();
    for path in ["/export/outer/inner", "/export//outer/./inner/", "//export/outer/inner"] {
        let below = Session::open(server.address(), path, &user(0, 0, &[])).await;
        assert_eq!(below.root, inner, "{path}");
    }
    let cases = [
        ("/", mountstat3::MNT3ERR_NOENT),
        ("/exports", mountstat3::MNT3ERR_NOENT),
        ("/export/missing", mountstat3::MNT3ERR_NOENT),
        ("/export/file", mountstat3::MNT3ERR_NOTDIR),
        ("/export/file/x", mountstat3::MNT3ERR_NOTDIR),
        ("/export/symlink", mountstat3::MNT3ERR_NOTDIR),
        ("/export/outer/..", mountstat3::MNT3ERR_INVAL),
    ];
    for (path, expected) in cases {
        let refused = Session::mount(server.address(), path, &user(0, 0, &[])).await.err().map(|status| status as u32);
        assert_eq!(refused, Some(expected as u32), "{path}");
    }
}

#[tokio::test]
async fn a_mount_is_no_way_around_a_directory_that_the_caller_may_not_search() {
    let (server, mut session) = root_session().await;
    let root = session.root.clone();
    let outer = session.make_directory(&root, b"outer", 0o700).await;
    let middle = session.make_directory(&outer, b"middle", 0o755).await;
    session.make_directory(&middle, b"inner", 0o755).await;
    let cases = [
        // A directory itself can be mounted by who may not search it, as it can be looked up.
        ("/export/outer", None),
        ("/export/outer/middle", Some(mountstat3::MNT3ERR_ACCES)),
        ("/export/outer/middle/inner", Some(mountstat3::MNT3ERR_ACCES)),
        ("/export/outer/missing", Some(mountstat3::MNT3ERR_ACCES)),
    ];
    for (path, refused) in cases {
        let mounted = Session::mount(server.address(), path, &user(1000, 1000, &[])).await;
        assert_eq!(mounted.err().map(|status| status as u32), refused.map(|status| status as u32), "{path}");
    }
    Session::open(server.address(), "/export/outer/middle/inner", &user(0, 0, &[])).await;
    // AUTH_NONE is offered where the anonymous user could have come.
    let root = Credential::user(0, 0);
    let mut connection = RpcConnection::open(server.address(), root, 1);
    for (path, flavours) in [("/export/outer", &[1, 0][..]), ("/export/outer/middle", &[1])] {
        let mounted: mountres3<'_> = connection.call(MOUNT, MOUNT_PROGRAM::MOUNTPROC3_MNT as u32, &self::path(path));
        let mountres3::Ok(mounted) = mounted else { panic!("{path} is refused") };
        assert_eq!(mounted.auth_flavors, flavours, "{path}");
    }
}

#[tokio::test]
async fn the_lists_tell_shares_and_mounts() {
    let (server, _session) = root_session().await;
    let io = TokioIo::new(TcpStream::connect(server.address()).await.unwrap());
    let mut mount = MountClient::new(io);
    mount.null().await.unwrap();
    let exports = mount.export().await.unwrap().into_inner();
    assert_eq!(exports.len(), 1);
    assert_eq!(exports[0].ex_dir.0.as_ref(), b"/export");
    let groups: Vec<Vec<u8>> = exports[0].ex_groups.0.iter().map(|group| group.0.to_vec()).collect();
    assert_eq!(groups, [&b"127.0.0.0/8"[..], b"::1/128"]);

    let mounted = mount.mnt(path("/export")).await.unwrap();
    assert_eq!(mounted.auth_flavors, [1, 0]);
    assert_eq!(mounted.fhandle.0.len(), 32);
    let dump = mount.dump().await.unwrap().into_inner();
    let dump: Vec<_> = dump.iter().map(|body| (body.ml_hostname.0.to_vec(), body.ml_directory.0.to_vec())).collect();
    assert_eq!(dump, [(b"127.0.0.1".to_vec(), b"/export".to_vec())]);
    mount.umnt(path("/export")).await.unwrap();
    assert!(mount.dump().await.unwrap().is_empty());
    mount.mnt(path("/export")).await.unwrap();
    mount.umntall().await.unwrap();
    assert!(mount.dump().await.unwrap().is_empty());
}

fn path(path: &'static str) -> dirpath<'static> {
    dirpath(Opaque::borrowed(path.as_bytes()))
}
