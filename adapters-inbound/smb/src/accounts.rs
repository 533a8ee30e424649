//! Who may log on, and how often somebody may try.

mod throttle;

use std::{net::IpAddr, sync::Arc, time::Instant};

use dittofs_domain::users::UserName;
use dittofs_ports::AccountService;
use dittofs_smb_security::NtHash;
use dittofs_transport::ClientNetwork;
use parking_lot::Mutex;
use throttle::Throttle;

use crate::session::User;

/// A user as the server knows it.
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) hash: NtHash,
    pub(crate) is_disabled: bool,
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

    /// A user; none if there is no such one. Nothing if it can't be found out, which has been logged.
    pub(crate) async fn find(&self, name: &str) -> Result<Option<Account>, ()> {
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

    /// Whether a client has failed too often lately.
    pub(crate) fn is_throttled(&self, address: IpAddr) -> bool {
        self.throttle.lock().is_throttled(ClientNetwork::of(address), Instant::now())
    }

    /// Notes that a client has failed to log on.
    pub(crate) fn note_failure(&self, address: IpAddr) {
        self.throttle.lock().note(ClientNetwork::of(address), Instant::now());
    }
}
