//! Clients that have to be told of a restart.

use async_trait::async_trait;
use dittofs_domain::LockClient;

use super::LockClientsError;

/// The clients with locks, kept where a restart of the server finds them. Only one server uses it at a time.
///
/// A list that is on a disk has all that was acknowledged after crashes and power failures.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LockClients: Send + Sync {
    /// Begins a life of the server. Returns its number, which is odd, positive and higher than that of every earlier
    /// life (NSM's `state`; from 1 on again after the highest), and the clients that earlier lives left. Called once,
    /// first.
    async fn begin(&self) -> Result<(i32, Vec<LockClient>), LockClientsError>;

    /// Keeps a client; one that is kept already is no error.
    async fn keep(&self, client: &LockClient) -> Result<(), LockClientsError>;

    /// Forgets clients; those that are not kept are no error.
    async fn forget(&self, clients: &[LockClient]) -> Result<(), LockClientsError>;
}
