//! Copies of the metadata that were made while the server ran, put back after it has been killed: a start that is the
//! same says nothing of their age.

use std::{fs, time::Duration};

use dittofs_tests::server::Home;
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    persistence::root_of,
    restores::{accepted, assert_stale, assert_there, copy, refused, stop},
    session::{Session, home},
};

/// More files than there are numbers that the metadata have given in advance.
const FILES: usize = 600;

async fn write(session: &mut Session, name: &str) -> nfs_fh3 {
    let root = session.root.clone();
    let file = session.make_file(&root, name.as_bytes(), 0o644).await;
    session.write_at(&file, 0, name.as_bytes(), stable_how::FILE_SYNC).await.unwrap();
    file
}

fn put_back(home: &Home, copied: &str) {
    let metadata = home.data().join("metadata");
    fs::remove_dir_all(&metadata).unwrap();
    copy(&home.data().join(copied), &metadata);
}

/// Refused until it is accepted; put right, nothing is lost; accepted, no handle names another file.
async fn check(home: &Home, word: &str, known: &nfs_fh3, newest: &nfs_fh3, name: &str) {
    copy(&home.data().join("metadata"), &home.data().join("newest"));
    put_back(home, "older");
    refused(home, &[word, "older copy", "--accept-loss"]);
    put_back(home, "newest");
    assert_there(home, newest, name.as_bytes()).await;

    put_back(home, "older");
    let server = accepted(home);
    let mut session = root_of(&server).await;
    assert_stale(&mut session, newest).await;
    let root = session.root.clone();
    session.find(&root, b"known").await.unwrap();
    for number in 0..20 {
        let made = write(&mut session, &format!("after{number}")).await;
        assert!(made != *newest && made != *known, "a handle names another file");
    }
    assert_stale(&mut session, newest).await;
    stop(server);
    stop(home.start());
}

#[tokio::test(flavor = "multi_thread")]
async fn older_metadata_of_the_same_start_are_refused_for_files_that_they_never_had() {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    let known = write(&mut session, "known").await;
    copy(&home.data().join("metadata"), &home.data().join("older"));
    let root = session.root.clone();
    for number in 0..FILES {
        session.make_file(&root, format!("more{number}").as_bytes(), 0o644).await;
    }
    let newest = write(&mut session, "newest").await;
    server.kill();
    check(&home, "have not given that number", &known, &newest, "newest").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn older_metadata_of_the_same_server_are_refused_after_a_minute() {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    let known = write(&mut session, "known").await;
    copy(&home.data().join("metadata"), &home.data().join("older"));
    tokio::time::sleep(Duration::from_secs(62)).await;
    let newest = write(&mut session, "newest").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    server.kill();
    check(&home, "was last used by a start", &known, &newest, "newest").await;
}

/// A copy from less than a minute ago can't be distinguished from the newest state, where no record of the journal
/// shows it. Numbers are not given twice all the same.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_no_number_is_given_again_whatever_the_metadata_say() {
    let home = home(None);
    let server = home.start();
    let mut session = root_of(&server).await;
    write(&mut session, "known").await;
    copy(&home.data().join("metadata"), &home.data().join("older"));
    let root = session.root.clone();
    let lost = session.make_file(&root, b"lost", 0o644).await;
    let number = session.attributes_of(&lost).await.fileid;
    server.kill();
    put_back(&home, "older");
    let server = home.start();
    let mut session = root_of(&server).await;
    for made in 0..20 {
        let made = write(&mut session, &format!("after{made}")).await;
        assert!(made != lost && session.attributes_of(&made).await.fileid > number + (1 << 27));
    }
    assert_stale(&mut session, &lost).await;
    stop(server);
}
