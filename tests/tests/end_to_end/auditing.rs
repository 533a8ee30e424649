//! The file of who changed what.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use dittofs_tests::server::ONE_SHARE;
use nfs3_client::nfs3_types::nfs3::*;
use serde_json::Value;

use crate::{
    persistence::root_of,
    session::{Session, home, user},
};

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_what_is_noted_and_the_file_can_be_rotated() {
    let home = home(Some(&format!("{ONE_SHARE}log: {{ audit: audit.log }}\n")));
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    let file = session.make_file(&root, b"file", 0o600).await;
    for offset in 0..10 {
        let _ = session.write_at(&file, offset, b"x", stable_how::UNSTABLE).await;
    }
    let mut other = Session::open(server.address(), "/export", &user(7, 8, &[])).await;
    assert!(matches!(other.write_at(&file, 0, b"x", stable_how::UNSTABLE).await, Nfs3Result::Err(_)));
    let (path, moved) = (home.data().join("audit.log"), home.path().join("moved"));
    let until_noted = |count: usize| {
        let began = Instant::now();
        while fs::read_to_string(&path).unwrap_or_default().lines().count() < count {
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", fs::read_to_string(&path));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until_noted(3);
    fs::rename(&path, &moved).unwrap();
    server.hang_up();
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", home.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    session.move_to((&root, b"file"), (&root, b"renamed")).await.unwrap();
    assert!(server.stop().status.success());
    let summary = |line: &Value| {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        (line["uid"].as_u64().unwrap(), text("procedure"), text("name"), text("result"))
    };
    let expected = |uid, procedure: &str, name: &str, result: &str| {
        (uid, procedure.to_owned(), name.to_owned(), result.to_owned())
    };
    let first: Vec<_> = lines(&moved).iter().map(summary).collect();
    let create = expected(0, "CREATE", "file", "OK");
    assert_eq!(first, [create, expected(0, "WRITE", "", "OK"), expected(7, "WRITE", "", "ACCES")]);
    let second = lines(&path);
    assert_eq!(second.len(), 1, "{second:?}");
    assert_eq!(summary(&second[0]), expected(0, "RENAME", "file", "OK"));
    assert_eq!((&second[0]["to_name"], &second[0]["client"]), (&"renamed".into(), &"127.0.0.1".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_over_and_over_does_not_fill_the_file_and_what_succeeds_is_all_in_it() {
    const CHANGES: u64 = 300;
    let home = home(Some(&format!("{ONE_SHARE}log: {{ audit: audit.log }}\n")));
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    session.make_file(&root, b"file", 0o600).await;
    let mut other = Session::open(server.address(), "/export", &user(7, 8, &[])).await;
    for number in 0..CHANGES {
        assert!(matches!(other.remove_file(&root, b"file").await, Nfs3Result::Err(_)));
        session.make_directory(&root, number.to_string().as_bytes(), 0o755).await;
    }
    assert!(server.stop().status.success());
    let lines = lines(&home.data().join("audit.log"));
    let of = |procedure: &str, result: &str| {
        let found = lines.iter().filter(|line| line["procedure"] == procedure && line["result"] == result);
        found.collect::<Vec<_>>()
    };
    assert_eq!((of("MKDIR", "OK").len() as u64, of("CREATE", "OK").len()), (CHANGES, 1));
    let refused = of("REMOVE", "ACCES");
    let more: u64 = refused.iter().filter_map(|line| line["more"].as_u64()).sum();
    let single = refused.iter().filter(|line| line["more"].is_null()).count() as u64;
    assert!(single + more == CHANGES && (10..30).contains(&single), "{single} and {more}: {refused:#?}");
    assert!(refused.len() < 40 && refused.iter().all(|line| line["client"] == "127.0.0.1"), "{refused:#?}");
}
