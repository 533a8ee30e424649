//! SMB as an operator sees it: metrics and log.

use std::{
    fs,
    time::{Duration, Instant},
};

use dittofs_tests::exposition::Exposition;

use crate::{
    smb::{World, is_installed},
    watching::{metrics, monitoring},
};

fn count(of: &Exposition, procedure: &str, result: &str) -> f64 {
    of.value("dittofs_operations_total", &[("protocol", "smb"), ("procedure", procedure), ("result", result)])
}

#[tokio::test]
async fn requests_are_counted_by_command_and_result() {
    if !is_installed() {
        return;
    }
    let world = World::new("  admin: { listen: 127.0.0.1:0 }\n");
    world.give_root().await;
    let address = monitoring(&world.home);
    let before = metrics(address);
    assert_eq!(count(&before, "CREATE", "OK"), 0.0);
    fs::write(world.path("there"), vec![7; 3_000]).unwrap();
    world.done(&format!("put {} file", world.path("there")), &[]);
    assert!(!world.client("get none", &[]).status.success());
    let after = metrics(address);
    assert_eq!(count(&after, "WRITE", "OK"), 1.0);
    assert_eq!(count(&after, "CREATE", "OK"), 1.0);
    assert_eq!(count(&after, "CREATE", "OBJECT_NAME_NOT_FOUND"), 1.0);
    assert_eq!(count(&after, "SESSION_SETUP", "OK"), 2.0);
    assert_eq!(count(&after, "SESSION_SETUP", "MORE_PROCESSING_REQUIRED"), 2.0);
    let labels = [("protocol", "smb"), ("procedure", "CREATE")];
    assert_eq!(after.value("dittofs_operation_duration_seconds_count", &labels), 2.0);
    let seconds = after.value("dittofs_operation_duration_seconds_sum", &labels);
    assert!(seconds > 0.0 && seconds < 10.0, "{seconds}");
    // A session ends once its connection was seen to end.
    let began = Instant::now();
    while metrics(address).value("dittofs_sessions", &[("adapter", "smb")]) > 0.0 {
        assert!(began.elapsed() < Duration::from_secs(10), "sessions are left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let labels = [("adapter", "smb"), ("procedure", "WRITE")];
    assert_eq!(after.value("dittofs_requests_in_flight", &labels), 0.0);
    let received = after.value("dittofs_received_bytes_total", &[("adapter", "smb")]);
    assert!((3_000.0..100_000.0).contains(&received), "{received}");
}

#[test]
fn a_flood_of_refused_logons_is_a_few_lines() {
    if !is_installed() {
        return;
    }
    let world = World::new("");
    for _ in 0..8 {
        assert!(!world.client_as("alice", "wrong", "ls", &[]).status.success());
    }
    let log = world.home.log();
    assert_eq!(log.lines().filter(|line| line.contains("logon refused")).count(), 3, "{log}");
}

#[test]
fn each_request_is_a_line_for_who_wants_it() {
    if !is_installed() {
        return;
    }
    let world = World::new("log: { level: debug, slow_ms: 0 }\n");
    world.done("ls", &[]);
    let log = world.home.log();
    let is_call = |line: &&str| line.contains(" call ") && line.contains("procedure=QUERY_DIRECTORY");
    let line = log.lines().find(is_call).unwrap_or_else(|| panic!("{log}"));
    for part in ["share=/export", "user=alice", "file=", "result=SUCCESS", "us="] {
        assert!(line.contains(part), "{part}: {line}");
    }
}
