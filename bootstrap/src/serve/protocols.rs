//! The protocols that are served, whichever they are.

use std::sync::Arc;

use dittofs_ports::statistics::ProtocolStatistics;
use dittofs_transport::{ListenError, Serving};
use tokio::task::JoinSet;

use crate::config::{Adapters, Running};

/// Protocols that have their addresses, and that nobody can reach yet.
pub(super) struct Bound(Vec<Box<dyn Running>>);

/// Protocols that are served.
pub(super) struct Served(Vec<Arc<dyn Running>>);

impl Bound {
    /// Takes the addresses of all that are configured.
    pub(super) async fn take(adapters: &Adapters) -> Result<Bound, ListenError> {
        let mut bound = Vec::new();
        for (_, protocol) in &adapters.protocols {
            bound.push(protocol.bind().await?);
        }
        Ok(Bound(bound))
    }

    /// Lets clients connect.
    pub(super) fn start(self, serving: &Serving) -> Result<Served, ListenError> {
        let start = |mut protocol: Box<dyn Running>| {
            protocol.start(serving.clone())?;
            Ok(Arc::from(protocol))
        };
        self.0.into_iter().map(start).collect::<Result<_, _>>().map(Served)
    }
}

impl Served {
    /// What each counts.
    pub(super) fn statistics(&self) -> Vec<Arc<dyn ProtocolStatistics>> {
        self.0.iter().map(|protocol| protocol.statistics()).collect()
    }

    /// How clients reach a share, a line for each protocol that says so.
    pub(super) fn announce(&self, share: &str) -> Vec<String> {
        self.0.iter().filter_map(|protocol| protocol.announce(share)).collect()
    }

    /// Answers what is in flight and closes all connections, each protocol within its own time.
    pub(super) async fn drain(self) {
        let mut draining = JoinSet::new();
        for protocol in self.0 {
            draining.spawn(async move { protocol.drain().await });
        }
        draining.join_all().await;
    }
}
