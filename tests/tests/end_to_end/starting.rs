//! The reasons that keep a server from starting, and what it leaves behind.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path};

use crate::{
    object_store::write_file,
    session::{Session, home, pattern, user},
};

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_port_in_use_is_reported_before_any_store_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for configuration in
        [None, Some(format!("adapters: {{ nfs: {{ listen: \"127.0.0.1:0\", portmap: \"{address}\" }} }}\n"))]
    {
        let home = home(configuration.as_deref());
        let words: &[&str] = match &configuration {
            None => &["serve", "--nfs", &address.to_string()],
            Some(_) => &["serve"],
        };
        let output = home.run(words);
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(
            log.contains(&format!("can't listen on {address}")) && log.contains("name another address by"),
            "{log}"
        );
        for folder in ["metadata", "content", "journal"] {
            assert!(!home.data().join(folder).exists(), "{folder}: {log}");
        }
    }
}

#[test]
fn a_folder_of_something_else_is_refused_and_left_as_it_is() {
    // A file of the server's that is made early would be in it, too.
    let home = home(Some("log: { audit: audit.log }\n"));
    fs::create_dir(home.data()).unwrap();
    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(home.data().join("photo"), "precious").unwrap();
    for words in [&["serve", "--nfs", "127.0.0.1:0"][..], &["share", "list"], &["check"]] {
        let output = home.run(words);
        let log = String::from_utf8_lossy(&output.stderr);
        if words[0] == "serve" {
            assert!(!output.status.success() && log.contains("is not a data folder: there is `photo` in it"), "{log}");
        }
        let names: Vec<_> = fs::read_dir(home.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!((mode_of(&home.data()), names), (0o755, vec!["photo".into()]), "{words:?}");
    }
}

const TWO: &str = "metadata: { stores: { m: { type: redb, redb: { path: metadata } } } }\n\
                   content: { stores: { a: { type: fs, fs: { path: a } }, b: { type: fs, fs: { path: b } } } }\n\
                   shares:\n\
                   - { name: /export, metadata_store: m, content_store: a, squash: none }\n\
                   - { name: /other, metadata_store: m, content_store: b, squash: none }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_at_one_share_closes_the_others_cleanly() {
    let home = home(Some(TWO));
    let server = home.start();
    for share in ["/export", "/other"] {
        let mut session = Session::open(server.address(), share, &user(0, 0, &[])).await;
        write_file(&mut session, "file", &pattern(100_000)).await;
    }
    assert!(server.stop().status.success());
    let (b, away) = (home.data().join("b"), home.path().join("away"));
    fs::rename(&b, &away).unwrap();
    let refused = home.try_start(&[]).err().expect("a share has lost its content");
    assert_eq!(refused.status.code(), Some(1), "{}", refused.log);
    assert!(refused.log.contains("share `/other` can't be opened"), "{}", refused.log);
    fs::remove_dir_all(&b).unwrap();
    fs::rename(&away, &b).unwrap();
    // A share that was closed cleanly needs nothing of its journal.
    fs::remove_dir_all(home.data().join("journal")).unwrap();
    let server = home.start();
    assert!(!home.log().contains("was not closed"), "{}", home.log());
    assert!(server.stop().status.success());
}

#[test]
fn a_configuration_is_found_where_the_command_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let program = env!("CARGO_BIN_EXE_dittofs-under-test");
        let output = std::process::Command::new(program).args(words).current_dir(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (status, output) = run(&["config", "check"]);
    assert!(status == Some(0) && output.starts_with("reading no file"), "{output}");
    assert_eq!(run(&["init"]).0, Some(0));
    let (status, output) = run(&["init"]);
    assert!(
        status == Some(1) && output.contains("is there already, and is not overwritten; name another file"),
        "{output}"
    );
    let (status, output) = run(&["config", "check"]);
    assert!(status == Some(0) && output.starts_with("reading dittofs.yaml\n"), "{output}");
    fs::write(folder.path().join("dittofs.yaml"), "log: { level: loud }\n").unwrap();
    for words in [&["config", "check"][..], &["serve", "--data", "data"], &["share", "list"]] {
        let (status, output) = run(words);
        assert!(status == Some(2) && output.contains("log.level: `loud`"), "{words:?}: {output}");
    }
}

#[test]
fn files_that_a_configuration_names_are_looked_for_all_at_once() {
    let configuration = "metadata: { stores: { m: { type: redb, redb: { path: metadata } } } }\n\
                         content: { stores: { c: { type: s3, s3: { bucket: b, region: r, \
                         credentials: { from: file, path: /nowhere/keys } } } } }\n\
                         shares:\n\
                         - { name: /a, metadata_store: m, content_store: c, encryption: { key_file: /nowhere/a } }\n\
                         - { name: /b, metadata_store: m, content_store: c, encryption: { key_file: /nowhere/b } }\n";
    let output = home(Some(configuration)).run(&["config", "check"]);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    for expected in ["/nowhere/a", "/nowhere/b", "content.stores.c.s3.credentials.path: /nowhere/keys is not there"] {
        assert!(text.contains(expected), "{text}");
    }
}
