//! Who may log on, and how often somebody may try.

mod throttle;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use dittofs_domain::{
    Credentials,
    users::{MachineId, UserName},
};
use dittofs_ports::{AccountService, UserInfo};
use dittofs_smb_security::{
    NtHash, Refusal,
    spnego::{Accepted, Pending},
};
use dittofs_smb_wire::NtStatus;
use dittofs_transport::ClientNetwork;
use parking_lot::Mutex;
use throttle::Throttle;
use tokio::time::{Instant, sleep};

use crate::session::User;

/// A refusal takes a multiple of this: longer than to look for a user and to unseal its secret, so that the time does
/// not tell whether there is one.
const REFUSAL: Duration = Duration::from_millis(20);

/// A user as the server knows it.
struct Account {
    user: User,
    hash: NtHash,
    is_disabled: bool,
}

/// A user that has proved its password.
pub(crate) struct Proved {
    pub(crate) user: User,
    pub(crate) accepted: Accepted,
}

/// The users.
pub(crate) struct Accounts {
    service: Arc<dyn AccountService>,
    throttle: Mutex<Throttle>,
}

impl Accounts {
    pub(crate) fn new(service: Arc<dyn AccountService>) -> Accounts {
        Accounts { service, throttle: Mutex::default() }
    }

    /// Checks what a client at an address says of a user.
    ///
    /// # Errors
    /// `LOGON_FAILURE`, and others that [`refused`] has; `ACCOUNT_DISABLED` to who knows the password;
    /// `NO_LOGON_SERVERS` where users can't be found.
    pub(crate) async fn prove(&self, peer: SocketAddr, pending: Pending) -> Result<Proved, NtStatus> {
        let begun = Instant::now();
        let proved = self.check(peer, pending).await;
        if proved.is_err() {
            let steps = begun.elapsed().as_micros() / REFUSAL.as_micros() + 1;
            sleep((REFUSAL * u32::try_from(steps).unwrap_or(1)).saturating_sub(begun.elapsed())).await;
        }
        proved
    }

    async fn check(&self, peer: SocketAddr, pending: Pending) -> Result<Proved, NtStatus> {
        let name = pending.identity().user.clone();
        if self.is_throttled(peer.ip(), &name) {
            tracing::warn!(%peer, user = %name, reason = "too many failures lately", "logon refused");
            return Err(NtStatus::LOGON_FAILURE);
        }
        let account = self.find(&name).await.map_err(|()| NtStatus::NO_LOGON_SERVERS)?;
        // The same work is done for a user that there is not.
        let accepted = pending.finish(account.as_ref().map(|account| &account.hash));
        match (accepted, account) {
            (Ok(_), Some(account)) if account.is_disabled => {
                tracing::warn!(%peer, user = %name, reason = "the user is disabled", "logon refused");
                Err(NtStatus::ACCOUNT_DISABLED)
            }
            (Ok(accepted), Some(account)) => {
                tracing::info!(%peer, user = account.user.name.as_str(), "logged on");
                Ok(Proved { user: account.user, accepted })
            }
            (Err(refusal), _) => {
                self.note_failure(peer.ip(), &name);
                tracing::warn!(%peer, user = %name, reason = %refusal, "logon refused");
                Err(refused(&refusal))
            }
            (Ok(_), None) => Err(NtStatus::LOGON_FAILURE),
        }
    }

    /// A user; none if there is no such one. Nothing if it can't be found out, which has been logged.
    async fn find(&self, name: &str) -> Result<Option<Account>, ()> {
        let Ok(name) = UserName::new(name) else { return Ok(None) };
        match self.service.find(&name).await {
            Ok(account) => Ok(account.map(|account| Account {
                user: User { name: account.name, credentials: account.credentials },
                hash: NtHash::from_bytes(*account.nt_hash.bytes()),
                is_disabled: account.disabled,
            })),
            Err(error) => {
                tracing::error!(%error, "nobody can log on");
                Err(())
            }
        }
    }

    /// The machine by which users and groups are identified.
    ///
    /// # Errors
    /// `IO_DEVICE_ERROR` if it can't be found out, which has been logged.
    pub(crate) async fn machine(&self) -> Result<MachineId, NtStatus> {
        self.service.machine().await.map_err(|error| {
            tracing::error!(%error, "users can't be told by their identifiers");
            NtStatus::IO_DEVICE_ERROR
        })
    }

    /// All users that may log on. Nothing if they can't be found out.
    pub(crate) async fn enabled(&self) -> Option<Vec<User>> {
        let users = self.service.list().await;
        let users = users.inspect_err(|error| tracing::warn!(%error, "sessions go on: their users can't be looked up"));
        let enabled = users.ok()?.into_iter().filter(|user| !user.disabled);
        Some(enabled.map(|user| User { credentials: credentials(&user), name: user.name }).collect())
    }

    /// Whether a client has failed too often lately.
    fn is_throttled(&self, address: IpAddr, user: &str) -> bool {
        self.throttle.lock().is_throttled(ClientNetwork::of(address), user, Instant::now().into_std())
    }

    /// Notes that a client has failed to log on.
    fn note_failure(&self, address: IpAddr, user: &str) {
        self.throttle.lock().note(ClientNetwork::of(address), user, Instant::now().into_std());
    }
}

fn credentials(UserInfo { uid, gid, groups, .. }: &UserInfo) -> Credentials {
    Credentials { groups: groups.iter().copied().collect(), ..Credentials::user(*uid, *gid) }
}

/// The status of a refused logon. Whether the user exists can't be told from it.
pub(crate) fn refused(refusal: &Refusal) -> NtStatus {
    match refusal {
        Refusal::Malformed | Refusal::OutOfSequence => NtStatus::INVALID_PARAMETER,
        Refusal::NoCommonMechanism | Refusal::NoUnicode => NtStatus::NOT_SUPPORTED,
        Refusal::ObsoleteResponse | Refusal::ForeignTarget | Refusal::Credentials | Refusal::Integrity => {
            NtStatus::LOGON_FAILURE
        }
    }
}

#[cfg(test)]
mod tests;
