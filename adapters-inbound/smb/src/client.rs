//! Clients by their GUIDs: the sessions of one machine share leases (MS-SMB2, 3.3.1.11).

use std::{
    collections::HashMap,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use dittofs_domain::ClientId;
use dittofs_smb_wire::identifiers::Guid;
use parking_lot::Mutex;

use crate::link::Link;

/// A client machine.
pub(crate) struct Client {
    pub(crate) guid: Guid,
    number: u64,
    /// Its connections, in the order in which they came.
    links: Mutex<Vec<Weak<Link>>>,
}

impl Client {
    /// The client, as opens, locks and leases know it.
    pub(crate) fn id(&self) -> ClientId {
        ClientId::Smb(self.number)
    }

    /// Notes a connection.
    pub(crate) fn add_link(&self, link: &Arc<Link>) {
        let mut links = self.links.lock();
        links.retain(|held| held.strong_count() > 0 && !std::ptr::eq(held.as_ptr(), Arc::as_ptr(link)));
        links.push(Arc::downgrade(link));
    }

    /// Its connections, the oldest first.
    pub(crate) fn links(&self) -> Vec<Arc<Link>> {
        self.links.lock().iter().filter_map(Weak::upgrade).collect()
    }
}

/// The clients that have sessions, or opens that outlive them.
#[derive(Default)]
pub(crate) struct Clients {
    next: AtomicU64,
    /// With how many use each.
    by_guid: Mutex<HashMap<Guid, (Arc<Client>, usize)>>,
}

impl Clients {
    /// Takes one more user of a client in. Who has no GUID shares nothing with anybody.
    pub(crate) fn enter(&self, guid: Guid) -> Arc<Client> {
        let new = || {
            let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
            Arc::new(Client { guid, number, links: Mutex::default() })
        };
        if guid == Guid::default() {
            return new();
        }
        let mut by_guid = self.by_guid.lock();
        let (client, users) = by_guid.entry(guid).or_insert_with(|| (new(), 0));
        *users += 1;
        Arc::clone(client)
    }

    /// One user less. Returns whether it was the last: nothing of the client may be left then.
    pub(crate) fn leave(&self, client: &Client) -> bool {
        let mut by_guid = self.by_guid.lock();
        let Some((_, users)) = by_guid.get_mut(&client.guid).filter(|(held, _)| held.number == client.number) else {
            return true;
        };
        *users -= 1;
        let is_last = *users == 0;
        if is_last {
            by_guid.remove(&client.guid);
        }
        is_last
    }
}

#[cfg(test)]
mod tests;
