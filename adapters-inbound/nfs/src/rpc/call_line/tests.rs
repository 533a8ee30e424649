use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use dittofs_xdr::{Decoder, Encode, Encoder};
use futures_util::FutureExt;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use super::*;
use crate::nlm4::{self, program::tests::program};
use crate::portmap::{self, Portmap};
use crate::rpc::{AuthSys, Incoming, Procedure, Programs};

/// The fields of events, as text.
type Line = BTreeMap<&'static str, String>;

/// Keeps what is logged of calls.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Line>>>);

struct Fields<'a>(&'a mut Line);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == CALLS
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::new();
        event.record(&mut Fields(&mut line));
        self.0.lock().unwrap().push(line);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// A program whose calls name a path.
struct Toy {
    number: u32,
    logs_calls: bool,
}

#[async_trait]
impl Program for Toy {
    fn number(&self) -> u32 {
        self.number
    }

    fn versions(&self) -> &'static [u32] {
        &[3]
    }

    fn operations(&self) -> Operations {
        const PROCEDURES: [Procedure; 2] = [Procedure::sure("NULL"), Procedure::new("PEEL")];
        Operations { protocol: "toy", procedures: &PROCEDURES, statuses: &[(0, "OK"), (13, "ACCES")] }
    }

    fn logs_calls(&self) -> bool {
        self.logs_calls
    }

    fn path(&self, _: &Call) -> Option<String> {
        Some("/export".to_owned())
    }

    async fn call(&self, call: Call) -> Reply {
        if call.procedure == 1 { Reply::success(&13u32) } else { Reply::proc_unavail() }
    }
}

const TOY: u32 = 7;
const TOY_THAT_LOGS: u32 = 8;

fn of_user(uid: u32) -> Credential {
    let gids = std::iter::empty().collect();
    Credential::Sys(AuthSys { machine_name: Bytes::new(), uid, gid: 0, gids })
}

fn call((program, version, procedure): (u32, u32, u32), credential: Credential) -> Call {
    let mut encoder = Encoder::default();
    // A cookie for NLM, and a mapping for the portmapper.
    [0u32, 100_003, 3, 6, 0].iter().for_each(|word| word.encode(&mut encoder));
    let arguments = Decoder::new(encoder.finish().to_bytes());
    let peer = "192.0.2.1:700".parse().unwrap();
    Call {
        peer,
        local: [192, 0, 2, 9].into(),
        xid: 9,
        program,
        version,
        procedure,
        credential,
        arguments,
        record_bytes: 0,
    }
}

/// The lines that `work` brings about.
fn lines_of(work: impl FnOnce()) -> Vec<Line> {
    let recorder = Recorder::default();
    tracing::subscriber::with_default(recorder.clone(), work);
    let lines = recorder.0.lock().unwrap();
    lines.clone()
}

/// The lines of a call.
fn lines(name: (u32, u32, u32), credential: Credential) -> Vec<Line> {
    let toy = |number, logs_calls| Arc::new(Toy { number, logs_calls });
    let programs: Vec<Arc<dyn Program>> =
        vec![toy(TOY, false), toy(TOY_THAT_LOGS, true), Arc::new(program()), Arc::new(Portmap::new(Vec::new()))];
    lines_of(|| drop(Programs::new(programs).call(call(name, credential)).now_or_never().unwrap()))
}

#[test]
fn every_call_has_one_line_whatever_becomes_of_it() {
    let cases = [
        ((TOY, 3, 0), of_user(5), ["toy", "NULL", "OK"]),
        ((TOY, 3, 1), of_user(5), ["toy", "PEEL", "ACCES"]),
        ((TOY, 3, 2), of_user(5), ["toy", "2", "PROC_UNAVAIL"]),
        ((TOY, 4, 1), of_user(5), ["toy", "PEEL", "PROG_MISMATCH"]),
        ((TOY, 3, 1), Credential::Unknown(6), ["toy", "PEEL", "DENIED"]),
        ((TOY, 3, 0), Credential::Malformed, ["toy", "NULL", "DENIED"]),
        ((TOY_THAT_LOGS, 3, 0), of_user(5), ["toy", "NULL", "OK"]),
        ((TOY_THAT_LOGS, 3, 2), of_user(5), ["toy", "2", "PROC_UNAVAIL"]),
        ((99, 1, 4), of_user(5), ["rpc", "4", "PROG_UNAVAIL"]),
        ((nlm4::PROGRAM, 3, 2), of_user(5), ["nlm4", "LOCK", "DENIED_NOLOCKS"]),
        ((nlm4::PROGRAM, 3, 5), Credential::None, ["nlm4", "GRANTED", "DENIED"]),
        ((nlm4::PROGRAM, 4, 17), Credential::None, ["nlm4", "17", "PROC_UNAVAIL"]),
        ((portmap::PROGRAM, 2, 3), Credential::None, ["portmap2", "GETPORT", "OK"]),
    ];
    for (name, credential, logged) in cases {
        let uid = matches!(credential, Credential::Sys(_)).then_some("5");
        let lines = lines(name, credential);
        assert_eq!(lines.len(), 1, "{name:?}: {lines:?}");
        let text = |field: &str| lines[0].get(field).map(String::as_str);
        assert_eq!(["protocol", "procedure", "result"].map(text), logged.map(Some), "{name:?}");
        assert_eq!((text("client"), text("xid"), text("uid")), (Some("192.0.2.1:700"), Some("9"), uid), "{name:?}");
        assert_eq!(text("path"), (logged[0] == "toy").then_some("/export"), "{name:?}");
        assert!(text("us").is_some_and(|us| us.parse::<u64>().is_ok()), "{name:?}");
    }
}

#[test]
fn a_program_that_logs_its_calls_has_no_second_line_of_them() {
    assert!(lines((TOY_THAT_LOGS, 3, 1), of_user(5)).is_empty());
}

#[test]
fn a_call_of_another_version_of_rpc_has_a_line() {
    let words = [9u32, 0, 3, TOY];
    let record: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    let lines =
        lines_of(|| drop(Incoming::parse(record.into(), ("192.0.2.1:700".parse().unwrap(), [192, 0, 2, 9].into()))));
    assert_eq!(lines.iter().map(|line| line["result"].as_str()).collect::<Vec<_>>(), ["RPC_MISMATCH"]);
}
