//! Clients take their locks again after the server has started again.

use async_trait::async_trait;
use dittofs_domain::{LockClient, error::FsResult};

/// Locks of protocols whose clients take them again after a restart. The server itself forgets them; so it remembers
/// the clients, tells them, and gives nobody else a lock until the grace period is over.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait RecoveryService: Send + Sync {
    /// The number of this life of the server: odd, and another one than that of every earlier life (NSM's `state`).
    fn state(&self) -> i32;

    /// The clients that had locks when an earlier life ended, until they are forgotten.
    fn earlier(&self) -> Vec<LockClient>;

    /// Remembers a client. Its locks are given only after that.
    /// - `Io` if it can't be kept: then a restart would take its locks without a word.
    async fn remember(&self, client: &LockClient) -> FsResult<()>;

    /// Forgets clients, which have no locks any more. One that can't be forgotten is told for nothing.
    async fn forget(&self, clients: &[LockClient]);
}
