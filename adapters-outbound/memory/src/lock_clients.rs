//! Clients with locks: gone with the server, as their files are.

use async_trait::async_trait;
use dittofs_domain::LockClient;
use dittofs_ports::{LockClients, LockClientsError};

/// Nobody is told of a restart that leaves no files.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLockClients;

#[async_trait]
impl LockClients for NoLockClients {
    async fn begin(&self) -> Result<(i32, Vec<LockClient>), LockClientsError> {
        Ok((1, Vec::new()))
    }

    async fn keep(&self, _client: &LockClient) -> Result<(), LockClientsError> {
        Ok(())
    }

    async fn forget(&self, _clients: &[LockClient]) -> Result<(), LockClientsError> {
        Ok(())
    }
}
