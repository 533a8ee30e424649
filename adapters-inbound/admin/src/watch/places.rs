//! Places for connections of monitoring: whoever sends nothing keeps nobody else out.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::task::AbortHandle;

/// Connections at once that are not being answered. For one more, the oldest of them is closed. More than probes and
/// scrapers that come at the same time, and few descriptors.
const WAITING_MAX: usize = 32;

/// All connections.
#[derive(Default)]
pub(super) struct Places {
    open: Mutex<VecDeque<(Place, AbortHandle)>>,
}

/// One connection's place.
#[derive(Clone, Default)]
pub(super) struct Place(Arc<AtomicBool>);

/// While it lives, its connection is not closed to make room.
pub(super) struct Answering(Place);

impl Places {
    /// A connection's task runs.
    pub(super) fn enter(&self, place: Place, task: AbortHandle) {
        let mut open = self.open.lock();
        open.retain(|(_, task)| !task.is_finished());
        open.push_back((place, task));
        let is_waiting = |(place, _): &(Place, AbortHandle)| !place.is_answering();
        let oldest = open.iter().position(is_waiting);
        if open.iter().filter(|entry| is_waiting(entry)).count() > WAITING_MAX
            && let Some((_, task)) = oldest.and_then(|oldest| open.remove(oldest))
        {
            task.abort();
        }
    }
}

impl Place {
    /// Its request is complete, and is being answered.
    pub(super) fn answer(&self) -> Answering {
        self.0.store(true, Ordering::Relaxed);
        Answering(self.clone())
    }

    fn is_answering(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}
