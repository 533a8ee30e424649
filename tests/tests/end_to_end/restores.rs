//! Metadata that are lost, not mounted, or of an earlier time are refused; after an accepted restore no handle names
//! another file than it named.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use dittofs_tests::server::{Home, Server};
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    persistence::root_of,
    session::{Session, home, status},
};

pub(crate) fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

/// A home whose server was stopped after a file was written, and that file.
async fn stopped() -> (Home, nfs_fh3) {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    session.write_at(&file, 0, b"stable", stable_how::FILE_SYNC).await.unwrap();
    stop(server);
    (home, file)
}

pub(crate) fn stop(server: Server) {
    let stopped = server.stop();
    assert!(stopped.status.success(), "{stopped:?}");
}

pub(crate) fn refused(home: &Home, words: &[&str]) {
    for _ in 0..2 {
        let refused = home.try_start(&[]).err().expect("the start should be refused");
        assert!(!refused.status.success());
        for word in words {
            assert!(refused.log.contains(word), "{word}: {}", refused.log);
        }
    }
}

pub(crate) fn accepted(home: &Home) -> Server {
    home.try_start(&["--accept-loss", "/export"]).unwrap_or_else(|refused| panic!("{}", refused.log))
}

pub(crate) async fn assert_there(home: &Home, file: &nfs_fh3, bytes: &[u8]) {
    let server = home.start();
    assert_eq!(root_of(&server).await.read_at(file, 0, 100).await.data.as_ref(), bytes);
    stop(server);
}

pub(crate) async fn assert_stale(session: &mut Session, file: &nfs_fh3) {
    let read = session.read(&READ3args { file: file.clone(), offset: 0, count: 10 }).await.unwrap();
    assert_eq!(status(&read), nfsstat3::NFS3ERR_STALE);
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_whose_metadata_are_not_mounted_does_not_come_up_empty() {
    let (home, file) = stopped().await;
    let (metadata, aside) = (home.data().join("metadata"), home.data().join("elsewhere"));
    // All of them, and all but their log.
    for part in ["", "metadata.redb"] {
        fs::rename(metadata.join(part), &aside).unwrap();
        let word = if part.is_empty() { "which no metadata store" } else { "is missing, though its log" };
        refused(&home, &[word]);
        let checked = home.run(&["check"]);
        assert!(!checked.status.success() && !text(&checked).contains("clean"), "{}", text(&checked));
        if part.is_empty() {
            fs::remove_dir_all(&metadata).unwrap();
        }
        fs::rename(&aside, metadata.join(part)).unwrap();
        assert_there(&home, &file, b"stable").await;
    }

    fs::rename(&metadata, &aside).unwrap();
    let server = accepted(&home);
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    assert_eq!(session.find(&root, b"file").await.unwrap_err(), nfsstat3::NFS3ERR_NOENT, "it begins with nothing");
    assert_stale(&mut session, &file).await;
    stop(server);
    // Nothing of the old one was touched.
    fs::remove_dir_all(&metadata).unwrap();
    fs::rename(&aside, &metadata).unwrap();
    assert_there(&home, &file, b"stable").await;
}

/// The cases: the files that are restored, the words of the refusal, and whether the journal goes as well.
#[rstest::rstest]
#[case::database_beside_a_newer_log(&["metadata.redb"], "later time", false)]
#[case::metadata_beside_a_newer_journal(&["metadata.redb", "metadata.log"], "the journal was last used by a start", false)]
#[case::metadata_beside_newer_content(&["metadata.redb", "metadata.log"], "its objects were last used by a start", true)]
#[tokio::test(flavor = "multi_thread")]
async fn metadata_of_an_earlier_time_are_refused(#[case] files: &[&str], #[case] word: &str, #[case] no_journal: bool) {
    let (home, file) = stopped().await;
    let older = home.data().join("older");
    copy(&home.data().join("metadata"), &older);
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let newer = session.make_file(&root, b"newer", 0o644).await;
    session.write_at(&newer, 0, b"newer", stable_how::FILE_SYNC).await.unwrap();
    stop(server);

    let newest = home.data().join("newest");
    copy(&home.data().join("metadata"), &newest);
    for name in files {
        fs::copy(older.join(name), home.data().join("metadata").join(name)).unwrap();
    }
    let (journal, old_journal) = (home.data().join("journal"), home.data().join("old-journal"));
    if no_journal {
        fs::rename(&journal, &old_journal).unwrap();
    }
    refused(&home, &[word, "--accept-loss"]);

    // Put right, nothing is lost.
    fs::remove_dir_all(home.data().join("metadata")).unwrap();
    copy(&newest, &home.data().join("metadata"));
    if no_journal {
        // The one that the refused start began has nothing in it.
        fs::remove_dir_all(&journal).unwrap();
        fs::rename(&old_journal, &journal).unwrap();
    }
    assert_there(&home, &newer, b"newer").await;

    if no_journal {
        fs::rename(&journal, &old_journal).unwrap();
    }
    for name in files {
        fs::copy(older.join(name), home.data().join("metadata").join(name)).unwrap();
    }
    let server = accepted(&home);
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let again = session.find(&root, b"file").await.unwrap();
    assert_eq!(session.read_at(&again, 0, 100).await.data.as_ref(), b"stable");
    let before = session.attributes_of(&again).await.fileid;
    assert_stale(&mut session, &file).await;
    assert_stale(&mut session, &newer).await;
    for number in 0..20 {
        let made = session.make_file(&root, format!("after{number}").as_bytes(), 0o644).await;
        assert!(made != newer && made != file, "a handle names another file");
        let id = session.attributes_of(&made).await.fileid;
        assert!(id > before + (1 << 39), "{id} may have been given before");
    }
    stop(server);
    // Accepted once, it is the share's newest state.
    stop(home.start());
}
