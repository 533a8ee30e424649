use std::sync::Arc;

use super::{ConnectionBounds, Connections, MemoryBudget};

/// The bounds over all connections of a server, whatever their protocols. Clones are the same bounds.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Bytes of requests and replies.
    pub memory: Arc<MemoryBudget>,
    /// Connections.
    pub connections: Arc<Connections>,
}

/// The options from which [`Bounds`] are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundsOptions {
    /// Bytes of requests and replies that all connections hold together.
    pub memory_bytes: u64,
    /// Connections. Fewer are let in where memory or descriptors do not suffice for them.
    pub connections: ConnectionBounds,
    /// File descriptors that connections may take; none: as many as they like.
    pub descriptors: Option<u64>,
}

impl BoundsOptions {
    /// The number of connections that fit: each has its own bytes, which together are at most three quarters of the
    /// memory, so that there is something to share.
    pub fn connections_max(&self) -> usize {
        let of_memory = self.memory_bytes / 4 * 3 / MemoryBudget::OWN_BYTES;
        let fit = of_memory.min(self.descriptors.unwrap_or(u64::MAX)).max(1);
        self.connections.all_max.min(usize::try_from(fit).unwrap_or(usize::MAX))
    }
}

impl Bounds {
    /// Bounds that fit each other.
    pub fn new(options: &BoundsOptions) -> Bounds {
        let all_max = options.connections_max();
        let own = MemoryBudget::OWN_BYTES.saturating_mul(all_max as u64);
        Bounds {
            memory: MemoryBudget::new(options.memory_bytes.saturating_sub(own)),
            connections: Connections::new(ConnectionBounds { all_max, ..options.connections }),
        }
    }
}

impl Default for BoundsOptions {
    /// For a machine of 8 GiB.
    fn default() -> Self {
        BoundsOptions { memory_bytes: 1 << 30, connections: ConnectionBounds::default(), descriptors: None }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds::new(&BoundsOptions::default())
    }
}

#[cfg(test)]
mod tests;
