//! The log: few lines whatever happens, one for each event, no secrets; and the file of who changed what.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use dittofs_tests::{
    fault_proxy::FaultProxy,
    s3::{S3Server, SECRET_KEY},
    server::ONE_SHARE,
};
use nfs3_client::nfs3_types::nfs3::*;
use rstest::rstest;

use crate::{
    object_store::{configuration, write_file},
    persistence::root_of,
    session::{Session, home, pattern, user},
};

const MIB: usize = 1 << 20;
/// Every library that the server hands secrets to, or that speaks for it.
const LIBRARIES: [&str; 12] = [
    "opendal",
    "opendal_core",
    "opendal_service_s3",
    "opendal_layer_retry",
    "reqsign_core",
    "reqsign_aws_core",
    "reqsign_aws_v4",
    "hyper",
    "hyper_util",
    "hyper_rustls",
    "rustls",
    "log",
];

fn is_a_record(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.len() > 20 && bytes[4] == b'-' && bytes[10] == b'T' && line.contains('Z')
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_without_its_store_is_a_few_lines() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&configuration(proxy.address(), "outage_seconds: 3"))).with_variable("RUST_BACKTRACE", "1");
    let server = home.start();
    let mut session = root_of(&server).await;
    let cold = write_file(&mut session, "cold", &pattern(MIB)).await;
    assert!(server.stop().status.success());
    let server = home.start();
    let mut session = root_of(&server).await;
    let before = home.log().len();
    proxy.begin_outage();
    let (began, mut number) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(62) {
        number += 1;
        let arguments = READ3args { file: cold.clone(), offset: number % 32 * 32_768, count: 4_096 };
        let _ = session.read(&arguments).await.unwrap();
        if number < 20 {
            write_file(&mut session, &format!("new {number}"), &pattern(100_000)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let log = home.log();
    let told = &log[before..];
    assert!(told.len() < 5_000, "{} bytes: {told}", told.len());
    assert!(told.contains("content store does not answer"), "{told}");
    assert!(told.lines().all(is_a_record), "{told}");
    proxy.end_outage();
    assert!(server.stop().status.success());
}

#[rstest]
#[case::text("text")]
#[case::json("json")]
#[tokio::test(flavor = "multi_thread")]
async fn no_level_of_the_log_tells_a_secret(#[case] format: &str) {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let named: Vec<String> = LIBRARIES.iter().map(|library| format!("{library}=trace")).collect();
    let log = format!("log: {{ level: \"trace,{}\", format: {format} }}\n", named.join(","));
    let configuration = configuration(proxy.address(), "compression: none") + &log;
    let home = home(Some(&configuration));
    let server = home.start();
    let mut session = root_of(&server).await;
    write_file(&mut session, "file", &pattern(MIB)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    proxy.begin_outage();
    write_file(&mut session, "another", &pattern(100_000)).await;
    server.hang_up();
    for words in [&["share", "list"][..], &["share", "show", "/export"], &["config", "check"]] {
        let told = home.run(words);
        for text in [&told.stdout, &told.stderr] {
            assert!(!String::from_utf8_lossy(text).contains(SECRET_KEY));
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let log = home.log();
    assert!(log.contains("credential provider"), "the libraries are not heard");
    assert!(!log.contains(SECRET_KEY));
    proxy.end_outage();
    assert!(server.stop().status.success());
    assert!(!home.log().contains(SECRET_KEY));
}

#[test]
fn a_password_in_an_address_is_told_by_nobody() {
    let address = TcpStream::connect("127.0.0.1:9").map_or("127.0.0.1:9".to_owned(), |_| "127.0.0.1:1".to_owned());
    let named: Vec<String> = LIBRARIES.iter().map(|library| format!("{library}=trace")).collect();
    let configuration = format!(
        "metadata: {{ stores: {{ m: {{ type: redb, redb: {{ path: metadata }} }} }} }}\n\
         content: {{ stores: {{ c: {{ type: s3, s3: {{ bucket: b, endpoint: \"http://someone:hunter2@{address}\", \
         credentials: {{ from: keys, access_key_id: a, secret_access_key: hunter3 }}, \
         transfer: {{ retries: 1, timeout_seconds: 2 }} }} }} }} }}\n\
         shares: [{{ name: /export, metadata_store: m, content_store: c }}]\n\
         log: {{ level: \"trace,{}\" }}\n",
        named.join(",")
    );
    let home = home(Some(&configuration));
    for words in [&["serve", "--nfs", "127.0.0.1:0"][..], &["config", "check"], &["check"], &["share", "list"]] {
        let told = home.run(words);
        let all = [told.stdout, told.stderr].concat();
        let all = String::from_utf8_lossy(&all);
        assert!(!all.contains("hunter"), "{words:?}: {all}");
        if words[0] == "serve" {
            assert!(!told.status.success() && all.contains("(hidden)@"), "{all}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_mounts_and_broken_connections_do_not_fill_the_log() {
    let home = home(Some(ONE_SHARE));
    let server = home.start();
    let before = home.log().len();
    for number in 0..500 {
        assert!(Session::mount(server.address(), &format!("/nowhere/{number}"), &user(0, 0, &[])).await.is_err());
        let mut broken = TcpStream::connect(server.address()).unwrap();
        broken.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let _ = broken.read(&mut [0; 16]);
    }
    assert!(server.stop().status.success());
    let log = home.log();
    let told = &log[before..];
    assert!(told.len() < 6_000, "{} bytes: {told}", told.len());
    assert!(told.contains("497 more of this kind in the last minute: mount refused"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_debug_each_request_is_a_line() {
    let home = home(Some(&format!("{ONE_SHARE}log: {{ level: debug, format: json }}\n")));
    let server = home.start();
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    session.make_directory(&root, b"fo\nlder", 0o755).await;
    assert!(session.find(&root, b"missing").await.is_err());
    assert!(server.stop().status.success());
    let log = home.log();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let call = |procedure: &str| {
        let calls = lines.iter().filter(|line| line["message"] == "call" && line["procedure"] == procedure);
        let calls: Vec<_> = calls.collect();
        assert_eq!(calls.len(), 1, "{log}");
        calls[0].clone()
    };
    let made = call("MKDIR");
    assert_eq!((&made["uid"], &made["share"], &made["result"]), (&0.into(), &"/export".into(), &"OK".into()));
    assert_eq!(made["name"], "fo\nlder");
    assert!(made["us"].is_u64() && made["client"].as_str().unwrap().starts_with("127.0.0.1:"), "{made}");
    assert_eq!((&call("LOOKUP")["result"], &call("LOOKUP")["name"]), (&"NOENT".into(), &"missing".into()));
    let mount = call("MNT");
    assert_eq!((&mount["uid"], &mount["path"], &mount["result"]), (&0.into(), &"/export".into(), &"OK".into()));
    assert!(mount["us"].is_u64() && mount["client"].as_str().unwrap().starts_with("127.0.0.1:"), "{mount}");
    assert_eq!(lines[0]["version"], env!("CARGO_PKG_VERSION"), "{log}");
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
    let lines = |path| -> Vec<serde_json::Value> {
        fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let told = |line: &serde_json::Value| {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        (line["uid"].as_u64().unwrap(), text("procedure"), text("name"), text("result"))
    };
    let expected = |uid, procedure: &str, name: &str, result: &str| {
        (uid, procedure.to_owned(), name.to_owned(), result.to_owned())
    };
    let first: Vec<_> = lines(moved).iter().map(told).collect();
    let create = expected(0, "CREATE", "file", "OK");
    assert_eq!(first, [create, expected(0, "WRITE", "", "OK"), expected(7, "WRITE", "", "ACCES")]);
    let second = lines(path);
    assert_eq!(second.len(), 1, "{second:?}");
    assert_eq!(told(&second[0]), expected(0, "RENAME", "file", "OK"));
    assert_eq!((&second[0]["to_name"], &second[0]["client"]), (&"renamed".into(), &"127.0.0.1".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_takes_a_new_level_and_never_ends_the_server() {
    let home = home(Some(ONE_SHARE));
    let server = home.start();
    let until = |what: &str| {
        let began = Instant::now();
        while !home.log().contains(what) {
            assert!(began.elapsed() < Duration::from_secs(10), "{what}: {}", home.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    home.configure("shares: nonsense\n");
    server.hang_up();
    until("the configuration can't be read again");
    home.configure(&format!("{ONE_SHARE}log: {{ level: debug }}\n"));
    server.hang_up();
    until("level=debug");
    let mut session = root_of(&server).await;
    let root = session.root.clone();
    session.attributes_of(&root).await;
    until("GETATTR");
    assert!(server.stop().status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_long_is_a_warning() {
    let bucket = S3Server::start();
    let proxy = FaultProxy::start(bucket.address());
    let home = home(Some(&(configuration(proxy.address(), "outage_seconds: 0") + "log: { slow_ms: 300 }\n")));
    let server = home.start();
    let cold = write_file(&mut root_of(&server).await, "cold", &pattern(MIB)).await;
    assert!(server.stop().status.success());
    let server = home.start();
    let mut session = root_of(&server).await;
    proxy.rule(|_| dittofs_tests::fault_proxy::Fate::Delay(Duration::from_millis(700)));
    let arguments = READ3args { file: cold, offset: 0, count: 4_096 };
    let _ = session.read(&arguments).await.unwrap();
    let log = home.log();
    let line = log.lines().find(|line| line.contains("slow")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("WARN") && line.contains("procedure=READ") && line.contains("share=/export"), "{line}");
}
