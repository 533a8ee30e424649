//! Objects in a bucket: damaged behind the server's back, known to nobody, and garbage.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use dittofs_tests::s3::S3Server;
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    checking::said,
    object_store::{check_file, configuration, write_file},
    persistence::root_of,
    session::{home, pattern, status},
    watching::{WATCHED, metrics, monitoring},
};

const MIB: usize = 1 << 20;

fn paths(bucket: &S3Server) -> Vec<PathBuf> {
    bucket.objects().into_iter().map(|(path, _)| path).collect()
}

/// Changes a byte in the middle.
fn damage(object: &Path) {
    let mut bytes = fs::read(object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(object, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_an_error_that_is_counted_and_names_the_file() {
    let bucket = S3Server::start();
    let home = home(Some(&format!("{WATCHED}{}", configuration(bucket.address(), "compression: none"))));
    let server = home.start();
    let data = pattern(32 << 10);
    let file = write_file(&mut root_of(&server).await, "thesis", &data).await;
    assert!(server.stop().status.success());
    let object = paths(&bucket).remove(0);

    damage(&object);
    let server = home.start();
    let mut session = root_of(&server).await;
    let damaged = || metrics(monitoring(&home)).value("dittofs_damaged_reads_total", &[("share", "/export")]);
    assert_eq!(damaged(), 0.0);
    let request = READ3args { file: file.clone(), offset: 0, count: 4_096 };
    assert_eq!(status(&session.read(&request).await.unwrap()), nfsstat3::NFS3ERR_IO);
    assert!(damaged() >= 1.0);
    let log = home.log();
    assert!(log.lines().any(|line| line.contains("ERROR") && line.contains("file=/thesis")), "{log}");
    let lost = "/export/thesis: bytes 0 to 32767 are lost";
    let (code, text) = said(&home.run(&["check"]));
    assert!(code == Some(1) && text.contains(lost), "{text}");
    assert!(server.stop().status.success());
    let (code, text) = said(&home.run(&["check"]));
    assert!(code == Some(1) && text.contains(lost), "{text}");

    // Nothing was made worse: with the right byte it is all there.
    damage(&object);
    let server = home.start();
    check_file(&mut root_of(&server).await, &file, &data).await;
    assert!(server.stop().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_is_reported_and_deleted_only_when_asked_for() {
    let bucket = S3Server::start();
    let home = home(Some(&configuration(bucket.address(), "compression: none")));
    let server = home.start();
    let data = pattern(MIB);
    let file = write_file(&mut root_of(&server).await, "file", &data).await;
    assert!(server.stop().status.success());
    let known = paths(&bucket);
    let share = known[0].parent().unwrap().parent().unwrap();
    for digit in ["1", "e"] {
        let folder = share.join(digit.repeat(2));
        fs::create_dir_all(&folder).unwrap();
        fs::copy(&known[0], folder.join(digit.repeat(32))).unwrap();
    }
    let there = paths(&bucket);
    assert_eq!(there.len(), known.len() + 2);
    // Not where an object of this name would be: nobody's object, and nobody's business.
    let digit = if known[0].parent().unwrap().ends_with("00") { "f" } else { "0" };
    let elsewhere = known[0].with_file_name(digit.repeat(32));
    fs::copy(&known[0], &elsewhere).unwrap();

    for (words, left) in [
        (&["check"][..], &there),
        (&["check", "--repair"], &there),
        (&["check", "--repair", "--delete-orphans"], &known),
    ] {
        let (_, text) = said(&home.run(words));
        assert!(text.contains("2 objects of "), "{words:?}: {text}");
        let mut found = paths(&bucket);
        found.retain(|path| *path != elsewhere);
        assert_eq!(&found, left, "{words:?}: {text}");
    }
    let (code, text) = said(&home.run(&["check"]));
    assert!(code == Some(0) && !text.contains("objects of"), "{text}");
    assert!(elsewhere.exists());
    let server = home.start();
    check_file(&mut root_of(&server).await, &file, &data).await;
    assert!(server.stop().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_garbage_leaves_the_bucket_after_a_while() {
    let bucket = S3Server::start();
    let home = home(Some(&configuration(bucket.address(), "compression: none")));
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let data = pattern(4 * MIB);
    write_file(&mut session, "garbage", &data).await;
    assert!(server.stop().status.success());
    let garbage = paths(&bucket);
    let server = home.start();
    let mut session = root_of(&server).await;
    let kept = write_file(&mut session, "kept", &data).await;
    assert_eq!(status(&session.remove_file(&root, b"garbage").await), nfsstat3::NFS3_OK);
    let began = Instant::now();
    while paths(&bucket).iter().any(|path| garbage.contains(path)) {
        assert!(began.elapsed() < Duration::from_secs(90), "{garbage:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(began.elapsed() >= Duration::from_secs(30), "a reader may still have needed it");
    assert!(server.stop().status.success());
    let server = home.start();
    check_file(&mut root_of(&server).await, &kept, &data).await;
    assert!(server.stop().status.success());
}
