//! The default share outlives its server, however that ends.

use std::os::unix::fs::PermissionsExt;

use dittofs_tests::server::{Home, ONE_SHARE, Server};
use nfs3_client::nfs3_types::nfs3::*;

use crate::session::{Session, at, home, pattern, place, status, user, with_mode};

const MIB: usize = 1 << 20;

pub(crate) async fn root_of(server: &Server) -> Session {
    Session::open(server.address(), "/export", &user(0, 0, &[])).await
}

/// Ends a server.
type End = fn(Server);

const ENDS: [(&str, End); 2] = [
    ("SIGTERM", |server| {
        let stopped = server.stop();
        assert!(stopped.status.success(), "{stopped:?}");
    }),
    ("SIGKILL", Server::kill),
];

/// Writes that were answered as stable, one way and the other, and the file that they are in.
struct Written {
    synced: nfs_fh3,
    committed: nfs_fh3,
    large: nfs_fh3,
}

async fn write_stable(session: &mut Session) -> Written {
    let root = session.root.clone();
    let synced = session.make_file(&root, b"synced", 0o640).await;
    let stable = session.write_at(&synced, 3, b"synced", stable_how::FILE_SYNC).await.unwrap();
    assert_eq!(stable.committed, stable_how::FILE_SYNC);
    let committed = session.make_file(&root, b"committed", 0o600).await;
    session.write_at(&committed, 0, b"committed", stable_how::UNSTABLE).await.unwrap();
    session.commit(&COMMIT3args { file: committed.clone(), offset: 0, count: 0 }).await.unwrap().unwrap();
    let large = session.make_file(&root, b"large", 0o600).await;
    let data = pattern(3 * MIB + 77);
    for start in (0..data.len()).step_by(MIB) {
        let piece = &data[start..data.len().min(start + MIB)];
        session.write_at(&large, start as u64, piece, stable_how::UNSTABLE).await.unwrap();
    }
    session.commit(&COMMIT3args { file: large.clone(), offset: 0, count: 0 }).await.unwrap().unwrap();
    Written { synced, committed, large }
}

async fn check_stable(session: &mut Session, written: &Written, end: &str) {
    assert_eq!(session.read_at(&written.synced, 0, 100).await.data.as_ref(), b"\0\0\0synced", "{end}");
    assert_eq!(session.read_at(&written.committed, 0, 100).await.data.as_ref(), b"committed", "{end}");
    let data = pattern(3 * MIB + 77);
    assert_eq!(session.attributes_of(&written.large).await.size, data.len() as u64, "{end}");
    for start in (0..data.len()).step_by(MIB) {
        let read = session.read_at(&written.large, start as u64, MIB as u32).await;
        assert!(read.data.as_ref() == &data[start..data.len().min(start + MIB)], "{end}: {start}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stable_writes_and_their_handles_outlive_the_server() {
    for (end, stop) in ENDS {
        let home = home(None);
        let server = home.start();
        let mut session = root_of(&server).await;
        let written = write_stable(&mut session).await;
        // Twice: what was recovered must be recovered again.
        let mut server = server;
        for _ in 0..2 {
            stop(server);
            server = home.start();
            check_stable(&mut root_of(&server).await, &written, end).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_attributes_outlive_the_server() {
    for (end, stop) in ENDS {
        let home = home(None);
        let server = home.start();
        let mut session = root_of(&server).await;
        let root = session.root.clone();
        let folder = session.make_directory(&root, b"folder", 0o711).await;
        let file = session.make_file(&folder, b"before", 0o644).await;
        session.move_to((&folder, b"before"), (&root, b"after")).await.unwrap();
        session.make_symlink(&root, b"link", b"folder/target").await.unwrap();
        session.link(&LINK3args { file: file.clone(), link: place(&folder, b"second") }).await.unwrap().unwrap();
        session.make_file(&root, b"removed", 0o644).await;
        session.remove_file(&root, b"removed").await.unwrap();
        let mtime = set_mtime::SET_TO_CLIENT_TIME(nfstime3 { seconds: 1_000_000_007, nseconds: 9 });
        session.set(&file, sattr3 { mtime, ..with_mode(0o4751) }, None).await.unwrap();
        let shown = session.attributes_of(&file).await;
        stop(server);

        let server = home.start();
        let mut session = root_of(&server).await;
        assert_eq!(session.root, root, "{end}");
        assert_eq!(session.find(&root, b"after").await.unwrap(), file, "{end}");
        assert_eq!(session.find(&folder, b"second").await.unwrap(), file, "{end}");
        assert_eq!(session.find(&folder, b"before").await.unwrap_err(), nfsstat3::NFS3ERR_NOENT, "{end}");
        assert_eq!(session.find(&root, b"removed").await.unwrap_err(), nfsstat3::NFS3ERR_NOENT, "{end}");
        let link = session.find(&root, b"link").await.unwrap();
        let target = session.readlink(&READLINK3args { symlink: link }).await.unwrap().unwrap();
        assert_eq!(target.data.0.as_ref(), b"folder/target", "{end}");
        let now = session.attributes_of(&file).await;
        assert_eq!((now.mode, now.nlink, now.fileid), (0o4751, 2, shown.fileid), "{end}");
        assert_eq!((at(now.mtime), at(now.ctime)), ((1_000_000_007, 9), at(shown.ctime)), "{end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_in_memory_begins_anew() {
    let home = home(Some(ONE_SHARE));
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    session.write_at(&file, 0, b"stable", stable_how::FILE_SYNC).await.unwrap();
    assert!(server.stop().status.success());
    let server = home.start();
    assert!(home.log().contains("/export is in memory: its files are gone"), "{}", home.log());
    let mut session = root_of(&server).await;
    assert_eq!(session.state_of(&file).await, nfsstat3::NFS3ERR_STALE);
    let root = session.root.clone();
    assert_eq!(session.find(&root, b"file").await.unwrap_err(), nfsstat3::NFS3ERR_NOENT);
}

/// Returns how many records the newest start says that it has recovered.
fn records_recovered(home: &Home) -> u64 {
    let log = home.log();
    let line = log.lines().find(|line| line.contains("recovered share=")).unwrap_or_else(|| panic!("{log}"));
    let (_, rest) = line.split_once("records=").unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_leaves_nothing_to_replay_and_unstable_writes_are_there() {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    session.write_at(&file, 0, b"unstable", stable_how::UNSTABLE).await.unwrap();
    assert!(server.stop().status.success());
    let server = home.start();
    assert_eq!(records_recovered(&home), 0);
    let log = home.log();
    assert!(!log.contains("replayed") && !log.contains("checking the store"), "{log}");
    let mut session = root_of(&server).await;
    assert_eq!(session.read_at(&file, 0, 100).await.data.as_ref(), b"unstable");
    // The same line reports what there is after a crash.
    session.write_at(&file, 0, b"stable", stable_how::FILE_SYNC).await.unwrap();
    server.kill();
    let server = home.start();
    assert_eq!(records_recovered(&home), 1);
    assert_eq!(root_of(&server).await.read_at(&file, 0, 100).await.data.as_ref(), b"stablele");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verifier_is_new_after_a_restart() {
    let home = home(None);
    let mut verifiers = Vec::new();
    for name in [b"a", b"b"] {
        let server = home.start();
        let mut session = root_of(&server).await;
        let root = session.root.clone();
        let file = session.make_file(&root, name, 0o644).await;
        verifiers.push(session.write_at(&file, 0, b"x", stable_how::UNSTABLE).await.unwrap().verf);
        server.kill();
    }
    assert_ne!(verifiers[0], verifiers[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_removed_stays_removed_and_gives_its_handle_up() {
    for (end, stop) in ENDS {
        let home = home(None);
        let server = home.start();
        let mut session = root_of(&server).await;
        let root = session.root.clone();
        let file = session.make_file(&root, b"file", 0o644).await;
        session.write_at(&file, 0, b"stable", stable_how::FILE_SYNC).await.unwrap();
        session.remove_file(&root, b"file").await.unwrap();
        stop(server);
        let server = home.start();
        let mut session = root_of(&server).await;
        assert_eq!(session.state_of(&file).await, nfsstat3::NFS3ERR_STALE, "{end}");
        let how = createhow3::GUARDED(with_mode(0o644));
        let made = session.create(&CREATE3args { where_: place(&root, b"file"), how }).await.unwrap();
        assert_eq!(status(&made), nfsstat3::NFS3_OK, "{end}");
    }
}

#[test]
fn others_are_kept_out_of_the_data_folder() {
    let home = home(None);
    let server = home.start();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.data()), 0o700);
    assert_eq!(mode(home.data().join("control.sock")), 0o600);
    for store in ["metadata", "content", "journal"] {
        assert_eq!(mode(home.data().join(store)) & 0o077, 0, "{store}");
    }
    server.stop();
    assert!(!home.data().join("control.sock").exists());
}
