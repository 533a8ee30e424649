//! The file of who changed what, with clients of SMB.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::smb::{World, is_installed};

/// User, procedure, action, name, new name, result.
type Line = [String; 6];

fn line(fields: [&str; 6]) -> Line {
    fields.map(str::to_owned)
}

/// What the file says, without what a client asks for besides.
fn lines(world: &World) -> Vec<Line> {
    let text = fs::read_to_string(world.home.data().join("audit.log")).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let field = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let lines = lines.filter(|line| !["attributes", "size"].contains(&field(line, "action").as_str()));
    lines
        .map(|line| {
            assert_eq!((field(&line, "client"), field(&line, "share")), ("127.0.0.1".into(), "/export".into()));
            ["user", "procedure", "action", "name", "to_name", "result"].map(|name| field(&line, name))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_what_is_recorded_and_who_only_reads_is_not() {
    if !is_installed() {
        return;
    }
    let world = World::new("    signing: optional\nlog: { audit: audit.log }\n");
    let (there, back) = (world.path("there"), world.path("back"));
    fs::write(&there, vec![7; 3 << 20]).unwrap();
    // Nothing is hers yet.
    assert!(!world.client(&format!("put {there} file"), &[]).status.success());
    world.give_root().await;
    let changes = format!("mkdir folder; put {there} folder\\file; rename folder\\file folder\\other");
    world.done(&changes, &[]);
    world.done(&format!("ls folder\\*; get folder\\other {back}"), &[]);
    world.done("del folder\\other", &[]);
    assert!(!world.client_as("alice", "wrong", "mkdir never", &[]).status.success());
    let expected = [
        line(["alice", "CREATE", "create", "file", "", "ACCESS_DENIED"]),
        line(["alice", "CREATE", "create", "folder", "", "OK"]),
        line(["alice", "CREATE", "create", "folder\\file", "", "OK"]),
        line(["alice", "WRITE", "write", "folder\\file", "", "OK"]),
        line(["alice", "SET_INFO", "rename", "folder\\file", "folder\\other", "OK"]),
        line(["", "CLOSE", "delete", "folder\\other", "", "OK"]),
    ];
    let began = Instant::now();
    // Those of NFS are told apart by what they lack.
    let seen = || lines(&world).into_iter().filter(|line| line[1] != "SETATTR").collect::<Vec<_>>();
    while seen() != expected {
        assert!(began.elapsed() < Duration::from_secs(10), "{:#?}", seen());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
