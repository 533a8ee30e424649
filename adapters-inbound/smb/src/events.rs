//! Events of the services about clients' locks and rights.

use std::sync::{Arc, Weak};

use dittofs_domain::{
    ClientId,
    opens::{Break, LeaseKey, Waiter},
};
use dittofs_ports::{NodeRef, OpenEvents};

use crate::{
    caching::{Holder, Told},
    closing::give_up,
    server::Server,
};

/// Passes events on, as long as there is the server.
pub(crate) struct Events(pub(crate) Weak<Server>);

impl OpenEvents for Events {
    fn serves(&self, client: ClientId) -> bool {
        matches!(client, ClientId::Smb(_))
    }

    fn break_requested(&self, _node: NodeRef, request: &Break) {
        let Some(server) = self.0.upgrade() else { return };
        if let Told::Unreachable(holder) = server.caching.tell(request) {
            give_up_later(server, holder, request.key);
        }
    }

    fn lease_revoked(&self, _node: NodeRef, key: LeaseKey) {
        tracing::info!(client = %key.client, "a client did not answer a break in time");
        if let Some(server) = self.0.upgrade() {
            server.caching.revoked(&key);
        }
    }

    fn lock_granted(&self, _node: NodeRef, waiter: &Waiter) {
        if let Some(server) = self.0.upgrade() {
            server.lock_waiters.granted(waiter.token);
        }
    }
}

/// Gives rights up whose holder has no connection. An event must return at once, so this comes later.
fn give_up_later(server: Arc<Server>, holder: Holder, key: LeaseKey) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move { give_up(&server, &holder, key).await });
    }
}
