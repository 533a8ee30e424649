//! The numbers for operators.

mod commands;

use std::sync::Arc;

use dittofs_domain::counters::Counter;
use dittofs_ports::statistics::{ConnectionCounts, Measure, MeasureKind, ProtocolCounts, ProtocolStatistics};

use crate::server::Server;
pub(crate) use commands::{CommandCounts, Requests};

/// The counts of the adapter.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Those of requests, for each front: so that cores do not write to the same memory.
    fronts: Vec<Arc<CommandCounts>>,
    pub(crate) accepted: Counter,
    pub(crate) closed: Counter,
    pub(crate) refused: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) frames: Counter,
}

impl Counts {
    pub(crate) fn new(fronts: usize) -> Counts {
        Counts { fronts: (0..fronts.max(1)).map(|_| Arc::default()).collect(), ..Counts::default() }
    }

    /// Where requests of a connection are counted that is served by this front.
    pub(crate) fn commands(&self, front: usize) -> Arc<CommandCounts> {
        self.fronts.get(front % self.fronts.len().max(1)).map(Arc::clone).unwrap_or_default()
    }
}

/// The counts of a server, once it has started.
pub(crate) struct Statistics(pub(crate) Option<Arc<Server>>);

impl ProtocolStatistics for Statistics {
    fn protocol(&self) -> ProtocolCounts {
        let none = Counts::default();
        let counts = self.0.as_ref().map_or(&none, |server| &server.counts);
        // Read first, so that none has ended that was not accepted.
        let closed = counts.closed.read();
        let accepted = counts.accepted.read();
        let (operations, in_flight) = commands::sum(&counts.fronts);
        ProtocolCounts {
            adapter: "smb",
            operations,
            connections: ConnectionCounts {
                open: accepted - closed,
                accepted,
                refused: counts.refused.read(),
                bytes_received: counts.bytes_received.read(),
                bytes_sent: counts.bytes_sent.read(),
            },
            own: vec![
                Measure {
                    name: "requests_in_flight",
                    help: "Requests that are being carried out now.",
                    kind: MeasureKind::Gauge,
                    label: Some("procedure"),
                    samples: in_flight,
                },
                Measure {
                    name: "frames_total",
                    help: "Frames that were received, of one request or several.",
                    kind: MeasureKind::Counter,
                    label: None,
                    samples: vec![("", counts.frames.read())],
                },
                Measure {
                    name: "sessions",
                    help: "Sessions of users now.",
                    kind: MeasureKind::Gauge,
                    label: None,
                    samples: vec![("", self.0.as_ref().map_or(0, |server| server.sessions().len() as u64))],
                },
            ],
        }
    }
}
