use std::io;
use std::sync::OnceLock;

use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

use super::super::{LineLayer, Lines, levels};
use super::*;
use crate::config::{LogFormat, LogLevel, LogLevels};

/// Does something while changes are recorded at this place.
fn noting(path: &Path, work: impl FnOnce(&Audit)) {
    let audit = Audit::open(path).unwrap();
    let lines = Lines::new(Box::new(io::sink()), LogFormat::Text);
    let targets = levels::targets(&LogLevels::of(LogLevel::Error), true);
    let opened = Arc::new(OnceLock::from(audit.clone()));
    let subscriber = registry().with(targets).with(LineLayer::new(lines, opened));
    with_default(subscriber, || work(&audit));
    audit.finish();
}

fn recorded(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn changes_are_noted_in_a_file_that_may_be_moved_away() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("log/audit"), folder.path().join("log/audit.1"));
    noting(&path, |audit| {
        tracing::info!(target: "audit", uid = 7, name = "a\nb", result = "OK", "change");
        tracing::info!(target: "dittofs", "not a change");
        audit.finish();
        std::fs::rename(&path, &moved).unwrap();
        tracing::info!(target: "audit", uid = 8, result = "OK", "change");
        audit.reopen();
        tracing::info!(target: "audit", uid = 9, result = "OK", "change");
    });
    let uids = |path: &Path| -> Vec<Value> { recorded(path).iter().map(|line| line["uid"].clone()).collect() };
    assert_eq!((uids(&moved), uids(&path)), (vec![7.into(), 8.into()], vec![9.into()]));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o007, 0);
}

#[test]
fn refused_changes_of_a_kind_are_counted_and_those_that_succeed_are_all_noted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    noting(&path, |audit| {
        for uid in 0..1_000 {
            tracing::info!(target: "audit", client = %"10.0.0.1", uid, procedure = ?"REMOVE", share = %"/a", result = "ACCES");
            tracing::info!(target: "audit", client = %"10.0.0.1", uid, procedure = ?"REMOVE", share = %"/a", result = "OK");
            // One machine, whichever address it takes.
            let client = format!("2001:db8::{uid:x}");
            tracing::info!(target: "audit", %client, uid, procedure = ?"MKDIR", share = %"/a", result = "ROFS");
        }
        tracing::info!(target: "audit", client = %"10.0.0.2", uid = 0, procedure = ?"REMOVE", share = %"/a", result = "ACCES");
        audit.report_held(false);
        audit.report_held(true);
        audit.report_held(true);
    });
    let lines = recorded(&path);
    let of =
        |name: &str, value: &str| lines.iter().filter(|line| line[name] == value && line["more"].is_null()).count();
    assert_eq!((of("result", "OK"), of("result", "ACCES"), of("result", "ROFS")), (1_000, 11, 10));
    let mut more: Vec<(String, &Value)> =
        lines.iter().filter(|line| !line["more"].is_null()).map(|line| (line["client"].to_string(), line)).collect();
    more.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(more.len(), 2, "{more:?}");
    for ((_, line), (client, result)) in more.iter().zip([("10.0.0.1", "ACCES"), ("2001:db8::/64", "ROFS")]) {
        assert_eq!((&line["client"], &line["result"], &line["more"]), (&client.into(), &result.into(), &990.into()));
        assert_eq!((&line["share"], &line["message"]), (&"/a".into(), &"990 more like this in the last minute".into()));
    }
}

#[test]
fn kinds_of_refusals_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    noting(&path, |audit| {
        for client in 0..5_000 {
            tracing::info!(target: "audit", client = %format!("10.0.{}.{}", client / 256, client % 256), result = "ACCES");
        }
        audit.report_held(true);
    });
    let lines = recorded(&path);
    assert_eq!(lines.len(), 1_024 + 10 + 1, "those beyond are of one kind");
    assert_eq!(lines.last().unwrap()["message"], format!("{} more refusals", 5_000 - 1_024 - 10));
}
