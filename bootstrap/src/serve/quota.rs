//! The quotas of shares.

use dittofs_domain::quota::Quota;
use dittofs_ports::Survives;

use crate::config::{Config, ShareConfig};

/// Bytes that a share on disks or in a bucket holds if no quota is set: more than there are.
const BYTES_MAX: u64 = 1 << 50;
/// Of the memory, what all shares in memory hold that have no quota. Caches, requests and the system have the rest.
const MEMORY_PART: u64 = 2;

/// The bounds of a share, on a machine that gives the process so many bytes of memory, if that is known.
pub(super) fn of(share: &ShareConfig, config: &Config, memory_bytes: Option<u64>) -> Quota {
    Quota {
        bytes: bytes_max(share, config, memory_bytes).unwrap_or(BYTES_MAX),
        // The root is there always.
        nodes: share.quota.files.map_or(u64::MAX, |files| files.saturating_add(1)),
    }
}

/// The most bytes that a share may hold, if that is bounded. Shares in memory without a quota have equal parts of half of
/// it: more would end the server.
pub(crate) fn bytes_max(share: &ShareConfig, config: &Config, memory_bytes: Option<u64>) -> Option<u64> {
    if let Some(bytes) = share.quota.bytes {
        return Some(bytes.0);
    }
    let is_bounded = |share: &ShareConfig| share.quota.bytes.is_none() && is_in_memory(share, config);
    let sharing = config.shares.iter().filter(|share| is_bounded(share)).count() as u64;
    memory_bytes.filter(|_| is_bounded(share)).map(|memory| memory / MEMORY_PART / sharing.max(1))
}

fn is_in_memory(share: &ShareConfig, config: &Config) -> bool {
    config.content.get(&share.content_store).is_some_and(|store| store.survives == Survives::Nothing)
}

#[cfg(test)]
mod tests;
