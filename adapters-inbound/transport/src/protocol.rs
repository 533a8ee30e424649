use std::{fmt::Debug, io, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_ports::{AccountService, AdminService, EntryService, RecoveryService, statistics::ProtocolStatistics};
use tokio::runtime::Handle;

use crate::Bounds;

/// The services that the application offers to protocols.
#[derive(Clone)]
pub struct Services {
    /// The way into a share, and to its services.
    pub entry: Arc<dyn EntryService>,
    /// Shares.
    pub admin: Arc<dyn AdminService>,
    /// The users of the server, for protocols where users log on.
    pub accounts: Arc<dyn AccountService>,
    /// Clients with locks, for protocols whose clients take them again after a restart.
    pub recovery: Arc<dyn RecoveryService>,
}

/// How long a connection may carry nothing, where nothing else is configured: twice what a Linux client keeps an idle
/// one, so that it is the client who closes.
pub const IDLE_USUAL: Duration = Duration::from_secs(600);

/// The parameters with which a protocol starts to serve.
#[derive(Clone)]
pub struct Serving {
    /// The services that it calls.
    pub services: Services,
    /// The bounds of what its connections take together with those of all others.
    pub bounds: Bounds,
    /// Single-threaded runtimes with I/O and time, one a core, at least one. A connection stays on one of them.
    pub fronts: Vec<Handle>,
    /// How long a connection may carry nothing.
    pub idle: Duration,
    /// A call that takes longer is logged; none is if absent.
    pub slow: Option<Duration>,
}

/// An address that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address} for {what}: {source}; name another address by {option}")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// The purpose of the address.
    pub what: &'static str,
    /// The option that configures it.
    pub option: &'static str,
    /// The reason.
    pub source: io::Error,
}

/// A protocol that clients speak with the server.
///
/// The server calls `bind`, then `start` once all shares are open, and `drain` once before it ends; the others at any
/// time between `start` and `drain`. All are called on the server's runtime for background work, and none may block it.
#[async_trait]
pub trait Protocol: Sized + Send + Sync + 'static {
    /// The contents of its section of the configuration. Two that are equal mean the same.
    type Options: Debug + PartialEq + Send + Sync + 'static;

    /// Takes the addresses that it will listen on, so that one that is taken is reported before anything is opened.
    /// Nobody can connect yet.
    ///
    /// # Errors
    /// The address that can't be taken.
    async fn bind(options: &Self::Options) -> Result<Self, ListenError>;

    /// Lets clients connect.
    ///
    /// # Errors
    /// The address that can't be listened on.
    fn start(&mut self, serving: Serving) -> Result<(), ListenError>;

    /// How clients reach the share of this name: lines for people, such as a command for each system; none where they
    /// can't.
    fn announce(&self, share: &str) -> Vec<String>;

    /// Returns its counts.
    fn statistics(&self) -> Arc<dyn ProtocolStatistics>;

    /// Takes what it can of newer options while it serves. Answers the keys of those that differ from the ones in force
    /// and need a restart, as they are written below its section.
    fn reload(&self, newer: &Self::Options) -> Vec<&'static str>;

    /// Takes no more calls, answers those in flight, and closes all connections, within a time of its own.
    async fn drain(&self);
}
