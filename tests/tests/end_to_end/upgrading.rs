//! A data folder that an earlier release has left, killed as it was, is opened and upgraded: nothing of it is lost.
//!
//! `fixtures/data-DATE.tar.gz` are such folders, each with the default share and two files: `flushed`, which is in the
//! content store, and `journalled`, which was only in the journal.

use std::{path::Path, process::Command};

use rstest::rstest;

use crate::{persistence::root_of, session::home};

fn lines(word: &str, bytes: usize) -> Vec<u8> {
    let mut text: String = (0..bytes / 10).map(|number| format!("{word} line {number}\n")).collect();
    text.truncate(bytes);
    text.into_bytes()
}

#[rstest]
#[case::without_scales_epochs_and_fingerprints("data-2026-11-23.tar.gz")]
#[case::with_references_of_no_end("data-2026-11-29.tar.gz")]
#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_of_an_earlier_release_is_opened_and_whole(#[case] name: &str) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let home = home(None);
    std::fs::create_dir_all(home.data()).unwrap();
    let untarred = Command::new("tar").arg("-xzf").arg(&fixture).arg("-C").arg(home.data()).status().unwrap();
    assert!(untarred.success());
    for life in ["first", "second"] {
        let server = home.start();
        let mut session = root_of(&server).await;
        let root = session.root.clone();
        for (file, bytes) in [("flushed", 300_000), ("journalled", 50_000)] {
            let handle = session.find(&root, file.as_bytes()).await.unwrap();
            let read = session.read_at(&handle, 0, 1 << 20).await;
            assert!(read.data.as_ref() == lines(file, bytes), "{file} in the {life} life");
        }
        assert!(server.stop().status.success());
    }
    let checked = home.run(&["check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}
