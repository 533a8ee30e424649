//! A share whose metadata is in PostgreSQL, and whose content is in a folder.

mod away;
mod once;
mod restored;
mod round_trips;
mod tier;

use std::{
    fs,
    process::{Command, Output},
    time::{Duration, Instant},
};

use dittofs_postgres_test_server::{DATABASE, PASSWORD, Plain, PostgresServer, USER};
use dittofs_tests::server::Home;
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    persistence::root_of,
    session::{Session, home, pattern},
};

fn configuration(port: u16, password_file: &str) -> String {
    format!(
        "metadata: {{ stores: {{ m: {{ type: postgres, postgres: {{ host: 127.0.0.1, port: {port}, user: {USER}, \
         database: {DATABASE}, password_file: {password_file}, connect_timeout_seconds: 20 }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: fs, fs: {{ path: content }} }} }} }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c, squash: none }}]\n"
    )
}

/// Names and content of some files in a folder.
async fn write_files(session: &mut Session, folder: &[u8]) -> Vec<nfs_fh3> {
    let root = session.root.clone();
    let folder = session.make_directory(&root, folder, 0o755).await;
    let mut files = Vec::new();
    for number in 0..10 {
        let file = session.make_file(&folder, format!("file-{number}").as_bytes(), 0o640).await;
        session.write_at(&file, 0, &pattern(5_000 + number), stable_how::FILE_SYNC).await.unwrap();
        files.push(file);
    }
    files
}

async fn check_files(session: &mut Session, files: &[nfs_fh3]) {
    for (number, file) in files.iter().enumerate() {
        let read = session.read_at(file, 0, 100_000).await;
        assert!(read.data.as_ref() == pattern(5_000 + number), "file {number}");
        assert_eq!(session.attributes_of(file).await.mode, 0o640);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_outlive_the_server_and_the_database() {
    let mut database = PostgresServer::start();
    let home = home(None);
    let password = home.path().join("password");
    fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    home.configure(&configuration(database.port(), password.to_str().unwrap()));

    let server = home.start();
    let first = write_files(&mut root_of(&server).await, b"first").await;
    server.kill();
    let server = home.start();
    let mut session = root_of(&server).await;
    check_files(&mut session, &first).await;

    // The server goes on when the database is back, whatever way that went.
    database.crash();
    let back = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_millis(300));
        database.start_again();
        database
    });
    let second = write_files(&mut session, b"second").await;
    let mut database = back.await.unwrap();
    check_files(&mut session, &first).await;
    check_files(&mut session, &second).await;
    database.stop();
    database.start_again();
    check_files(&mut session, &second).await;
    assert!(server.stop().status.success());
    let server = home.start();
    check_files(&mut root_of(&server).await, &second).await;
    assert!(server.stop().status.success());
}

#[test]
fn a_start_without_the_database_says_what_is_wrong() {
    let mut database = PostgresServer::start();
    let home = home(None);
    let password = home.path().join("password");
    fs::write(&password, "hush-hush").unwrap();
    let configuration = configuration(database.port(), password.to_str().unwrap()).replace("seconds: 20", "seconds: 1");
    home.configure(&configuration);
    let refused = home.try_start(&[]).err().expect("the password is wrong");
    assert!(
        refused.log.contains("password authentication failed") && refused.log.contains("check `user`"),
        "{}",
        refused.log
    );
    assert!(!refused.log.contains("hush"), "the password is shown: {}", refused.log);
    database.stop();
    let refused = home.try_start(&[]).err().expect("the database is away");
    assert!(refused.log.contains("is PostgreSQL running there"), "{}", refused.log);
}

/// A data folder whose share is in a database.
fn home_over(database: &PostgresServer, seconds: u32) -> Home {
    home_by(database.port(), &format!("connect_timeout_seconds: {seconds}"))
}

/// The same through something that listens on a port, with other times.
fn home_by(port: u16, times: &str) -> Home {
    let home = home(None);
    let password = home.path().join("password");
    fs::write(&password, PASSWORD).unwrap();
    let configuration = configuration(port, password.to_str().unwrap());
    home.configure(&configuration.replace("connect_timeout_seconds: 20", times));
    home
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The commands that read the stores themselves do so over a database, too, but not beside a server elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_is_refused_and_so_are_commands_that_would_change_the_share() {
    let database = PostgresServer::start();
    let (first, second) = (home_over(&database, 20), home_over(&database, 1));
    let server = first.start();
    let mut session = root_of(&server).await;
    let files = write_files(&mut session, b"first").await;
    let has_it = format!("process {} on ", server.process());
    let refused = second.try_start(&[]).err().expect("the first one has the share");
    assert!(refused.log.contains(&has_it) && refused.log.contains("stop that server"), "{}", refused.log);
    for command in [["check"].as_slice(), &["share", "rename", "/export", "/other"]] {
        let refused = second.run(command);
        assert!(!refused.status.success() && text(&refused).contains(&has_it), "{command:?}: {}", text(&refused));
    }
    assert!(text(&second.run(&["share", "list"])).contains("/export"));

    // A machine whose server is stopped, and whose session a person ends: it hears of that when it goes on.
    server.signal("STOP");
    let mut person = Plain::connect(&database).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    person.carry_out(end).await;
    let stored = text(&second.run(&["share", "list"]));
    assert!(stored.contains("not served"), "{stored}");
    let checked = text(&second.run(&["check"]));
    assert!(!checked.contains(&has_it), "{checked}");
    server.signal("CONT");
    let begin = Instant::now();
    while session.state_of(&files[0]).await != nfsstat3::NFS3ERR_JUKEBOX {
        assert!(begin.elapsed() < Duration::from_secs(20), "it serves a share that it has lost");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// As the guide says: after a clean stop, the database by its own tools, and the content's folder beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_the_database_and_the_content_is_restored_elsewhere() {
    let (database, other) = (PostgresServer::start(), PostgresServer::start());
    let (home, restored) = (home_over(&database, 20), home_over(&other, 20));
    let server = home.start();
    let files = write_files(&mut root_of(&server).await, b"first").await;
    assert!(server.stop().status.success());
    let dump = database.dump();
    fs::create_dir_all(restored.data()).unwrap();
    let copied = Command::new("cp").arg("-a").args([home.data().join("content"), restored.data()]).status().unwrap();
    assert!(copied.success());

    // The original goes on, and the copy is used beside it.
    let server = home.start();
    let mut session = root_of(&server).await;
    let later = write_files(&mut session, b"later").await;
    other.restore(&dump);
    let copy = restored.start();
    let mut copied = root_of(&copy).await;
    check_files(&mut copied, &files).await;
    let root = copied.root.clone();
    assert_eq!(copied.find(&root, b"later").await, Err(nfsstat3::NFS3ERR_NOENT));
    write_files(&mut copied, b"of the copy").await;
    check_files(&mut session, &files).await;
    check_files(&mut session, &later).await;
    for (server, home) in [(server, &home), (copy, &restored)] {
        assert!(server.stop().status.success());
        let checked = home.run(&["check"]);
        assert!(checked.status.success(), "{}", text(&checked));
    }
}
