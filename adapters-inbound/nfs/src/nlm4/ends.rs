//! Clients that end, or have started again: what they had is free.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_domain::error::{FsError, FsResult};

use super::{
    claims::{By, Claim, Held},
    manager::LockManager,
    origin::{Host, Origin},
    owner,
};

/// Ports that only the root user of a machine can call from.
const RESERVED_PORTS: u16 = 1024;
/// A client that has had no locks for so long is forgotten. One that is called after a restart has as long to come.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// How often it is looked for such.
const LOOK: Duration = Duration::from_secs(60);

impl LockManager {
    /// A client says that it has started again, or has nothing any more. What it had is free.
    ///
    /// It may not have the name by which it locked: a client that is alone at its address is meant in any case, but of
    /// several only one with this name, with or without a domain.
    pub(crate) async fn client_ended(&self, origin: &Origin) {
        let hosts = self.claims.hosts_at(origin);
        let is_only = hosts.len() == 1;
        for (host, locked) in hosts {
            if !is_only && !is_same_name(&host.name, &origin.name) {
                continue;
            }
            // Any user could free the locks of all otherwise.
            let was_root = (1..RESERVED_PORTS).contains(&locked.port());
            if was_root && origin.port() >= RESERVED_PORTS {
                tracing::warn!(address = %origin.address(), "a client's end was announced from a port of no system: ignored");
                continue;
            }
            self.release(&host, &locked).await;
        }
    }

    async fn release(&self, host: &Host, locked: &Origin) {
        let claims = self.claims.of(host);
        let count = claims.len();
        for (claim, held) in claims {
            if let Err(error) = self.release_claim(host, locked, &claim, &held).await {
                tracing::warn!(address = %host.address, %error, "locks of a client that has ended stay");
            }
        }
        let name = host.name.escape_ascii();
        tracing::info!(address = %host.address, %name, files = count, "a client has ended: its locks are free");
    }

    async fn release_claim(&self, host: &Host, locked: &Origin, claim: &Claim, held: &Arc<Held>) -> FsResult<()> {
        let mut turn = held.turn.lock().await;
        self.waiting.forget(claim);
        let released = match self.entry.enter(&claim.file, &locked.sender.presented) {
            Ok(entered) => match &claim.by {
                By::Owner(name) => match owner::owner(entered.caller.client, name) {
                    Some(owner) => entered.share.release_owner(&entered.caller, entered.node.node, &owner).await,
                    None => Ok(()),
                },
                By::Share(_) => match *turn {
                    Some(open) => entered.share.close(&entered.caller, entered.node.node, open).await,
                    None => Ok(()),
                },
            },
            Err(error) => Err(error),
        };
        match released {
            // The share or the file is gone, and its locks with it.
            Ok(()) | Err(FsError::Stale) => {
                *turn = None;
                self.claims.settle(host, claim, held, 0, Instant::now());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Forgets clients that have had nothing for long, as long as there is the manager.
    pub(crate) async fn forget_idle(manager: Weak<LockManager>) {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(manager) = manager.upgrade() else { return };
            let _remembering = manager.remembering.lock().await;
            let idle = manager.claims.drop_idle(IDLE, Instant::now());
            if !idle.is_empty() {
                manager.recovery.forget(&idle).await;
            }
        }
    }
}

/// Whether two names of machines are the same, where one of them may have a domain.
fn is_same_name(one: &Bytes, other: &Bytes) -> bool {
    let host = |name: &Bytes| name.split(|byte| *byte == b'.').next().map(<[u8]>::to_ascii_lowercase);
    let has_domain = |name: &Bytes| name.contains(&b'.');
    if has_domain(one) && has_domain(other) { one.eq_ignore_ascii_case(other) } else { host(one) == host(other) }
}

#[cfg(test)]
mod tests;
