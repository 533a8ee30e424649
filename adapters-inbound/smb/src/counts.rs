//! The numbers for operators.

use std::sync::Arc;

use dittofs_domain::counters::Counter;
use dittofs_ports::statistics::{ConnectionCounts, Measure, MeasureKind, ProtocolCounts, ProtocolStatistics};

use crate::server::Server;

/// The counts of the adapter.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) accepted: Counter,
    pub(crate) closed: Counter,
    pub(crate) refused: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) requests: Counter,
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
        ProtocolCounts {
            adapter: "smb",
            operations: Vec::new(),
            connections: ConnectionCounts {
                open: accepted - closed,
                accepted,
                refused: counts.refused.read(),
                bytes_received: counts.bytes_received.read(),
                bytes_sent: counts.bytes_sent.read(),
            },
            own: vec![Measure {
                name: "frames_total",
                help: "Frames that were received.",
                kind: MeasureKind::Counter,
                label: None,
                samples: vec![("", counts.requests.read())],
            }],
        }
    }
}
