//! Places for work that clients cause and that takes its time, shared among their networks.

use std::{collections::HashMap, sync::Arc, time::Duration};

use dittofs_transport::ClientNetwork;
use parking_lot::Mutex;

/// Until who waits looks again.
const PAUSE: Duration = Duration::from_secs(1);

/// So many in all, and of one network.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    taken: Arc<Mutex<Taken>>,
    all_max: usize,
    network_max: usize,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    networks: HashMap<ClientNetwork, usize>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    taken: Arc<Mutex<Taken>>,
    network: ClientNetwork,
}

impl Places {
    pub(crate) fn new(all_max: usize, network_max: usize) -> Places {
        Places { taken: Arc::default(), all_max, network_max }
    }

    /// A place, if there is one.
    pub(crate) fn try_take(&self, network: ClientNetwork) -> Option<Place> {
        let mut taken = self.taken.lock();
        let of_network = taken.networks.get(&network).copied().unwrap_or(0);
        if taken.all >= self.all_max || of_network >= self.network_max {
            return None;
        }
        taken.all += 1;
        taken.networks.insert(network, of_network + 1);
        Some(Place { taken: Arc::clone(&self.taken), network })
    }

    /// A place, as soon as there is one.
    pub(crate) async fn take(&self, network: ClientNetwork) -> Place {
        loop {
            if let Some(place) = self.try_take(network) {
                return place;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        taken.all -= 1;
        if let Some(count) = taken.networks.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.networks.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests;
