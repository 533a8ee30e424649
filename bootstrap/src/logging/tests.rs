use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::Level;
use tracing::subscriber::with_default;

use super::limiter::Limiter;
use super::*;
use crate::config::{LogFormat, LogLevel, LogLevels};

/// The text that was written.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the lines that are logged while something is done.
fn logged(format: LogFormat, levels: &str, work: impl FnOnce(&Lines)) -> Vec<String> {
    let paper = Paper::default();
    let lines = Lines::new(Box::new(paper.clone()), format);
    let levels: LogLevels = levels.parse().unwrap();
    let subscriber =
        registry().with(levels::targets(&levels, false)).with(LineLayer::new(lines.clone(), Arc::default()));
    with_default(subscriber, || work(&lines));
    let text = String::from_utf8(paper.0.lock().clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("the store failed\n\nContext:\n   url: http://user:hush@host/x\n\nBacktrace:\n   0: one\n   1: two")]
struct LongError;

#[test]
fn a_record_is_one_line_without_backtrace_and_password() {
    let lines = logged(LogFormat::Text, "info", |_| {
        tracing::warn!(error = %LongError, name = "a\u{1b}b", "two\nlines");
    });
    let [line] = lines.as_slice() else { panic!("{lines:#?}") };
    assert!(
        line.ends_with(
            "two | lines error=the store failed | Context: | url: http://(hidden)@host/x name=\"a\\u{1b}b\""
        ),
        "{line}"
    );
}

#[test]
fn an_error_is_logged_with_its_causes_once() {
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Quoting);
    #[derive(Debug, thiserror::Error)]
    #[error("middle: {0}")]
    struct Quoting(#[source] io::Error);
    let error = Outer(Quoting(io::Error::other("inner")));
    let lines = logged(LogFormat::Text, "info", |_| {
        tracing::warn!(error = &error as &(dyn std::error::Error + 'static), "failed");
    });
    assert!(lines[0].ends_with("failed error=outer: middle: inner"), "{lines:?}");
}

#[test]
fn a_line_of_json_tells_its_spans_once() {
    let lines = logged(LogFormat::Json, "debug", |_| {
        let span = tracing::debug_span!(target: "dittofs", "rpc", xid = 7, peer = "p");
        let _in = span.enter();
        tracing::info!(target: "dittofs", bytes = 5, level = "mine", "message\nof two");
    });
    let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((lines.len(), &line["message"], &line["bytes"]), (1, &"message\nof two".into(), &5.into()));
    assert_eq!((&line["level"], &line["level_"]), (&"INFO".into(), &"mine".into()));
    assert_eq!(line["spans"], serde_json::json!([{"name": "rpc", "xid": 7, "peer": "p"}]));
    assert!(line.get("span").is_none(), "{line}");
}

#[test]
fn libraries_tell_no_more_than_warnings_unless_they_are_named() {
    let talk = |_: &Lines| {
        tracing::debug!(target: "hyper::client", "theirs");
        tracing::debug!(target: "opendal", "not asked for");
        tracing::warn!(target: "opendal", "a warning");
        tracing::debug!(target: "dittofs_nfs", "ours");
        tracing::error!(target: "audit", "never here");
    };
    let count = |levels: &str| logged(LogFormat::Text, levels, talk).len();
    assert_eq!(["error", "warn", "info", "debug", "trace", "info,hyper=debug"].map(count), [0, 1, 1, 2, 2, 2]);
}

#[test]
fn a_library_can_not_fill_the_log_with_one_record() {
    let lines = logged(LogFormat::Text, "info", |_| {
        tracing::warn!(target: "opendal", text = %"x".repeat(1 << 20), "much");
    });
    assert!(lines[0].len() < 2_000 && lines[0].ends_with('…'), "{}", lines[0].len());
}

#[test]
fn events_of_a_kind_are_held_back_and_counted() {
    let lines = logged(LogFormat::Text, "info", |lines| {
        for number in 0..1_000 {
            for share in ["/a", "/b"] {
                tracing::info!(target: "dittofs", %share, number, "refused");
            }
        }
        tracing::info!(target: "dittofs", "another kind");
        lines.report_held(false);
        lines.report_held(true);
    });
    assert_eq!(lines.iter().filter(|line| line.contains("refused share=/a number=")).count(), 3, "{lines:#?}");
    let expected = "997 more of this kind in the last minute: refused share=/";
    assert_eq!(lines.iter().filter(|line| line.contains(expected)).count(), 2, "{lines:#?}");
    assert_eq!(lines.len(), 3 + 3 + 1 + 2);
}

#[test]
fn what_goes_on_is_reported_once_a_minute_and_what_has_ended_begins_anew() {
    let (mut limiter, start) = (Limiter::new(3), Instant::now());
    let written = |limiter: &mut Limiter<()>, at: u64| {
        let now = start + Duration::from_secs(at);
        (0..100).filter(|_| limiter.admits("kind", now, || ())).count()
    };
    let reported = |limiter: &mut Limiter<()>, at: u64| -> Vec<u64> {
        limiter.take_held(start + Duration::from_secs(at), false).iter().map(|held| held.count).collect()
    };
    assert_eq!((written(&mut limiter, 0), written(&mut limiter, 30)), (3, 0));
    assert!(reported(&mut limiter, 59).is_empty());
    assert_eq!(reported(&mut limiter, 61), [197]);
    assert_eq!((written(&mut limiter, 62), reported(&mut limiter, 122)), (1, vec![99]));
    assert!(reported(&mut limiter, 300).is_empty());
    assert_eq!(written(&mut limiter, 301), 3);
}

#[test]
fn kinds_are_bounded() {
    let (mut limiter, now) = (Limiter::new(3), Instant::now());
    let written = (0..10_000).filter(|kind| limiter.admits(kind, now, || *kind)).count();
    assert_eq!(written, 1_024 + 3, "those beyond are of one kind");
    let held = limiter.take_held(now, true);
    assert!(held.len() == 1 && held[0].common.is_none() && held[0].count == 10_000 - 1_024 - 3, "{held:?}");
}

#[test]
fn levels_are_shown_as_they_are_written() {
    for text in ["info", "warn,hyper=debug,dittofs_nfs=trace"] {
        assert_eq!(text.parse::<LogLevels>().unwrap().to_string(), text);
    }
    assert_eq!("hyper=debug".parse::<LogLevels>().unwrap().server, LogLevel::Info);
}

#[test]
fn asking_whether_an_event_is_wanted_is_answered_rightly_and_loses_none() {
    let lines = logged(LogFormat::Text, "debug", |_| {
        assert!(tracing::enabled!(target: "dittofs", Level::DEBUG));
        assert!(!tracing::enabled!(target: "audit", Level::INFO));
        tracing::debug!(target: "dittofs", "after it");
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
}
