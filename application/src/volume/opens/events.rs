//! Telling adapters what becomes of their clients' state.

use std::sync::Arc;

use dittofs_domain::{
    ClientId, NodeId,
    opens::{Break, LeaseKey, WaitToken, Waiter},
};
use dittofs_ports::{NodeRef, OpenEvents};

use super::Volume;

impl Volume {
    pub(crate) fn subscribe(&self, events: Arc<dyn OpenEvents>) {
        self.opens.subscribers.write().push(events);
    }

    pub(crate) fn wait_token(&self) -> WaitToken {
        WaitToken(self.machine.randomness.bits64())
    }

    /// Tells whom it concerns. No lock is held while they are told.
    pub(super) fn tell(&self, node: NodeId, revoked: &[LeaseKey], breaks: &[Break], woken: &[Waiter]) {
        let node = NodeRef { share: self.share(), node };
        for key in revoked {
            self.with_subscriber(key.client, |events| events.lease_revoked(node, *key));
        }
        for request in breaks {
            self.with_subscriber(request.key.client, |events| events.break_requested(node, request));
        }
        for waiter in woken {
            self.with_subscriber(waiter.lock.holder.client(), |events| events.lock_granted(node, waiter));
        }
    }

    fn with_subscriber(&self, client: ClientId, tell: impl FnOnce(&dyn OpenEvents)) {
        let found = self.opens.subscribers.read().iter().find(|events| events.serves(client)).map(Arc::clone);
        match found {
            Some(events) => tell(&*events),
            None => tracing::debug!(share = %self.name, %client, "nobody tells this client"),
        }
    }
}
