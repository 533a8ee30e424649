//! The log: few lines whatever happens, one for each event.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use dittofs_tests::{fault_proxy::FaultProxy, s3::S3Server, server::ONE_SHARE};
use nfs3_client::nfs3_types::nfs3::*;

use crate::{
    object_store::{configuration, write_file},
    persistence::root_of,
    session::{Session, home, pattern, user},
};

const MIB: usize = 1 << 20;
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
    let text = &log[before..];
    assert!(text.len() < 5_000, "{} bytes: {text}", text.len());
    assert!(text.contains("content store does not answer"), "{text}");
    assert!(text.lines().all(is_a_record), "{text}");
    proxy.end_outage();
    assert!(server.stop().status.success());
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
    let text = &log[before..];
    assert!(text.len() < 6_000, "{} bytes: {text}", text.len());
    assert!(text.contains("497 more of this kind in the last minute: mount refused"), "{text}");
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

#[test]
fn a_hangup_says_what_of_the_configuration_needs_a_restart() {
    let home = home(Some(&format!("{ONE_SHARE}log: {{ slow_ms: 500 }}\n")));
    let server = home.start();
    let hang_up = || {
        let before = home.log().len();
        server.hang_up();
        let began = Instant::now();
        while !home.log()[before..].contains("is read again") {
            assert!(began.elapsed() < Duration::from_secs(10), "{}", home.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        // It is the next thing that is said.
        std::thread::sleep(Duration::from_millis(300));
        home.log()[before..].to_owned()
    };
    // Settings of the command line are no change.
    let text = hang_up();
    assert!(!text.contains("needs a restart"), "{text}");
    home.configure(&format!(
        "{}cache: {{ memory: 64MiB }}\nlog: {{ slow_ms: 700, format: json, level: debug, audit: audit.log }}\n",
        ONE_SHARE.replace("/export", "/other")
    ));
    let before = home.log().len();
    server.hang_up();
    let began = Instant::now();
    while !home.log()[before..].contains("needs a restart") && began.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let text = home.log()[before..].to_owned();
    let line = text.lines().find(|line| line.contains("needs a restart")).unwrap_or_else(|| panic!("{text}"));
    for key in ["cache.memory", "log.slow_ms", "log.format", "log.audit"] {
        assert!(line.contains(key), "{key}: {line}");
    }
    assert!(line.contains("WARN") && !line.contains("level") && !line.contains("adapters"), "{line}");
    let line = text.lines().find(|line| line.contains("were taken")).unwrap_or_else(|| panic!("{text}"));
    for what in ["share /export (not", "share /other (new)", "log.level"] {
        assert!(line.contains(what), "{what}: {line}");
    }
    assert!(server.stop().status.success());
}

#[test]
fn the_configuration_is_logged_at_the_start() {
    let home = home(Some(
        "metadata: { stores: { m: { type: memory } } }\n\
         content: { stores: { m: { type: memory } } }\n\
         shares:\n\
         - { name: /a, metadata_store: m, content_store: m, secure_ports: true, quota: { bytes: 3GiB, files: 9 }, \
         atime: none, anonymous_uid: 77, anonymous_gid: 78, outage_seconds: 12 }\n\
         - { name: /b, metadata_store: m, content_store: m }\n\
         adapters: { limits: { connections: 99, connections_per_address: 98, strangers: 97, idle_seconds: 96 } }\n\
         log: { slow_ms: 321, audit: audit.log, format: json }\n",
    ));
    let server = home.start_as_configured();
    let log = home.log();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let logged = |message: &str, share: Option<&str>| {
        let is_it = |line: &&serde_json::Value| line["message"] == message && line["share"].as_str() == share;
        lines.iter().find(is_it).unwrap_or_else(|| panic!("{message}: {log}")).clone()
    };
    let of_log = logged("log", None);
    assert_eq!((&of_log["slow_ms"], &of_log["format"]), (&321.into(), &"json".into()));
    assert_eq!(of_log["audit"], home.data().join("audit.log").display().to_string());
    let limits = logged("adapters.limits", None);
    for (name, value) in [("connections", 99), ("connections_per_address", 98), ("strangers", 97), ("idle_seconds", 96)]
    {
        assert_eq!(limits[name], value, "{limits}");
    }
    assert!(limits["memory"].as_str().unwrap().ends_with('B'), "what `auto` comes to: {limits}");
    let share = logged("configured", Some("/a"));
    for (name, value) in [("quota_files", 9), ("anonymous_uid", 77), ("anonymous_gid", 78), ("outage_seconds", 12)] {
        assert_eq!(share[name], value, "{share}");
    }
    assert_eq!((&share["quota"], &share["atime"]), (&"3GiB".into(), &"none".into()));
    assert_eq!(share["secure_ports"], true);
    let share = logged("configured", Some("/b"));
    assert!(share["quota"] != "none" && share["quota_files"].is_null(), "a share in memory is bounded: {share}");
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
    let line = log.lines().find(|line| line.contains(" slow share=")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("WARN") && line.contains("procedure=READ") && line.contains("share=/export"), "{line}");
}
