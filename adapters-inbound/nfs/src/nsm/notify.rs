//! Tells clients that the server has started again, so that they take their locks again.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dittofs_domain::LockClient;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    PROGRAM, VERSION,
    wire::{Procedure, stat_chge},
};
use crate::{
    nlm4::LockManager,
    rpc::outgoing::{CallError, call},
};

/// Clients that are called at once.
const AT_ONCE: usize = 512;
/// Until a client that is not reached is called again; it grows twofold each time.
const RETRY: Duration = Duration::from_secs(1);
/// How often a client is called, within some eight minutes. One that is away for longer has lost its locks in any case.
const ATTEMPTS: u32 = 9;

/// Tells all clients that an earlier life of the server has left.
pub(crate) async fn tell_earlier_clients(manager: Arc<LockManager>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for client in manager.recovery.earlier() {
        tasks.spawn(tell(Arc::clone(&manager), client, Arc::clone(&places)));
    }
    tasks.join_all().await;
}

async fn tell(manager: Arc<LockManager>, client: LockClient, places: Arc<Semaphore>) {
    let mut pause = RETRY;
    for _ in 0..ATTEMPTS {
        // One that locks has started again since, or was told by itself.
        if manager.has_locks(&client) {
            return;
        }
        let told = match places.acquire().await {
            Ok(_place) => tell_once(&manager, &client).await,
            Err(_) => return,
        };
        match told {
            Ok(()) => {
                tracing::info!(address = %client.address, "a client with locks was told of the restart");
                return;
            }
            Err(error) => tracing::debug!(address = %client.address, %error, "a client is not told of the restart yet"),
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    tracing::warn!(address = %client.address, "a client with locks could not be told of the restart: they are gone");
}

/// The client knows the server by the address from which it is called, and by that address as a name.
async fn tell_once(manager: &LockManager, client: &LockClient) -> Result<(), CallError> {
    let between = (client.address, client.server);
    let target = manager.clients.find(between, (PROGRAM, VERSION), Procedure::NOTIFY as u32).await?;
    let mon_name = Bytes::from(client.server.to_string());
    call(target, &stat_chge { mon_name, state: manager.recovery.state() }).await
}
