//! The protocols that are served, whichever they are.

use std::sync::Arc;

use dittofs_ports::statistics::ProtocolStatistics;
use dittofs_transport::{ListenError, Serving};
use tokio::task::JoinSet;

use crate::config::{Adapters, Running};

/// Protocols that have their addresses, and that nobody can reach yet.
pub(super) struct Bound(Vec<(String, Box<dyn Running>)>);

/// Protocols that are served, by their names.
pub(super) struct Served(Vec<(String, Arc<dyn Running>)>);

/// The outcome of applying newer options.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reloaded {
    pub(super) applied: Vec<String>,
    pub(super) restart: Vec<String>,
}

impl Bound {
    /// Takes the addresses of all that are configured.
    pub(super) async fn take(adapters: &Adapters) -> Result<Bound, ListenError> {
        let mut bound = Vec::new();
        for (name, protocol) in &adapters.protocols {
            bound.push((name.clone(), protocol.bind().await?));
        }
        Ok(Bound(bound))
    }

    /// Lets clients connect.
    pub(super) fn start(self, serving: &Serving) -> Result<Served, ListenError> {
        let start = |(name, mut protocol): (String, Box<dyn Running>)| {
            protocol.start(serving.clone())?;
            Ok((name, Arc::from(protocol)))
        };
        self.0.into_iter().map(start).collect::<Result<_, _>>().map(Served)
    }
}

impl Served {
    /// Returns the statistics of each protocol.
    pub(super) fn statistics(&self) -> Vec<Arc<dyn ProtocolStatistics>> {
        self.0.iter().map(|(_, protocol)| protocol.statistics()).collect()
    }

    /// How clients reach a share, in lines for people.
    pub(super) fn announce(&self, share: &str) -> Vec<String> {
        self.0.iter().flat_map(|(_, protocol)| protocol.announce(share)).collect()
    }

    /// Has each protocol take what it can of newer options. `running` has them from then on, where a protocol has taken
    /// all of its own.
    pub(super) fn reload(&self, running: &mut Adapters, newer: &Adapters) -> Reloaded {
        let mut reloaded = Reloaded::default();
        for (name, protocol) in &self.0 {
            let named = |(other, _): &&(String, _)| other == name;
            let Some((_, newer)) = newer.protocols.iter().find(named) else {
                reloaded.restart.push(format!("adapters.{name} (not configured any more)"));
                continue;
            };
            let keys = protocol.reload(newer);
            if keys.is_empty()
                && let Some((_, before)) = running.protocols.iter_mut().find(|(other, _)| other == name)
                && before != newer
            {
                reloaded.applied.push(format!("adapters.{name}"));
                *before = newer.clone();
            }
            reloaded.restart.extend(keys.into_iter().map(|key| format!("adapters.{name}.{key}")));
        }
        let is_served = |name: &String| self.0.iter().any(|(served, _)| served == name);
        let new = newer.protocols.iter().filter(|(name, _)| !is_served(name));
        reloaded.restart.extend(new.map(|(name, _)| format!("adapters.{name} (new)")));
        reloaded
    }

    /// Answers what is in flight and closes all connections, each protocol within its own time.
    pub(super) async fn drain(self) {
        let mut draining = JoinSet::new();
        for (_, protocol) in self.0 {
            draining.spawn(async move { protocol.drain().await });
        }
        draining.join_all().await;
    }
}
