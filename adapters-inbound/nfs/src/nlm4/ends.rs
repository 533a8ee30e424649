//! Clients that end, or have started again: everything that they had is free.

use std::{
    sync::Weak,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dittofs_domain::error::{FsError, FsResult};

use super::{
    claims::{By, Claim},
    locking::LockManager,
    origin::{Host, Origin},
    owner,
};

/// A client that has had no locks for so long is forgotten. One that is called after a restart has as long to come.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// How often it is looked for such, and for claims that could not be released.
const LOOK: Duration = Duration::from_secs(60);

/// A claim of a client that has ended, whose store did not answer.
#[derive(Clone, Debug)]
pub(super) struct Unreleased {
    host: Host,
    origin: Origin,
    claim: Claim,
}

impl LockManager {
    /// A client says that it has started again, or has nothing any more: everything that it had is free. It is meant by
    /// its name, with or without a domain, since others may have the same address. Returns whether it was believed.
    pub(crate) async fn client_ended(&self, origin: &Origin) -> bool {
        for (host, locked) in self.claims.hosts_at(origin.address()) {
            if !is_same_name(&host.name, &origin.name) {
                continue;
            }
            // Any user could free the locks of all otherwise.
            if locked.is_reserved() && !origin.is_reserved() {
                let address = origin.address();
                tracing::warn!(%address, "a client's end was announced from a port that any user can have: ignored");
                return false;
            }
            self.release(&host, &locked).await;
        }
        true
    }

    async fn release(&self, host: &Host, locked: &Origin) {
        let claims = self.claims.of(host);
        let count = claims.len();
        for claim in claims {
            let unreleased = Unreleased { host: host.clone(), origin: locked.clone(), claim };
            if let Err(error) = self.release_claim(&unreleased).await {
                tracing::warn!(address = %host.address, %error, "locks of a client that has ended stay for now");
                self.unreleased.lock().push(unreleased);
            }
        }
        let name = host.name.escape_ascii();
        tracing::info!(address = %host.address, %name, files = count, "a client has ended: its locks are free");
    }

    async fn release_claim(&self, Unreleased { host, origin, claim }: &Unreleased) -> FsResult<()> {
        let Some(held) = self.claims.find(host, claim) else { return Ok(()) };
        let mut serial = held.serial.lock().await;
        let released = match self.entry.enter(&claim.file, &origin.sender.presented) {
            Ok(entered) => match (&claim.by, *serial) {
                (By::Owner(name), _) => match owner::owner(entered.caller.client, name) {
                    Some(owner) => entered.share.release_owner(&entered.caller, entered.node.node, &owner).await,
                    None => Ok(()),
                },
                (By::Share(_), Some(open)) => entered.share.close(&entered.caller, entered.node.node, open).await,
                (By::Share(_), None) => Ok(()),
            },
            Err(error) => Err(error),
        };
        let released = match released {
            // The share or the file is gone, and its locks with it.
            Err(FsError::Stale) => Ok(()),
            released => released,
        };
        if released.is_ok() {
            *serial = None;
            self.waiting.forget(claim);
        }
        self.claims.leave(host, claim, released.is_ok().then_some(0), Instant::now());
        drop(serial);
        released
    }

    /// Forgets clients that have had nothing for long, and releases what could not be, as long as there is the manager.
    pub(crate) async fn look_after(manager: Weak<LockManager>) {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(manager) = manager.upgrade() else { return };
            let unreleased = std::mem::take(&mut *manager.unreleased.lock());
            for unreleased in unreleased {
                if manager.release_claim(&unreleased).await.is_err() {
                    manager.unreleased.lock().push(unreleased);
                }
            }
            let _remembering = manager.remembering.lock().await;
            let idle = manager.claims.drop_idle(IDLE, Instant::now());
            if !idle.is_empty() {
                manager.recovery.forget(&idle).await;
            }
        }
    }
}

/// Whether two names of machines are the same, where one of them may have a domain.
pub(crate) fn is_same_name(one: &Bytes, other: &Bytes) -> bool {
    let host = |name: &Bytes| name.split(|byte| *byte == b'.').next().map(<[u8]>::to_ascii_lowercase);
    let has_domain = |name: &Bytes| name.contains(&b'.');
    if has_domain(one) && has_domain(other) { one.eq_ignore_ascii_case(other) } else { host(one) == host(other) }
}

#[cfg(test)]
mod tests;
