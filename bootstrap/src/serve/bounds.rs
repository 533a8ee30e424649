//! The bounds over all connections, fitted to the machine.

use dittofs_application::VolumeLimits;
use dittofs_transport::{Bounds, BoundsOptions, ConnectionBounds, MemoryBudget};

use crate::{
    config::{ByteSize, SharedLimits},
    machine,
};

/// Of the memory, what requests and replies take. The caches of content and metadata have most of the rest.
const MEMORY_PART: u64 = 8;
/// Less leaves no room for clients that move whole MiB; more is only waited in.
const MEMORY_MIN: u64 = 64 << 20;
const MEMORY_MAX: u64 = 4 << 30;
/// Of the memory, what the index of unflushed records may take.
const INDEX_PART: u64 = 8;
/// Where the machine does not say how much it has. A small machine: too little is only waited in.
const MACHINE_MEMORY: u64 = 4 << 30;

/// The bounds, as far as memory and file descriptors suffice.
pub(super) fn of(limits: &SharedLimits) -> Bounds {
    let descriptors = machine::descriptors();
    let memory = memory(limits);
    let options = BoundsOptions {
        memory_bytes: memory,
        connections: ConnectionBounds {
            all_max: limits.connections,
            address_max: limits.connections_per_address,
            unadmitted_max: limits.strangers,
        },
        descriptors: descriptors.map(for_connections),
    };
    let connections = options.connections_max();
    if connections < limits.connections {
        tracing::warn!(
            connections,
            configured = limits.connections,
            memory = %ByteSize(memory),
            descriptors,
            "fewer connections than adapters.limits.connections: each takes {} KiB of adapters.limits.memory, and a \
             file descriptor",
            MemoryBudget::OWN_BYTES >> 10,
        );
    }
    Bounds::new(&options)
}

/// Bytes of requests and replies that connections may hold in all: as configured, or by what the machine has.
pub(crate) fn memory(limits: &SharedLimits) -> u64 {
    limits.memory.map_or_else(default_memory, |size| size.0)
}

fn default_memory() -> u64 {
    (machine_memory() / MEMORY_PART).clamp(MEMORY_MIN, MEMORY_MAX)
}

fn machine_memory() -> u64 {
    machine::memory_bytes().unwrap_or(MACHINE_MEMORY)
}

/// Bytes that an unflushed record counts for beside its own, so that a journal of this size that is full of single bytes
/// has an index that memory has room for.
pub(super) fn record_bytes(journal: ByteSize) -> u64 {
    record_bytes_in(machine_memory(), journal)
}

fn record_bytes_in(memory: u64, journal: ByteSize) -> u64 {
    let entry = VolumeLimits::USUAL.record_bytes;
    let entries = (memory / INDEX_PART / entry).max(1);
    journal.0.div_ceil(entries).max(entry)
}

/// Returns the descriptors that others leave for connections. Stores, journals and caches have a few files for each
/// share, and one more for each upload and read under way. Newcomers that wait for a place have one each. If there are
/// too few descriptors for newcomers, they are the first to go.
fn for_connections(descriptors: u64) -> u64 {
    let stores = (descriptors / 4).clamp(64, 1024);
    let newcomers = (descriptors / 8).min(ConnectionBounds::NEWCOMERS_MAX as u64);
    descriptors.saturating_sub(stores + newcomers)
}

#[cfg(test)]
mod tests;
