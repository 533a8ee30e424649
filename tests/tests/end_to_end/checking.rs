//! `dittofs check`, beside a running server and without one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use dittofs_tests::server::Home;
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    persistence::root_of,
    session::{home, pattern},
};

/// The objects of a home, largest first.
pub(crate) fn objects(home: &Home) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                walk(&entry, found);
            } else if entry.file_name().is_some_and(|name| name.len() == 32) {
                found.push(entry);
            }
        }
    }
    let mut found = Vec::new();
    walk(&home.data().join("content"), &mut found);
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    found
}

pub(crate) fn said(output: &Output) -> (Option<i32>, String) {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_reported_by_path_and_status_with_a_server_and_without() {
    let home = home(None);
    let (status, text) = said(&home.run(&["check"]));
    assert_eq!((status, text.trim()), (Some(0), "/export: nothing is stored yet"));
    assert!(!home.data().exists(), "to look makes nothing");

    let server = home.start();
    let mut session = root_of(&server).await;
    let folder = session.make_directory(&session.root.clone(), b"folder", 0o755).await;
    let file = session.make_file(&folder, b"file", 0o644).await;
    session.write_at(&file, 0, &pattern(1 << 20), stable_how::FILE_SYNC).await.unwrap();
    let (status, text) = said(&home.run(&["check", "/export"]));
    assert!(status == Some(0) && text.contains("/export: clean; 3 nodes"), "{text}");
    for (words, expected, why) in [
        (&["check", "--repair"][..], 3, "stop it first"),
        (&["check", "/other"], 2, "known: /export"),
        (&["check", "--delete-orphans"], 2, "--repair"),
    ] {
        let (status, text) = said(&home.run(words));
        assert!(status == Some(expected) && text.contains(why), "{words:?}: {status:?} {text}");
    }
    drop(session);
    assert!(server.stop().status.success());
    let (status, text) = said(&home.run(&["check", "--repair"]));
    assert!(status == Some(0) && text.contains(" 1049016 bytes verified"), "{text}");

    let object = objects(&home).remove(0);
    let mut bytes = fs::read(&object).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&object, bytes).unwrap();
    let damage = "/export/folder/file: bytes 1015808 to 1048575 are lost";
    let (status, text) = said(&home.run(&["check"]));
    assert!(status == Some(1) && text.contains(damage), "{text}");
    let (status, text) = said(&home.run(&["check", "--no-content"]));
    assert!(status == Some(0) && text.contains(" 0 bytes verified"), "{text}");
    let (status, text) = said(&home.run(&["check", "--repair"]));
    assert!(status == Some(1) && text.contains(damage) && text.contains("(not repaired)"), "{text}");

    let server = home.start();
    let (status, text) = said(&home.run(&["check"]));
    assert!(status == Some(1) && text.contains(damage), "{text}");
    server.kill();
    let (status, text) = said(&home.run(&["check"]));
    assert!(status == Some(1) && text.contains("was not stopped cleanly") && text.contains(damage), "{text}");
    fs::rename(home.data().join("content"), home.data().join("elsewhere")).unwrap();
    let (status, text) = said(&home.run(&["check"]));
    assert!(status == Some(3) && text.contains("is not there"), "{text}");
    assert!(!home.data().join("content").exists(), "to look makes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_the_running_server_does_not_serve_is_reported_and_is_no_success() {
    let of = |names: &[&str]| {
        let share = |name: &&str| format!("{{ name: {name}, metadata_store: m, content_store: c }}");
        let shares: Vec<String> = names.iter().map(share).collect();
        format!(
            "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
             content: {{ stores: {{ c: {{ type: fs, fs: {{ path: content }} }} }} }}\n\
             shares: [{}]\n",
            shares.join(", ")
        )
    };
    let home = home(Some(&of(&["/a", "/b"])));
    let server = home.start();
    assert_eq!(said(&home.run(&["check"])).0, Some(0));
    // One is added, and one renamed.
    home.configure(&of(&["/a", "/added", "/renamed"]));
    for (words, skipped) in [
        (&["check"][..], &["/added", "/renamed"][..]),
        (&["check", "/added"], &["/added"]),
        (&["check", "/a", "/renamed"], &["/renamed"]),
    ] {
        let (status, text) = said(&home.run(words));
        let is_reported =
            |name: &&str| text.contains(&format!("{name}: not checked: the running server does not serve it"));
        assert!(status == Some(3) && skipped.iter().all(is_reported), "{words:?}: {status:?} {text}");
        assert_eq!(text.matches("not checked: ").count(), skipped.len(), "{text}");
    }
    assert_eq!(said(&home.run(&["check", "/a"])).0, Some(0));
    assert!(server.stop().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_nothing_is_called_clean() {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    let file = session.make_file(&session.root.clone(), b"file", 0o644).await;
    session.write_at(&file, 0, &pattern(100_000), stable_how::FILE_SYNC).await.unwrap();
    server.kill();
    for words in [&["check"][..], &["check", "/export"], &["check", "--no-content"], &["check", "--repair"]] {
        let (status, text) = said(&home.run(words));
        assert!(status == Some(3) && !text.contains(": clean"), "{words:?}: {text}");
        assert!(text.contains("/export: nothing wrong in what was looked at; "), "{words:?}: {text}");
        assert!(text.contains("was not stopped cleanly"), "{words:?}: {text}");
    }
    // Bytes that were in the journal are checked as soon as they have been replayed.
    assert!(home.start().stop().status.success());
    let (status, text) = said(&home.run(&["check"]));
    assert!(status == Some(0) && text.contains("/export: clean; 2 nodes"), "{text}");
    assert!(!text.contains(" 0 bytes verified"), "{text}");
}
