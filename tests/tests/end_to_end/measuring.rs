//! Metrics: what is counted is what happened, and what is shown is what is documented.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    os::unix::{fs::FileExt, net::UnixStream},
    path::{Path, PathBuf},
};

use dittofs_tests::{
    exposition::Exposition,
    ports::own_place,
    rpc::{Credential, MOUNT, NFS, RpcConnection, record},
    server::{Home, Server},
};
use nfs3_client::nfs3_types::{nfs3::*, xdr_codec::Opaque};

use crate::{
    checking::objects,
    persistence::root_of,
    session::{home, pattern, place},
    watching::{WATCHED, metrics, monitoring},
};

/// Brings everything to the content store.
fn flush(home: &Home) {
    let mut socket = UnixStream::connect(home.data().join("control.sock")).unwrap();
    socket.write_all(b"POST /v1/flush HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut reply = String::new();
    socket.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
}

/// Replies to calls of NFS since an earlier look: procedure, result, count.
fn replies(before: &Exposition, after: &Exposition) -> BTreeSet<(String, String, u64)> {
    let samples = &after.families["dittofs_operations_total"].samples;
    let of_nfs = samples.iter().filter(|sample| sample.labels["protocol"] == "nfs3");
    let changed = of_nfs.filter_map(|sample| {
        let labels: Vec<(&str, &str)> = sample.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        let more = sample.value - before.value("dittofs_operations_total", &labels);
        let label = |name: &str| sample.labels[name].clone();
        (more > 0.0).then(|| (label("procedure"), label("result"), more as u64))
    });
    changed.collect()
}

fn expected<const N: usize>(counts: [(&str, &str, u64); N]) -> BTreeSet<(String, String, u64)> {
    counts.map(|(procedure, result, count)| (procedure.to_owned(), result.to_owned(), count)).into()
}

fn connection(server: &Server) -> RpcConnection {
    RpcConnection::open(server.address(), Credential::user(0, 0), 1)
}

#[test]
fn calls_are_counted_by_their_results_exactly() {
    let home = home(Some(WATCHED));
    let server = home.start();
    let address = monitoring(&home);
    let mut connection = connection(&server);
    let root = connection.mount("/export");
    let before = metrics(address);
    let lookup = |name: &'static [u8]| LOOKUP3args { what: place(&root, name) };
    let call = |connection: &mut RpcConnection, procedure: NFS_PROGRAM, name| {
        let _: LOOKUP3res = connection.call(NFS, procedure as u32, &lookup(name));
    };
    let how = createhow3::GUARDED(sattr3::default());
    let create = CREATE3args { where_: place(&root, b"file"), how };
    for _ in 0..2 {
        let _: CREATE3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_CREATE as u32, &create);
    }
    for name in [&b"file"[..], b"none", b"neither", b"file", b"file"] {
        call(&mut connection, NFS_PROGRAM::NFSPROC3_LOOKUP, name);
    }
    for _ in 0..100 {
        let _: GETATTR3res =
            connection.call(NFS, NFS_PROGRAM::NFSPROC3_GETATTR as u32, &GETATTR3args { object: root.clone() });
    }
    let bad = nfs_fh3 { data: Opaque::owned(vec![1; 7]) };
    let _: GETATTR3res = connection.call(NFS, NFS_PROGRAM::NFSPROC3_GETATTR as u32, &GETATTR3args { object: bad });
    let after = metrics(address);
    let counts = [
        ("CREATE", "EXIST", 1),
        ("CREATE", "OK", 1),
        ("GETATTR", "BADHANDLE", 1),
        ("GETATTR", "OK", 100),
        ("LOOKUP", "NOENT", 2),
        ("LOOKUP", "OK", 3),
    ];
    assert_eq!(replies(&before, &after), expected(counts));
    let duration = |suffix: &str| {
        let name = format!("dittofs_operation_duration_seconds{suffix}");
        after.value(&name, &[("protocol", "nfs3"), ("procedure", "GETATTR")])
    };
    assert_eq!(duration("_count"), 101.0);
    assert!(duration("_sum") > 0.0 && duration("_sum") < 10.0);
    let mount = [("protocol", "mount3"), ("procedure", "MNT"), ("result", "OK")];
    assert!(after.value("dittofs_operations_total", &mount) >= 1.0);
}

#[test]
fn calls_that_rpc_refuses_and_calls_that_are_sent_again_are_told_apart() {
    let home = home(Some(WATCHED));
    let server = home.start();
    let address = monitoring(&home);
    let root = connection(&server).mount("/export");
    let before = metrics(address);
    let user = Credential::user(0, 0);
    let how = createhow3::GUARDED(sattr3::default());
    let create = CREATE3args { where_: place(&root, b"file"), how };
    let mut local = own_place();
    for _ in 0..3 {
        let mut connection = RpcConnection::open_from(local, server.address(), user.clone(), 1);
        local = connection.local();
        connection.queue_bytes(&record(7_001, NFS, NFS_PROGRAM::NFSPROC3_CREATE as u32, &user, &create));
        connection.send().unwrap();
        connection.receive().unwrap();
        connection.reset();
    }
    let mut connection = connection(&server);
    // No arguments where some should be, a procedure that NFS does not have, a program that nobody serves.
    for (xid, program, procedure) in [(1, NFS, 1), (2, NFS, 99), (3, MOUNT, 99), (4, (4_711, 1), 1)] {
        connection.queue_bytes(&record(xid, program, procedure, &user, &nfs3_client::nfs3_types::xdr_codec::Void));
    }
    connection.send().unwrap();
    (0..4).for_each(|_| drop(connection.receive().unwrap()));
    let after = metrics(address);
    let counts = [("CREATE", "OK", 3), ("GETATTR", "GARBAGE_ARGS", 1), ("UNKNOWN", "PROC_UNAVAIL", 1)];
    assert_eq!(replies(&before, &after), expected(counts));
    let nobody = [("protocol", "rpc"), ("procedure", "UNKNOWN"), ("result", "PROG_UNAVAIL")];
    assert_eq!(after.value("dittofs_operations_total", &nobody), 1.0);
    let replayed = [("adapter", "nfs"), ("result", "replayed")];
    assert_eq!(after.value("dittofs_duplicate_requests_total", &replayed), 2.0);
    assert_eq!(after.value("dittofs_duplicate_request_entries", &[("adapter", "nfs")]), 1.0);
    let accepted = |of: &Exposition| of.value("dittofs_connections_accepted_total", &[("adapter", "nfs")]);
    assert_eq!(accepted(&after) - accepted(&before), 4.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_seen_on_its_way_to_the_content_store() {
    const BYTES: usize = 1 << 20;
    let home = home(Some(WATCHED));
    let server = home.start();
    let address = monitoring(&home);
    let mut session = root_of(&server).await;
    let file = session.make_file(&session.root.clone(), b"file", 0o644).await;
    session.write_at(&file, 0, &pattern(BYTES), stable_how::FILE_SYNC).await.unwrap();
    let share = [("share", "/export")];
    let written = metrics(address);
    let value = |of: &Exposition, name: &str| of.value(name, &share);
    assert_eq!(value(&written, "dittofs_journal_written_bytes_total"), BYTES as f64);
    assert!(value(&written, "dittofs_journal_syncs_total") == 0.0, "it has one more label");
    let syncs = [("share", "/export"), ("result", "ok")];
    assert!(written.value("dittofs_journal_syncs_total", &syncs) >= 1.0);
    assert!(value(&written, "dittofs_journal_sync_duration_seconds_count") >= 1.0);
    let nfs = [("adapter", "nfs")];
    assert!(written.value("dittofs_received_bytes_total", &nfs) >= BYTES as f64);
    assert_eq!(value(&written, "dittofs_unflushed_files"), 1.0);
    assert!(value(&written, "dittofs_unflushed_bytes") >= BYTES as f64);
    flush(&home);
    let flushed = metrics(address);
    assert_eq!(value(&flushed, "dittofs_flushed_bytes_total"), BYTES as f64);
    assert_eq!(value(&flushed, "dittofs_flushed_objects_total"), 1.0);
    assert_eq!(value(&flushed, "dittofs_flush_failures_total"), 0.0);
    assert_eq!(value(&flushed, "dittofs_unflushed_oldest_age_seconds"), 0.0);
    assert_eq!(value(&flushed, "dittofs_unflushed_bytes"), 0.0);
    let put = [("share", "/export"), ("operation", "put"), ("result", "ok")];
    assert_eq!(flushed.value("dittofs_content_operations_total", &put), 1.0);
    let stored = value(&flushed, "dittofs_content_written_bytes_total");
    assert!(stored >= BYTES as f64 && stored < 1.1 * BYTES as f64, "{stored}");
    let plans = [("share", "/export"), ("operation", "apply"), ("result", "ok")];
    assert!(flushed.value("dittofs_metadata_operations_total", &plans) >= 3.0);

    let sent = flushed.value("dittofs_sent_bytes_total", &nfs);
    let misses = value(&flushed, "dittofs_cache_misses_total");
    for _ in 0..2 {
        assert_eq!(session.read_at(&file, 0, BYTES as u32).await.data.as_ref(), pattern(BYTES));
    }
    let read = metrics(address);
    assert!(read.value("dittofs_sent_bytes_total", &nfs) - sent >= 2.0 * BYTES as f64);
    assert!(value(&read, "dittofs_cache_misses_total") > misses, "the first read finds nothing");
    assert!(value(&read, "dittofs_cache_hits_total") >= (BYTES >> 17) as f64, "the second one finds all");
    assert!(value(&read, "dittofs_content_read_bytes_total") >= BYTES as f64);
    assert!(read.value("dittofs_cache_used_bytes", &[]) >= BYTES as f64);
    assert_eq!(value(&read, "dittofs_damaged_reads_total"), 0.0);
}

/// Flips a byte in the middle of the largest object.
fn damage(home: &Home) {
    let object: PathBuf = objects(home).remove(0);
    let file = fs::OpenOptions::new().read(true).write(true).open(&object).unwrap();
    let middle = file.metadata().unwrap().len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, middle).unwrap();
    file.write_all_at(&[byte[0] ^ 1], middle).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_an_error_a_count_and_a_line_that_names_the_file() {
    let home = home(Some(WATCHED));
    let server = home.start();
    let mut session = root_of(&server).await;
    let file = session.make_file(&session.root.clone(), b"file", 0o644).await;
    session.write_at(&file, 0, &pattern(1 << 20), stable_how::FILE_SYNC).await.unwrap();
    let id = session.attributes_of(&file).await.fileid;
    assert!(server.stop().status.success());
    damage(&home);
    let server = home.start();
    let address = monitoring(&home);
    let share = [("share", "/export")];
    assert_eq!(metrics(address).value("dittofs_damaged_reads_total", &share), 0.0);
    let mut session = root_of(&server).await;
    let read = session.read(&READ3args { file: file.clone(), offset: 0, count: 1 << 20 }).await.unwrap();
    assert!(matches!(read, Nfs3Result::Err((nfsstat3::NFS3ERR_IO, _))), "{read:?}");
    let after = metrics(address);
    assert!(after.value("dittofs_damaged_reads_total", &share) >= 1.0);
    let failed = [("protocol", "nfs3"), ("procedure", "READ"), ("result", "IO")];
    assert_eq!(after.value("dittofs_operations_total", &failed), 1.0);
    let log = home.log();
    let line = log.lines().find(|line| line.contains("an object is damaged")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(&format!("node={id}")) && line.contains("/export"), "{line}");
}

/// All protocols, with monitoring.
const ALL_PROTOCOLS: &str = "adapters: { admin: { listen: 127.0.0.1:0 }, smb: { listen: 127.0.0.1:0 } }\n";

/// Names of metrics in a text that is not only names.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("dittofs_") || word.starts_with("process_")).map(str::to_owned).collect()
}

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

#[test]
fn what_is_exposed_is_documented_and_what_is_documented_is_exposed() {
    let home = home(Some(ALL_PROTOCOLS));
    let _server = home.start();
    let exposed = metrics(monitoring(&home));
    let text = document("metrics.md");
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
        let [name, kind, labels, ..] = cells[..] else { panic!("{line}") };
        let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<String>>();
        Some((name.trim_end_matches('`').to_owned(), (kind.to_owned(), labels)))
    });
    let documented: std::collections::BTreeMap<_, _> = rows.collect();
    let names = |known: &mut dyn Iterator<Item = &String>| known.cloned().collect::<BTreeSet<String>>();
    assert_eq!(names(&mut exposed.families.keys()), names(&mut documented.keys()));
    for (name, family) in &exposed.families {
        let (kind, labels) = &documented[name];
        assert_eq!(*kind, family.kind, "{name}");
        for sample in &family.samples {
            let shown = sample.labels.keys().filter(|label| *label != "le").cloned().collect::<BTreeSet<String>>();
            assert_eq!(*labels, shown, "{name}");
        }
    }
}

#[test]
fn every_panel_of_the_dashboard_asks_for_what_there_is() {
    let home = home(Some(ALL_PROTOCOLS));
    let _server = home.start();
    let exposed = metrics(monitoring(&home));
    let dashboard: serde_json::Value = serde_json::from_str(&document("grafana-dashboard.json")).unwrap();
    let mut asked = BTreeSet::new();
    let panels = dashboard["panels"].as_array().unwrap();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let names = names_in(target["expr"].as_str().unwrap());
            assert!(!names.is_empty(), "{target}");
            asked.extend(names);
        }
    }
    let is_exposed = |name: &&String| {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().any(|suffix| {
            let family = name.strip_suffix(suffix).and_then(|name| exposed.families.get(name));
            family.is_some_and(|family| family.kind == "histogram")
        });
        let plain = exposed.families.get(*name).is_some_and(|family| family.kind != "histogram");
        of_histogram || plain
    };
    let missing: Vec<&String> = asked.iter().filter(|name| !is_exposed(name)).collect();
    assert!(missing.is_empty(), "panels ask for what no server has: {missing:?}");
    let base = |name: &String| {
        let suffixes = ["_bucket", "_sum", "_count"];
        suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name).to_owned()
    };
    let shown: BTreeSet<String> = asked.iter().map(base).collect();
    let hidden: Vec<&String> = exposed.families.keys().filter(|name| !shown.contains(*name)).collect();
    assert!(hidden.is_empty(), "metrics that no panel shows: {hidden:?}");
}
