//! Locks that clients take again after a restart.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dittofs_domain::{
    LockClient,
    error::{FsError, FsResult},
};
use dittofs_ports::{LockClients, Randomness, RecoveryService};
use parking_lot::Mutex;

use crate::volume::Volume;

/// The clients with locks, over the list that outlives the server.
pub struct Recovery {
    kept: Arc<dyn LockClients>,
    state: i32,
    earlier: Mutex<Vec<LockClient>>,
}

impl Recovery {
    /// Begins a life of the server. Where an earlier one left clients with locks, nobody else gets a lock on these
    /// shares for the time of `grace`; so it is, too, where the list can't be read.
    pub async fn begin(
        kept: Arc<dyn LockClients>,
        volumes: Vec<Arc<Volume>>,
        grace: Duration,
        randomness: &dyn Randomness,
    ) -> Recovery {
        let (state, earlier, known) = match kept.begin().await {
            Ok((state, earlier)) => (state, earlier, true),
            Err(error) => {
                tracing::error!(
                    %error,
                    "clients that had locks can't be told of the restart: mount again where programs hold locks"
                );
                (odd(randomness.bits64()), Vec::new(), false)
            }
        };
        if !earlier.is_empty() || !known {
            tracing::info!(clients = earlier.len(), seconds = grace.as_secs(), "clients may take their locks again");
            volumes.iter().for_each(|volume| volume.opens().grace.begin(grace));
        }
        Recovery { kept, state, earlier: Mutex::new(earlier) }
    }
}

/// A state that no earlier life is likely to have had.
fn odd(bits: u64) -> i32 {
    i32::try_from(bits >> 33).unwrap_or(1) | 1
}

#[async_trait]
impl RecoveryService for Recovery {
    fn state(&self) -> i32 {
        self.state
    }

    fn earlier(&self) -> Vec<LockClient> {
        self.earlier.lock().clone()
    }

    async fn remember(&self, client: &LockClient) -> FsResult<()> {
        self.kept.keep(client).await.map_err(|error| {
            tracing::error!(address = %client.address, %error, "a client gets no locks");
            FsError::Io
        })
    }

    async fn forget(&self, clients: &[LockClient]) {
        self.earlier.lock().retain(|client| !clients.contains(client));
        if let Err(error) = self.kept.forget(clients).await {
            tracing::warn!(%error, "clients without locks are not forgotten: the next start will tell them for nothing");
        }
    }
}
