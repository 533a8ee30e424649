//! Notifying adapters of what becomes of their clients' state.

use std::sync::Arc;

use dittofs_domain::{
    ClientId, NodeId,
    opens::{Break, LeaseKey, Waiter},
};
use dittofs_ports::{NodeRef, OpenEvents};
use parking_lot::RwLock;

use crate::volume::share::Share;

/// The adapters that are notified of their clients' state.
pub(super) struct Subscribers {
    share: Arc<Share>,
    adapters: RwLock<Vec<Arc<dyn OpenEvents>>>,
}

impl Subscribers {
    pub(super) fn new(share: Arc<Share>) -> Subscribers {
        Subscribers { share, adapters: RwLock::default() }
    }

    pub(super) fn add(&self, adapter: Arc<dyn OpenEvents>) {
        self.adapters.write().push(adapter);
    }

    /// Notifies whom it concerns. No lock is held meanwhile.
    pub(super) fn notify(&self, node: NodeId, revoked: &[LeaseKey], breaks: &[Break], woken: &[Waiter]) {
        let node = NodeRef::live(self.share.id(), node);
        for key in revoked {
            self.with_one_of(key.client, |events| events.lease_revoked(node, *key));
        }
        for request in breaks {
            self.with_one_of(request.key.client, |events| events.break_requested(node, request));
        }
        for waiter in woken {
            self.with_one_of(waiter.lock.holder.client(), |events| events.lock_granted(node, waiter));
        }
    }

    fn with_one_of(&self, client: ClientId, notify: impl FnOnce(&dyn OpenEvents)) {
        let found = self.adapters.read().iter().find(|events| events.serves(client)).map(Arc::clone);
        match found {
            Some(events) => notify(&*events),
            None => tracing::debug!(share = %self.share.name(), %client, "nobody notifies this client"),
        }
    }
}
