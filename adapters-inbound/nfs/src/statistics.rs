//! The counts of the adapter, for monitoring.

use std::sync::Arc;

use dittofs_ports::statistics::{ConnectionCounts, Measure, MeasureKind, ProtocolCounts, ProtocolStatistics};

use crate::{
    duplicate::{DuplicateCounts, DuplicateRequests},
    transport::Server,
};

/// Counts of some servers and of the duplicate-request cache behind them.
pub struct NfsStatistics {
    servers: Vec<Arc<Server>>,
    duplicates: Arc<DuplicateRequests>,
}

impl NfsStatistics {
    /// Those of these.
    pub fn new(servers: Vec<Arc<Server>>, duplicates: Arc<DuplicateRequests>) -> Self {
        Self { servers, duplicates }
    }
}

impl ProtocolStatistics for NfsStatistics {
    fn protocol(&self) -> ProtocolCounts {
        let mut operations = Vec::new();
        let mut connections = ConnectionCounts::default();
        for server in &self.servers {
            server.add_operations_to(&mut operations);
            let ConnectionCounts { open, accepted, refused, bytes_received, bytes_sent } = server.connection_counts();
            connections.open += open;
            connections.accepted += accepted;
            connections.refused += refused;
            connections.bytes_received += bytes_received;
            connections.bytes_sent += bytes_sent;
        }
        ProtocolCounts { adapter: "nfs", operations, connections, own: of_duplicates(self.duplicates.counts()) }
    }
}

fn of_duplicates(DuplicateCounts { replayed, dropped, untracked, entries, bytes }: DuplicateCounts) -> Vec<Measure> {
    let now = |name, help, number| {
        let (kind, label, samples) = (MeasureKind::Gauge, None, vec![("", number)]);
        Measure { name, help, kind, label, samples }
    };
    vec![
        Measure {
            name: "duplicate_requests_total",
            help: "Retransmissions, by what became of them; untracked: calls that could not be recorded.",
            kind: MeasureKind::Counter,
            label: Some("result"),
            samples: vec![("replayed", replayed), ("dropped", dropped), ("untracked", untracked)],
        },
        now("duplicate_request_entries", "Calls that are remembered now.", entries),
        now("duplicate_request_bytes", "Bytes of replies that are kept for duplicates now.", bytes),
    ]
}
