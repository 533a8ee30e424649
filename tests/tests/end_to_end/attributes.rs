//! SETATTR and its guard, FSSTAT, FSINFO, PATHCONF.

use dittofs_domain::quota::{NAME_BYTES, NODE_BYTES};
use nfs3_client::nfs3_types::nfs3::*;

use crate::session::{Session, at, place, root_session, serve, status, user, with_mode, with_size};

#[tokio::test]
async fn a_guard_that_does_not_hold_changes_nothing() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let seen = session.attributes_of(&file).await;
    let changed = session.set(&file, with_mode(0o600), Some(seen.ctime)).await.unwrap();
    let (before, after) = (changed.obj_wcc.before.unwrap(), changed.obj_wcc.after.unwrap());
    assert_eq!((at(before.ctime), after.mode), (at(seen.ctime), 0o600));
    assert!(at(after.ctime) > at(before.ctime));

    let refused = session.set(&file, with_mode(0o777), Some(seen.ctime)).await;
    assert_eq!(status(&refused), nfsstat3::NFS3ERR_NOT_SYNC);
    let now = session.attributes_of(&file).await;
    assert_eq!((now.mode, at(now.ctime)), (0o600, at(after.ctime)));
}

#[tokio::test]
async fn times_are_set_to_the_nanosecond() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let (atime, mtime) = (nfstime3 { seconds: 1, nseconds: 999_999_999 }, nfstime3 { seconds: u32::MAX, nseconds: 1 });
    let attributes = sattr3 {
        atime: set_atime::SET_TO_CLIENT_TIME(atime),
        mtime: set_mtime::SET_TO_CLIENT_TIME(mtime),
        ..sattr3::default()
    };
    session.set(&file, attributes, None).await.unwrap();
    let seen = session.attributes_of(&file).await;
    assert_eq!((at(seen.atime), at(seen.mtime)), (at(atime), at(mtime)));
    let attributes = sattr3 { mtime: set_mtime::SET_TO_SERVER_TIME, ..sattr3::default() };
    session.set(&file, attributes, None).await.unwrap();
    let seen = session.attributes_of(&file).await;
    assert_eq!(at(seen.atime), at(atime));
    assert!(at(seen.mtime) < at(mtime) && seen.mtime.seconds > 1_000_000_000);
    let never = nfstime3 { seconds: 1, nseconds: 1_000_000_000 };
    let attributes = sattr3 { mtime: set_mtime::SET_TO_CLIENT_TIME(never), ..sattr3::default() };
    assert_eq!(status(&session.set(&file, attributes, None).await), nfsstat3::NFS3ERR_INVAL);
}

#[tokio::test]
async fn a_size_is_for_files_and_its_setting_counts_as_a_change() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let before = session.attributes_of(&file).await;
    session.set(&file, with_size(0), None).await.unwrap();
    let after = session.attributes_of(&file).await;
    assert!(at(after.mtime) > at(before.mtime) && at(after.ctime) > at(before.ctime));
    let refused = status(&session.set(&root, with_size(0), None).await);
    assert!(matches!(refused, nfsstat3::NFS3ERR_ISDIR | nfsstat3::NFS3ERR_INVAL), "{refused}");
}

#[tokio::test]
async fn the_limits_are_those_that_the_documents_name() {
    let (_server, mut session) = root_session().await;
    let root = session.root.clone();
    let info = session.fsinfo(&root.clone().into()).await.unwrap().unwrap();
    assert!(info.obj_attributes.is_some());
    assert_eq!([info.rtmax, info.rtpref, info.wtmax, info.wtpref], [1 << 20; 4]);
    assert_eq!((info.rtmult, info.wtmult, info.dtpref), (4096, 4096, 64 << 10));
    assert_eq!(info.maxfilesize, i64::MAX as u64);
    assert_eq!(at(info.time_delta), (0, 1));
    assert_eq!(info.properties, FSF3_LINK | FSF3_SYMLINK | FSF3_HOMOGENEOUS | FSF3_CANSETTIME);

    let conf = session.pathconf(&root.into()).await.unwrap().unwrap();
    assert!(conf.obj_attributes.is_some());
    assert_eq!(conf.name_max, 255);
    assert!(conf.linkmax >= 32_000);
    let words = [conf.no_trunc, conf.chown_restricted, conf.case_insensitive, conf.case_preserving];
    assert_eq!(words, [true, true, false, true]);
}

const QUOTA: &str = "
metadata: { stores: { scratch: { type: memory } } }
content: { stores: { scratch: { type: memory } } }
shares: [{ name: /export, metadata_store: scratch, content_store: scratch, squash: none, quota: 8MiB }]
";

#[tokio::test]
async fn space_is_what_the_quota_leaves() {
    let server = serve(QUOTA);
    let mut session = Session::open(server.address(), "/export", &user(0, 0, &[])).await;
    let root = session.root.clone();
    let empty = session.fsstat(&root.clone().into()).await.unwrap().unwrap();
    assert!(empty.obj_attributes.is_some());
    assert_eq!((empty.tbytes, empty.fbytes, empty.abytes), (8 << 20, 8 << 20, 8 << 20));
    // A node and a name.
    let cost = NODE_BYTES + NAME_BYTES;
    let file = session.make_file(&root, b"file", 0o644).await;
    session.write_at(&file, 0, &[7; 1 << 20], stable_how::FILE_SYNC).await.unwrap();
    let used = session.fsstat(&root.clone().into()).await.unwrap().unwrap();
    assert_eq!(used.fbytes, (7 << 20) - cost);
    assert_eq!(empty.ffiles - used.ffiles, 1);
    for piece in 1..7 {
        session.write_at(&file, piece << 20, &[7; 1 << 20], stable_how::UNSTABLE).await.unwrap();
    }
    let refused = status(&session.write_at(&file, 7 << 20, &[7; 1 << 20], stable_how::UNSTABLE).await);
    assert_eq!(refused, nfsstat3::NFS3ERR_NOSPC);
    let rest = vec![7; (1 << 20) - cost as usize];
    session.write_at(&file, 7 << 20, &rest, stable_how::FILE_SYNC).await.unwrap();
    let full = session.fsstat(&root.clone().into()).await.unwrap().unwrap();
    assert_eq!(full.fbytes, 0);
    for offset in [0, 3 << 20, 9] {
        assert_eq!(status(&session.write_at(&file, offset, b"over", stable_how::FILE_SYNC).await), nfsstat3::NFS3_OK);
    }
}

#[tokio::test]
async fn files_are_what_the_quota_leaves() {
    let server = serve(&QUOTA.replace("8MiB", "{ files: 3 }"));
    let mut session = Session::open(server.address(), "/export", &user(0, 0, &[])).await;
    let root = session.root.clone();
    let stat = session.fsstat(&root.clone().into()).await.unwrap().unwrap();
    assert_eq!((stat.tfiles, stat.ffiles, stat.afiles), (4, 3, 3));
    for name in [b"a", b"b", b"c"] {
        session.make_file(&root, name, 0o644).await;
    }
    let stat = session.fsstat(&root.clone().into()).await.unwrap().unwrap();
    assert_eq!(stat.ffiles, 0);
    let how = createhow3::GUARDED(with_mode(0o644));
    let made = session.create(&CREATE3args { where_: place(&root, b"d"), how }).await.unwrap();
    assert_eq!(status(&made), nfsstat3::NFS3ERR_NOSPC);
    assert_eq!(status(&session.remove_file(&root, b"a").await), nfsstat3::NFS3_OK);
    session.make_file(&root, b"d", 0o644).await;
}
