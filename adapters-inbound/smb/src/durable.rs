//! Opens whose connection is lost, and that wait for their client (MS-SMB2, 3.3.7.1).

use std::{
    collections::HashMap,
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use dittofs_domain::opens::Rights;
use dittofs_smb_wire::identifiers::Guid;
use parking_lot::Mutex;

use crate::{
    closing::{close_open, report},
    command::keeps_handles,
    open::{Open, OpenKind, OpenNode},
    server::Server,
    session::User,
    tree::TreeKind,
};

/// How an open outlives its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Durable {
    /// The identifier of its CREATE, of version 2.
    pub(crate) create_guid: Option<Guid>,
    pub(crate) timeout_ms: u32,
}

/// An open that waits, and whose it is.
#[derive(Clone)]
pub(crate) struct Detached {
    pub(crate) open: Arc<Open>,
    pub(crate) user: User,
}

/// The opens that wait, by the persistent parts of their ids.
#[derive(Default)]
pub(crate) struct DetachedOpens(Mutex<HashMap<u64, Detached>>);

impl DetachedOpens {
    /// Adds one; not if there are too many.
    fn add(&self, detached: Detached, max: usize) -> bool {
        let mut opens = self.0.lock();
        if opens.len() >= max {
            return false;
        }
        opens.insert(detached.open.id.persistent, detached);
        true
    }

    /// Takes one that fits.
    ///
    /// # Errors
    /// Why it does not; none if there is no such open.
    pub(crate) fn take<E>(
        &self,
        persistent: u64,
        fits: impl FnOnce(&Detached) -> Result<(), E>,
    ) -> Result<Option<Detached>, E> {
        let mut opens = self.0.lock();
        let Some(found) = opens.get(&persistent) else { return Ok(None) };
        fits(found)?;
        Ok(opens.remove(&persistent))
    }

    /// Whether an open waits.
    pub(crate) fn has(&self, open: &Open) -> bool {
        self.0.lock().get(&open.id.persistent).is_some_and(|found| std::ptr::eq(&*found.open, open))
    }

    /// Takes an open, if it waits.
    fn take_this(&self, open: &Open) -> Option<Detached> {
        let mut opens = self.0.lock();
        opens.get(&open.id.persistent).filter(|found| std::ptr::eq(&*found.open, open))?;
        opens.remove(&open.id.persistent)
    }
}

/// Ends an open whose session has ended: it waits for its client if it is to do that, and is closed otherwise.
pub(crate) async fn detach_or_close(server: &Arc<Server>, open: Arc<Open>, user: &User) {
    let OpenKind::Node(node) = &open.kind else { return };
    // A file that is to go with its connection goes.
    let goes = node.delete_on_close.load(Ordering::Acquire);
    let Some(durable) = node.durable.filter(|_| !goes) else {
        return report(close_open(server, &open).await);
    };
    // Requests through it end first: the client that comes back would not see their outcome.
    drop(node.in_use.close().await);
    let detached = Detached { open: Arc::clone(&open), user: user.clone() };
    if !server.detached.add(detached, server.options.limits.opens) {
        return report(close_open(server, &open).await);
    }
    // A break that was sent as the connection was lost has reached nobody.
    if !has_handle(server, &open, node).await {
        purge(server, &open).await;
        return;
    }
    wait_for_client(server, &open, Duration::from_millis(u64::from(durable.timeout_ms)));
}

/// Whether the open has all that it was given as it became durable.
async fn has_handle(server: &Server, open: &Open, node: &OpenNode) -> bool {
    let (TreeKind::Files(files), Some(key)) = (&open.tree.kind, node.cache) else { return false };
    let Ok(entered) = files.enter_to_end(&*server.services.entry) else { return false };
    let held = entered.share.request_lease(&node.caller, node.node, key, Rights::empty()).await;
    held.is_ok_and(|grant| !grant.breaking && keeps_handles(&key, &grant))
}

/// Closes an open that waits, as nobody may wait for it. Returns false if it does not wait.
pub(crate) async fn purge(server: &Server, open: &Open) -> bool {
    match server.detached.take_this(open) {
        Some(detached) => {
            report(close_open(server, &detached.open).await);
            true
        }
        None => false,
    }
}

/// Closes an open if its client does not come back in time.
fn wait_for_client(server: &Arc<Server>, open: &Arc<Open>, patience: Duration) {
    let (server, open): (Weak<Server>, Weak<Open>) = (Arc::downgrade(server), Arc::downgrade(open));
    tokio::spawn(async move {
        tokio::time::sleep(patience).await;
        if let (Some(server), Some(open)) = (server.upgrade(), open.upgrade()) {
            purge(&server, &open).await;
        }
    });
}

#[cfg(test)]
mod tests;
