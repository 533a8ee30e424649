//! The interface for monitoring: read-only HTTP, whether the server lives, whether it is ready, and its metrics.
//!
//! - `GET /healthz`: 200 if all threads respond, else 503
//! - `GET /readyz`: 200 if all shares are open and their stores answer, else 503 with a line a reason
//! - `GET /metrics`: in the text format of Prometheus; `docs/metrics.md` lists them

mod exposition;
mod health;
mod metrics;
mod places;
mod server;

use std::{
    sync::{Arc, OnceLock},
    time::{Instant, SystemTime},
};

use dittofs_ports::{
    BlockCache, DiskCache,
    statistics::{ProtocolStatistics, StatisticsService, StoreStatistics},
};
use dittofs_transport::Bounds;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use health::Readiness;
pub use server::serve_watch;

/// A thread that must respond for the server to be alive.
#[derive(Clone, Debug)]
pub struct WatchedThread {
    /// Its name.
    pub name: String,
    /// Its runtime.
    pub runtime: Handle,
}

/// Where the numbers of a running server come from.
pub struct Sources {
    /// The shares.
    pub statistics: Arc<dyn StatisticsService>,
    /// The protocols.
    pub protocols: Vec<Arc<dyn ProtocolStatistics>>,
    /// The bounds of their connections.
    pub bounds: Bounds,
    /// The cache of all shares.
    pub cache: Arc<dyn BlockCache>,
    /// The cache on a disk, if there is one.
    pub disk: Option<Arc<dyn DiskCache>>,
}

/// The state of the server that monitoring is shown.
pub struct Watch {
    started: Instant,
    started_at: SystemTime,
    threads: Vec<WatchedThread>,
    /// Where stores are asked.
    back: Handle,
    /// In the order of the configuration.
    shares: Mutex<Vec<String>>,
    opened: Mutex<Vec<String>>,
    /// The counters of the stores of each share, by its name.
    stores: Mutex<Vec<(String, Arc<dyn StoreStatistics>)>>,
    sources: OnceLock<Sources>,
    stopping: OnceLock<()>,
    readiness: Readiness,
}

impl Watch {
    /// Of a server that has begun to start, with these threads and shares. To be called on the runtime that stores run on,
    /// which need not be the one that monitoring is served on.
    pub fn new(threads: Vec<WatchedThread>, shares: Vec<String>) -> Arc<Watch> {
        Arc::new(Watch {
            started: Instant::now(),
            started_at: SystemTime::now(),
            threads,
            back: Handle::current(),
            shares: Mutex::new(shares),
            opened: Mutex::default(),
            stores: Mutex::default(),
            sources: OnceLock::new(),
            stopping: OnceLock::new(),
            readiness: Readiness::default(),
        })
    }

    /// A share is open: what its journal held is recovered.
    pub fn share_is_open(&self, name: &str) {
        self.opened.lock().push(name.to_owned());
    }

    /// These shares are served from now on, with the counters of their stores.
    pub fn shares_are(&self, stores: Vec<(String, Arc<dyn StoreStatistics>)>) {
        *self.shares.lock() = stores.iter().map(|(share, _)| share.clone()).collect();
        *self.stores.lock() = stores;
    }

    /// All shares are open, and protocols are served. Only the first call counts.
    pub fn serves(&self, sources: Sources) {
        // It fails only where they were set before.
        let _ = self.sources.set(sources);
    }

    /// The server begins to stop: it is not ready any more.
    pub fn stops(&self) {
        let _ = self.stopping.set(());
    }
}

#[cfg(test)]
mod tests;
