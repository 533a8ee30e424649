//! A share is removed with everything that it has, after a question, and only if nobody serves it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use dittofs_tests::server::Home;
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    persistence::root_of,
    session::{Session, home, pattern, status, user},
};

/// One persistent share of this name.
fn share_named(name: &str) -> String {
    include_str!("../../kernel/local-share.yaml").replace("/export", name)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn refused(output: &Output, code: i32, word: &str) {
    assert!(output.status.code() == Some(code) && text(output).contains(word), "{}", text(output));
}

/// Every file below a folder whose name is that of an object.
fn objects_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(objects_below(&path)),
            false => found.extend(Some(path).filter(|path| path.file_name().is_some_and(|name| name.len() == 32))),
        }
    }
    found
}

fn journals(home: &Home) -> usize {
    fs::read_dir(home.data().join("journal")).into_iter().flatten().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_no_configuration_names_is_removed_with_all_that_it_has() {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    session.write_at(&file, 0, &pattern(100_000), stable_how::FILE_SYNC).await.unwrap();
    refused(&home.run(&["share", "remove", "/export", "--yes"]), 1, "a server runs");
    assert!(server.stop().status.success());
    refused(&home.run(&["share", "remove", "/export", "--yes"]), 2, "the configuration names the share");

    home.configure(&share_named("/other"));
    let list = text(&home.run(&["share", "list"]));
    assert!(list.contains("/export") && list.contains("not served"), "{list}");
    let checked = home.run(&["check"]);
    refused(&checked, 3, "dittofs share remove /export");
    refused(&home.run(&["share", "remove", "/nothing", "--yes"]), 2, "/export");
    for answer in ["", "yes\n", "/other\n"] {
        refused(&home.run_with(&["share", "remove", "/export"], answer), 1, "nothing is removed");
    }
    assert!(!objects_below(&home.data().join("content")).is_empty() && journals(&home) == 1);

    let removed = home.run_with(&["share", "remove", "/export"], "/export\n");
    assert!(removed.status.success() && text(&removed).contains("/export is removed"), "{}", text(&removed));
    assert!(text(&removed).contains("files and directories"), "{}", text(&removed));
    assert_eq!((objects_below(&home.data().join("content")), journals(&home)), (Vec::new(), 0));
    assert!(!text(&home.run(&["share", "list"])).contains("/export"));
    refused(&home.run(&["share", "remove", "/export", "--yes"]), 2, "holds a share `/export`");

    let server = home.start();
    let mut session = Session::open(server.address(), "/other", &user(0, 0, &[])).await;
    let read = session.read(&READ3args { file, offset: 0, count: 10 }).await.unwrap();
    assert_eq!(status(&read), nfsstat3::NFS3ERR_STALE);
    assert!(server.stop().status.success());
}

/// Objects that are left of a share that was removed are nobody's: neither a new share of its name nor metadata from a
/// backup use them.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_was_removed_does_not_come_back_with_an_older_copy_of_its_metadata() {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    session.write_at(&file, 0, &pattern(100_000), stable_how::FILE_SYNC).await.unwrap();
    assert!(server.stop().status.success());
    let (metadata, backup) = (home.data().join("metadata"), home.data().join("../backup"));
    assert!(Command::new("cp").arg("-a").args([&metadata, &backup]).status().unwrap().success());
    home.configure(&share_named("/other"));
    assert!(home.run(&["share", "remove", "/export", "--yes"]).status.success());

    home.configure(&share_named("/export"));
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    assert_eq!(session.find(&root, b"file").await.unwrap_err(), nfsstat3::NFS3ERR_NOENT);
    assert!(server.stop().status.success());

    fs::remove_dir_all(&metadata).unwrap();
    fs::rename(&backup, &metadata).unwrap();
    let log = home.try_start(&[]).err().expect("the start should be refused").log;
    assert!(log.contains("the share was removed"), "{log}");
}
