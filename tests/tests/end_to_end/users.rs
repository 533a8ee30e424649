//! Users, by the program's commands: beside a running server and without one.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
    thread,
};

use dittofs_application::Accounts;
use dittofs_domain::users::{NtHash, UserName};
use dittofs_frame_sealer::{KeyFile, SecretKeys, nt_hash};
use dittofs_ports::{AccountService, MetadataStore};
use dittofs_redb::{RedbMetadataStore, RedbOptions};
use dittofs_system::SystemRandomness;
use dittofs_tests::server::Home;

use crate::session::home;

const SECRET: &str = "correct horse battery staple";

fn done(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command says that is refused.
fn refused(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn add(home: &Home, name: &str, uid: &str, password: &str) -> Output {
    home.run_with(&["user", "add", name, "--uid", uid, "--gid", "100", "--group", "4"], &format!("{password}\n"))
}

/// The users as they are listed, without the heading.
fn listed(home: &Home) -> Vec<String> {
    let list = done(home.run(&["user", "list"]));
    let columns = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    list.lines().skip(1).map(columns).collect()
}

fn key_file(home: &Home) -> PathBuf {
    home.data().join("users.key")
}

/// What proves the password of a user of a server that does not run.
async fn stored_hash(home: &Home, name: &str) -> NtHash {
    let store = RedbMetadataStore::open(&RedbOptions::new(home.data().join("metadata"))).unwrap();
    let keys = SecretKeys::of_file(KeyFile::new(key_file(home)));
    let accounts = Accounts::new(store.users(), Arc::new(keys), Arc::new(SystemRandomness::new().unwrap()));
    accounts.find(&UserName::new(name).unwrap()).await.unwrap().unwrap().nt_hash
}

#[tokio::test]
async fn users_come_change_and_go_with_a_server_and_without_one() {
    let home = home(None);
    assert!(listed(&home).is_empty());
    assert!(!home.data().exists(), "to look makes nothing");
    assert!(done(add(&home, "Alice", "1000", SECRET)).contains("user Alice is added: uid 1000, gid 100"));
    assert_eq!(fs::metadata(key_file(&home)).unwrap().permissions().mode() & 0o7777, 0o600);
    let alice = listed(&home);
    assert!(alice[0].starts_with("Alice 1000 100 4 enabled S-1-5-21-") && alice[0].ends_with("-3000"), "{alice:?}");
    let server = home.start();
    assert_eq!(listed(&home), alice);
    done(add(&home, "bob", "1001", SECRET));
    assert!(refused(add(&home, "ALICE", "7", SECRET)).contains("there is a user of this name already"));
    done(home.run_with(&["user", "passwd", "alice"], "another\n"));
    done(home.run(&["user", "change", "alice", "--gid", "50", "--no-groups", "--disable"]));
    done(home.run(&["user", "remove", "BOB"]));
    assert!(refused(home.run(&["user", "remove", "bob"])).contains("there is no such user"));
    let changed = listed(&home);
    assert!(changed.len() == 1 && changed[0].starts_with("Alice 1000 50 - disabled S-1-5-21-"), "{changed:?}");
    assert!(server.stop().status.success());
    assert_eq!(listed(&home), changed);
    assert_eq!(stored_hash(&home, "alice").await, nt_hash("another"));
    done(home.run_with(&["user", "passwd", "ALICE"], "a third one\n"));
    done(home.run(&["user", "change", "alice", "--group", "1", "--group", "2", "--enable"]));
    assert!(refused(add(&home, "alice", "7", SECRET)).contains("there is a user of this name already"));
    assert!(refused(home.run(&["user", "change", "bob", "--enable"])).contains("there is no such user"));
    assert_eq!(stored_hash(&home, "alice").await, nt_hash("a third one"));
    assert!(listed(&home)[0].starts_with("Alice 1000 50 1,2 enabled"));
    done(home.run(&["user", "remove", "alice"]));
    assert!(listed(&home).is_empty());
}

#[test]
fn words_that_make_no_sense_are_refused_before_anything_is_made() {
    let home = home(None);
    for (words, input) in [
        (&["user", "add", "a/b", "--uid", "1", "--gid", "1"][..], "x\n"),
        (&["user", "add", "alice", "--uid", "1", "--gid", "1"], "\n"),
        (&["user", "add", "alice", "--uid", "1", "--gid", "1"], ""),
        (&["user", "add", "alice", "secret", "--uid", "1", "--gid", "1"], "x\n"),
        (&["user", "add", "alice", "--uid", "1", "--gid", "1", "--password", "secret"], "x\n"),
        (&["user", "change", "alice"], ""),
    ] {
        let output = home.run_with(words, input);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
    }
    assert!(!home.data().exists());
    let none = home.run_with(&["user", "add", "alice", "--uid", "4294967295", "--gid", "1"], "x\n");
    assert!(refused(none).contains("ids below 4294967295"));
}

/// All files below a folder, whatever is in them.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found
}

#[test]
fn nothing_of_a_password_is_in_any_file_or_log() {
    let home = home(Some("log: { level: trace, audit: audit.log }\n"));
    let mut output = vec![done(add(&home, "before", "1", SECRET))];
    let server = home.start();
    output.push(done(add(&home, "during", "2", SECRET)));
    output.push(done(home.run_with(&["user", "passwd", "before"], &format!("{SECRET}\n"))));
    output.push(done(home.run(&["user", "list"])));
    server.kill();
    let hash = nt_hash(SECRET);
    let hex: String = hash.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let utf16: Vec<u8> = SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut all = files(home.path());
    assert!(all.iter().any(|(path, _)| path.ends_with("metadata.log")), "{all:?}");
    all.extend(output.into_iter().map(|text| (PathBuf::from("output"), text.into_bytes())));
    for (path, bytes) in all {
        let bytes_of_array = format!("{:?}", hash.bytes());
        let secrets = [SECRET.as_bytes(), hash.bytes(), hex.as_bytes(), &utf16, bytes_of_array.as_bytes()];
        for secret in secrets {
            let is_there = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!is_there, "{} has a secret", path.display());
        }
    }
}

#[test]
fn a_key_that_is_missing_wrong_or_open_to_others_is_named_with_what_to_do() {
    let home = home(None);
    done(add(&home, "alice", "1", SECRET));
    let (file, aside) = (key_file(&home), home.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    let missing = refused(add(&home, "bob", "2", SECRET));
    assert!(missing.contains("has no key") && missing.contains(file.to_str().unwrap()), "{missing}");
    assert!(missing.contains("put it back from a copy") && !missing.contains("wrong"), "{missing}");
    assert_eq!(listed(&home).len(), 1, "to list needs no key");
    let server = home.start();
    assert!(home.log().contains("nobody can log on"), "{}", home.log());
    assert!(refused(add(&home, "bob", "2", SECRET)).contains("put it back from a copy"));
    assert!(server.stop().status.success());

    // Another key can seal, but opens nothing.
    let output = home.run(&["user", "list"]);
    assert!(output.status.success());
    KeyFile::new(file.clone()).add().unwrap();
    done(add(&home, "bob", "2", SECRET));
    let server = home.start();
    assert!(home.log().contains("which is not there: put it back into the key file"), "{}", home.log());
    assert!(server.stop().status.success());

    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let open = refused(add(&home, "carol", "3", SECRET));
    assert!(open.contains("chmod 600"), "{open}");
    assert!(refused(home.run(&["config", "check"])).contains("chmod 600"));

    fs::rename(&aside, &file).unwrap();
    let server = home.start();
    assert!(!home.log().contains("nobody can log on"), "{}", home.log());
    assert!(server.stop().status.success());
}

#[test]
fn of_users_that_are_added_at_once_none_is_lost_and_none_is_twice() {
    let home = home(None);
    let _server = home.start();
    let adding: Vec<_> = (0..8)
        .flat_map(|number| [(format!("user{number}"), number), ("same".to_owned(), 100 + number)])
        .map(|(name, uid)| {
            let home = home.clone();
            thread::spawn(move || (name.clone(), add(&home, &name, &uid.to_string(), SECRET).status.success()))
        })
        .collect();
    let added: Vec<(String, bool)> = adding.into_iter().map(|thread| thread.join().unwrap()).collect();
    let of = |name: &str| added.iter().filter(|(added, is_done)| added.starts_with(name) && *is_done).count();
    assert_eq!((of("user"), of("same")), (8, 1));
    let names: Vec<String> = listed(&home).iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["same", "user0", "user1", "user2", "user3", "user4", "user5", "user6", "user7"]);
}

const STORES: &str =
    "metadata: { stores: { a: { type: redb, redb: { path: a } }, b: { type: redb, redb: { path: b } } } }
content: { stores: { c: { type: fs, fs: { path: c } } } }
shares: [{ name: /export, metadata_store: b, content_store: c, clients: [127.0.0.0/8] }]
";

#[test]
fn users_that_are_kept_elsewhere_than_is_looked_for_are_missed_at_the_start() {
    let home = home(Some(&format!("{STORES}system_store: a\n")));
    done(add(&home, "alice", "1", SECRET));
    assert!(home.start().stop().status.success());
    home.configure(STORES);
    let log = home.try_start(&[]).map(drop).unwrap_err().log;
    assert!(log.contains("`a` has users") && log.contains("system_store: a"), "{log}");
    assert!(refused(home.run(&["user", "list"])).contains("system_store: a"));
    home.configure(&format!("{STORES}system_store: b\n"));
    assert!(listed(&home).is_empty(), "they are not meant");
}

#[test]
fn users_of_a_store_in_memory_are_there_while_the_server_runs() {
    let home = home(Some(dittofs_tests::server::ONE_SHARE));
    assert!(refused(add(&home, "alice", "1", SECRET)).contains("start the server first"));
    let server = home.start();
    done(add(&home, "alice", "1", SECRET));
    assert_eq!(listed(&home).len(), 1);
    assert!(server.stop().status.success());
    let _server = home.start();
    assert!(listed(&home).is_empty());
}

#[test]
fn which_users_a_share_lets_in_is_shown_and_changes_at_a_reload() {
    let with = |access: &str| STORES.replace("/export,", &format!("/export, {access}"));
    let home = home(Some(&with("")));
    let _server = home.start();
    let users = |home: &Home| {
        let shown = done(home.run(&["share", "show", "/export"]));
        shown.lines().find(|line| line.starts_with("users ")).unwrap().split_once(' ').unwrap().1.trim().to_owned()
    };
    assert_eq!(users(&home), "all");
    home.configure(&with("access: { users: { Alice: write, bob: none }, groups: { 100: read } },"));
    assert!(done(home.run(&["reload"])).contains("share /export (access)"));
    assert_eq!(users(&home), "Alice write, bob none, group 100 read");
}
