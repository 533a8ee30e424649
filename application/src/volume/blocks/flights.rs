//! Who fetches which frames: one at a time each, while the others wait for what it brings.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use dittofs_domain::ObjectId;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// A block: its object, and where it is in it.
pub(super) type Block = (ObjectId, u64);

/// The frames that are on their way.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<(Block, u32), Arc<Flight>>>);

/// Frames of a block that somebody fetches.
#[derive(Debug)]
pub(super) struct Flight {
    landed: OnceLock<Vec<(u32, Bytes)>>,
    /// Has no permits, and is closed at the end.
    end: Semaphore,
}

/// The right, and the duty, to fetch some frames. Dropped without them it leaves that to those who wait.
pub(super) struct Claim<'a> {
    flights: &'a Flights,
    block: Block,
    pub(super) frames: Vec<u32>,
    flight: Arc<Flight>,
}

impl Flights {
    /// Claims those of the frames that nobody fetches, and answers who fetches the others.
    pub(super) fn claim(&self, block: Block, frames: impl Iterator<Item = u32>) -> (Claim<'_>, Vec<Arc<Flight>>) {
        let flight = Arc::new(Flight { landed: OnceLock::new(), end: Semaphore::new(0) });
        let (mut ours, mut others) = (Vec::new(), Vec::<Arc<Flight>>::new());
        let mut flying = self.0.lock();
        for frame in frames {
            match flying.get(&(block, frame)) {
                Some(other) if others.last().is_some_and(|last| Arc::ptr_eq(last, other)) => {}
                Some(other) => others.push(Arc::clone(other)),
                None => {
                    flying.insert((block, frame), Arc::clone(&flight));
                    ours.push(frame);
                }
            }
        }
        drop(flying);
        (Claim { flights: self, block, frames: ours, flight }, others)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl Claim<'_> {
    /// Hands the frames to those who wait. They must be in the cache by now: who comes later looks there.
    pub(super) fn land(self, frames: Vec<(u32, Bytes)>) {
        // Set once, here.
        let _ = self.flight.landed.set(frames);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut flying = self.flights.0.lock();
        for frame in &self.frames {
            flying.remove(&(self.block, *frame));
        }
        drop(flying);
        self.flight.end.close();
    }
}

impl Flight {
    /// Waits for the end; without frames it has failed.
    pub(super) async fn frames(&self) -> &[(u32, Bytes)] {
        // It only ever fails, once it is closed.
        let _ = self.end.acquire().await;
        self.landed.get().map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
