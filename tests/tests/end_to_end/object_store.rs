//! Shares whose content is in an object store.

use std::{fs, net::SocketAddr};

use dittofs_tests::{
    fault_proxy::{Fate, FaultProxy, Seen},
    s3::{self, ACCESS_KEY, BUCKET, S3Server, SECRET_KEY},
    server::{Home, Server},
};
use hyper::Method;
use nfs3_client::nfs3_types::nfs3::*;
use rstest::rstest;

use crate::{
    persistence::root_of,
    session::{Session, home, pattern, status},
};

const MIB: usize = 1 << 20;

/// A configuration of one share with its content there. `share` are more of its fields.
pub(crate) fn configuration(address: SocketAddr, share: &str) -> String {
    with_options(&s3::options(address, "a/prefix"), share)
}

fn with_options(options: &str, share: &str) -> String {
    format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: s3, s3: {options} }} }} }}\n\
         journal: {{ path: journal, size: 32MiB }}\n\
         cache: {{ memory: 64MiB }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c, squash: none, {share} }}]\n"
    )
}

pub(crate) async fn write_file(session: &mut Session, name: &str, data: &[u8]) -> nfs_fh3 {
    let root = session.root.clone();
    let file = session.make_file(&root, name.as_bytes(), 0o644).await;
    for start in (0..data.len()).step_by(MIB) {
        let piece = &data[start..data.len().min(start + MIB)];
        while status(&session.write_at(&file, start as u64, piece, stable_how::UNSTABLE).await) != nfsstat3::NFS3_OK {}
    }
    session.commit(&COMMIT3args { file: file.clone(), offset: 0, count: 0 }).await.unwrap().unwrap();
    file
}

pub(crate) async fn check_file(session: &mut Session, file: &nfs_fh3, data: &[u8]) {
    for start in (0..data.len()).step_by(MIB) {
        let read = session.read_at(file, start as u64, MIB as u32).await;
        assert!(read.data.as_ref() == &data[start..data.len().min(start + MIB)], "{start}");
    }
}

fn stop(server: Server) {
    let stopped = server.stop();
    assert!(stopped.status.success(), "{stopped:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_back_from_the_bucket() {
    let bucket = S3Server::start();
    let home = home(Some(&configuration(bucket.address(), "compression: none")));
    let (large, small) = (pattern(45 * MIB + 77), pattern(333));
    let server = home.start();
    let mut session = root_of(&server).await;
    let of_large = write_file(&mut session, "large", &large).await;
    let of_small = write_file(&mut session, "small", &small).await;
    stop(server);
    let stored: u64 = bucket.objects().iter().map(|(_, bytes)| bytes).sum();
    assert!(stored > large.len() as u64, "{stored}");

    let server = home.start();
    let mut session = root_of(&server).await;
    check_file(&mut session, &of_large, &large).await;
    check_file(&mut session, &of_small, &small).await;
    stop(server);
    assert!(!home.log().contains(SECRET_KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_small_files_are_few_uploads() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&configuration(proxy.address(), "compression: none")));
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let data = pattern(4_096);
    for number in 0..1_000 {
        let file = session.make_file(&root, format!("file{number}").as_bytes(), 0o644).await;
        session.write_at(&file, 0, &data, stable_how::UNSTABLE).await.unwrap();
    }
    stop(server);
    let uploads = proxy.uploads();
    // Seldom more than ten. On a busy machine the first are old, and flushed many at a time, while others are made.
    assert!((1..=100).contains(&uploads), "{uploads}");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_another_share_are_not_touched() {
    let bucket = S3Server::start();
    let first = home(Some(&configuration(bucket.address(), "id: 5")));
    let server = first.start();
    write_file(&mut root_of(&server).await, "ours", &pattern(100_000)).await;
    stop(server);
    let before = bucket.objects();

    // The same id, made anew: not the same share.
    let second = home(Some(&configuration(bucket.address(), "id: 5")));
    let refused = second.try_start(&[]).map(drop).unwrap_err();
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.log.contains("belong to owner"), "{}", refused.log);
    assert_eq!(bucket.objects(), before);
    // Beside it, below its own name, there is room.
    second.configure(&configuration(bucket.address(), "id: 6"));
    let beside = home(Some(&configuration(bucket.address(), "id: 6")));
    stop(beside.start());
    stop(first.start());
}

fn refusal(home: &Home) -> String {
    let refused = home.try_start(&[]).map(drop).unwrap_err();
    assert_eq!(refused.status.code(), Some(1), "{}", refused.log);
    assert!(!refused.log.contains(SECRET_KEY), "{}", refused.log);
    refused.log
}

#[rstest]
#[case::access_key(ACCESS_KEY, "AKUNKNOWN", "access key is not known")]
#[case::secret(SECRET_KEY, "another-secret", "correct the secret key")]
#[case::bucket("bucket: files", "bucket: nowhere", "no such bucket")]
fn what_is_wrong_is_said_at_the_start(#[case] right: &str, #[case] wrong: &str, #[case] expected: &str) {
    let bucket = S3Server::start();
    let options = s3::options(bucket.address(), "p").replace(right, wrong);
    let log = refusal(&home(Some(&with_options(&options, "compression: none"))));
    assert!(log.contains(expected) && log.contains("store `c` can't be opened"), "{log}");
    let left = fs::read_dir(bucket.bucket()).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn a_new_share_is_not_begun_without_its_store() {
    let bucket = S3Server::start();
    let address = bucket.address();
    drop(bucket);
    let log = refusal(&home(Some(&configuration(address, "compression: none"))));
    assert!(log.contains("no answer: connecting failed") && log.contains("see that the endpoint is right"), "{log}");
}

type Rule = fn(&Seen) -> Fate;

#[rstest]
#[case::clock(|_: &Seen| Fate::Refuse(403, "RequestTimeTooSkewed"), "set the clock")]
#[case::region(|_: &Seen| Fate::Refuse(400, "AuthorizationHeaderMalformed"), "correct `region`")]
#[case::writing(|seen: &Seen| when(seen.method == Method::PUT), "permit PutObject")]
#[case::reading(|seen: &Seen| when(seen.method == Method::GET && !seen.query.contains("list-type")), "permit GetObject")]
#[case::listing(|seen: &Seen| when(seen.query.contains("list-type")), "permit ListBucket")]
#[case::deleting(|seen: &Seen| when(seen.method == Method::DELETE), "permit DeleteObject")]
#[case::short(|seen: &Seen| if seen.method == Method::GET { Fate::Shorten } else { Fate::Pass }, "GetObject")]
fn a_store_that_does_not_do_all_is_refused(#[case] rule: Rule, #[case] expected: &str) {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    proxy.rule(rule);
    let log = refusal(&home(Some(&configuration(proxy.address(), "compression: none"))));
    assert!(log.contains(expected), "{log}");
    assert!(log.contains(BUCKET), "{log}");
}

fn when(denied: bool) -> Fate {
    if denied { Fate::Refuse(403, "AccessDenied") } else { Fate::Pass }
}
