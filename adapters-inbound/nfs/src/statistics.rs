//! What the adapter has counted, for who watches it.

use std::sync::Arc;

use dittofs_ports::statistics::{ConnectionCounts, ProtocolCounts, ProtocolStatistics};

use crate::{duplicate::DuplicateRequests, transport::Server};

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
        ProtocolCounts { adapter: "nfs", operations, connections, duplicates: Some(self.duplicates.counts()) }
    }
}
