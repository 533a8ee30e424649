use std::time::Duration;

use dittofs_domain::counters::{Counter, Latencies};
use dittofs_ports::statistics::{
    ConnectionCounts, Measure, MeasureKind, OperationCounts, ProtocolCounts, ProtocolStatistics,
};

use crate::command::Command;

/// The counters of the protocol.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) accepted: Counter,
    pub(crate) refused: Counter,
    pub(crate) ended: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) bytes_sent: Counter,
    /// Lines that were no command.
    pub(crate) unread: Counter,
    commands: [OfCommand; Command::WORDS.len()],
}

#[derive(Default)]
struct OfCommand {
    ok: Counter,
    errors: Counter,
    latencies: Latencies,
}

impl Counts {
    pub(crate) fn note(&self, command: usize, is_ok: bool, took: Duration) {
        let Some(of) = self.commands.get(command) else { return };
        if is_ok {
            of.ok.count()
        } else {
            of.errors.count()
        }
        of.latencies.note(took);
    }
}

impl ProtocolStatistics for Counts {
    fn protocol(&self) -> ProtocolCounts {
        let operation = |(procedure, of): (&&'static str, &OfCommand)| OperationCounts {
            protocol: "line",
            procedure,
            results: vec![("ok", of.ok.read()), ("error", of.errors.read())],
            latencies: of.latencies.read(),
        };
        // Read first, so that none has ended that was not accepted.
        let ended = self.ended.read();
        let accepted = self.accepted.read();
        ProtocolCounts {
            adapter: "line",
            operations: Command::WORDS.iter().zip(&self.commands).map(operation).collect(),
            connections: ConnectionCounts {
                open: accepted - ended,
                accepted,
                refused: self.refused.read(),
                bytes_received: self.bytes_received.read(),
                bytes_sent: self.bytes_sent.read(),
            },
            own: vec![Measure {
                name: "unread_lines_total",
                help: "Lines that were no command.",
                kind: MeasureKind::Counter,
                label: None,
                samples: vec![("", self.unread.read())],
            }],
        }
    }
}
