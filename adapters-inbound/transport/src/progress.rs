use std::time::{Duration, Instant};

/// How far a transfer has come that depends on a peer. Time is an argument.
///
/// A peer must move so many bytes within its patience, or finish. Fewer bytes do not begin the time anew, so that a byte
/// now and then keeps nothing alive.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    bytes_min: u64,
    since: Option<Instant>,
    moved: u64,
}

impl Progress {
    /// Of transfers that must move `bytes_min` bytes in time.
    pub fn of_at_least(bytes_min: u64) -> Progress {
        Progress { bytes_min, since: None, moved: 0 }
    }

    /// Of transfers that must end in time.
    pub fn of_the_whole() -> Progress {
        Progress::of_at_least(u64::MAX)
    }

    /// The peer is waited for. The time runs from the first call after the beginning, or after enough has moved.
    pub fn wait(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// So many bytes have moved.
    pub fn moved(&mut self, bytes: u64) {
        self.moved = self.moved.saturating_add(bytes);
        if self.moved >= self.bytes_min {
            self.end();
        }
    }

    /// The transfer is done, or does not wait for the peer.
    pub fn end(&mut self) {
        (self.since, self.moved) = (None, 0);
    }

    /// When the peer's time is up; none while nobody waits for it.
    pub fn deadline(&self, patience: Duration) -> Option<Instant> {
        self.since.and_then(|since| since.checked_add(patience))
    }
}

#[cfg(test)]
mod tests;
