//! Stores that do not belong together are refused, with what was found and what to do; and a refusal loses nothing.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use dittofs_tests::server::Home;
use nfs3_client::nfs3_types::nfs3::*;

use crate::{persistence::root_of, session::home};

/// A home whose server has answered a stable write to `file`, and then ended: by SIGTERM or by SIGKILL.
async fn used(clean: bool) -> (Home, nfs_fh3) {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    session.write_at(&file, 0, b"stable", stable_how::FILE_SYNC).await.unwrap();
    if clean {
        assert!(server.stop().status.success());
    } else {
        server.kill();
    }
    (home, file)
}

async fn assert_there(home: &Home, file: &nfs_fh3) {
    let server = home.start();
    assert_eq!(root_of(&server).await.read_at(file, 0, 100).await.data.as_ref(), b"stable");
}

fn refused(home: &Home, options: &[&str], words: &[&str]) {
    let refused = home.try_start(options).err().expect("the start should be refused");
    assert!(!refused.status.success());
    for word in words {
        assert!(refused.log.contains(word), "{word}: {}", refused.log);
    }
}

/// The journal of the only share.
fn journal(home: &Home) -> PathBuf {
    let mut entries = fs::read_dir(home.data().join("journal")).unwrap();
    entries.next().unwrap().unwrap().path()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_journal_is_refused_until_the_loss_is_accepted() {
    let (home, file) = used(false).await;
    let (journal, aside) = (journal(&home), home.data().join("elsewhere"));
    fs::rename(&journal, &aside).unwrap();
    let words = ["/export", "there is no journal", "would be lost", "--accept-loss /export"];
    refused(&home, &[], &words);
    refused(&home, &[], &words);
    let unknown = home.try_start(&["--accept-loss", "/exprot"]).err().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(unknown.log.contains("known: /export"), "{}", unknown.log);

    // Found again, it is used, and nothing is lost.
    fs::rename(&aside, &journal).unwrap();
    let server = home.start();
    let mut session = root_of(&server).await;
    assert_eq!(session.read_at(&file, 0, 100).await.data.as_ref(), b"stable");
    session.write_at(&file, 0, b"lost", stable_how::FILE_SYNC).await.unwrap();
    server.kill();

    fs::rename(&journal, &aside).unwrap();
    let server = home.try_start(&["--accept-loss", "/export"]).unwrap_or_else(|refused| panic!("{}", refused.log));
    let mut session = root_of(&server).await;
    session.write_at(&file, 0, b"after", stable_how::FILE_SYNC).await.unwrap();
    server.kill();
    // The new journal is the share's own from then on, and the old one is another.
    let server = home.start();
    assert!(root_of(&server).await.read_at(&file, 0, 100).await.data.starts_with(b"after"));
    server.kill();
    fs::remove_dir_all(&journal).unwrap();
    fs::rename(&aside, &journal).unwrap();
    refused(&home, &[], &["this is journal", "--accept-loss /export"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_lost_after_a_clean_stop_is_made_anew_without_a_loss() {
    let (home, file) = used(true).await;
    fs::remove_dir_all(home.data().join("journal")).unwrap();
    assert_there(&home, &file).await;
    let server = home.start();
    root_of(&server).await.write_at(&file, 0, b"newer!", stable_how::FILE_SYNC).await.unwrap();
    server.kill();
    let server = home.start();
    assert_eq!(root_of(&server).await.read_at(&file, 0, 100).await.data.as_ref(), b"newer!");
}

/// Spoils the only place of the journal that holds these bytes.
fn spoil(journal: &Path, bytes: &[u8]) {
    let holds = |path: &PathBuf| {
        let content = fs::read(path).unwrap();
        content.windows(bytes.len()).position(|window| window == bytes)
    };
    let files = fs::read_dir(journal).unwrap().map(|entry| entry.unwrap().path());
    let (file, at) = files.filter_map(|path| holds(&path).map(|at| (path, at))).next().expect("the bytes are there");
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(b"SPOILT", at as u64).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_journal_is_refused_and_the_files_are_named() {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let folder = session.make_directory(&root, b"folder", 0o755).await;
    let hit = session.make_file(&folder, b"hit", 0o644).await;
    let spared = session.make_file(&folder, b"spared", 0o644).await;
    // The second write is known to be durable by the third.
    for (file, data) in [(&spared, b"spared".as_slice()), (&hit, b"these bytes are hit"), (&spared, b"SPARED")] {
        session.write_at(file, 0, data, stable_how::FILE_SYNC).await.unwrap();
    }
    server.kill();
    spoil(&journal(&home), b"these bytes are hit");
    let words = ["/export", "is damaged", "/folder/hit", "--accept-loss /export"];
    refused(&home, &[], &words);
    refused(&home, &[], &words);
    let server = home.try_start(&["--accept-loss", "/export"]).unwrap_or_else(|refused| panic!("{}", refused.log));
    assert!(home.log().contains("/folder/hit"), "what is lost is named: {}", home.log());
    let mut session = root_of(&server).await;
    assert_eq!(session.read_at(&spared, 0, 100).await.data.as_ref(), b"SPARED");
    assert!(session.read_at(&hit, 0, 100).await.data.is_empty());
    server.kill();
    home.start();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_shares_journal_is_refused() {
    let ((home, file), (other, _)) = (used(false).await, used(false).await);
    let (own, foreign) = (journal(&home), journal(&other));
    let aside = home.data().join("elsewhere");
    fs::rename(&own, &aside).unwrap();
    fs::rename(&foreign, &own).unwrap();
    refused(&home, &[], &["this is journal", "would be lost", "--accept-loss /export"]);
    fs::rename(&own, &foreign).unwrap();
    fs::rename(&aside, &own).unwrap();
    assert_there(&home, &file).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_folder_is_refused() {
    let ((home, file), (other, _)) = (used(true).await, used(true).await);
    let (own, foreign) = (home.data().join("content"), other.data().join("content"));
    let aside = home.data().join("elsewhere");
    fs::rename(&own, &aside).unwrap();
    // The folder that the first start made is not the share's content for the second one.
    for _ in 0..2 {
        refused(&home, &[], &["/export", "the content store `local`"]);
    }
    fs::remove_dir_all(&own).unwrap();
    fs::rename(&foreign, &own).unwrap();
    refused(&home, &[], &["/export", "the content store `local`"]);
    fs::rename(&own, &foreign).unwrap();
    fs::rename(&aside, &own).unwrap();
    assert_there(&home, &file).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_data_or_the_same_stores_is_refused() {
    let (first, file) = used(true).await;
    let server = first.start();
    let log = first.log();
    refused(&first, &[], &["another server runs on the data folder"]);
    let data = first.data();
    let thief = home(Some(&format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: {data}/metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: fs, fs: {{ path: {data}/content }} }} }} }}\n\
         journal: {{ path: {data}/journal }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c }}]\n",
        data = data.display()
    )));
    refused(&thief, &[], &["store `m`", "in use"]);
    assert_eq!(root_of(&server).await.read_at(&file, 0, 100).await.data.as_ref(), b"stable", "{log}");
}

/// One persistent share of this name.
fn share_named(name: &str) -> String {
    include_str!("../../kernel/local-share.yaml").replace("/export", name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_renamed_in_the_configuration_alone_does_not_come_up_empty() {
    let (home, file) = used(true).await;
    home.configure(&share_named("/new"));
    refused(&home, &[], &["/new", "holds /export", "dittofs share rename OLD /new"]);
    let renamed = home.run(&["share", "rename", "/export", "/new"]);
    assert!(renamed.status.success(), "{renamed:?}");
    let server = home.start();
    let mut session = crate::session::Session::open(server.address(), "/new", &crate::session::user(0, 0, &[])).await;
    assert_eq!(session.read_at(&file, 0, 100).await.data.as_ref(), b"stable", "handles outlive the name");
    session.find(&session.root.clone(), b"file").await.unwrap();
}
