//! A configuration that changes while the server runs.

use std::{
    process::Output,
    time::{Duration, Instant},
};

use dittofs_tests::server::{Home, Server};
use nfs3_client::nfs3_types::{mount::mountstat3, nfs3::*};
use rstest::rstest;

use crate::{
    session::{Session, home, pattern, status, user, with_mode},
    watching::{metrics, monitoring},
};

const PATIENCE: Duration = Duration::from_secs(20);
const BYTES: usize = 300_000;

/// Persistent shares with these fields, on one pair of stores.
fn configuration(shares: &[(&str, &str)], more: &str) -> String {
    let share = |(name, fields): &(&str, &str)| {
        format!("  - {{ name: {name}, metadata_store: local, content_store: local, squash: none, {fields} }}\n")
    };
    let shares: String = shares.iter().map(share).collect();
    format!(
        "metadata: {{ stores: {{ local: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ local: {{ type: fs, fs: {{ path: content }} }} }} }}\n\
         adapters: {{ admin: {{ listen: \"127.0.0.1:0\" }} }}\n\
         {more}\nshares:\n{shares}"
    )
}

/// Runs `dittofs reload`. Returns its exit code and what it prints.
fn reload(home: &Home) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = home.run(&["reload"]);
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

fn taken(home: &Home, what: &[&str]) {
    let (code, text) = reload(home);
    let expected: String = what.iter().map(|line| format!("taken: {line}\n")).collect();
    assert_eq!((code, text), (Some(0), expected), "{}", home.log());
}

/// How a server is asked.
#[derive(Clone, Copy, Debug)]
enum By {
    Command,
    Signal,
}

/// Has the server read a configuration in which the shares are others, and waits until it has taken it.
fn reconfigure(home: &Home, server: &Server, by: By, configuration: &str) {
    let before = policies(home);
    home.configure(configuration);
    match by {
        By::Command => assert_eq!(reload(home).0, Some(0)),
        By::Signal => server.hang_up(),
    }
    let began = Instant::now();
    // Of lines of the log only so many are written in a minute.
    while policies(home) == before {
        assert!(began.elapsed() < PATIENCE, "{}", home.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns what the server shows of its shares, but for what they hold.
fn policies(home: &Home) -> Vec<String> {
    let printed = |words: &[&str]| String::from_utf8(home.run(words).stdout).unwrap();
    let shown = printed(&["share", "list"]) + &printed(&["share", "show", "/one"]);
    let is_space = |line: &str| ["bytes", "files", "nodes"].iter().any(|word| line.starts_with(word));
    shown.lines().filter(|line| !is_space(line)).map(str::to_owned).collect()
}

async fn mount(server: &Server, share: &str, uid: u32) -> Result<Session, mountstat3> {
    Session::mount(server.address(), share, &user(uid, uid, &[])).await
}

async fn write_file(session: &mut Session, name: &[u8]) -> nfs_fh3 {
    let root = session.root.clone();
    let file = session.make_file(&root, name, 0o644).await;
    session.write_at(&file, 0, &pattern(BYTES), stable_how::UNSTABLE).await.unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_come_and_go_while_others_are_served() {
    let (one, both) = (configuration(&[("/one", "")], ""), configuration(&[("/one", ""), ("/two", "")], ""));
    let home = home(Some(&one));
    let server = home.start();
    let mut of_one = mount(&server, "/one", 0).await.unwrap();
    let file_of_one = write_file(&mut of_one, b"file").await;
    assert!(matches!(mount(&server, "/two", 0).await, Err(mountstat3::MNT3ERR_NOENT)));
    assert_eq!(reload(&home), (Some(0), "nothing has changed; key files and the audit file are read again\n".into()));

    home.configure(&both);
    let (code, text) = reload(&home);
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!((code, first), (Some(0), "taken: share /two (new)"));
    assert!(rest.starts_with("needs a restart: journal.size (share /two"), "{rest}");
    let mut of_two = mount(&server, "/two", 0).await.unwrap();
    let file_of_two = write_file(&mut of_two, b"file").await;
    let ready = |share| metrics(monitoring(&home)).value("dittofs_share_ready", &[("share", share)]);
    assert_eq!((ready("/one"), ready("/two")), (1.0, 1.0));

    home.configure(&one);
    taken(&home, &["share /two (not configured any more)"]);
    assert_eq!(of_two.state_of(&file_of_two).await, nfsstat3::NFS3ERR_STALE);
    assert_eq!(of_one.read_at(&file_of_one, 0, 100).await.data.as_ref(), &pattern(BYTES)[..100]);
    assert!(matches!(mount(&server, "/two", 0).await, Err(mountstat3::MNT3ERR_NOENT)));
    let list = String::from_utf8(home.run(&["share", "list"]).stdout).unwrap();
    let row = list.lines().find(|line| line.starts_with("/two")).unwrap();
    assert!(row.contains("not served: in the metadata store `local`"), "{list}");
    assert_eq!(metrics(monitoring(&home)).value("dittofs_share_ready", &[("share", "/two")]), 0.0);

    reconfigure(&home, &server, By::Signal, &both);
    // It is the same share: its handles are good again, and nothing had to be replayed.
    assert_eq!(home.log().matches("share=/two records=0").count(), 2, "{}", home.log());
    let read = of_two.read_at(&file_of_two, 0, BYTES as u32).await;
    assert!(read.data.as_ref() == pattern(BYTES), "what was unflushed when it went is there");
    assert!(server.stop().status.success());
}

/// Acknowledged writes of a client that does not stop are there when the share comes again.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_goes_under_load_loses_nothing() {
    let (one, both) = (configuration(&[("/one", "")], ""), configuration(&[("/one", ""), ("/two", "")], ""));
    let home = home(Some(&both));
    let server = home.start();
    let mut session = mount(&server, "/two", 0).await.unwrap();
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o644).await;
    let noise = pattern(BYTES);
    let writer = tokio::spawn(async move {
        let mut written = 0;
        loop {
            let wrote = session.write_at(&file, (written * BYTES) as u64, &noise, stable_how::UNSTABLE).await;
            match status(&wrote) {
                nfsstat3::NFS3_OK => written += 1,
                nfsstat3::NFS3ERR_JUKEBOX => tokio::time::sleep(Duration::from_millis(10)).await,
                end => return (session, file, written, end),
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    home.configure(&one);
    taken(&home, &["share /two (not configured any more)"]);
    let (mut session, file, written, end) = writer.await.unwrap();
    assert_eq!(end, nfsstat3::NFS3ERR_STALE);
    assert!(written > 3, "{written}");
    home.configure(&both);
    assert!(reload(&home).1.starts_with("taken: share /two (new)"));
    for number in 0..written {
        let read = session.read_at(&file, (number * BYTES) as u64, BYTES as u32).await;
        assert!(read.data.as_ref() == pattern(BYTES), "{number} of {written}");
    }
    assert!(server.stop().status.success());
}

#[rstest]
#[case::by_a_command(By::Command)]
#[case::by_a_signal(By::Signal)]
#[tokio::test(flavor = "multi_thread")]
async fn who_may_use_a_share_and_how_changes_while_it_is_mounted(#[case] by: By) {
    let with = |fields: &str| configuration(&[("/one", fields)], "");
    let home = home(Some(&with("")));
    let server = home.start();
    let mut session = mount(&server, "/one", 0).await.unwrap();
    let root = session.root.clone();
    session.set(&root, with_mode(0o777), None).await.unwrap();
    let file = write_file(&mut session, b"file").await;
    let reconfigure = |fields: &str| reconfigure(&home, &server, by, &with(fields));

    reconfigure("read_only: true");
    let written = session.write_at(&file, 0, b"x", stable_how::UNSTABLE).await;
    assert_eq!(status(&written), nfsstat3::NFS3ERR_ROFS);
    reconfigure("anonymous_uid: 77");
    session.write_at(&file, 0, &pattern(BYTES), stable_how::UNSTABLE).await.unwrap();

    home.configure(&with("").replace("squash: none", "squash: all, anonymous_uid: 77"));
    assert_eq!(reload(&home), (Some(0), "taken: share /one (squash)\n".into()));
    let made = session.make_file(&root, b"of nobody", 0o600).await;
    assert_eq!(session.attributes_of(&made).await.uid, 77);

    reconfigure("quota: { files: 3 }");
    session.make_file(&root, b"third", 0o600).await;
    let where_ = crate::session::place(&root, b"fourth");
    let how = createhow3::GUARDED(sattr3::default());
    let made = session.create(&CREATE3args { where_, how }).await.unwrap();
    assert_eq!(status(&made), nfsstat3::NFS3ERR_NOSPC);

    reconfigure("clients: [192.0.2.0/24]");
    assert_eq!(session.state_of(&root).await, nfsstat3::NFS3ERR_ACCES);
    assert!(matches!(mount(&server, "/one", 0).await, Err(mountstat3::MNT3ERR_ACCES)));
    let list = String::from_utf8(home.run(&["share", "list"]).stdout).unwrap();
    assert!(list.contains("192.0.2.0/24"), "{list}");
    reconfigure("");
    assert_eq!(session.state_of(&root).await, nfsstat3::NFS3_OK);
    assert!(server.stop().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_open_leaves_the_others_alone() {
    let one = configuration(&[("/one", "")], "");
    let home = home(Some(&one));
    let server = home.start();
    let mut session = mount(&server, "/one", 0).await.unwrap();
    let file = write_file(&mut session, b"file").await;
    std::fs::write(home.path().join("no-folder"), "x").unwrap();
    let beside = |folder: &str, fields: &str| {
        one.replace(
            "content: { stores: {",
            &format!("content: {{ stores: {{ b: {{ type: fs, fs: {{ path: {folder} }} }},"),
        ) + &format!("  - {{ name: /two, metadata_store: local, content_store: b, {fields} }}\n")
    };
    let below_a_file = home.path().join("no-folder/content");
    home.configure(&beside(&below_a_file.display().to_string(), "id: 77"));
    let (code, text) = reload(&home);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("failed: share /two (new): store `b` can't be opened"), "{text}");
    assert_eq!(session.read_at(&file, 0, 10).await.data.as_ref(), &pattern(BYTES)[..10]);
    // With a store of its own that can be opened.
    home.configure(&beside("other", "id: 77, squash: none"));
    let (code, text) = reload(&home);
    assert!(code == Some(0) && text.contains("taken: share /two (new)\n"), "{text}");
    let mut of_two = mount(&server, "/two", 0).await.unwrap();
    write_file(&mut of_two, b"file").await;
    // The store goes with its only share, and may be anything when it comes again.
    home.configure(&one);
    taken(&home, &["share /two (not configured any more)"]);
    home.configure(&beside("third", "id: 78, squash: none"));
    let (_, text) = reload(&home);
    assert!(text.contains("failed: share /two (new): ") && text.contains("with the id 77"), "{text}");
    assert!(server.stop().status.success());
}

#[test]
fn what_needs_a_restart_is_named_each_time_and_the_rest_is_taken() {
    let home = home(Some(&configuration(&[("/one", "")], "")));
    assert_eq!(reload(&home).0, Some(1), "no server runs");
    let server = home.start();
    let more = "cache: { memory: 64MiB }\nlog: { level: debug }";
    let newer = configuration(&[("/one", "compression: zstd, atime: none")], more);
    let limits = "nfs: { limits: { drain_seconds: 3, in_flight: 7 } }, admin";
    home.configure(&newer.replace("admin", limits));
    let restart = "needs a restart: cache.memory\nneeds a restart: share /one (compression)\n\
                   needs a restart: adapters.nfs.limits.in_flight\n";
    let expected = format!("taken: share /one (atime)\ntaken: log.level\n{restart}");
    assert_eq!(reload(&home), (Some(0), expected));
    assert_eq!(reload(&home), (Some(0), restart.to_owned()));
    assert!(home.log().contains("level=debug"), "{}", home.log());
    home.configure(&newer.replace("admin", "nfs: { limits: { drain_seconds: 3 } }, admin"));
    let (_, text) = reload(&home);
    assert!(text.starts_with("taken: adapters.nfs\n"), "{text}");
    home.configure("shares: nonsense\n");
    assert_eq!(reload(&home).0, Some(2));
    home.configure(&configuration(&[("/one", "")], ""));
    let (_, text) = reload(&home);
    let expected = "taken: share /one (atime)\ntaken: log.level\ntaken: adapters.nfs\n";
    assert_eq!(text, expected);
    assert!(server.stop().status.success());
}
